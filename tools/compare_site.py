"""Does netcount in the browser answer as in Python?  python tools/compare_site.py FOLDER [MOST]

Builds the public page (`tools/build_site.py`), opens it in Chromium, and asks about every prototxt of a folder
there and here: the answers, figures and pictures and mistakes, have to be the same JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread

from build_site import build
from playwright.sync_api import sync_playwright

from netcount.cli.serve import answerer
from netcount.core.files import read_text


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """A request is no event."""


def compare(files: list[Path], site: Path) -> tuple[list[str], list[float]]:
    """The files whose answers differ, and how long each took in the browser, in ms."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    answer = answerer()
    others, times = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.locator("html[data-engine]").wait_for(state="attached", timeout=120_000)
        (engine,) = page.workers
        for file in files:
            content = json.dumps({"file": 0, "text": read_text(file), "partial": True})
            asked = ["answer", content, json.dumps([file.name])]
            begun = time.perf_counter()
            if engine.evaluate("asked => self.reply(...asked)", asked) != answer(*asked):
                others.append(file.name)
            times.append(1000 * (time.perf_counter() - begun))
        browser.close()
    server.shutdown()
    return others, times


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    nets = sorted(Path(sys.argv[1]).glob("*.prototxt"))
    step = max(1, len(nets) // int(sys.argv[2])) if len(sys.argv) == 3 else 1
    chosen = nets[::step][: int(sys.argv[2]) if len(sys.argv) == 3 else None]
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        others, times = compare(chosen, Path(folder))
    print(f"{len(chosen)} files, {len(others)} with other answers; {median(times):.0f} ms in the middle for both")
    raise SystemExit("\n".join(others) if others else 0)
