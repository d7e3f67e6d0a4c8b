"""The public page in a real Chromium: a sample is there at once, netcount runs in it, and no text leaves it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest

from netcount.cli.serve import answerer
from netcount.core.samples import sample_names
from netcount.report.page import _part
from tests.cli.test_analyze import hostile_net
from tests.helpers import SAMPLES, inputs
from tools.build_site import Missing, build


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """A request is no event."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site that is built for the tests."""
    folder = tmp_path_factory.mktemp("site")
    try:
        build(folder)
    except Missing as missing:
        pytest.skip(str(missing))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


Visit = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Visit]:
    """Opens the site: `visit("#text=…", engine=False)`.

    No test ends well in which the page reported a mistake, or asked for anything that the site does not have.
    """
    wrong: list[str] = []
    contexts = []

    def open_page(address: str = "", engine: bool = True, **more: Any) -> Any:
        context = browser.new_context(viewport={"width": 1400, "height": 900}, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on(
            "request",
            lambda request: None if request.url.startswith((site, f"blob:{site}")) else wrong.append(request.url),
        )
        if not engine:
            page.route("**/engine.js", lambda route: None)
        page.goto(site + address)
        page.locator("html[data-ready]").wait_for(state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(visit: Visit, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(engine=False, color_scheme="dark" if dark else "light")
    page.set_viewport_size({"width": 400, "height": 800})
    page.locator("#loading progress").wait_for()
    found = axe.Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_samples_are_seen_without_the_engine_and_links_hold_a_text(visit: Visit, site: str) -> None:
    page = visit(engine=False)
    page.locator("#facts", has_text="387.75M madds").wait_for()
    page.locator("#loading progress").wait_for()
    page.get_by_label("Open", exact=True).select_option("sample alexnet.prototxt")
    page.locator("#net", has_text="AlexNet").wait_for()
    assert page.locator("#files button").count() == 0, "it stands in place of a text that nobody changed"
    page.locator("#graph [role=button]", has_text="conv2").click()
    assert page.locator(".editor li.chosen", has_text='"conv2"').count()

    text = hostile_net() + "# é × 💡\n"
    page.evaluate("document.getElementById('find').blur()")
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        text,
    )
    assert page.locator(".editor textarea").input_value() == text.replace("\r\n", "\n").replace("\r", "\n")
    page.locator("#share").click()
    page.locator("#state", has_text="link").wait_for()
    address = page.url
    assert re.fullmatch(r"#text=[\w-]+&name=pasted.prototxt", address.removeprefix(site))
    shared = visit(address.removeprefix(site), engine=False)
    assert shared.locator(".editor textarea").input_value() == page.locator(".editor textarea").input_value()
    assert shared.locator("img, iframe, object, embed").count() == 0

    broken = visit("#text=nonsense", engine=False)
    broken.locator("#state", has_text="no text that can be read").wait_for()
    broken.locator("#facts", has_text="387.75M madds").wait_for()


def test_netcount_in_the_page_answers_as_in_python(visit: Visit) -> None:
    text = inputs(x=(1, 3, 9, 11)) + (
        'layer { name: "c" type: "Convolutoin" bottom: "x" top: "c"\n'
        "convolution_param { num_output: 7 kernel_size: 3 } }\n"
    )
    page = visit("?url=" + quote("samples/squeezenet_v1.1.prototxt.json"))
    page.locator("html[data-engine]").wait_for(state="attached")
    assert page.locator("#loading").count() == 0
    page.locator("#problems li").first.wait_for()  # a document of JSON is no net
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "mine.prototxt"));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }""",
        text,
    )
    page.get_by_role("button", name="change to Convolution").click()
    page.locator("#graph [role=button]", has_text="7×9×7").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "mine.prototxt"
    assert Path(download.value.path()).read_text(encoding="utf-8") == text.replace("Convolutoin", "Convolution")

    (engine,) = page.workers
    answer = answerer()
    for name in sample_names():
        content = json.dumps({"file": 0, "text": (SAMPLES / name).read_text(encoding="utf-8"), "partial": True})
        asked = ["answer", content, json.dumps([name])]
        assert engine.evaluate("asked => self.reply(...asked)", asked) == answer(*asked), name


@pytest.fixture(scope="session")
def functions(browser: Any) -> Any:
    """A page in which the functions of links.js are global."""
    page = browser.new_page()
    page.set_content("<!doctype html><title>functions</title>")
    page.add_script_tag(content=_part("links.js").replace("export ", ""))
    return page


RAW = "https://raw.githubusercontent.com/"
API = "https://api.github.com/gists/"
GIST = "0123456789abcdef0123"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://github.com/a/b/blob/main/x/y%20z.prototxt#L3", f"{RAW}a/b/main/x/y%20z.prototxt"),
        ("https://github.com/a/b/raw/v1/net.prototxt?plain=1", f"{RAW}a/b/v1/net.prototxt"),
        (f"{RAW}a/b/main/net.prototxt", f"{RAW}a/b/main/net.prototxt"),
        (f"https://gist.github.com/some-one/{GIST}", f"{API}{GIST}"),
        (f"https://gist.github.com/{GIST}#file-net-prototxt", f"{API}{GIST}"),
        (f"https://gist.github.com/some-one/{GIST}/{GIST}00", f"{API}{GIST}/{GIST}00"),
        ("https://example.org/net.prototxt", "https://example.org/net.prototxt"),
        ("nets/a.prototxt", "http://here.example/at/nets/a.prototxt"),
    ],
)
def test_links_of_pages_become_those_of_texts(functions: Any, given: str, read: str) -> None:
    where = functions.evaluate("given => rawAddress(given, 'http://here.example/at/').address", given)
    assert where == read


@pytest.mark.parametrize(
    "given", ["http://example.org/a", "javascript:alert(1)", "file:///etc/passwd", "https://"]
)
def test_other_links_are_refused(functions: Any, given: str) -> None:
    why = functions.evaluate(
        "given => { try { rawAddress(given, 'http://here.example/'); } catch (e) { return e.message; } }", given
    )
    assert given in why


@pytest.mark.parametrize(
    ("link", "name"),
    [("", "a.prototxt"), ("#file-b_c-1-prototxt", "b_c.1.prototxt"), ("#file-none", "a.prototxt")],
)
def test_a_file_of_a_gist(functions: Any, link: str, name: str) -> None:
    files = {name: {"filename": name} for name in ("0.md", "a.prototxt", "b_c.1.prototxt")}
    picked = functions.evaluate(
        "([link, files]) => rawAddress(link, 'http://here.example/').pick({ files }).filename",
        [f"https://gist.github.com/x/{GIST}{link}", files],
    )
    assert picked == name


@pytest.mark.parametrize(
    "content", [b"", b"plain", "é×💡\ufeff".encode(), b"\xff\xfea\xe2\x82", b"\xed\xa0\x80\xf0\x9f"]
)
def test_bytes_are_read_as_in_python(functions: Any, content: bytes) -> None:
    text, back = functions.evaluate(
        """async bytes => {
            const text = decoded(new Uint8Array(bytes));
            const back = new Uint8Array(await encoded(text).arrayBuffer());
            return [Array.from(text, sign => sign.codePointAt(0)), [...back]];
        }""",
        list(content),
    )
    assert text == [ord(sign) for sign in content.decode("utf-8", "surrogateescape")]
    assert bytes(back) == content


def test_a_text_that_grows_too_large_is_refused(functions: Any) -> None:
    why = functions.evaluate(
        "async () => unpacked(await packed('a'.repeat(100000)), 99999).catch(failure => failure.message)"
    )
    assert "too large" in why
