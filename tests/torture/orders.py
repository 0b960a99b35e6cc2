"""The same seed gives the same bits in whatever order the jobs run; another seed gives others."""

import numpy as np
from torture.kills import Outcome, differences


def run_in_other_order(workflow, folder, seed):
    """Run a workflow on one core, and again on all of them with jobs drawn at random put first.

    Returns
    -------
    Outcome
    """
    _, _, needed = workflow.finish(folder / "one", cores=1)
    results = [path for path in (folder / "one" / "results").rglob("*.npz") if "checkpoints" not in path.parts]
    names = sorted(path.relative_to(folder / "one").as_posix() for path in results)
    first = np.random.default_rng(seed).choice(names, len(names) // 2, replace=False)
    _, _, work = workflow.finish(folder / "all", "--scheduler", "greedy", "--prioritize", *first)
    lines, compared = differences(folder / "one" / "results", folder / "all" / "results")
    return Outcome([], work, needed, compared, lines + workflow.left_behind(folder / "all"))


def order_of(folder):
    """Return the jobs of a run in the order in which they began."""
    return [line for line in (folder / "output.txt").read_text().splitlines() if line.startswith("Job ")]


def weights_in_common(first, second):
    """Return how many trained layers two runs have, and those whose weights are the same."""
    names = sorted(path.relative_to(first) for path in first.rglob("models/**/layer?.npz"))
    same = []
    for name in names:
        with np.load(first / name) as one, np.load(second / name) as other:
            if np.array_equal(one["weights"], other["weights"]):
                same.append(str(name))
    return len(names), same
