"""The action, the pre-commit hook and this project's own gate: each runs what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netcount
from tests.helpers import ROOT, SAMPLES

PACKAGE = str(Path(netcount.__file__).parent.parent)
COMMAND = "from netcount.cli.entry import run; run()"


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_project_gates_its_own_samples() -> None:
    done = ran(ROOT, "check")
    assert done.returncode == 0, done.stdout + done.stderr


def bash_of_action() -> tuple[str, list[str]]:
    yaml = pytest.importorskip("yaml")
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite"
    assert all("shell" in step or "uses" in step for step in steps)
    for step in steps:  # what users write never becomes part of the script
        assert "${{" not in step.get("run", "")
    return steps[-1]["run"], list(action["inputs"])


@pytest.mark.skipif(sys.platform == "win32", reason="the action's script is bash")
@pytest.mark.parametrize(("limit", "code"), [("1.3M", 0), ("1.2M", 1)])
@pytest.mark.parametrize("configured", [False, True])
def test_the_action_runs(tmp_path: Path, limit: str, code: int, configured: bool) -> None:
    script, inputs = bash_of_action()
    assert {"files", "config", "arguments", "working-directory"} <= set(inputs)
    command = tmp_path / "netcount"
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "{COMMAND}" "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o755)
    folder = tmp_path / "our models"  # the input working-directory
    folder.mkdir()
    shutil.copy(SAMPLES / "squeezenet_v1.1.prototxt", folder / "a b.prototxt")
    text = f'[[net]]\npath = "*.prototxt"\nmax_params = "{limit}"\n'
    (folder / "my budgets.toml").write_text(text, encoding="utf-8")
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": PACKAGE,
            "GITHUB_WORKSPACE": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(summary),
            "NETCOUNT_FILES": "" if configured else "a b.prototxt\n",
            "NETCOUNT_CONFIG": "my budgets.toml" if configured else "",
            "NETCOUNT_ARGUMENTS": "" if configured else f"--max-params={limit}\n--no-config",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stdout.count("::error file=our models/a b.prototxt,line=") == code
    assert "max\\_params" in summary.read_text(encoding="utf-8")


def test_the_hook_runs(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["pass_filenames"] is False
    assert re.search(hook["files"], "models/a.prototxt")
    program, *arguments = hook["entry"].split()
    assert program == "netcount"
    shutil.copy(SAMPLES / "squeezenet_v1.1.prototxt", tmp_path / "a.prototxt")
    for limit, code in (("1.3M", 0), ("1.2M", 1)):
        text = f'[[net]]\npath = "a.prototxt"\nmax_params = "{limit}"\n'
        (tmp_path / "netcount.toml").write_text(text, encoding="utf-8")
        assert ran(tmp_path, *arguments).returncode == code
