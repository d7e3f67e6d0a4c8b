"""`netcount serve` without a browser: how it begins and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import COMMAND, UNMEASURED, Tool
from tests.helpers import SAMPLES, inputs


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: int) -> None:
    command = [*COMMAND, "serve", str(SAMPLES / "nin.prototxt"), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=UNMEASURED
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("netcount serve: http://127.0.0.1:")
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


def test_an_address_in_use_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    tool = Tool(tmp_path, monkeypatch, capsys)
    file = tool.write("net.prototxt", inputs(x=(1, 3, 9, 11)))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tool("serve", file, "--port", str(port), "--no-browser")
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith(f"netcount: --port: cannot serve on port {port}: ")
