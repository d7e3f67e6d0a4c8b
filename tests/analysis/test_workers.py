"""Processes that count: they import nothing from the working folder, run no script, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount.analysis._support.workers import Workers, safe_path
from netcount.layers.bases import Moving, SameShape
from tests.command import UNMEASURED
from tests.helpers import SAMPLES, inputs

NET = inputs(x=(1, 2, 5, 7)) + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
PACKAGE = Path(netcount.__file__).parent.parent
HOSTILE = sorted(
    name for name in sys.stdlib_module_names if name[0] != "_" and name not in sys.builtin_module_names
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three nets, and beside them a file for every module that a process might import."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.prototxt").write_text(NET, encoding="utf-8")
    trap = f"open({str(tmp_path / 'SPRUNG')!r}, 'a').write(__name__ + '\\n')\nraise ImportError(__name__)\n"
    for name in (*HOSTILE, "netcount", "numpy", "click", "google", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(trap, encoding="utf-8")
    return tmp_path


def python(*arguments: str, cwd: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**UNMEASURED, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


COMMAND = "from netcount.cli.main import run; run()"


@pytest.mark.parametrize("more", ["", os.pathsep, f"{os.pathsep}."])
def test_no_process_imports_from_the_working_folder(folder: Path, more: str) -> None:
    """The command is started safely, as a console script is; what it starts has to be safe by itself."""
    script = folder.parent / "script.py"
    script.write_text(COMMAND, encoding="utf-8")
    done = python("-P", str(script), "survey", ".", "--jobs", "2", cwd=folder, path=f"{PACKAGE}")
    assert done.returncode == 0, done.stderr
    assert "3 nets" in done.stdout
    assert not (folder / "SPRUNG").exists()
    code = f"import os; os.environ['PYTHONPATH'] += {more!r}; {COMMAND}"
    done = python("-P", "-c", code, "survey", ".", "--jobs", "2", cwd=folder, path=f"{PACKAGE}")
    assert done.returncode == 0, done.stderr
    assert not (folder / "SPRUNG").exists()


def test_the_trap_is_one(folder: Path) -> None:
    done = python("-c", "import socket", cwd=folder, path="")
    assert done.returncode == 1
    assert "socket" in (folder / "SPRUNG").read_text(encoding="utf-8")


def test_the_path_of_a_process_has_no_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", ".", str(tmp_path), str(tmp_path / "x" / ".."), "lib", *sys.path])
    assert safe_path()[0] == str(tmp_path / "lib")
    assert all(
        os.path.isabs(entry) and os.path.realpath(entry) != str(tmp_path.resolve()) for entry in safe_path()
    )


SCRIPT = """
import netcount
print("the script runs")
found = netcount.survey({paths!r}, jobs=2{more})
print(len(found.rows), [row.error for row in found.rows if row.error])
"""


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    paths = [str(SAMPLES / f"{name}.prototxt") for name in ("alexnet", "mobilenet_v1", "squeezenet_v1.1")]
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(paths=paths, more=""), encoding="utf-8")
    done = python(str(script), cwd=tmp_path, path=str(PACKAGE))
    assert (done.stdout, done.stderr, done.returncode) == ("the script runs\n3 []\n", "", 0)


def test_a_layer_of_the_script_is_one_clear_error(tmp_path: Path) -> None:
    paths = [str(SAMPLES / f"{name}.prototxt") for name in ("alexnet", "mobilenet_v1", "squeezenet_v1.1")]
    script = tmp_path / "script.py"
    layer = (
        "from netcount.layers.activation.relu import ReLU\nclass Own(ReLU):\n    type = 'Own'\n    names = ()\n"
    )
    more = ", catalogue=netcount.CATALOGUE.with_(Own)"
    script.write_text(layer + SCRIPT.format(paths=paths, more=more), encoding="utf-8")
    done = python(str(script), cwd=tmp_path, path=str(PACKAGE))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("netcount.core.errors.InputError: what is to be counted cannot")
    assert done.stderr.splitlines()[-1].endswith("; try jobs=1")
    assert done.stderr.count("cannot be sent") == 1


def test_what_cannot_be_pickled_is_one_clear_error(tmp_path: Path) -> None:
    class Local(SameShape, Moving):
        type = "Local"

        def read(self, message: Any) -> None: ...

        def forward(self, bottoms: Any, blobs: Any, run: Any) -> Any:
            return bottoms

    catalogue = netcount.CATALOGUE.with_(Local)
    paths = [tmp_path / f"{name}.prototxt" for name in "ab"]
    for path in paths:
        path.write_text(NET.replace("ReLU", "Local"), encoding="utf-8")
    with pytest.raises(netcount.InputError, match="cannot be sent to another process"):
        netcount.survey(paths, jobs=2, catalogue=catalogue)
    assert [row.error for row in netcount.survey(paths, jobs=1, catalogue=catalogue).rows] == ["", ""]


GUARDLESS = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import netcount
with ProcessPoolExecutor(2, get_context("spawn")) as pool:
    netcount.survey({paths!r}, pool)
"""


def test_a_pool_of_a_script_without_a_guard_is_one_clear_error(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    paths = [str(SAMPLES / "alexnet.prototxt"), str(SAMPLES / "mobilenet_v1.prototxt")]
    script.write_text(GUARDLESS.format(paths=paths), encoding="utf-8")
    done = python(str(script), cwd=tmp_path, path=str(PACKAGE))
    assert done.returncode == 1
    # behind it Python may say what its own resource tracker cleaned up
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("netcount.core.errors")]
    assert error.startswith("netcount.core.errors.NetcountError: executor: ")
    assert '`if __name__ == "__main__":`' in error


def test_a_process_that_ends_costs_its_call_alone() -> None:
    pool = Workers(1)
    try:
        with pytest.raises(BrokenExecutor):
            pool.submit(os._exit, 3).result()
        assert pool.submit(len, "four").result() == 4
    finally:
        pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(len, "")


def test_an_error_comes_back() -> None:
    pool = Workers(1)
    try:
        with pytest.raises(netcount.NetcountError, match="invalid literal"):
            pool.submit(int, "x").result()
        with pytest.raises(netcount.InputError, match="cannot be sent"):
            pool.submit(lambda: None).result()
    finally:
        pool.shutdown(wait=False)


def test_a_process_that_cannot_begin_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcount.analysis._support.workers._CODE", "import sys; sys.exit(9)")
    with pytest.raises(netcount.NetcountError, match="ended with code 9 before it began; try jobs=1"):
        netcount.survey([SAMPLES / "alexnet.prototxt", SAMPLES / "mobilenet_v1.prototxt"], jobs=2)


def test_what_a_layer_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    pool = Workers(1)
    try:
        shout: Callable[[str], Any] = print
        assert pool.submit(shout, "hello").result() is None
    finally:
        pool.shutdown()
    assert capfd.readouterr().out == ""


def test_processes_of_ones_own_count_too() -> None:
    paths = [SAMPLES / "alexnet.prototxt", SAMPLES / "mobilenet_v1.prototxt"]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert netcount.survey(paths, pool) == netcount.survey(paths, jobs=1)
