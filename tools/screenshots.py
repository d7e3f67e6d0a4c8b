"""Take the screenshots of the docs anew, in Chromium: python tools/screenshots.py

A page of one file, and the live editor while a text is wrong; 1400×900, light and dark.  Fonts and Chromium differ
from machine to machine, so no test compares the pictures.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
SAMPLES = ROOT / "prototxt_samples"
SAMPLE = "squeezenet_v1.1.prototxt"
COMMAND = (sys.executable, "-c", "from netcount.cli.entry import run; run()")
SIZE = {"width": 1400, "height": 900}
COLOURS = 255
"""Of a picture: few enough for a small file."""


@contextmanager
def page(shown: Any) -> Iterator[None]:
    """The page of a file, a layer chosen."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.html"
        subprocess.run([*COMMAND, "graph", SAMPLE, "-o", str(file)], cwd=SAMPLES, check=True)
        shown.goto(f"{file.as_uri()}#layer=fire2%2Fexpand3x3")
        shown.locator("html[data-ready]").wait_for(state="attached")
        shown.locator("#layer h2").wait_for()
        yield


@contextmanager
def live(shown: Any) -> Iterator[None]:
    """The live editor, a field misspelt."""
    command = [*COMMAND, "serve", SAMPLE, "--no-browser"]
    with subprocess.Popen(command, cwd=SAMPLES, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            shown.goto(process.stdout.readline().split()[2])
            shown.locator("html[data-ready]").wait_for(state="attached")
            shown.locator("#graph [role=button]", has_text="conv1").first.click()
            select = """(area, word) => { const at = area.value.indexOf(word); area.focus();
                area.setSelectionRange(at, at + word.length); }"""
            shown.locator(".editor textarea").evaluate(select, "num_output: 64")
            shown.keyboard.insert_text("num_outptu: 64")
            shown.locator("#problems a").first.click()
            yield
        finally:
            process.terminate()


SHOTS = {"page": page, "live": live}
"""By name of the picture: what is done before it is taken."""


def small(png: bytes) -> bytes:
    """The same picture with fewer colours."""
    made = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(made, "png", optimize=True)
    return made.getvalue()


def main() -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        for name, prepare in SHOTS.items():
            for scheme in ("light", "dark"):
                shown = browser.new_page(viewport=SIZE, color_scheme=scheme)
                with prepare(shown):
                    png = small(shown.screenshot(animations="disabled", caret="initial"))
                (PICTURES / f"{name}-{scheme}.png").write_bytes(png)
                shown.close()
                print(f"{name}-{scheme}.png: {len(png) // 1000} kB")
        browser.close()


if __name__ == "__main__":
    main()
