"""Brings into the site what documents link to outside docs/, so that a link works in the repository and in the site.

mkdocs runs this (`hooks` of mkdocs.yml). A document becomes a page; of any other text a page is made that shows it.
"""

import os
import re
from pathlib import Path
from urllib.parse import urldefrag

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
# The pages of the site that are not Markdown in docs/. What else is linked to goes below files/, under its own path.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "config/README.md": "configuration.md",
    "docs/tutorial.py": "tutorial.md",
    "results/README.md": "result_files.md",
}
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s]+)")
CELL = re.compile(r"^# %%.*\n", re.MULTILINE)


def on_files(files, config):
    """Add the pages that are kept elsewhere, and what any page links to outside docs/."""
    own = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    for path in sorted(linked_from([*PAGES, *own])):
        if path in PAGES or not path.startswith("docs/"):
            files.append(File.generated(config, site_path(path), content=as_markdown(path)))
    return files


def on_page_markdown(markdown, page, **_):
    """Point the links of a page at pages of the site."""
    there = page.file.src_uri
    kept = {page: path for path, page in PAGES.items()}
    path = kept.get(there) or (there.removeprefix("files/") if there.startswith("files/") else f"docs/{there}")
    return LINK.sub(lambda link: moved(path, there, link[1]), markdown)


def linked_from(paths):
    """Return the files of the repository that documents link to, and those that these link to; with themselves."""
    found, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            text = (ROOT / path).read_text(encoding="utf-8") if path.endswith(".md") else ""
            waiting += [target(path, link) for link in LINK.findall(text)]
    return found


def site_path(path):
    """Return where a file of the repository is among the sources of the site."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"files/{path}" if path.endswith(".md") else f"files/{path}.md"


def target(path, link):
    """Return the file of the repository that a link in another one leads to."""
    return os.path.normpath(os.path.join(os.path.dirname(path), urldefrag(link).url))


def moved(path, page, link):
    """Return a link of the repository as one between the sources of the site."""
    there = os.path.relpath(site_path(target(path, link)), os.path.dirname(page) or ".")
    return f"{there}#{urldefrag(link).fragment}".rstrip("#")


def as_markdown(path):
    """Return a text of the repository as a page."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return text
    if path in PAGES:
        return "\n".join(map(cell_as_markdown, CELL.split(text)))
    return f"# {path}\n\n```{Path(path).suffix[1:]}\n{text}```\n"


def cell_as_markdown(cell):
    """Return a cell of a Python file in the percent format: prose where all of its lines are comments."""
    lines = cell.strip().splitlines()
    if all(line.startswith("#") for line in lines):
        return "\n".join(line[2:] for line in lines) + "\n"
    return "\n".join(["```python", *lines, "```", ""])
