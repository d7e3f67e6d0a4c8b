"""The server of the page: on this machine alone, for one page of its own, and for no file but the named ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from netcount.core.errors import NetcountError, reason
from netcount.core.files import MAX_BYTES
from netcount.report.page import Policed
from netcount.serve.answers import WAYS, Asker, Misasked
from netcount.serve.gate import Gate
from netcount.serve.texts import Stored, mark, stored, with_endings, write
from netcount.serve.vocabulary import vocabulary

HOST: str = "127.0.0.1"
HEADER: str = "X-Netcount"
"""What the page's own posts have; a form or script of another site cannot send it without being asked about it."""
LOOK: float = 0.25
"""Seconds between two looks at the files."""
_ALIVE = 15.0
_JSON = "application/json"


class Edited:
    """A file that is edited: its name, its gate, what of it the pages know."""

    def __init__(self, path: str, name: str, gate: Gate | None = None) -> None:
        self.path = path
        self.name = name
        self.gate = gate
        self.lock: Lock = Lock()
        self.mark: tuple[int, int, int] | None = mark(path)
        self.known: Stored = stored(path)

    def document(self) -> dict[str, Any]:
        """What a page is told of the file."""
        return {"name": self.name, **self.known._asdict()}


class Server(ThreadingHTTPServer):
    """Serves the page until `end` is called, or it is shut down.

    Args:
        port: Where it listens, on 127.0.0.1; 0 for any.
        files: The files.
        asker: What answers for a text.
        page: The page, of what it is told at first.
        diff: Whether the page shows what the second file changes of the first.
    """

    daemon_threads: bool = True
    allow_reuse_address: bool = os.name != "nt"  # where it means that two can listen at one address

    def __init__(
        self,
        port: int,
        files: Sequence[Edited],
        asker: Asker,
        page: Callable[[Mapping[str, Any]], Policed],
        diff: bool = False,
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.files: list[Edited] = list(files)
        self.asker = asker
        self.page = page
        self.diff = diff
        self.counting: Lock = Lock()
        self.ended: Event = Event()
        self._pages: set[SimpleQueue[dict[str, Any] | None]] = set()
        self._pages_lock = Lock()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"

    def run(self) -> None:
        """Serve and watch the files, until `shutdown`."""
        watcher = Thread(target=self._watch, daemon=True)
        watcher.start()
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self.ended.set()
            self.tell(None)
            watcher.join()
            self.server_close()

    def tell(self, news: dict[str, Any] | None) -> None:
        """Say something to all pages; None: that the server ends."""
        with self._pages_lock:
            for page in self._pages:
                page.put(news)

    def listen(self) -> SimpleQueue[dict[str, Any] | None]:
        """What is said from now on; first the state of every file."""
        page: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        with self._pages_lock:
            self._pages.add(page)
        for index, file in enumerate(self.files):
            page.put({"file": index, **file.document()})
        return page

    def leave(self, page: SimpleQueue[dict[str, Any] | None]) -> None:
        """Say nothing more to a page."""
        with self._pages_lock:
            self._pages.discard(page)

    def look(self, index: int) -> Stored:
        """Read a file again, and tell the pages where it has changed; its lock is held."""
        file = self.files[index]
        file.mark, now = mark(file.path), stored(file.path)
        if now != file.known:
            file.known = now
            self.tell({"file": index, **file.document()})
        return now

    def _watch(self) -> None:
        while not self.ended.wait(LOOK):
            for index, file in enumerate(self.files):
                if mark(file.path) != file.mark:
                    with file.lock:
                        self.look(index)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that has gone is no event."""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def version_string(self) -> str:
        return "netcount"

    def log_message(self, format: str, *args: Any) -> None:
        """A request is no event."""

    def do_GET(self) -> None:
        self._guarded({"/": self._page, "/events": self._events})

    def do_POST(self) -> None:
        self._guarded({**{f"/{way}": self._answer for way in WAYS}, "/save": self._save})

    def _guarded(self, ways: Mapping[str, Callable[[], None]]) -> None:
        """Answer a request of the page itself; a name that leads here from elsewhere is another site's."""
        try:
            try:
                own = {f"{host}:{self.server.server_port}" for host in (HOST, "localhost")}
                if self.headers.get("Host") not in own:
                    raise _Refused(HTTPStatus.FORBIDDEN, "this is not the address of netcount serve")
                origin = self.headers.get("Origin")
                if origin is not None and origin not in {f"http://{host}" for host in own}:
                    raise _Refused(HTTPStatus.FORBIDDEN, "another site asks")
                if self.command == "POST" and self.headers.get(HEADER) != "1":
                    raise _Refused(HTTPStatus.FORBIDDEN, f"there is no {HEADER} header")
                way = ways.get(self.path.partition("?")[0])
                if way is None:
                    raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
                way()
            except _Refused as refused:
                self.close_connection = True
                self._send(refused.status, "text/plain; charset=utf-8", f"{refused}\n".encode())
            except NetcountError as mistake:
                self._json({"error": mistake.message}, HTTPStatus.UNPROCESSABLE_ENTITY)
            except (ConnectionError, TimeoutError):
                raise
            except Exception as failure:
                what = f"an internal error ({type(failure).__name__}: {reason(failure)})"
                self._json({"error": what}, HTTPStatus.INTERNAL_SERVER_ERROR)
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the page has gone

    def _page(self) -> None:
        page = self.server.page(
            {
                "files": [file.document() for file in self.server.files],
                "words": vocabulary(),
                "diff": self.server.diff,
            }
        )
        self._send(
            HTTPStatus.OK,
            "text/html; charset=utf-8",
            page.text.encode("utf-8", "backslashreplace"),
            {"Content-Security-Policy": f"{page.policy}; frame-ancestors 'none'"},
        )

    def _events(self) -> None:
        page = self.server.listen()
        try:
            self.send_response(HTTPStatus.OK)
            self._headers("text/event-stream", {"Connection": "close"})
            self.close_connection = True
            while True:
                try:
                    news = page.get(timeout=_ALIVE)
                except Empty:
                    self.wfile.write(b": still here\n\n")
                    continue
                if news is None:
                    self.wfile.write(b"event: end\ndata: {}\n\n")
                    return
                self.wfile.write(f"data: {json.dumps(news)}\n\n".encode())
        finally:
            self.server.leave(page)

    def _answer(self) -> None:
        asked = self._asked()
        with self.server.counting:
            try:
                answer = self.server.asker.reply(self.path.partition("?")[0][1:], asked, self.server.files)
            except Misasked as mistake:
                raise _Refused(HTTPStatus.BAD_REQUEST, str(mistake)) from None
        self._json(answer)

    def _save(self) -> None:
        asked = self._asked()
        file = self._file(asked)
        with file.lock:
            now = self.server.look(self.server.files.index(file))
            if now.stamp != asked.get("stamp"):
                self._json(file.document(), HTTPStatus.CONFLICT)
                return
            file.known = write(file.path, with_endings(str(asked["text"]), now.text or ""))
            file.mark = mark(file.path)
            self.server.tell({"file": self.server.files.index(file), **file.document()})
        self._json(file.document())

    def _file(self, asked: Mapping[str, Any]) -> Edited:
        index = asked.get("file")
        if type(index) is not int or not 0 <= index < len(self.server.files) or "text" not in asked:
            raise _Refused(HTTPStatus.BAD_REQUEST, "there is no such file")
        return self.server.files[index]

    def _asked(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "how long is it?")
        if int(length) > 3 * MAX_BYTES:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "that is no prototxt")
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, "that is no JSON object")
        return asked

    def _json(self, document: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, _JSON, json.dumps(document, separators=(",", ":")).encode())

    def _send(
        self, status: HTTPStatus, kind: str, content: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self._headers(kind, {"Content-Length": str(len(content)), **(headers or {})})
        self.wfile.write(content)

    def _headers(self, kind: str, headers: Mapping[str, str]) -> None:
        fixed = {
            "Content-Type": kind,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
