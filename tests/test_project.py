"""What the project says of itself: licence, version, address, pins; each in one place, and the same everywhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import netcount
from tests.helpers import ROOT

yaml = pytest.importorskip("yaml")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
ADDRESS = PROJECT["urls"]["Repository"]


def texts() -> Iterator[Path]:
    """What people read: pages, settings and code, not the nets and the schemas."""
    for pattern in ("*.*", "docs/**/*.*", "netcount/**/*.py", ".github/**/*.*", ".ci/*", "tools/*.py"):
        yield from (path for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".png")


def test_the_licence_is_caffes_own() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("BSD 2-Clause License")
    assert "The netcount authors" in text
    assert PROJECT["license"] == CITATION["license"] == "BSD-2-Clause"
    assert set(PROJECT["license-files"]) == {"LICENSE", "NOTICE"}
    assert all((ROOT / name).is_file() for name in PROJECT["license-files"])


def test_every_page_knows_the_same_address() -> None:
    """It is decided in pyproject.toml (`project.urls.Repository`)."""
    owner, name = ADDRESS.removeprefix("https://github.com/").split("/")
    assert all(url.startswith(ADDRESS) for url in PROJECT["urls"].values())
    said = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts()
        for match in re.finditer(r"(?:github\.com/|uses: )([\w.-]+)/netcount\b", path.read_text(encoding="utf-8"))
        if match[1] != owner
    }
    assert name == "netcount"
    assert not said


def test_the_version_is_the_same_everywhere() -> None:
    assert netcount.__version__ == CITATION["version"]
    changelog = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert netcount.__version__ in versions[:2], "the newest release, behind what is not released yet"
