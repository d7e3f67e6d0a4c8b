"""What the changelog says of this version, for the page of a release: python tools/release_notes.py"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def version() -> str:
    """`netcount.__version__`, read without an import: nothing is installed yet."""
    text = (ROOT / "netcount" / "__init__.py").read_text(encoding="utf-8")
    (number,) = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return str(number)


def notes(changelog: str, number: str) -> str:
    """The section of that version."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        title, _, body = section.partition("\n")
        if title.strip() == number:
            return body.strip()
    raise SystemExit(f"docs/changelog.md has no section {number}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        print(version())
    else:
        print(notes((ROOT / "docs" / "changelog.md").read_text(encoding="utf-8"), version()))
