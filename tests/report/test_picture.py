"""Pictures as SVG, for Graphviz and for Mermaid: what stands in them, and that names stay text."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from netcount.analysis.count import count
from netcount.core.errors import NetcountError
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.graph.partial import outline_of, outline_text
from netcount.picture.picture import FAMILIES, OTHER, picture
from netcount.report.formats.dot import dot, fill_of
from netcount.report.formats.mermaid import mermaid
from netcount.report.formats.svg import FAMILY, HEAT, svg
from netcount.report.picture import COLOURS, Colour, Drawing, drawing, picture_document
from tests.cli.test_analyze import HOSTILE, hostile_net
from tests.helpers import SAMPLES, graph_of, inputs, net_of, valid

SVG = "{http://www.w3.org/2000/svg}"
SQUEEZENET = (SAMPLES / "squeezenet_v1.1.prototxt").read_text(encoding="utf-8")
GOOGLENET = (SAMPLES / "googlenet.prototxt").read_text(encoding="utf-8")
BROKEN = inputs(x=(1, 3, 9, 11)) + (
    'layer { name: "odd" type: "Fancy" bottom: "x" top: "odd" }\n'
    'layer { name: "after" type: "ReLU" bottom: "odd" top: "after" }\n'
)


def drawn(text: str, colour: Colour = "madds", **options: Any) -> Drawing:
    outline = outline_of(graph_of(net_of(text)))
    return drawing(picture(count(outline.graph), outline, **options), colour)


def partial() -> Drawing:
    with pytest.raises(NetcountError) as refused:
        load_text(BROKEN)
    outline = outline_text(BROKEN, LoadOptions(), "a.prototxt", refused.value)
    return drawing(picture(count(outline.graph), outline))


def texts(image: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(image).iter(f"{SVG}text")]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_box_says_what_it_is_and_what_it_costs(colour: Colour) -> None:
    found = texts(svg(drawn(SQUEEZENET, colour)))
    for line in ("conv10", "Convolution 1×1", "+ ReLU", "14×14×1000"):
        assert line in found
    values = {"madds": "100.35M madds · 25.88%", "params": "513.00k params · 41.52%", "memory": "1.13 MiB alive"}
    for other, value in values.items():
        assert (value in found) == (other == colour)


def test_shares_decide_the_colour_and_the_legend_says_how() -> None:
    found = drawn(SQUEEZENET)
    tones = {box.name: label.tone for box, label in zip(found.picture.boxes, found.labels, strict=True)}
    assert tones["conv10"] == "6", "a quarter of the madds"
    assert tones["fire2/expand3x3"] == "4", "7.45 %"
    assert tones["fire2/squeeze1x1"] == "1", "0.83 %"
    assert tones["pool1"] == "0"
    assert dict(found.legend)["4"] == "from 5%"
    image = svg(found)
    assert f".heat6 {{ fill: {HEAT[6]} }}" in image
    assert image.count('class="box heat6"') == 2, "the box, and its place in the legend"


def test_the_peak_of_memory_has_the_last_colour() -> None:
    found = drawn(SQUEEZENET, "memory")
    peaks = [box for box, label in zip(found.picture.boxes, found.labels, strict=True) if label.tone == "6"]
    assert {box.live_bytes for box in peaks} == {found.picture.peak_bytes}


def test_every_family_has_a_colour() -> None:
    assert set(FAMILY) == {*FAMILIES, OTHER}
    found = drawn(GOOGLENET, "type")
    assert {label.tone for label in found.labels} <= set(FAMILY)
    assert len({fill_of(tone) for tone in FAMILY}) == len(FAMILY)


def test_shapes_stand_beside_arrows_where_they_change_once_an_output() -> None:
    found = drawn(GOOGLENET)
    noted = [arrow for arrow, note in zip(found.picture.arrows, found.notes, strict=True) if note]
    assert len({(arrow.source, arrow.port) for arrow in noted}) == len(noted)
    assert all(arrow.changes for arrow in noted)
    assert "28×28×192" in found.notes


def test_a_net_that_is_not_finished_shows_what_is_wrong_and_no_figures_behind_it() -> None:
    found = partial()
    labels = {box.name: label for box, label in zip(found.picture.boxes, found.labels, strict=True)}
    assert [label.tone for label in labels.values()] == ["0", "broken"], (
        "ReLU stands in the box of what it follows"
    )
    assert "unknown layer type" in " ".join(line.text for line in labels["odd"].lines)
    document = valid(picture_document(found, BROKEN), "view")
    assert [layer["row"] for layer in document["layers"]] == [0, None, None]
    assert document["errors"][0]["place"]["line"] == 2
    assert document["boxes"][1]["state"] == "broken"
    ElementTree.fromstring(svg(found))


def test_the_document_holds_together() -> None:
    found = drawn(SQUEEZENET, collapse=["fire2"])
    document = valid(picture_document(found, SQUEEZENET), "view")
    assert document["text"] == SQUEEZENET
    assert sum(box["madds"] for box in document["boxes"]) == document["analysis"]["totals"]["madds"]
    assert sorted(i for box in document["boxes"] for i in box["layers"]) == list(range(len(document["layers"])))
    for layer in document["layers"]:
        row = document["analysis"]["layers"][layer["row"]]
        assert (row["name"], row["line"], row["end_line"]) == (layer["name"], layer["line"], layer["end_line"])
        lines = SQUEEZENET.splitlines()[layer["line"] - 1 : layer["end_line"]]
        assert f'"{layer["name"]}"' in "\n".join(lines)
    for edge in document["edges"]:
        source, target = document["boxes"][edge["source"]], document["boxes"][edge["target"]]
        assert edge["points"][0][1] == source["y"] + source["height"]
        assert edge["points"][-1][1] == target["y"]
    block = next(box for box in document["boxes"] if box["block"])
    assert block["layers"] == document["blocks"]["fire2"]


def test_the_same_net_gives_the_same_picture() -> None:
    assert svg(drawn(GOOGLENET)) == svg(drawn(GOOGLENET))


def test_names_stay_text() -> None:
    found = drawn(hostile_net())
    image = svg(found)
    root = ElementTree.fromstring(image)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "style", "rect", "g", "text", "path",
    }  # fmt: skip
    for element in root.iter():
        assert not any(name.lower().startswith(("on", "href", "{")) for name in element.attrib)
    for text in (image, dot(found), mermaid(found)):
        for sign in ("\x1b", "\u202e", "\r"):
            assert sign not in text
    assert "<img" not in image + mermaid(found)
    assert any("cmd" in text for text in texts(image)), "the name is still there"
    assert HOSTILE in [box.name for box in found.picture.boxes]


def test_names_end_no_quotes() -> None:
    name = 'a\\"]; evil [label=\\"x\\\\'  # a"]; evil [label="x\
    found = drawn(
        inputs(x=(1, 2, 3, 4)) + f'layer {{ name: "{name}" type: "ReLU" bottom: "x" top: "y" }}', fuse=False
    )
    quoted = re.sub(r'"(?:[^"\\]|\\.)*"', '""', dot(found))
    assert "evil" not in quoted
    assert quoted.count('"') % 2 == 0
    nodes = [line for line in mermaid(found).splitlines() if line.startswith("  n1[")]
    assert len(nodes) == 1
    assert nodes[0].count('"') == 2


def test_dot_and_mermaid_have_every_box_and_arrow() -> None:
    found = drawn(GOOGLENET)
    for text in (dot(found), mermaid(found)):
        for number in range(len(found.labels)):
            assert re.search(rf"^  n{number}[ \[]", text, re.MULTILINE)
        assert len(re.findall(r"^  n\d+ --?>", text, re.MULTILINE)) == len(found.picture.arrows)
        assert fill_of("6") in text


def test_a_long_name_is_shortened_and_a_huge_one_does_no_harm() -> None:
    found = drawn(inputs(x=(1, 2, 3, 4)).replace('name: "x"', f'name: "{"y" * 100_000}"'))
    assert found.placed.width < 400
    assert len(svg(found)) < 500_000
