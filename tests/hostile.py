"""Damage files of every form that the library reads, and see that each is refused in one sentence or read rightly.

``python tests/hostile.py --inputs 10000`` prints the numbers, and exits with 1 if an input

- raised anything but the project's own error (raw),
- was read, but not as its bytes say (wrong),
- took longer than a reader may (slow), or more memory than one may (memory), or
- ran something, opened a connection or wrote outside its folder (act).
"""

import argparse
import collections
import faulthandler
import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("src", "workflow", "tests") if str(ROOT / part) not in sys.path]

SECONDS = 10  # of the processor that a reader may take for one input
MEMORY = 3 * 2**30  # bytes of address space that it may take on top of what the process has
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
ACTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "socket.connect")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "shutil.rmtree")


# --- Damage ---


def flipped(content, chance, _):
    """Return the bytes with up to eight bits the other way."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def truncated(content, chance, _):
    return content[: chance.randrange(len(content))]


def extended(content, chance, other):
    return content + (other if chance.random() < 0.3 else chance.randbytes(chance.randint(1, 100)))


def spliced(content, chance, other):
    """Return the bytes with a piece of themselves, or of another file, over, between or in place of some."""
    source = chance.choice([content, other])
    start, at = chance.randrange(len(source)), chance.randrange(len(content))
    piece = source[start : start + chance.choice([1, 4, 16, 100, 1000])]
    return content[:at] + piece + content[at + chance.choice([0, len(piece), chance.randint(0, 50)]) :]


def extreme(content, chance, _):
    """Return the bytes with a number near one of the ends, where headers are, at an end of its range."""
    width, value = chance.choice([1, 2, 4, 8]), chance.choice(EXTREMES)
    number = struct.pack("<Q", value)[:width][:: chance.choice([1, -1])]
    near = chance.choice([range(min(256, len(content))), range(max(len(content) - 256, 0), len(content))])
    at = chance.choice(near)
    return content[:at] + number + content[at + width :]


def retold(content, chance, _):
    """Return a text with one of its numbers, names or marks replaced: what a hand might do."""
    text = content.decode("latin-1")
    old = chance.choice(
        ['"', "{", "}", "[", "]", ",", ":", "1", "3", "True", "False", "null", "(", ")", "<f4", "'", " "]
    )
    new = chance.choice(
        ["", "1e999", "-1", "NaN", "99999999999", "null", '"x"', "[" * 5000, "{}", "|O", "<U9", "0", "\n"]
    )
    places = [k for k in range(len(text)) if text.startswith(old, k)][:500]
    if not places:
        return flipped(content, chance, _)
    at = chance.choice(places)
    return (text[:at] + new + text[at + len(old) :]).encode("latin-1")


DAMAGE = (flipped, flipped, truncated, extended, spliced, extreme, extreme, retold)


# --- One input ---


class Slow(BaseException):
    """A reader did not come back; no `except Exception` may catch it."""


def _ring(*_):
    raise Slow


class Watch:
    """Notes what a process does that no reader should: an audit hook, which cannot be taken away again."""

    def __init__(self):
        self.folder, self.acts = None, []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.folder is None:
            return
        if event in ACTS or event == "pickle.find_class":
            self.acts.append(f"{event} {arguments}")
        elif event in CHANGES or event == "open" and isinstance(arguments[2], int) and arguments[2] & 3:
            paths = arguments[:1] if event in ("open", "os.chmod") else arguments
            paths = [path for path in paths if isinstance(path, str | os.PathLike)]
            if not all(str(path).startswith(self.folder) for path in paths):
                self.acts.append(f"{event} {arguments}")


def outcome(reader, content, watch):
    """Return how reading the bytes `content` ended, and what went wrong."""
    from deepunits.errors import UserError

    with tempfile.TemporaryDirectory() as folder:
        for name, beside in reader.beside.items():
            Path(folder, name).write_bytes(beside)
        path = Path(folder, reader.name)
        path.write_bytes(content)
        watch.folder, watch.acts = folder, []
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            found = reader.read(path)
            ended = ("read", "") if reader.right(found, content) else ("wrong", repr(found)[:200])
        except UserError as error:
            memory = any(isinstance(cause, MemoryError) for cause in _causes(error))
            ended = (
                ("memory", str(error))
                if memory
                else ("raw", f"lines: {error}")
                if "\n" in str(error)
                else ("refused", "")
            )
        except Slow:
            ended = ("slow", "".join(traceback.format_stack(limit=3)))
        except MemoryError:
            ended = ("memory", "")
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in last if "deepunits" in frame.filename or "workflow" in frame.filename]
            place = own[-1] if own else last[-1]
            ended = ("raw", f"{type(error).__name__} in {Path(place.filename).name}:{place.name}: {str(error)[:100]}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            watch.folder = None
        return ("act", "; ".join(watch.acts)) if watch.acts else ended


def _causes(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def prepare():
    """Bound what this process may take from now on; return a watch over it."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    signal.signal(signal.SIGPROF, _ring)
    faulthandler.enable()  # a crash says where
    warnings.simplefilter("ignore")
    return Watch()


# --- All of them ---


def inputs(count, seed):
    """Yield a name, the name of a reader and the bytes to be read: the crafted ones, then `count` damaged ones."""
    from corpus import READERS
    from crafted import CRAFTED

    yield from ((name, reader, make()) for name, (reader, make) in CRAFTED.items() if reader in READERS)
    names = list(READERS)
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        name, other = names[number % len(names)], READERS[chance.choice(names)].whole
        reader, damage = READERS[name], chance.choice(DAMAGE)
        damaged = damage(reader.whole, chance, other)
        yield f"{number}, {damage.__name__}", name, reader.around(damaged)


def main(arguments=None):
    """Read so many damaged files; print what came of them and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=20, help="failures that are shown")
    given = parser.parse_args(arguments)
    from corpus import READERS

    watch, counts, failures, longest = prepare(), collections.Counter(), [], 0.0
    kinds = collections.defaultdict(collections.Counter)
    for what, name, content in inputs(given.inputs, given.seed):
        started = time.perf_counter()
        ended, about = outcome(READERS[name], content, watch)
        longest = max(longest, time.perf_counter() - started)
        counts[ended] += 1
        kinds[name][ended] += 1
        if ended not in ("read", "refused"):
            failures.append(f"{ended}: {name} ({what}): {about}")
            if len(failures) <= given.show:
                print(failures[-1], flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"inputs": sum(counts.values()), "readers": len(READERS), **counts}, sort_keys=True))
    print(f"longest {longest:.1f} s, peak memory {peak} MB; kinds of raw errors:")
    for about, n in collections.Counter(f.split("): ", 1)[-1][:70] for f in failures).most_common(40):
        print(f"{n:6d} {about}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
