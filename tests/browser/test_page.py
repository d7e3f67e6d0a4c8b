"""The page of a net in a real browser."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.analysis.count import count
from netcount.core.units import human, human_bytes, percent
from netcount.graph.partial import outline_of
from netcount.picture.layout import layout
from netcount.picture.picture import picture
from netcount.picture.strips import Link
from netcount.report.changes import changes_drawing
from netcount.report.formats.dot import fill_of
from netcount.report.formats.svg import CHANGES
from netcount.report.formats.text import visible
from netcount.report.page import LIVE_SCRIPTS, SCRIPTS, _part
from netcount.report.picture import Drawing, drawing, text_width
from tests.cli.test_analyze import HOSTILE, hostile_net
from tests.helpers import SAMPLES, examples, graph_of, inputs, net_of
from tests.picture.test_layout import pictures

SQUEEZENET = (SAMPLES / "squeezenet_v1.1.prototxt").read_text(encoding="utf-8")
GOOGLENET = (SAMPLES / "googlenet.prototxt").read_text(encoding="utf-8")
BROKEN = inputs(x=(1, 3, 9, 11)) + (
    'layer { name: "odd" type: "Fancy" bottom: "x" top: "odd" }\n'
    'layer { name: "after" type: "LRN" bottom: "odd" top: "after" }\n'
)
Shown = Callable[..., Any]


@pytest.fixture(scope="session")
def functions(browser: Any) -> Any:
    """A page in which the modules' functions are global, to be compared with Python's."""
    page = browser.new_page()
    page.set_content("<!doctype html><title>functions</title>")
    for name in ("layout.js", "format.js"):
        page.add_script_tag(content=_part(name).replace("export const ", "var ").replace("export ", ""))
    return page


@given(picture=pictures())
@examples(80)
def test_the_layout_is_the_one_of_the_command(
    functions: Any, picture: tuple[list[tuple[int, int]], list[Link]]
) -> None:
    sizes, links = picture
    placed = layout(sizes, links)
    found = functions.evaluate(
        "([sizes, links]) => layout(sizes, links)", [[list(s) for s in sizes], [list(k) for k in links]]
    )
    assert (found["width"], found["height"]) == (placed.width, placed.height)
    assert [tuple(box) for box in found["boxes"]] == [tuple(box) for box in placed.boxes]
    assert [[tuple(point) for point in route] for route in found["routes"]] == placed.routes
    assert found["floors"] == placed.floors


@given(value=st.integers(0, 10**13), whole=st.integers(0, 10**13))
@examples(100)
def test_numbers_read_as_the_commands_do(functions: Any, value: int, whole: int) -> None:
    found = functions.evaluate("([v, w]) => [human(v), humanBytes(v), percent(Math.min(v, w), w)]", [value, whole])
    assert found == [human(value), human_bytes(value), percent(min(value, whole), whole)]


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=30))
@examples(100)
def test_texts_are_as_wide_and_as_harmless(functions: Any, text: str) -> None:
    found = functions.evaluate("(text) => [textWidth(text, 12, true), visible(text)]", text)
    assert found == [text_width(text, 12, True), visible(text)]


def marked(page: Any) -> list[str]:
    """The names of the layer that is selected in the graph, in the table and in the text."""
    box = page.locator("#graph .chosen text").first.text_content()
    row = page.locator("tr.chosen a").text_content()
    line = page.locator("#text .line.chosen", has_text="name:").text_content()
    return [box, row, line.split('"')[1]]


def line_of(page: Any, words: str) -> Any:
    """A line of the text, brought in sight: lines that nobody has looked at are part of a plain text."""
    page.locator("#text .part", has_text=words).evaluate("part => part.scrollIntoView()")
    return page.locator("#text .line", has_text=words)


def test_a_click_anywhere_selects_the_same_layer_everywhere(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    page.locator("#graph [role=button]", has_text="fire2/expand3x3").click()
    assert marked(page) == ["fire2/expand3x3"] * 3
    assert page.url.endswith("#layer=fire2%2Fexpand3x3")
    page.locator("#pane-layers a", has_text="conv10").first.click()
    assert marked(page) == ["conv10"] * 3
    line_of(page, 'name: "pool5"').click()
    assert marked(page) == ["pool5"] * 3
    line_of(page, 'name: "relu_conv1"').click()
    assert marked(page)[1:] == ["relu_conv1"] * 2
    assert marked(page)[0] == "conv1", "the box it stands in"


def chain(layers: int) -> str:
    """A net of so many layers, each on a line of its own."""
    line = 'layer {{ name: "r{0}" type: "ReLU" bottom: "b{0}" top: "b{1}" }}'
    return inputs(b0=(1, 2, 3, 5)) + "\n".join([line.format(number, number + 1) for number in range(layers)])


def test_a_long_text_and_table_are_whole(shown: Shown) -> None:
    text = chain(400)
    page = shown(text)
    page.locator("#pane-layers tbody tr").nth(400).wait_for(state="attached")
    names = page.locator("#pane-layers tbody a").all_inner_texts()
    assert names == ["b0", *(f"r{number}" for number in range(400))]
    lines = text.split("\n")
    assert page.locator("#text .line").count() < len(lines)
    heights = page.locator("#text .part").evaluate_all("parts => parts.map(part => part.offsetHeight)")
    for part in page.locator("#text .part").all():
        part.evaluate("part => part.scrollIntoView()")
        part.locator(".line").first.wait_for()
    shown_lines = page.locator("#text .line").evaluate_all(
        "lines => lines.map(line => [line.firstChild.textContent, line.lastChild.textContent])"
    )
    assert shown_lines == [[str(number), line] for number, line in enumerate(lines, 1)]
    assert page.locator("#text .part").evaluate_all("parts => parts.map(part => part.offsetHeight)") == heights


def test_a_chosen_row_stands_below_the_head_of_the_table(shown: Shown) -> None:
    page = shown(chain(100), "#layer=r99")
    page.locator("#text .line", has_text='name: "r60"').evaluate("line => line.click()")
    assert marked(page)[1] == "r60"
    row, head = (page.locator(f"#pane-layers {part}").bounding_box() for part in ("tr.chosen", "th >> nth=0"))
    assert row["y"] >= head["y"] + head["height"]


def test_a_layer_far_down_is_chosen_before_anybody_has_looked_there(shown: Shown) -> None:
    page = shown(chain(400), "#layer=r390")
    assert marked(page)[1:] == ["r390"] * 2
    page.locator("#find").fill("r399")
    assert page.locator("#pane-layers tbody tr:visible").count() == 1
    assert line_of(page, '"r399"').get_attribute("class") == "line hit"


def test_the_address_selects_and_keeps_what_is_not_its_own(shown: Shown) -> None:
    page = shown(SQUEEZENET, "#layer=fire3%2Fconcat&text=abc")
    assert marked(page) == ["fire3/concat"] * 3
    page.locator("#pane-layers a", has_text="conv1").first.click()
    page.locator("#layer h2", has_text="conv1").wait_for()
    assert page.url.endswith("#layer=conv1&text=abc")
    page.evaluate("location.hash = 'layer=no%20such'")
    assert marked(page) == ["conv1"] * 3


def test_two_layers_of_one_name_have_an_address_each(shown: Shown) -> None:
    text = inputs(x=(1, 3, 9, 11))
    for bottom in ("x", "y0"):
        text += f'layer {{ name: "twice" type: "LRN" bottom: "{bottom}" top: "y{0 if bottom == "x" else 1}" }}\n'
    page = shown(text)
    page.locator("#pane-layers a", has_text="twice").nth(1).click()
    page.locator("#layer h2", has_text="line 3").wait_for()
    assert page.url.endswith("#layer=twice&line=3")


def test_the_panel_tells_how_the_figures_come_about(shown: Shown) -> None:
    page = shown(SQUEEZENET, "#layer=conv10")
    panel = page.locator("#layer").inner_text()
    assert "1·1·512·1000 + 1000 = 513,000" in panel
    assert "14·14 × 1·1·512·1000 = 100,352,000 (25.88%)" in panel
    assert 'name: "conv10"' in panel
    page.locator("#layer a", has_text="drop9").click()
    page.locator("#layer h2", has_text="drop9").wait_for()


def test_the_table_has_the_figures_of_the_command(shown: Shown) -> None:
    page = shown(GOOGLENET)
    counted = count(graph_of(net_of(GOOGLENET, batch=1)))
    rows = page.locator("#pane-layers tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert len(rows) == len(counted.layers)
    for cells, row in zip(rows, counted.layers, strict=True):
        assert cells[:2] == [row.name, row.type]
        assert cells[4] == (human(row.params) if row.params else "")
        assert cells[5] == (human(row.madds) if row.madds else "")
        assert cells[6] == (percent(row.madds, counted.totals.madds) if row.madds else "")
        assert cells[3].startswith(row.tops[0].shape.hwc(1))
    assert human(counted.totals.madds) in page.locator("#pane-layers tfoot").inner_text()
    page.locator("#pane-layers thead button", has_text="madds").click()
    first = page.locator("#pane-layers tbody tr").first.inner_text()
    assert first.startswith(max(counted.layers, key=lambda row: row.madds).name)
    assert page.locator("th[aria-sort=descending]").inner_text() == "madds"


@pytest.mark.parametrize("colour", ["madds", "params", "memory", "type", "none"])
@pytest.mark.parametrize("folded", [False, True])
def test_the_picture_is_the_commands(shown: Shown, colour: Any, folded: bool) -> None:
    page = shown(GOOGLENET)
    if folded:
        page.locator("#fold").click()
    page.locator("#color").select_option(colour)
    outline = outline_of(graph_of(net_of(GOOGLENET, batch=1)))
    made = drawing(picture(count(outline.graph), outline, collapse=["all"] if folded else []), colour)
    boxes = page.locator("#graph [role=button]").evaluate_all(
        "nodes => nodes.map(node => [[...node.querySelectorAll('text')].map(line => line.textContent),"
        " [...node.getAttribute('transform').match(/\\d+/g),"
        " ...['width', 'height'].map(name => node.firstChild.getAttribute(name))].map(Number)])"
    )
    assert [texts for texts, _ in boxes] == [[line.text for line in label.lines] for label in made.labels]
    assert [tuple(rect) for _, rect in boxes] == [tuple(rect) for rect in made.placed.boxes]
    notes = page.locator("#graph .note").all_text_contents()
    assert sorted(notes) == sorted(note for note in made.notes if note)


BEFORE = SQUEEZENET.replace("num_output: 1000", "num_output: 500")
AFTER = SQUEEZENET.replace("kernel_size: 3 stride: 2 }", "kernel_size: 5 stride: 2 }", 1).replace(
    'layer {\n  name: "pool3"',
    'layer { name: "norm" type: "LRN" bottom: "fire3/concat" top: "norm" }\nlayer {\n  name: "pool3"',
)
AFTER = AFTER.replace('bottom: "fire3/concat"\n  top: "pool3"', 'bottom: "norm"\n  top: "pool3"')
DROPPED = AFTER.index('layer {\n  name: "drop9"')
AFTER = AFTER[:DROPPED] + AFTER[AFTER.index("layer {", DROPPED + 1) :]
"""Of conv1 the kernel, of conv10 the outputs; norm is new, drop9 gone."""


def changed(folded: bool) -> Drawing:
    sides = []
    for text in (BEFORE, AFTER):
        outline = outline_of(graph_of(net_of(text, batch=1)))
        sides.append(picture(count(outline.graph), outline, collapse=["all"] if folded else []))
    return changes_drawing(*sides)


@pytest.mark.parametrize("folded", [False, True])
def test_the_picture_of_changes_is_the_commands(shown: Shown, folded: bool) -> None:
    page = shown(AFTER, before=BEFORE)
    assert page.locator("#color").input_value() == "changes"
    if folded:
        page.locator("#fold").click()
    made = changed(folded)
    boxes = page.locator("#graph [role=button]").evaluate_all(
        "nodes => nodes.map(node => [[...node.querySelectorAll('text')].map(line => line.textContent),"
        " node.firstChild.getAttribute('fill')])"
    )
    labels = [([line.text for line in label.lines], fill_of(label.tone)) for label in made.labels]
    known = [box.state != "removed" for box in made.picture.boxes]
    assert [tuple(box) for box in boxes if box[1] != CHANGES["removed"]] == [
        label for label, kept in zip(labels, known, strict=True) if kept
    ]
    assert {fill for _, fill in boxes} >= {CHANGES[kind] for kind in ("changed", "resized")}
    page.locator("#color").select_option("params")
    assert page.locator("#graph text", has_text="kernel_size 3 -> 5").count() == 0
    assert page.locator("#graph text", has_text="4.86k params").count() == 1


def test_changes_are_told_in_a_tab_and_in_the_panel(shown: Shown) -> None:
    page = shown(AFTER, before=BEFORE)
    assert "1 added, 1 removed" in page.locator("#facts").inner_text()
    page.locator("#tab-changes").click()
    row = page.locator("#pane-changes tr", has=page.get_by_role("link", name="conv1", exact=True))
    assert "kernel_size" in row.inner_text()
    row.get_by_role("link").click()
    assert page.locator("#layer h2").inner_text().startswith("conv1 ")
    assert "changed, kernel_size 3 -> 5" in page.locator("#layer dd", has_text="kernel_size").inner_text()
    assert page.locator("#graph .chosen text").first.text_content() == "conv1"
    gone = page.locator("#pane-changes tr", has=page.locator("td", has_text=re.compile("^-$")))
    assert gone.locator("td").nth(1).inner_text() == "drop9"
    assert gone.get_by_role("link").count() == 0, "it is nowhere in this file"


def test_what_was_removed_cannot_be_chosen(shown: Shown) -> None:
    before = inputs(x=(1, 3, 9, 11)) + 'layer { name: "gone" type: "LRN" bottom: "x" top: "gone" }\n'
    page = shown(inputs(x=(1, 3, 9, 11)), before=before)
    ghost = page.locator("#graph [role=button]", has_text="gone")
    assert ghost.locator("rect").get_attribute("stroke-dasharray") == "4 3"
    ghost.click()
    assert page.locator("#layer").is_hidden()
    page.locator("#color").select_option("type")
    page.locator("#find").fill("gone")
    assert page.locator("#matches").inner_text() == "0 layers"


def test_the_legend_tells_of_what_was_removed_in_every_colour(shown: Shown) -> None:
    before = inputs(x=(1, 3, 9, 11)) + 'layer { name: "gone" type: "LRN" bottom: "x" top: "gone" }\n'
    page = shown(inputs(x=(1, 3, 9, 11)), before=before)
    for colour in page.locator("#color option").evaluate_all("options => options.map(option => option.value)"):
        page.locator("#color").select_option(colour)
        assert page.locator("#legend span", has_text="removed").count() == 1, colour


def test_what_a_change_is_stands_in_sight(shown: Shown) -> None:
    text = inputs(x=(1, 64, 112, 112)) + (
        'layer { name: "inception_3b/3x3" type: "Convolution" bottom: "x" top: "y"\n'
        "convolution_param { num_output: 64 kernel_size: 3 pad: 1 } }\n"
    )
    page = shown(text.replace("64 kernel_size: 3 pad: 1", "96 kernel_size: 5 pad: 2"), before=text)
    page.locator("#tab-changes").click()
    pane = page.locator("#pane-changes")
    assert "convolution_param.num_output 64 -> 96" in pane.inner_text()
    assert pane.evaluate("pane => pane.scrollWidth <= pane.clientWidth")


def test_hostile_names_in_a_page_of_changes(shown: Shown) -> None:
    page = shown(hostile_net(), before=hostile_net().replace("ReLU", "TanH"))
    page.locator("#tab-changes").click()
    assert page.locator("img, iframe, object, embed, main script").count() == 0


def test_a_page_of_one_net_tells_of_no_changes(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    assert page.locator("#tab-changes").is_hidden()


def test_a_block_is_folded_and_unfolded(shown: Shown) -> None:
    page = shown(SQUEEZENET, "#layer=fire4%2Fsqueeze1x1")
    before = page.locator("#graph [role=button]").count()
    page.keyboard.press("f")
    assert page.locator("#graph [role=button]").count() == before - 3
    assert page.locator("#graph .chosen text").first.text_content() == "fire4"
    page.locator("#layer button", has_text="unfold").click()
    assert page.locator("#graph [role=button]").count() == before
    page.locator("#graph [role=button]", has_text="fire4/squeeze1x1").dblclick()
    assert page.locator("#graph [role=button]").count() == before - 3
    page.locator("#graph [role=button]", has_text="conv1").first.dblclick()
    assert page.locator("#graph [role=button]").count() == before - 3, "it is of no block"


def test_finding_by_name_by_type_and_by_cost(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    for words, number in (
        ("fire9", "7 layers"),
        ("concat", "8 layers"),
        (">100M", "1 layer"),
        ("params>=100k", "3 layers"),
    ):
        page.locator("#find").fill(words)
        assert page.locator("#matches").inner_text() == number, words
        assert page.locator("#pane-layers tbody tr:visible").count() == int(number.split()[0])
    page.keyboard.press("Escape")
    assert page.locator("#pane-layers tbody tr:visible").count() == 67
    page.keyboard.press("/")
    page.keyboard.type("pool")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator("#layer h2").inner_text().startswith("pool3 ")


def test_keys_go_along_the_arrows(shown: Shown) -> None:
    page = shown(SQUEEZENET, "#layer=fire2%2Fconcat")
    page.locator("#graph").focus()
    for key, name in (
        ("ArrowUp", "fire2/relu_expand1x1"),
        ("ArrowDown", "fire2/concat"),
        ("ArrowRight", "fire3/squeeze1x1"),
        ("ArrowLeft", "fire2/concat"),
    ):
        page.keyboard.press(key)
        assert page.locator("#layer h2").inner_text().startswith(f"{name} ·"), key
    page.keyboard.press("Escape")
    assert page.locator("#layer").is_hidden()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


def test_a_box_can_be_chosen_by_keyboard_alone(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    page.locator("#graph [tabindex='0']").focus()
    page.keyboard.press("Enter")
    assert page.locator("#layer h2").inner_text().startswith("data ")


def test_exports(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    made = {}
    for form in ("svg", "png", "csv"):
        with page.expect_download() as waiting:
            page.locator("#export").select_option(form)
        assert waiting.value.suggested_filename == f"SqueezeNet_v1.1.{form}"
        with open(waiting.value.path(), "rb") as stream:
            made[form] = stream.read()
    root = ElementTree.fromstring(made["svg"])
    assert "conv10" in [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert made["png"].startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO(made["csv"].decode())))
    assert sum(int(row["madds"]) for row in rows) == 387_747_520


def test_memory_is_linked_too(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    page.locator("#tab-memory").click()
    assert "3.88 MiB" in page.locator("#pane-memory").inner_text()
    page.locator("#pane-memory .peak").first.click()
    assert page.locator("#layer h2").inner_text().startswith(("conv1 ", "relu_conv1 ", "pool1 "))
    assert page.locator("#pane-memory .life.on").count() >= 1


def test_what_is_wrong_stands_at_its_line(shown: Shown) -> None:
    page = shown(BROKEN)
    assert page.locator("#tab-messages").inner_text() == "Messages (1)"
    assert "unknown layer type" in page.locator("#text .fault").inner_text()
    page.locator("#pane-messages a").click()
    assert page.locator("#text .fault-line .number").inner_text() == "2"
    words, fault = (
        page.locator(f"#text {one}").bounding_box() for one in (".fault-line span:nth-child(2)", ".fault")
    )
    assert fault["y"] >= words["y"] + words["height"], "below the line, however long that is"
    assert fault["x"] < words["x"]
    page.locator("#graph [role=button]", has_text="after").click()
    assert "not known" in page.locator("#layer").inner_text()
    page.keyboard.press("ArrowUp")
    assert page.locator("#layer h2").inner_text().startswith("odd ")


def test_hostile_names_are_text(shown: Shown) -> None:
    page = shown(hostile_net(), "#layer=%3Cimg%20src%3Dx%3E")
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("script").count() == 2
    page.locator("#pane-layers a").nth(1).click()
    page.locator("#layer h2", has_text="cmd").wait_for()
    with page.expect_download() as waiting:
        page.locator("#export").select_option("csv")
    with open(waiting.value.path(), encoding="utf-8", newline="") as stream:
        names = [row["name"] for row in csv.DictReader(stream)]
    assert names[1] == f"'{HOSTILE}"


def test_a_net_of_1200_layers(shown: Shown) -> None:
    text = inputs(y0=(1, 8, 32, 32))
    for number in range(1200):
        text += (
            f'layer {{ name: "c{number}" type: "Convolution" bottom: "y{number}" top: "y{number + 1}"\n'
            "convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }\n"
        )
    page = shown(text, "#layer=c1100")
    assert marked(page) == ["c1100"] * 3
    assert page.locator("#graph .chosen").is_visible()
    page.keyboard.press("0")
    page.locator("#find").fill("c119")
    assert page.locator("#matches").inner_text() == "11 layers"


def test_the_smallest_nets(shown: Shown) -> None:
    page = shown(inputs(x=(1, 2, 3, 4)))
    assert page.locator("#graph [role=button]").count() == 1
    assert " 1 layer " in page.locator("#facts").inner_text()
    assert page.locator("#fold").is_disabled()
    assert page.locator("#fold").evaluate("button => getComputedStyle(button).opacity") == "0.6"
    page = shown("")
    assert page.locator("#graph [role=button]").count() == 0
    assert "0 layers" in page.locator("#facts").inner_text()


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(shown: Shown, dark: bool) -> None:
    page = shown(SQUEEZENET, dark=dark)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert (page.evaluate(ground) == "rgb(255, 255, 255)") != dark
    page.locator("#theme").click()
    assert (page.evaluate(ground) == "rgb(255, 255, 255)") == dark


def test_a_narrow_window_has_all_parts_as_tabs(shown: Shown) -> None:
    page = shown(SQUEEZENET, width=400, height=800)
    for name in ("graph", "layers", "memory", "shares", "messages", "text"):
        page.locator(f"#tab-{name}").click()
        assert page.locator(f"#pane-{name}").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_print_shows_picture_and_tables(shown: Shown) -> None:
    page = shown(SQUEEZENET)
    page.emulate_media(media="print")
    for part in ("#graph svg", "#pane-layers", "#pane-shares"):
        assert page.locator(part).is_visible()
    assert page.locator("#tools").is_hidden()


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (900, 700), (400, 800)])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(shown: Shown, width: int, height: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    whole = width == 1400 and not dark  # axe looks at every element; a part has all kinds of them
    text = SQUEEZENET if whole else SQUEEZENET.partition('layer {\n  name: "pool3"')[0]
    page = shown(text, "#layer=fire2%2Fexpand3x3", width, height, dark)
    for name in ("layers", "memory", "shares", "messages"):
        page.locator(f"#tab-{name}").click()
        found = axe.Axe().run(page)
        assert not found.response["violations"], found.generate_report()


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_in_what_changes(shown: Shown, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    before = inputs(x=(1, 3, 9, 11)) + (
        'layer { name: "gone" type: "LRN" bottom: "x" top: "gone" }\n'
        'layer { name: "ip" type: "InnerProduct" bottom: "gone" top: "ip" '
        "inner_product_param { num_output: 5 } }\n"
    )
    page = shown(before.replace("num_output: 5", "num_output: 7"), dark=dark, before=before)
    page.locator("#tab-changes").click()
    found = axe.Axe().run(page)
    assert not found.response["violations"], found.generate_report()


@pytest.mark.parametrize("names", [SCRIPTS, LIVE_SCRIPTS])
def test_every_module_stands_behind_those_it_imports(names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for name in names:
        for line in _part(name).splitlines():
            if line.startswith("import "):
                assert line.split('"')[1].removeprefix("./") in seen, (name, line)
        seen.add(name)
