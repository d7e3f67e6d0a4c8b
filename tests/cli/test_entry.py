"""Ctrl-C ends the command in one line from its first moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from netcount.core.exit_codes import INTERRUPTED
from tests.command import UNMEASURED
from tests.helpers import SAMPLES

INTERRUPTED_WHERE = """
import signal, sys
from netcount.cli.entry import run

module = sys.argv.pop(1)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Finder())
run()
"""
"""The command, interrupted when it begins to import the module that its first argument names."""


def interrupted(module: str) -> subprocess.CompletedProcess[str]:
    """The command, to which Ctrl-C comes while it imports a module."""
    return subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHERE, module, "analyze", str(SAMPLES / "alexnet.prototxt")],
        env=UNMEASURED,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "module",
    ["click", "click.core", "netcount.cli.main", "netcount.report.questions", "netcount.cli.analyze"],
)
def test_one_line(module: str) -> None:
    done = interrupted(module)
    assert done.stderr.strip() == "netcount: interrupted"
    assert (done.returncode, done.stdout) == (INTERRUPTED, "")


def test_a_module_that_is_not_imported_interrupts_nothing() -> None:
    done = interrupted("netcount.cli.sweep")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_entry_itself_imports_no_click() -> None:
    code = "import sys, netcount.cli.entry; print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=UNMEASURED, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
