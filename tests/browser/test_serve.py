"""Live editing in a real Chromium: what is typed is counted, what is wrong is said and mended, nothing is lost."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import netcount
from netcount.core.units import human
from tests.cli.test_analyze import hostile_net
from tests.command import COMMAND, UNMEASURED
from tests.helpers import SAMPLES, inputs

SQUEEZENET = (SAMPLES / "squeezenet_v1.1.prototxt").read_text(encoding="utf-8")
CONV1 = "convolution_param { num_output: 64 kernel_size: 3 stride: 2 }"


NUMBER_AT = """
away => {
    const box = document.getElementById("scroller").getBoundingClientRect();
    const near = [...document.querySelectorAll(".editor li")].map(line => [line.getBoundingClientRect(), line]);
    const at = box.top + away;
    return Number(near.find(([{ top, bottom }]) => top <= at && at < bottom)[1].dataset.number);
}
"""
"""The number of the line that is so many pixels below the upper edge of the text."""
SCROLLED = """
async (box, top) => {
    box.scrollTop = top;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return box.scrollTop;
}
"""
"""Scrolls, and waits until that is painted; where it is then."""
NUMBERED_LINES = """
list => [...list.children].map(line => [line.dataset.number, line.firstChild.textContent.replace('\\u200b', '')])
"""
LINE = 18
"""How high a line of the text is, in pixels."""


class Live(NamedTuple):
    """A page, the files it edits, and the process that serves it."""

    page: Any
    files: list[Path]
    process: Any

    @property
    def area(self) -> Any:
        return self.page.locator(".editor textarea")

    def type_over(self, old: str, new: str) -> None:
        """Select a part of the text, and type another in its place."""
        self.area.evaluate(
            "(area, old) => { const at = area.value.indexOf(old); area.focus();"
            " area.setSelectionRange(at, at + old.length) }",
            old,
        )
        self.page.keyboard.insert_text(new)

    def facts(self, words: str) -> None:
        self.page.locator("#facts", has_text=words).wait_for()

    def state(self, words: str) -> None:
        self.page.locator("#state", has_text=words).wait_for()


Edit = Callable[..., Live]


@pytest.fixture
def edit(browser: Any, tmp_path: Path) -> Iterator[Edit]:
    """Serves texts and shows the page: `edit(text, other, "--option", …)`.

    No test ends well in which the page reported a mistake or asked for anything but its server.
    """
    wrong: list[str] = []
    processes: list[Any] = []
    contexts: list[Any] = []

    def start(*given: str, width: int = 1400, height: int = 900, dark: bool = False) -> Live:
        texts = [text for text in given if not text.startswith("--")]
        files = [tmp_path / f"net{number}.prototxt" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_bytes(text.encode("utf-8", "surrogateescape"))
        more = [text for text in given if text.startswith("--")]
        process = subprocess.Popen(
            [*COMMAND, "serve", *map(str, files), "--port", "0", "--no-browser", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=UNMEASURED,
        )
        processes.append(process)
        assert process.stdout is not None
        address = process.stdout.readline().split()[2]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _is_wrong(said) else None)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((address, "blob:", "data:")) else wrong.append(request.url)
            ),
        )
        page.goto(address)
        page.locator("html[data-ready]").wait_for(state="attached")
        return Live(page, files, process)

    yield start
    for context in contexts:
        context.close()
    for process in processes:
        process.terminate()
        process.wait(20)
        process.stdout.close()
    assert not wrong


def _is_wrong(said: Any) -> bool:
    """A message of the page; that a save met a newer file, or that the server has gone, is what tests are for."""
    expected = (
        "status of 409", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE",
        "ERR_CONTENT_LENGTH_MISMATCH", "ERR_CONNECTION_RESET",
    )  # fmt: skip
    return said.type in ("error", "warning") and not any(words in said.text for words in expected)


def test_graph_table_and_totals_follow_the_text(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    live.facts("387.75M madds")
    live.type_over(CONV1, CONV1.replace("64", "96"))
    live.page.locator("#facts", has_not_text="387.75M madds").wait_for()
    box = live.page.locator("#graph [role=button]", has_text="conv1").first
    box.locator("text", has_text="113×113×96").wait_for()
    row = live.page.locator("#pane-layers tr", has=live.page.get_by_role("link", name="conv1", exact=True))
    assert "113×113×96" in row.inner_text()
    live.state("not saved")
    assert live.files[0].read_text(encoding="utf-8") == SQUEEZENET


def test_what_an_edit_leaves_as_it_was_stays_and_the_rest_is_as_if_drawn_anew(edit: Edit) -> None:
    wider = SQUEEZENET.replace(CONV1, CONV1.replace("64", "96"))
    added = 'layer { name: "more" type: "LRN" bottom: "pool1" top: "more" }\nlayer {\n  name: "fire2/squeeze1x1"'
    changed = wider.replace('layer {\n  name: "fire2/squeeze1x1"', added)
    live = edit(SQUEEZENET, changed)
    kept = live.page.locator("#pane-layers tbody tr, #graph [role=button]")
    kept.first.wait_for()
    kept.evaluate_all("parts => parts.forEach(part => { part.isOld = true })")
    live.page.locator("#pane-layers thead button", has_text="madds").click()
    live.type_over(CONV1, CONV1.replace("64", "96"))
    live.page.locator("#graph text", has_text="113×113×96").first.wait_for()
    stayed = kept.evaluate_all("parts => parts.map(part => [part.localName, part.isOld === true])")
    assert {stays for name, stays in stayed if name == "tr"} == {True}
    assert {stays for name, stays in stayed if name == "g"} == {True, False}
    live.page.locator("#pane-layers thead button", has_text="layer").click()
    live.type_over('layer {\n  name: "fire2/squeeze1x1"', added)
    live.facts("68 layers")
    parts = ["#graph svg > g", "#pane-layers tbody", "#pane-layers tfoot", "#pane-memory", "#pane-shares"]
    shown = []
    for file in (0, 1):
        live.page.locator("#files button").nth(file).click()
        live.facts(f"net{file}.prototxt")
        for name in ("memory", "shares", "layers"):
            live.page.locator(f"#tab-{name}").click()
        shown.append([live.page.locator(part).inner_html() for part in parts])
    assert shown[0] == shown[1]


def test_a_broken_text_keeps_the_last_picture_and_is_mended_by_a_click(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    drawn = live.page.locator("#graph [role=button]")
    drawn.first.wait_for()
    boxes = drawn.count()
    live.type_over("num_output: 64", "num_outptu: 64")
    problem = live.page.locator("#problems li")
    problem.wait_for()
    line = SQUEEZENET[: SQUEEZENET.index("num_output: 64")].count("\n") + 1
    assert problem.locator("a").inner_text() == f"line {line}"
    assert "num_outptu" in live.page.locator(".editor li.fault-line").inner_text()
    assert live.page.locator(".editor li.fault-line").get_attribute("data-number") == str(line)
    assert "last text that was right" in live.page.locator("#problems").inner_text()
    assert drawn.count() == boxes
    live.facts("387.75M madds")
    problem.get_by_role("button", name="change to num_output").click()
    problem.wait_for(state="detached")
    assert live.area.input_value() == SQUEEZENET
    live.page.keyboard.press("Control+z")
    problem.wait_for()
    assert "num_outptu" in live.area.input_value()


def test_a_way_out_is_chosen_and_left_again(edit: Edit) -> None:
    fancy = inputs(x=(1, 3, 9, 11)) + 'layer { name: "f" type: "Fancy" bottom: "x" top: "f" }\n'
    live = edit(fancy)
    live.page.locator("#graph [role=button]", has_text="unknown layer type").wait_for()
    live.page.get_by_role("button", name="--assume Fancy=identity").click()
    live.page.locator("#problems li").wait_for(state="detached")
    live.facts("2 layers")
    live.page.locator("#options button").click()
    live.page.locator("#problems li").wait_for()


def test_a_shape_that_only_the_user_knows_is_asked_for(edit: Edit) -> None:
    live = edit('layer { name: "f" type: "ReLU" bottom: "x" top: "f" }\n')
    live.page.get_by_role("button", name="--input-shape x=N,C,H,W").click()
    live.page.locator("form.fix input").fill("1,3,20,30")
    live.page.keyboard.press("Enter")
    live.page.locator("#graph [role=button]", has_text="20×30×3").wait_for()


def test_what_cannot_be_read_at_first_is_drawn_when_it_can(edit: Edit) -> None:
    live = edit("layer { name: ")
    live.page.locator("#problems li").wait_for()
    assert live.page.locator("#graph [role=button]").count() == 0
    live.type_over("layer { name: ", inputs(x=(1, 3, 9, 11)))
    live.page.locator("#graph [role=button]").wait_for()
    live.facts("1 layer ")


def test_where_nothing_can_be_read_nothing_acts_on_another_net(edit: Edit) -> None:
    live = edit(SQUEEZENET, "layer { name: ")
    asking = [live.page.locator(f"#{name}") for name in ("find", "color", "fold", "export")]
    live.page.locator("#graph [role=button]", has_text="conv10").click()
    live.page.locator("#files button").nth(1).click()
    live.page.locator("#problems li").wait_for()
    assert [tool.is_disabled() for tool in asking] == [True] * 4
    live.page.locator("#files button").nth(1).focus()
    live.page.keyboard.press("Escape")
    live.page.keyboard.press("ArrowUp")
    live.page.locator("#files button").nth(0).click()
    live.facts("67 layers")
    assert live.page.locator("#layer h2").inner_text().startswith("conv10 ")
    assert [tool.is_disabled() for tool in asking] == [False] * 4


def test_on_a_narrow_page_a_text_is_mended_where_it_stands(edit: Edit) -> None:
    live = edit("layer { name: ", SQUEEZENET, width=400, height=800)
    live.page.locator("#problems li").wait_for()
    assert live.page.locator("#pane-text").is_visible()
    live.type_over("layer { name: ", inputs(x=(1, 3, 9, 11)))
    live.facts("1 layer ")
    assert live.area.evaluate("area => area === document.activeElement")
    live.page.locator("#tab-graph").click()
    assert live.page.locator("#graph svg").evaluate("svg => svg.clientWidth === svg.viewBox.baseVal.width")
    live.page.locator("#tab-memory").click()
    live.page.locator("#files button").nth(1).click()
    live.facts("67 layers")
    assert live.page.locator("#pane-graph").is_visible()
    assert live.page.locator("#graph svg").evaluate("svg => svg.clientWidth > 0.9 * svg.parentElement.clientWidth")


@pytest.mark.parametrize("key", ["Control+s", "s"])
def test_saving(edit: Edit, key: str) -> None:
    text = SQUEEZENET.replace("\n", "\r\n")
    live = edit(text)
    live.type_over("num_output: 64", "num_output: 65")
    live.state("not saved")
    if key == "s":
        live.page.locator("#graph").focus()
    live.page.keyboard.press(key)
    live.page.locator("#state", has_text="saved").filter(has_not_text="not").wait_for()
    changed = text.replace("num_output: 64", "num_output: 65", 1)
    assert live.files[0].read_bytes() == changed.encode(), "and the ends of lines stay"
    assert live.page.locator("#save").is_disabled()


def test_what_another_editor_writes_is_read_again(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    live.files[0].write_text(SQUEEZENET.replace("num_output: 64", "num_output: 96", 1), encoding="utf-8")
    live.state("read again")
    live.page.locator("#graph text", has_text="113×113×96").first.wait_for()
    live.page.locator("#banner button").wait_for(state="detached")
    live.area.focus()
    live.page.keyboard.press("Control+z")
    live.page.locator("#graph text", has_text="113×113×64").first.wait_for()


def test_where_both_sides_changed_it_is_asked_and_nothing_is_lost(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    mine, theirs = (SQUEEZENET.replace("num_output: 64", f"num_output: {number}", 1) for number in (80, 96))
    live.type_over("num_output: 64", "num_output: 80")
    live.files[0].write_text(theirs, encoding="utf-8")
    live.page.get_by_role("button", name="Take the file's").click()
    live.page.locator("#graph text", has_text="113×113×96").first.wait_for()
    assert live.area.input_value() == theirs
    live.area.focus()
    live.page.keyboard.press("Control+z")
    live.page.locator("#graph text", has_text="113×113×80").first.wait_for()
    assert live.area.input_value() == mine
    live.files[0].write_text(SQUEEZENET, encoding="utf-8")
    live.page.get_by_role("button", name="Keep this text").click()
    assert live.area.input_value() == mine
    live.page.keyboard.press("Control+s")
    live.page.locator("#save:disabled").wait_for()
    assert live.files[0].read_text(encoding="utf-8") == mine


def test_a_file_that_is_gone_is_written_again(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    live.files[0].unlink()
    live.page.locator("#banner", has_text="cannot be read any more").wait_for()
    live.page.locator("#save").click()
    live.page.locator("#save:disabled").wait_for()
    assert live.files[0].read_text(encoding="utf-8") == SQUEEZENET


def test_files_are_tabs_and_each_keeps_its_text(edit: Edit) -> None:
    other = inputs(x=(1, 3, 9, 11))
    live = edit(SQUEEZENET, other)
    live.type_over("num_output: 64", "num_output: 96")
    live.page.locator("#files button", has_text="net0.prototxt ●").wait_for()
    live.page.locator("#files button").nth(1).click()
    live.facts("1 layer ")
    assert live.area.input_value() == other
    live.page.locator("#files button").nth(1).press("ArrowLeft")
    live.facts("67 layers")
    assert "num_output: 96" in live.area.input_value()


def test_text_and_picture_are_linked_while_the_text_changes(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    live.type_over('layer {\n  name: "conv1"', '# one\n# two\n# three\nlayer {\n  name: "conv1"')
    live.page.locator("#graph [role=button]", has_text="fire2/concat").click()
    chosen = live.page.locator(".editor li.chosen")
    assert any('"fire2/concat"' in line for line in chosen.all_inner_texts())
    assert chosen.first.inner_text().startswith("layer {")
    live.page.locator("#layer h2", has_text="fire2/concat").wait_for()
    live.page.locator("#layer dd", has_text="of 227×227 data").wait_for()
    live.type_over("num_output: 64", "num_output: 96")
    live.page.locator("#graph text", has_text="113×113×96").first.wait_for()
    assert live.page.locator("#graph .chosen text").first.text_content() == "fire2/concat", "it stays chosen"


def test_a_chosen_layer_stays_chosen_under_another_name(edit: Edit) -> None:
    text = inputs(x=(1, 3, 9, 11)) + 'layer { name: "one" type: "LRN" bottom: "x" top: "y" }\n'
    live = edit(text, inputs(z=(1, 3, 9, 11)) + 'layer { name: "two" type: "LRN" bottom: "z" top: "y" }\n')
    live.page.locator("#graph [role=button]", has_text="one").click()
    live.type_over('"one"', '"another"')
    live.page.locator("#layer h2", has_text="another").wait_for()
    live.page.wait_for_url(re.compile("#layer=another$"))
    live.type_over('name: "another" type: "LRN"', 'name: "x" type: "TanH"')
    live.page.locator("#layer h2", has_text="x · TanH").wait_for()
    live.page.locator("#files button").nth(1).click()
    live.page.locator("#graph [role=button]", has_text="two").wait_for()
    live.page.locator("#files button").nth(0).click()
    live.page.locator("#graph [role=button]", has_text="TanH").click()
    live.page.locator("#files button").nth(1).click()
    live.page.locator("#graph [role=button]", has_text="two").wait_for()
    assert live.page.locator("#layer").is_hidden(), "what stands there in another file is another layer"
    assert "layer=" not in live.page.url


def test_the_numbers_of_lines_stay_in_sight_at_the_beginning_of_a_line(edit: Edit) -> None:
    live = edit("# " + 400 * "long ")
    live.area.press("End")
    live.page.wait_for_function("document.getElementById('scroller').scrollLeft > 400")
    live.area.press("Home")
    live.page.wait_for_function("document.getElementById('scroller').scrollLeft === 0")


def test_indenting(edit: Edit) -> None:
    live = edit("")
    live.area.focus()
    live.page.keyboard.type('layer {\nname: "a"\n}')
    assert live.area.input_value() == 'layer {\n  name: "a"\n}'
    live.page.keyboard.press("Control+a")
    live.page.keyboard.press("Tab")
    assert live.area.input_value() == '  layer {\n    name: "a"\n  }'
    live.page.keyboard.press("Shift+Tab")
    assert live.area.input_value() == 'layer {\n  name: "a"\n}'
    live.page.keyboard.press("Escape")
    live.page.keyboard.press("Tab")
    assert live.page.evaluate("document.activeElement.tagName") != "TEXTAREA", "the keyboard leaves the text"


def test_completion_of_fields_types_values_and_blobs(edit: Edit) -> None:
    live = edit(inputs(data=(1, 3, 9, 11)) + "\n")
    choices = live.page.locator(".choices")
    live.area.focus()
    live.page.keyboard.press("Control+End")
    live.page.keyboard.type("lay")
    choices.locator("li").first.wait_for()
    assert choices.locator("li b").first.inner_text() == "layer"
    live.page.keyboard.press("Enter")
    live.page.keyboard.press("Enter")
    live.page.keyboard.type('type: "Pooli')
    live.page.keyboard.press("Tab")
    live.page.keyboard.type('" bottom: "d')
    live.page.keyboard.press("Tab")
    live.page.keyboard.type('" top: "p" name: "p"')
    live.page.keyboard.press("Enter")
    live.page.keyboard.type("pooling_p")
    live.page.keyboard.press("Enter")
    live.page.keyboard.type(" glob")
    live.page.keyboard.press("Enter")
    live.page.keyboard.type("t")
    live.page.keyboard.press("Enter")
    live.page.keyboard.type(" pool: A")
    live.page.keyboard.press("Enter")
    live.page.keyboard.type(" }")
    live.page.keyboard.press("Enter")
    live.page.keyboard.type("}")
    typed = live.area.input_value().partition("layer {\n")[2]
    assert typed == (
        '  type: "Pooling" bottom: "data" top: "p" name: "p"\n'
        "  pooling_param { global_pooling: true pool: AVE }\n}"
    )
    live.page.locator("#graph [role=button]", has_text="1×1×3").wait_for()
    assert choices.is_hidden()


def test_choices_are_walked_through_and_left_by_keys(edit: Edit) -> None:
    live = edit("layer { pooling_param { pool:  } }")
    live.area.evaluate("area => { area.focus(); area.setSelectionRange(30, 30) }")
    live.page.keyboard.press("Control+ ")
    choices = live.page.locator(".choices li")
    assert choices.locator("b").all_inner_texts()[:2] == ["MAX", "AVE"]
    live.page.keyboard.press("ArrowDown")
    chosen = live.page.locator(".choices [aria-selected=true]")
    assert chosen.inner_text() == "AVE"
    assert live.area.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    live.page.keyboard.press("Escape")
    assert live.page.locator(".choices").is_hidden()
    assert live.area.input_value() == "layer { pooling_param { pool:  } }"


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("num_output: 64", "num_output: uint32 · how many channels, or outputs, the layer makes · default 0"),
        ("pool: MAX", "pool: PoolingParameter.PoolMethod · what is made of a window: its largest value"),
        ('Pooling"', "Pooling: "),
    ],
)
def test_what_a_word_means(edit: Edit, word: str, words: str) -> None:
    live = edit(SQUEEZENET)
    live.area.evaluate(
        "(area, word) => { const at = area.value.indexOf(word); area.focus(); area.setSelectionRange(at, at) }",
        word,
    )
    live.page.keyboard.press("F1")
    assert live.page.locator(".tip").inner_text().startswith(words)
    live.page.keyboard.press("Escape")
    assert live.page.locator(".tip").is_hidden()
    line = live.page.locator(".editor li", has_text=word).first
    line.scroll_into_view_if_needed()
    part = line.locator("span span", has_text=re.compile(f'^"?{word.split(":")[0].strip(chr(34))}"?$')).first
    box = part.bounding_box()
    live.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 9)
    live.page.locator(".tip", has_text=words).wait_for()


def test_sliders_show_what_rescale_would_make(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    live.page.locator("#scales summary").click()
    live.page.get_by_label("Width", exact=True).fill("0.5")
    live.page.get_by_label("Resolution").fill("114")
    scaled = live.page.locator("#scaled", has_text="madds")
    scaled.wait_for()
    made = netcount.loads(SQUEEZENET).rescale(width=0.5, resolution=114)
    words = human(made.net.analyze().totals.madds)
    live.page.locator("#scaled", has_text=f"{words} madds").wait_for()
    live.page.get_by_role("button", name="Put into the text").click()
    live.facts(f"{words} madds")
    assert live.area.input_value() == made.text
    assert live.page.get_by_label("Resolution").input_value() == "114"


def test_limits_are_bars(edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netcount.toml").write_text(
        '[[net]]\npath = "net0.prototxt"\nmax_madds = "390M"\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    live = edit(SQUEEZENET)
    live.page.locator("#budget .limit", has_text="max_madds: 387.75M of 390.00M").wait_for()
    assert live.page.locator("#budget .over").count() == 0
    live.type_over("num_output: 64", "num_output: 96")
    live.page.locator("#budget .over", has_text="over: max_madds: ").wait_for()


def test_what_one_text_changes_of_another(edit: Edit) -> None:
    live = edit(SQUEEZENET, SQUEEZENET, "--diff")
    changes = live.page.locator("#diff")
    changes.locator("td", has_text="387.75M").first.wait_for()
    assert "conv1" not in changes.inner_text()
    live.page.locator("#files button").nth(1).click()
    live.type_over("num_output: 64", "num_output: 96")
    changes.locator("td", has_text="conv1").first.wait_for()
    assert "num_output 64 -> 96" in changes.inner_text().replace("→", "->").replace(":", "")
    live.page.locator("#files button").nth(0).click()
    live.type_over(
        'layer {\n  name: "fire2/squeeze1x1"',
        'layer { name: "more" type: "LRN" bottom: "pool1" top: "more" }\nlayer {\n  name: "fire2/squeeze1x1"',
    )
    changes.get_by_role("link", name="more", exact=True).wait_for()  # its table replaces the one before
    changes.get_by_role("link", name="conv1", exact=True).click()
    live.page.locator("#files [aria-selected=true]", has_text="net1").wait_for()
    live.page.locator("#layer h2", has_text="conv1 · ").wait_for()
    changes.get_by_role("link", name="more", exact=True).click()
    live.page.locator("#files [aria-selected=true]", has_text="net0").wait_for()
    live.page.locator("#layer h2", has_text="more · ").wait_for()


def test_the_numbers_of_lines_are_those_of_the_text_alone(edit: Edit) -> None:
    live = edit("layer { pooling_param { pool:  } }")
    live.area.evaluate("area => { area.focus(); area.setSelectionRange(30, 30) }")
    live.page.keyboard.press("Control+ ")
    item = live.page.locator(".choices li").first
    item.wait_for()
    assert item.evaluate("item => getComputedStyle(item, '::before').content") == "none"


def test_the_mirror_shows_the_text_line_for_line(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    for old, new in (("layer {", "# a\n\tlayer {"), ("\n\n", "\n"), ("name", "nom\n\n\n")):
        live.type_over(old, new)
        lines = live.area.input_value().split("\n")
        shown: dict[int, str] = {}
        for at in range(0, LINE * len(lines), 900):
            top = live.page.locator("#scroller").evaluate(SCROLLED, at)
            drawn = {
                int(number): text for number, text in live.page.locator(".editor ol").evaluate(NUMBERED_LINES)
            }
            number = live.page.evaluate(NUMBER_AT, 30)
            assert lines[number - 1] == drawn[number]
            assert top // LINE < number <= top // LINE + 3, "a line stands where it does in the text"
            shown |= drawn
        assert [shown[number] for number in range(1, len(lines) + 1)] == lines
        assert live.page.locator(".editor li").count() < len(lines), "no more lines are drawn than are near"


def test_the_widest_line_can_be_reached(edit: Edit) -> None:
    live = edit("")
    for one, other in (("\U0001f600" * 100, "m" * 300), ("a\u1dc4" * 90, "m" * 150), ("\t" * 90, "m" * 300)):
        for lines in (f"{one}\n{other}", f"{other}\n{one}"):
            live.area.fill(lines)
            assert live.area.evaluate("area => area.scrollWidth <= area.clientWidth")


def test_a_line_of_one_long_word_is_drawn(edit: Edit) -> None:
    live = edit("")
    live.area.fill("a" * 100_000)
    assert len(live.page.locator(".editor li").first.text_content()) >= 100_000


def test_a_mistake_stands_at_its_line_and_leads_there(edit: Edit) -> None:
    live = edit("layer { name: ")
    live.page.locator("#problems li a").click()
    assert live.page.evaluate("document.activeElement.tagName") == "TEXTAREA", "though nothing is drawn"
    live.area.fill('# a\n# b\nlaier { name: "\u202ea" }')
    mistake = live.page.locator(".editor li.fault-line[data-number='3']")
    mistake.wait_for()
    left, right = mistake.evaluate("line => [...line.children].map(part => part.getBoundingClientRect().left)")
    assert left < right, "a sign that turns the direction turns that of the text alone"
    held: list[Any] = []
    live.page.route("**/answer", lambda route: held.append(route))
    with live.page.expect_request("**/answer"):
        live.type_over("laier {", "layer {\nlaier {")
    live.type_over("# a", "# a\n# a")
    held[0].continue_()
    live.page.locator("#problems li a", has_text="line 4").wait_for()  # what the text before has; this one waits
    assert live.page.locator(".editor li.fault-line").get_attribute("data-number") == "5"
    live.page.locator("#problems li a").click()
    assert live.area.evaluate("area => area.value.slice(area.selectionStart)").startswith("laier")


def test_a_file_that_is_not_shown_is_read_again(edit: Edit) -> None:
    one, other = inputs(x=(1, 3, 9, 11)), inputs(y=(1, 3, 9, 11))
    live = edit(one, one)
    live.page.locator("#files button").nth(1).click()
    live.page.locator("#files button").nth(0).click()
    live.area.focus()
    live.files[1].write_text(other, encoding="utf-8")
    live.state("read again")
    assert live.area.input_value() == one
    live.page.locator("#files button").nth(1).click()
    assert live.area.input_value() == other


def test_many_lines_that_come_at_once_are_one_step(edit: Edit) -> None:
    net = inputs(x=(1, 3, 9, 11))
    live = edit(net)
    many = net + "# <b>&amp;  &lt;\ta\u00a0\n" * 4000 + "\n"
    live.files[0].write_text(many, encoding="utf-8")
    live.state("read again")
    assert live.area.input_value() == many
    live.area.focus()
    live.page.keyboard.press("Control+z")
    assert live.area.input_value() == net


def test_the_layout_of_no_part_is_put_off_while_a_text_is_edited(edit: Edit) -> None:
    live = edit(inputs(x=(1, 3, 9, 11)))
    scales = live.page.locator("#scales")
    put_off = "part => getComputedStyle(part, '::details-content').contentVisibility"
    assert scales.evaluate(put_off) == "visible", "or the time for an edit grows with the square of the lines"
    assert scales.get_by_label("Resolution").is_hidden()
    scales.locator("summary").click()
    assert scales.get_by_label("Resolution").is_visible()


def test_sliders_follow_a_text_that_goes_on(edit: Edit) -> None:
    net = inputs(x=(1, 3, 9, 11)) + (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c"\n'
        "convolution_param { num_output: 4 kernel_size: 3 } }\n"
        'layer { name: "d" type: "Convolution" bottom: "c" top: "d"\n'
        "convolution_param { num_output: 4 kernel_size: 3 } }\n"
    )
    live = edit(net)
    live.page.locator("#scales summary").click()
    width, put = live.page.get_by_label("Width", exact=True), live.page.get_by_role("button", name="Put into")
    held: list[Any] = []
    live.page.route("**/rescale", lambda route: held.append(route), times=1)
    with live.page.expect_request("**/rescale"):
        width.fill("0.5")
    live.type_over("num_output: 4", "num_output: 8")
    live.page.locator("#facts", has_text="516 params").wait_for()
    width.fill("0.25")
    held[0].continue_()
    live.page.locator("#scaled", has_text="132 params").wait_for()
    live.area.focus()
    live.page.keyboard.insert_text("\n")
    assert put.is_disabled(), "it would undo what was typed"


def test_hostile_texts_are_text(edit: Edit) -> None:
    live = edit(hostile_net())
    assert live.page.locator("img, iframe, object, embed").count() == 0
    live.type_over("layer", "laier")
    live.page.locator("#problems li").first.wait_for()
    assert live.page.locator("img, iframe, object, embed").count() == 0


def test_the_page_says_when_the_server_has_gone_and_keeps_the_text(edit: Edit) -> None:
    live = edit(SQUEEZENET)
    live.type_over("num_output: 64", "num_output: 96")
    live.page.locator("#graph text", has_text="113×113×96").first.wait_for()
    live.process.send_signal(signal.SIGINT)
    live.state("netcount serve has ended")
    assert live.process.wait(20) == 0
    assert "num_output: 96" in live.area.input_value()


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (900, 700), (400, 800)])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(edit: Edit, width: int, height: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    live = edit(SQUEEZENET, SQUEEZENET, width=width, height=height, dark=dark)
    if width < 1000:
        live.page.locator("#tab-text").click()
    live.type_over("num_output: 64", "num_outptu: 64")
    live.page.locator("#problems li").first.wait_for()
    checked = axe.Axe().run(live.page)
    assert not checked.response["violations"], checked.generate_report()
    assert live.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_the_command_refuses_what_cannot_be_edited(tmp_path: Path) -> None:
    for given, words in (("-", "standard input cannot be edited"), (str(tmp_path / "none"), "No such file")):
        done = subprocess.run(
            [*COMMAND, "serve", given, "--no-browser"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert words in done.stderr
