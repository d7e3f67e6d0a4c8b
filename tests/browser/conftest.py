"""A real Chromium, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from netcount.analysis.count import count
from netcount.core.errors import NetcountError
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.graph.partial import outline_of, outline_text
from netcount.picture.picture import ALL, open_and_folded, picture
from netcount.report.page import Sides, changes_page, net_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("playwright is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True)
        yield browser
        browser.close()


def page_text(text: str, *folded: str) -> str:
    """The page of a net, or of what there is of it."""
    try:
        outline = outline_of(load_text(text, LoadOptions(), "net.prototxt"))
    except NetcountError as refused:
        outline = outline_text(text, LoadOptions(), "net.prototxt", refused)
    counted = count(outline.graph)
    return net_page(picture(counted, outline), picture(counted, outline, collapse=[ALL]), text, "madds", folded)


def changes_text(before: str, after: str) -> str:
    """The page of what one net changes of another."""
    sides = []
    for text in (before, after):
        outline = outline_of(load_text(text, LoadOptions(), "net.prototxt"))
        sides.append(Sides(*open_and_folded(count(outline.graph), outline)))
    return changes_page(sides[0], sides[1], after)


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Shows the page of a net: `shown(text, "#layer=…", width=…, height=…, dark=…)`, or of changes: `before=…`.

    No test ends well in which the page reported a mistake, asked something, or loaded anything.
    """
    wrong: list[str] = []
    contexts = []

    def show(
        text: str,
        address: str = "",
        width: int = 1400,
        height: int = 900,
        dark: bool = False,
        before: str | None = None,
    ) -> Any:
        file = tmp_path / "net.html"
        file.write_text(page_text(text) if before is None else changes_text(before, text), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("dialog", lambda dialog: wrong.append(f"asked: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((file.as_uri(), "blob:", "data:")) else wrong.append(request.url)
            ),
        )
        page.goto(file.as_uri() + address)
        page.locator("html[data-ready]").wait_for(state="attached")
        return page

    yield show
    for context in contexts:
        context.close()
    assert not wrong
