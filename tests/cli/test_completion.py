"""What shells offer: asked of click for every parameter, and of each shell that is installed."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic

import click
import pytest
from click.shell_completion import ShellComplete

from netcount.cli.completion import _SOURCES
from netcount.cli.main import netcount
from netcount.report.columns import COLUMNS
from netcount.report.questions import QUESTIONS
from tests.helpers import ROOT, SAMPLES, inputs

SQUEEZENET = str(SAMPLES / "squeezenet_v1.1.prototxt")
HOSTILE = inputs(x=(1, 2, 5, 7)) + "".join(
    f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "x" }}\n'
    for name in ("$(touch here)", "a b", "`x`", "a;b", "-rf", "c*", "good/name_1.x", "\\033[31m", "a:b")
)


def offered(*words: str) -> list[tuple[str, str]]:
    """The type and the value of each completion of the last word."""
    *arguments, incomplete = words
    shell = ShellComplete(netcount, {}, "netcount", "_NETCOUNT_COMPLETE")
    return [(item.type, item.value) for item in shell.get_completions(arguments, incomplete)]


def values(*words: str) -> list[str]:
    return [value for kind, value in offered(*words) if kind == "plain"]


def test_every_completion_is_of_a_parameter() -> None:
    known = set()
    for name, question in QUESTIONS.items():
        if not question.option:
            command: click.Command = question.loaded("command")
            known |= {(owner, param.name or "") for owner in ("", name) for param in command.params}
    assert set(_SOURCES) <= known


@pytest.mark.parametrize(
    "words",
    [
        ["analyze"],
        ["analyze", "a", "-o"], ["check", "--config"], ["check", "--baseline"], ["memory", "--weights"],
        ["survey"], ["compare", "a"], ["sweep", "--plot"], ["verify"], ["rescale"], ["explain"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_files_are_completed(words: list[str]) -> None:
    assert offered(*words, "pro") == [("file", "pro")]


def test_folders_are_completed() -> None:
    assert offered("verify", "--save-outputs", "a") == [("dir", "a")]
    assert offered("samples", "--copy", "a") == [("dir", "a")]


def test_names_of_the_file_at_hand() -> None:
    assert values("explain", SQUEEZENET, "fire2")[:3] == ["fire2", "fire2/squeeze1x1", "fire2/relu_squeeze1x1"]
    assert values("explain", SQUEEZENET, "--as", "block", "fire") == [f"fire{number}" for number in range(2, 10)]
    assert "fire2" not in values("explain", SQUEEZENET, "--as", "layer", "fire2")
    assert values("rescale", SQUEEZENET, "--keep", "conv1") == ["conv1", "conv10"]
    assert values("explain", "no-such-file", "fire2") == []


def test_a_sample_is_a_file_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert values("explain", "squeezenet_v1.1.prototxt", "fire9")[:1] == ["fire9"]
    assert values("rescale", "squeezenet_v1.1.prototxt", "--keep", "conv1") == []


def test_columns_conventions_types_and_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert values("analyze", "x", "--columns", "") == [*COLUMNS]
    assert values("analyze", "x", "--columns", "name,par") == ["name,params"]
    assert "name,name" not in values("analyze", "x", "--columns", "name,")
    assert values("analyze", "x", "--sort", "line,madd") == ["line,madds"]
    assert values("survey", "x", "--sort", "warn") == ["warnings"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "netcount.toml").write_text('[convention.ours]\nabout = "a"\nmadds = 2\n')
    assert {"madds", "netscope", "flops"} <= set(values("analyze", "x", "--convention", ""))
    assert values("analyze", "x", "--reconcile", "madds,net") == ["madds,netscope"]
    assert "Convolution3D" in values("layers", "Convolution")
    assert values("samples", "ni") == ["nin.prototxt"]
    assert values("analyze", "x", "--format", "mark") == ["markdown"]


def test_a_broken_net_still_names_its_layers(tmp_path: Path) -> None:
    path = tmp_path / "a.prototxt"
    path.write_text('layer { name: "one" type: "NoSuchType" bottom: "x" top: "y" }')
    assert values("explain", str(path), "o") == ["one"]
    path.write_text("layer { name: ")
    assert values("explain", str(path), "") == []


def test_names_that_a_shell_would_obey_are_not_offered(tmp_path: Path) -> None:
    path = tmp_path / "a.prototxt"
    path.write_text(HOSTILE)
    assert values("explain", str(path), "--as", "layer", "") == ["x", "good/name_1.x"]


@pytest.fixture
def shelled(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell in which `netcount` is a command."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "netcount"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from netcount.cli.main import run; run()" "$@"\n')
    command.chmod(0o755)
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": python_path, "HOME": str(tmp_path), "TERM": "dumb"}


def installed(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


LINES = {
    f"netcount explain {SQUEEZENET} fire7": "fire7/concat",
    "netcount analyze x --columns name,par": "name,params",
    "netcount layers Convolution3": "Convolution3D",
    "netcount surv": "survey",
}


@pytest.mark.parametrize("line", LINES)
def test_bash_offers_it(line: str, shelled: dict[str, str]) -> None:
    script = (
        'eval "$(_NETCOUNT_COMPLETE=bash_source netcount)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _netcount_completion netcount\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        [installed("bash"), "--norc", "-c", script], env=shelled, capture_output=True, text=True, check=True
    )
    assert LINES[line] in done.stdout.splitlines()


@pytest.mark.parametrize("line", LINES)
def test_fish_offers_it(line: str, shelled: dict[str, str]) -> None:
    script = f"source (_NETCOUNT_COMPLETE=fish_source netcount | psub); complete -C '{line}'"
    done = subprocess.run(
        [installed("fish"), "-c", script], env=shelled, capture_output=True, text=True, check=True
    )
    assert LINES[line] in [offer.partition("\t")[0] for offer in done.stdout.splitlines()]


@pytest.mark.parametrize("line", [line for line in LINES if "fire7" not in line])
def test_zsh_completes_it(line: str, shelled: dict[str, str]) -> None:
    pty = pytest.importorskip("pty")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(installed("zsh"), ["zsh", "-f", "-i"], {**shelled, "PS1": "ready> "})
    try:
        os.write(
            terminal, b'autoload -U compinit; compinit -u; eval "$(_NETCOUNT_COMPLETE=zsh_source netcount)"\n'
        )
        os.write(terminal, b"print set''up\n")
        seen = until(terminal, "setup\r\n")
        os.write(terminal, f"{line}\t".encode())
        seen = until(terminal, LINES[line])
        assert LINES[line] in seen
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def until(terminal: int, text: str, seconds: float = 30) -> str:
    """What a terminal shows until it shows the text, without its control sequences."""
    seen, end = "", monotonic() + seconds
    while text not in seen and monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            try:
                piece = os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                break
            seen = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\x08", "", seen + piece)
    return seen
