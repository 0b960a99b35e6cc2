"""What the documents name is there: files, links, targets, commands, objects; and they build as a site."""

import ast
import importlib
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake.cli import get_argument_parser
from test_supply_chain import NO_NETWORK, can_be_alone

import deepunits
from deepunits.paper.claims.scorecard import VERDICTS, over_seeds, statements

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
DOCUMENTS += [ROOT / folder / "README.md" for folder in ("benchmarks", "config", "results")]
TREE = re.compile(r"`((?:src|workflow|scripts|tests|config|docs|benchmarks)/[\w./]+|[\w.]+\.(?:py|smk))`")
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)#?([^)\s]*)\)")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
RULES = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk")])
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def blocks(document):
    """Return the language and the text of each block of code of a document, without its indentation."""
    found = BLOCK.findall(document.read_text(encoding="utf-8"))
    return [(language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)) for indent, language, text in found]


def prose(document):
    """Return a document without its blocks of code."""
    return BLOCK.sub("", document.read_text(encoding="utf-8"))


def anchors(document):
    """Return the anchors of a document's headings that are the same in the repository and in the site."""
    headings = [heading.lower() for heading in re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)]
    kept = [re.sub(r"[^\w\s-]", "", heading).strip() for heading in headings]
    return {
        one for one in (text.replace(" ", "-") for text in kept) if one == re.sub(r"-+", "-", one) and one.isascii()
    }


@each_document
def test_what_a_document_names_is_there(document):
    text = document.read_text(encoding="utf-8")
    links = [(document.parent / path if path else document, anchor) for path, anchor in LINK.findall(prose(document))]
    assert [path for path, _ in links if not path.exists()] == []
    assert [(path, anchor) for path, anchor in links if anchor and anchor not in anchors(path)] == []
    named = [name for name in TREE.findall(text) if not (ROOT / name).exists()]
    assert [name for name in named if "/" in name or not beside(document, name)] == []


def beside(document, name):
    """Return whether a file of that name is in the document's folder or the library."""
    return (document.parent / name).exists() or any((ROOT / "src").rglob(name))


def test_a_document_links_to_no_anchor_twice():
    """A heading that another one repeats would have a number in its anchor."""
    for document in DOCUMENTS:
        headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
        assert len(headings) == len({heading.lower() for heading in headings}), document


@each_document
def test_the_targets_that_a_document_names_are_there(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^ *|`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert [target for target in named if target not in targets] == []


def declared_rules():
    """Return the names of the rules that are declared one by one, and of those that rows of tables make."""
    declared = {name for pair in re.findall(r"rule (\w+):| as (\w+) with", RULES) for name in pair} - {""}
    prefixes = {"figure": "", "table": "tabulate_", "claims": "measure_"}
    return declared, {prefixes[kind] + name for name, kind in re.findall(r'"(\w+)": (figure|table|claims)\(', RULES)}


def can_be_made(target):
    """Return whether a target of Snakemake is the name of a rule or a file such as rules make."""
    patterns = [re.sub(r"\\{.*?\\}", ".+", re.escape(path)) for path in re.findall(r'"(results/[^"]+\.\w+)"', RULES)]
    return target in set.union(*declared_rules()) or any(re.fullmatch(pattern, target) for pattern in patterns)


def commands(document):
    """Return the words of each command of a document: lines of blocks without another language, and code in prose."""
    lines = "\n".join(text.replace("\\\n", " ") for language, text in blocks(document) if not language).splitlines()
    lines += [" ".join(text.split()) for text in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(document))]
    lines += re.findall(r"'(snakemake [^']+)'", "\n".join(lines))
    started = [line for line in lines if re.match(r"(?:snakemake|pytest|python) ", line.strip())]
    return [shlex.split(line, comments=True) for line in started if not re.search("[<>…]|--executor", line)]


def faults(words, made=()):
    """Return what a command names that is not there; files of the names `made` will be."""
    program, *arguments = words
    if program == "snakemake":
        asked = get_argument_parser().parse_args(arguments)
        files = [*map(str, asked.configfile or ()), *(asked.profile or ())]
        absent = [file for file in files if file not in made and not (ROOT / file).exists()]
        return absent + [target for target in asked.targets or () if not can_be_made(target)]
    if arguments[0] == "-m":
        return [] if resolves(arguments[1]) else [arguments[1]]
    return [name for name in arguments[:1] if not name.startswith("-") and not (ROOT / name).exists()]


@each_document
def test_the_commands_of_a_document_can_be_given(document):
    made = re.findall(r"`([\w/]+\.yaml)`", prose(document))  # the page tells to write it
    assert [(words, fault) for words in commands(document) for fault in faults(words, made)] == []


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("snakemake --cores all --configfile mine.yaml sheet", "sheet"),  # is taken for a file
        ("snakemake --cores all figure9", "figure9"),
        ("snakemake -n results/figures/figure1.gif", "results/figures/figure1.gif"),
        ("snakemake --profile profiles/none", "profiles/none"),
        ("pytest tests/test_nothing.py", "tests/test_nothing.py"),
        ("python docs/nothing.py", "docs/nothing.py"),
        ("python -m deepunits.nothing", "deepunits.nothing"),
    ],
)
def test_a_command_that_cannot_be_given_is_seen(command, fault):
    assert faults(command.split(), made=["mine.yaml"]) == [fault]


def test_commands_are_found():
    assert sum(len(commands(document)) for document in DOCUMENTS) > 30


@each_document
def test_the_blocks_of_a_document_can_be_read(document):
    for language, text in blocks(document):
        if language == "yaml":
            assert isinstance(yaml.safe_load(text), dict)
        if language == "python":
            nodes = [ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)]
            named = [name for name in nodes if re.fullmatch(r"deepunits(?:\.\w+)+", name)]
            assert [name for name in named if name.split(".")[1] not in dir(deepunits) and not resolves(name)] == []


def test_the_picture_of_the_workflow_has_every_rule():
    text = (ROOT / "docs" / "workflow.svg").read_text(encoding="utf-8")
    drawn = re.findall(r'class="rule"[^>]*>([^<]+)<', text)
    declared, rows = declared_rules()
    named = {name for name in drawn if "*" not in name}
    assert declared <= named and named <= declared | rows and len(drawn) == len(set(drawn))
    patterns = [name for name in drawn if "*" in name]
    assert all(any(fnmatchcase(row, pattern) for row in rows) for pattern in patterns)
    assert [row for row in rows - named if not any(fnmatchcase(row, pattern) for pattern in patterns)] == []


def test_the_site_has_every_page():
    """The menu of the site names each page of docs/ and each that the hook brings from elsewhere, once."""
    body = ast.parse((ROOT / "docs" / "pages.py").read_text(encoding="utf-8")).body
    [kept] = [ast.literal_eval(n.value) for n in body if isinstance(n, ast.Assign) and n.targets[0].id == "PAGES"]
    menu = re.findall(r"\S+\.md", str(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    named = sorted(name.strip("'") for name in menu)
    assert named == sorted([*kept.values(), *(path.relative_to(ROOT / "docs").as_posix() for path in PAGES)])
    documents = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS if path not in PAGES}
    assert set(kept) == documents | {"docs/tutorial.py"}


class Loaded(HTMLParser):
    """Collects what a page of HTML loads, as against what it links to."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag != "a":
            self.addresses += [given[name] for name in ("src", "href", "data") if given.get(name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built without a network, every link and anchor resolved."""
    for module in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(module, reason="what builds the site is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    within = NO_NETWORK if can_be_alone() else []
    done = subprocess.run([*within, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_loads_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) >= len(DOCUMENTS)
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert loaded.addresses and [one for one in loaded.addresses if re.match(r"(?:\w+:)?//", one)] == [], page
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert styles and not re.search(r"(?:@import|url\()\s*[\"']?(?:\w+:)?//", styles)


def test_the_site_has_the_docstrings(site):
    """Of all that `deepunits` gives by name, where the menu has the package that it is in."""
    text = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").glob("*.html"))
    homes = {f"{module}.{name}" for module, name in deepunits._FOUND.values() if module.count(".") > 1}
    assert len(homes) > 20 and [home for home in sorted(homes) if f'id="{home}"' not in text] == []


@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
def test_the_site_is_searched_without_a_server(site, tmp_path):
    """From a page in a folder, as a file: a browser starts no worker there."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command += ["--virtual-time-budget=20000", "--dump-dom"]
    page = (site / "reference" / "models.html").as_uri()
    done = subprocess.run([*command, f"{page}?q=geodesics"], capture_output=True, text=True, timeout=120)
    results = done.stdout.partition("md-search-result__meta")[2]
    assert re.search(r'href="[^"]*/deviations.html[^"]*#geodesics"', results), results[:1000]


COUNTS = re.compile(
    r"Of (\d+) statements.*? (\d+) hold, (\d+) hold in part, (\d+) are undecided, (\d+) do not hold and (\d+) cannot"
)


def test_the_documents_count_what_the_scorecard_counts():
    scorecard = (ROOT / "docs/scorecard.md").read_text()
    rows = re.findall(r"^\|.*\*\*(.+?)\*\*", scorecard, flags=re.MULTILINE)
    counted = [len(rows), *(rows.count(verdict) for verdict in VERDICTS)]
    for name in ("docs/scorecard.md", "README.md", "docs/deviations.md"):
        text = " ".join((ROOT / name).read_text().split())
        assert [int(number) for number in COUNTS.search(text).groups()] == counted, name


def test_the_first_screen_of_the_readme_says_what_this_is():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    screen = "\n".join(text.splitlines()[:40])
    for shown in ("activation maximization", "make quick ", "make reproduce ", "docs/figure1.png", "docs/explorer.png"):
        assert shown in screen
    assert re.match(r"\n+## [\w ]+\n+Of \d+ statements of the paper", text[text.index("\n\n## ") :])


def test_the_scorecard_has_the_statements_that_are_declared():
    scorecard = (ROOT / "docs/scorecard.md").read_text()
    assert all(f"| {statement.says} |" in scorecard for statement in statements())


def test_numbers_over_five_seeds_are_those_of_the_scorecard():
    """Each value with its interval that deviations.md gives over five seeds is that of a place in seeds.csv."""
    places = over_seeds(pd.read_csv(ROOT / "docs" / "seeds.csv").assign(where=""))
    known = {tuple(f"{number:.3g}" for number in row) for row in places[["value", "low", "high"]].to_numpy()}
    text = " ".join((ROOT / "docs" / "deviations.md").read_text(encoding="utf-8").split())
    number = r"(-?[\d.]+)"
    named = re.findall(rf"over five seeds[^|\d]*?{number} \[{number}, {number}\]", text)
    assert len(named) >= 15
    assert [values for values in named if values not in known] == []


def test_what_stands_beside_the_paper_is_there():
    """Every object of the library, rule, key of the configuration and statement that paper_and_code.md names exists."""
    text = (ROOT / "docs" / "paper_and_code.md").read_text(encoding="utf-8")
    objects = re.findall(r"`(deepunits\.[\w.]+)`", text)
    assert len(objects) > 50 and [name for name in objects if "torch" not in name and not resolves(name)] == []
    named = re.findall(r"rule `(\w+)`", text)
    assert len(named) > 5 and [name for name in named if name not in set.union(*declared_rules())] == []
    known = {statement.name for statement in statements()}
    stated = re.findall(r"statements? `([\w-]+)`", text)
    assert len(stated) > 20 and [name for name in stated if name not in known] == []
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    keys = re.findall(r"(?:config|,) `(defaults\.[\w.]+)`", text)
    assert len(keys) > 10 and [key for key in keys if not has(config, key)] == []


def resolves(name):
    """Return whether a dotted name is a module or something in one; annotated fields of classes count."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", {})
            found = getattr(found, part)
        return True
    return False


def has(config, key):
    """Return whether a mapping has a dotted key."""
    for part in key.split("."):
        if not isinstance(config, dict) or part not in config:
            return False
        config = config[part]
    return True
