"""Write licences.csv beside this file: the licence of each locked package, as the installed ones state it.

``python requirements/licences.py`` after `make lock`, in the environment of the lock. What is locked for other machines
only, as CUDA's libraries, keeps the row that it has; a package that is neither installed nor listed is named.
"""

import csv
import re
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE / "licences.csv"
LOCKS = ("build", "cpu", "gpu")
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
# What packages without a licence expression say, by SPDX's names: classifiers, or words of their own.
CLASSIFIERS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Other/Proprietary License": "LicenseRef-Proprietary",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


def locked():
    """Return the version of each locked package by its name."""
    pins = [pin for lock in LOCKS for pin in PIN.findall((HERE / f"{lock}.txt").read_text(encoding="utf-8"))]
    return dict(sorted(pins))


def listed():
    """Return the licence of each package that the table has, by its name."""
    if not TABLE.exists():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["package"]: row["licence"] for row in csv.DictReader(file)}


def licence(name):
    """Return the licence of an installed package, a name of SPDX's where it gives one; None if it is not installed."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    if about.get("License-Expression"):
        return about["License-Expression"]
    stated = (about.get("License") or "").strip()
    named = [c.rsplit(" :: ", 1)[-1] for c in about.get_all("Classifier") or [] if c.startswith("License :: ")]
    if stated not in ("", "UNKNOWN") and len(stated) < 40 and "\n" not in stated:
        return CLASSIFIERS.get(stated, stated)
    return " AND ".join(CLASSIFIERS.get(text, text) for text in named) or _of_file(name)


def _of_file(name):
    """Return the licence of a package by the first line of the file of it that it comes with, or None."""
    for path in metadata.files(name) or ():
        if "licen" in path.name.lower():
            heading = path.read_text(encoding="utf-8").partition("\n")[0].strip()
            return CLASSIFIERS.get(heading)
    return None


def main():
    """Write the table; return the exit status."""
    known, rows = listed(), []
    for name, version in locked().items():
        found = licence(name) or known.get(name)
        if not found:
            print(f"error: {name} is not installed or states no licence; add a row for it to {TABLE}.", file=sys.stderr)
            return 1
        rows.append((name, version, found))
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("package", "version", "licence"), *rows])
    return 0


if __name__ == "__main__":
    sys.exit(main())
