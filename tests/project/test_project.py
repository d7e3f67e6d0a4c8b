"""What the project says of itself: licence, version, address, pins; each in one place, and the same everywhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import netcount
from netcount.engines.known import ENGINES
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


def test_no_package_is_promised_that_nobody_has_published() -> None:
    """pip, pipx and uv are given an address or a folder, never a name that a registry would have to know."""
    promise = re.compile(r"\b(?:pip|pipx|uv tool|uv pip|uv) (?:install|run|add)\s+(?:-\S+\s+)*['\"]?netcount\b")
    assert promise.search("python -m pip install --quiet 'netcount[plot]'")
    assert not promise.search("pipx install git+https://github.com/netcount/netcount")
    assert not [
        str(path.relative_to(ROOT)) for path in texts() if promise.search(path.read_text(encoding="utf-8"))
    ]


def dependencies(*extras: str) -> Iterator[Requirement]:
    """What an install with these extras needs; an extra that means others is followed."""
    for line in [*PROJECT["dependencies"], *(one for e in extras for one in PROJECT["optional-dependencies"][e])]:
        requirement = Requirement(line)
        if requirement.name == "netcount":
            yield from dependencies(*requirement.extras)
        else:
            yield requirement


def test_the_extra_of_an_engine_installs_it() -> None:
    for name, engine in ENGINES.items():
        extras = [engine.extra] if engine.extra else []
        assert engine.package in {requirement.name for requirement in dependencies(*extras)}, name


def test_everything_that_development_needs_is_pinned() -> None:
    """Where this fails: the command under Pins in docs/contributing.md."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, version = line.partition(";")[0].split("==")
            pins.setdefault(canonicalize_name(name), []).append(version.strip())
    for requirement in dependencies("dev", *PROJECT["optional-dependencies"]):
        versions = pins.get(canonicalize_name(requirement.name), [])
        assert versions, requirement
        assert all(requirement.specifier.contains(version) for version in versions), requirement
    assert "://" not in text, "no address of a registry"
    assert "--hash" not in text


def test_ci_runs_on_the_oldest_and_the_newest_python_on_three_systems() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["check"]["strategy"]["matrix"]
    known = [line.removeprefix("Programming Language :: Python :: ") for line in PROJECT["classifiers"]]
    known = [version for version in known if re.fullmatch(r"3\.\d+", version)]
    assert matrix["python"] == [known[0], known[-1]]
    assert PROJECT["requires-python"] == f">={known[0]}"
    assert {re.sub("-.*", "", system) for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert any(".ci/run" in step.get("run", "") for step in workflow["jobs"]["check"]["steps"])


def test_nothing_a_stranger_writes_becomes_part_of_a_script() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert "permissions" in workflow, path.name
        for job in workflow["jobs"].values():
            assert not [step for step in job["steps"] if "${{" in step.get("run", "")], path.name


def test_the_projects_own_hooks_come_from_no_other_repository() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    needed = {requirement.name for requirement in dependencies("dev")} | {"netcount"}
    for repository in hooks["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            assert hook["entry"].split()[0] in needed, hook["id"]


def test_a_run_that_passed_passes_again(pytestconfig: pytest.Config) -> None:
    """Generated examples are derived from the test; tests.helpers.examples says how many, and nobody else."""
    assert hypothesis.settings().derandomize is not bool(pytestconfig.getoption("--fuzz"))
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^from hypothesis import .*\b(?:settings|seed)\b", text, re.MULTILINE), path.name
