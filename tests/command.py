"""The command as tests run it: in a process of its own, or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from netcount.cli import main
from tests.helpers import inputs

COMMAND = (sys.executable, "-c", "from netcount.cli.entry import run; run()")

NET = inputs(x=(1, 2, 9, 11)) + (
    'layer { name: "NAME" type: "Convolution" bottom: "x" top: "c"\n'
    "convolution_param { num_output: OUTPUTS kernel_size: 3 bias_term: false } }\n"
)


UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
"""The environment of a process that a test examines: what measures coverage loads modules and takes memory."""


def run(*arguments: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, its output piped."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **env},
        timeout=300,
        check=False,
    )


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Tool:
    """The command, run in this process in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        monkeypatch.chdir(folder)
        monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)

    def __call__(self, *arguments: str) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["netcount", *arguments])
        with pytest.raises(SystemExit) as left:
            main.run()
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return Ran(int(left.value.code or 0), out, err)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def net(self, name: str = "a.prototxt", outputs: int = 4, layer: str = "conv") -> str:
        return self.write(name, NET.replace("NAME", layer).replace("OUTPUTS", str(outputs)))
