"""Broken and hostile input of every kind: one clear error, exit code 2, nothing lost, nothing that hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import netcount
from netcount.analysis._support.workers import _deaf
from netcount.core.errors import MAX_MESSAGE, MAX_PROBLEMS, Errors, InputError
from netcount.core.files import write_atomically
from tests.command import run
from tests.helpers import SAMPLES, inputs

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
NET = inputs(x=(1, 3, 8, 9)) + (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "y" '
    "convolution_param { num_output: 2 kernel_size: 3 } }"
)
COMMAND = f'"{sys.executable}" -c "from netcount.cli.entry import run; run()"'


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET, encoding="utf-8")
    return path


def shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A line for bash, in which `netcount` is the command."""
    return subprocess.run(
        ["bash", "-c", f'netcount() {{ {COMMAND} "$@"; }}; {line}'],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=60,
        check=False,
    )


# ------------------------------------------------------------------------------------- prototxt files


@POSIX
def test_a_pipe_without_a_writer_is_refused_and_one_with_a_writer_is_read(net: Path) -> None:
    os.mkfifo(net.with_name("pipe"))
    assert "a pipe without a writer" in run("analyze", str(net.with_name("pipe"))).stderr
    assert run("check", "--config", str(net.with_name("pipe"))).returncode == 2
    assert run("verify", str(net), "--input", f"x={net.with_name('pipe')}").returncode == 2
    done = shell(f"netcount analyze <(sleep 1; cat '{net}') -f json")
    assert json.loads(done.stdout)["totals"]["params"] == 56
    done = shell(f"netcount compare <(cat '{net}') '{net}'")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", ["", " \n# nothing\n", NET.replace("name:", "include { phase: TRAIN } name:")])
def test_a_net_without_layers_is_told_of_and_passes_no_gate(text: str) -> None:
    """Caffe takes it; a budget that every zero keeps would not notice that a file was emptied."""
    done = run("analyze", "-", stdin=text)
    assert done.returncode == 0
    assert "warning: <stdin>:1:1: the net has no layers in phase TEST" in done.stdout
    done = run("check", "-", "--no-config", "--max-params", "1k", stdin=text)
    assert done.returncode == 2
    assert "<stdin>: the net has no layers in phase TEST; there is nothing to check" in done.stderr


@pytest.mark.parametrize("command", ["analyze", "verify", "survey", "compare", "check"])
@pytest.mark.parametrize("name", ["", 'layer { name: "x" }'])
def test_an_argument_is_the_name_of_a_file(command: str, name: str) -> None:
    more = {"compare": [name], "check": ["--no-config", "--max-params", "1k"]}.get(command, [])
    done = run(command, name, *more)
    assert done.returncode == 2
    assert "cannot read" in done.stdout + done.stderr


def test_an_error_prints_nothing_on_standard_output() -> None:
    for command in ("analyze", "verify"):
        assert run(command, "nowhere.prototxt").stdout == ""


@pytest.mark.parametrize(
    "line",
    [
        "layr {}\n",
        'layer { name: "a" typ: "ReLU" }\n',
        'layer { name: "a%d" type: "ReLU" bottom: "q%d" top: "r%d" }\n',
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 } } }\n',
    ],
)
def test_of_very_many_mistakes_a_hundred_are_told(line: str) -> None:
    """Nearest names for every one of them would take hours."""
    text = "".join(line.replace("%d", str(number)) for number in range(20_000))
    with pytest.raises(Errors) as caught:
        netcount.loads(text)
    assert len(caught.value.problems) == MAX_PROBLEMS + 1
    assert "there may be more" in str(caught.value.problems[-1])
    assert caught.value.problems[0].place
    assert caught.value.problems[0].place.line <= 2


def test_very_many_unknown_types_are_one_error() -> None:
    text = "".join(f'layer {{ name: "a{n}" type: "Q{n}" }}\n' for n in range(20_000))
    with pytest.raises(netcount.InputError, match=f"and {20_000 - MAX_PROBLEMS} more"):
        netcount.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: [' + "1," * 99_999 + "1] } } }",
        'layer { name: "x" type: "' + "y" * 100_000 + '" }',
    ],
)
def test_a_message_has_an_end(text: str) -> None:
    with pytest.raises(InputError) as caught:
        netcount.loads(text)
    assert len(caught.value.message) <= MAX_MESSAGE + 3


# ------------------------------------------------------------------------------------- where output goes


@POSIX
@pytest.mark.parametrize("arguments", ["analyze NET", "layers", "--help", "--version", "survey NET -f json"])
def test_a_full_disk_is_an_error_and_a_closed_stream_is_none(arguments: str, net: Path) -> None:
    line = f"netcount {arguments.replace('NET', str(net))}"
    if os.path.exists("/dev/full"):
        done = shell(f"{line} > /dev/full")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "cannot write standard output" in done.stderr
    for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
        done = shell(f"{line} {closed}")
        assert (done.returncode, done.stderr) == (0, ""), closed


@POSIX
def test_a_closed_pipe_does_not_change_the_verdict(net: Path) -> None:
    for line, code in (
        (f"check '{net}' --no-config --max-params 5 -f sarif", 1),
        ("analyze nowhere", 2),
        (f"analyze '{net}' --assume Foo=identity", 2),
    ):
        assert shell(f"netcount {line} | true; exit ${{PIPESTATUS[0]}}").returncode == code


@POSIX
def test_what_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    import resource
    import signal

    target = tmp_path / "cost.csv"
    target.write_text("before", encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        with pytest.raises(InputError, match="cannot write"):
            write_atomically(str(target), b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == ["cost.csv"]
    assert target.read_text(encoding="utf-8") == "before"


def test_an_empty_name_is_not_taken_for_none(net: Path, tmp_path: Path) -> None:
    for option in ("-o", "--weights", "--save-outputs"):
        assert run("verify", str(net), option, "").returncode == 2
    for command in (["analyze", str(net)], ["layers"], ["survey", str(net)], ["compare", str(net), str(net)]):
        assert run(*command, "-o", "").returncode == 2
    limit = ["--no-config", "--max-increase-params", "1%"]
    assert run("check", str(net), *limit, "--baseline", "").returncode == 2


def test_an_encoding_that_lacks_our_signs(net: Path) -> None:
    done = run("analyze", str(net), PYTHONIOENCODING="ascii")
    assert "input x 8x9x3 - counts" in done.stdout
    strange = net.with_name("n×层.prototxt")
    strange.write_text(NET, encoding="utf-8")
    report = ["check", str(strange), "--no-config", "--max-params", "5", "-f", "junit"]
    done = run(*report, PYTHONIOENCODING="latin-1")
    assert done.stdout.isascii()  # the document says that it is UTF-8
    assert "n&#215;&#23618;.prototxt" in done.stdout


@POSIX
@pytest.mark.parametrize("columns", ["0", "1", "20", "60", "80"])
def test_no_terminal_is_too_narrow_for_a_figure(columns: str) -> None:
    code = (
        "import pty, sys\n"
        "pty.spawn([sys.executable, '-c', 'from netcount.cli.entry import run; run()', 'analyze', sys.argv[1]])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(SAMPLES / "squeezenet_v1.1.prototxt")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": columns, "TERM": "dumb"},
        check=False,
    )
    for figure in ("113×113×64", "22.06M", "1.24M", "387.75M"):
        assert figure in done.stdout


@POSIX
def test_processes_of_a_survey_do_not_hear_of_control_c() -> None:
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"

    def blocked() -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    with _deaf():
        assert blocked() == "True\n"
    assert blocked() == "False\n"


# ------------------------------------------------------------------------------------- standard error


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("analyze missing.prototxt", 2),
        ("analyze missing.prototxt -f json", 2),
        ("bogus", 2),
        ("analyze --bogus", 2),
        ("check net.prototxt --max-params 1", 1),
        ("check net.prototxt --max-params 1 -o out.txt", 1),
        ("rescale net.prototxt --width 1/2", 0),
    ],
)
def test_a_full_standard_error_changes_no_exit_code(net: Path, line: str, code: int) -> None:
    done = shell(f"cd '{net.parent}' && netcount {line} 2> /dev/full")
    assert done.returncode == code
