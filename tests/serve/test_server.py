"""The server answers its own page on this machine, and nobody else; it gives no file that was not named."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from netcount.cli.flags import OPTIONS
from netcount.graph.options import LoadOptions
from netcount.report.page import live_page
from netcount.serve.answers import Asker
from netcount.serve.server import Edited, Server
from tests.helpers import inputs

TEXT = inputs(x=(1, 3, 9, 11))
Served = tuple[Server, Path]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    file = tmp_path / "net.prototxt"
    file.write_text(TEXT, encoding="utf-8")
    (tmp_path / "secret.prototxt").write_text("secret", encoding="utf-8")
    server = Server(
        0, [Edited(str(file), "net.prototxt")], Asker(lambda chosen: LoadOptions(), OPTIONS), live_page
    )
    thread = Thread(target=server.run)
    thread.start()
    yield server, file
    server.shutdown()
    thread.join()


def ask(
    server: Server, method: str, path: str, content: object = None, raw: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    body = json.dumps(content).encode() if content is not None else raw
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body if method == "POST" else None, sent)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def post(server: Server, path: str, content: object, **headers: str) -> tuple[int, Any]:
    status, _, body = ask(server, "POST", path, content, **{"X-Netcount": "1", **headers})
    return status, json.loads(body) if body.startswith(b"{") else body.decode()


def events(server: Server) -> tuple[http.client.HTTPConnection, Callable[[], Any]]:
    """A connection, and what gives the next event of it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("GET", "/events")
    answer = connection.getresponse()

    def following() -> Any:
        while True:
            line = answer.readline()
            if line.startswith(b"event: "):
                return line[7:].strip().decode()
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    return connection, following


def test_the_page_loads_nothing_from_elsewhere(served: Served) -> None:
    status, headers, body = ask(served[0], "GET", "/")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Cache-Control"] == "no-store"
    assert "input_param" in body.decode()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}", ""])
@pytest.mark.parametrize("path", ["/", "/events"])
def test_a_name_that_leads_here_from_elsewhere_is_refused(served: Served, host: str, path: str) -> None:
    server, _ = served
    status, _, body = ask(server, "GET", path, Host=host.format(port=server.server_port))
    assert status == 403
    assert b"layer" not in body


def test_localhost_is_a_name_of_it(served: Served) -> None:
    assert ask(served[0], "GET", "/", Host=f"localhost:{served[0].server_port}")[0] == 200


@pytest.mark.parametrize("path", ["/answer", "/rescale", "/save"])
def test_posts_are_the_pages_own(served: Served, path: str) -> None:
    server, file = served
    content = {"file": 0, "text": "", "stamp": server.files[0].known.stamp}
    assert ask(server, "POST", path, content)[0] == 403
    assert ask(server, "POST", path, content, X_Netcount="1", Origin="http://evil.example")[0] == 403
    assert ask(server, "OPTIONS", path)[0] == 501
    assert file.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    "path", ["/secret.prototxt", "/net.prototxt", "/../secret.prototxt", "//etc/passwd", "/save"]
)
def test_no_file_is_served_by_its_name(served: Served, path: str) -> None:
    status, _, body = ask(served[0], "GET", path)
    assert (status, b"secret" in body) == (404, False)


@pytest.mark.parametrize("number", [1, -1, "0", True, None, 0.0])
def test_no_other_file_is_written(served: Served, number: object) -> None:
    assert post(served[0], "/save", {"file": number, "text": "x", "stamp": ""})[0] == 400


@pytest.mark.parametrize("raw", [b"", b"[1]", b"{", b"\xff"])
def test_what_is_no_object_is_refused(served: Served, raw: bytes) -> None:
    assert ask(served[0], "POST", "/answer", raw=raw, X_Netcount="1")[0] == 400
    assert ask(served[0], "POST", "/answer", X_Netcount="1", Content_Length="9" * 30)[0] == 413


def test_a_save_writes_what_was_read_and_nothing_newer(served: Served) -> None:
    server, file = served
    stamp = server.files[0].known.stamp
    status, saved = post(server, "/save", {"file": 0, "text": "# one\n", "stamp": stamp})
    assert (status, file.read_text(encoding="utf-8")) == (200, "# one\n")
    file.write_text("# two, by somebody else\n", encoding="utf-8")
    status, newer = post(server, "/save", {"file": 0, "text": "# three\n", "stamp": saved["stamp"]})
    assert (status, newer["text"]) == (409, "# two, by somebody else\n")
    assert file.read_text(encoding="utf-8") == "# two, by somebody else\n"
    status, _ = post(server, "/save", {"file": 0, "text": "# three\n", "stamp": newer["stamp"]})
    assert (status, file.read_text(encoding="utf-8")) == (200, "# three\n")


def test_a_file_that_cannot_be_written_is_said(served: Served) -> None:
    server, file = served
    status, said = post(server, "/save", {"file": 0, "text": "a\0", "stamp": server.files[0].known.stamp})
    assert status == 422
    assert "zero byte" in said["error"]
    assert file.read_text(encoding="utf-8") == TEXT


def test_pages_are_told_of_every_change_and_of_the_end(served: Served) -> None:
    server, file = served
    connection, following = events(server)
    assert following()["text"] == TEXT
    file.write_text("# new\n", encoding="utf-8")
    assert following()["text"] == "# new\n"
    file.unlink()
    gone = following()
    assert gone["text"] is None
    assert "No such file" in gone["problem"]
    file.write_text("# back\n", encoding="utf-8")
    assert following()["text"] == "# back\n"
    server.shutdown()
    assert following() == "end"
    connection.close()


def test_two_texts_are_compared(served: Served) -> None:
    net = {"file": 0, "text": TEXT}
    status, answer = post(served[0], "/compare", {"nets": [net, net]})
    assert status == 200
    assert any(isinstance(part, dict) and part["rows"] for part in answer["parts"])
    for nets in (None, [], [net], [1, 2], [net, {"file": 1, "text": ""}]):
        assert post(served[0], "/compare", {"nets": nets})[0] == 400
    status, answer = post(served[0], "/compare", {"nets": [net, {"file": 0, "text": "layer {"}]})
    assert (status, "opened" in answer["error"]) == (200, True)
    wrong = {"file": 0, "text": "layer {", "width": "0.5", "resolution": None}
    assert "opened" in post(served[0], "/rescale", wrong)[1]["error"]


def test_an_answer_for_a_text(served: Served) -> None:
    status, answer = post(served[0], "/answer", {"file": 0, "text": TEXT})
    assert (status, answer["errors"], len(answer["data"]["view"]["layers"])) == (200, [], 1)
    status, answer = post(served[0], "/answer", {"file": 0, "text": "layer {"})
    assert (status, answer["data"], answer["errors"][0]["place"]["line"]) == (200, None, 1)
