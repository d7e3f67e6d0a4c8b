"""The whole public API is used by a program that runs, and that mypy --strict accepts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import netcount
from tests.helpers import ROOT
from tests.project import public_api_use

FILE = Path(public_api_use.__file__)


def test_it_uses_every_public_name() -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "netcount"
    }
    assert used == set(netcount.__all__)


def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    public_api_use.main(tmp_path)


def test_mypy_accepts_it() -> None:
    pytest.importorskip("mypy", reason="mypy (extra dev) is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), str(FILE)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
