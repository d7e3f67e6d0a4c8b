"""The picture of what one net changes of another: `compare`'s rules, and no box or arrow too many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.analysis.count import count
from netcount.graph.partial import outline_of
from netcount.picture.picture import Picture, picture
from netcount.report.changes import changes, changes_drawing
from netcount.report.picture import Drawing, picture_document
from tests.command import Tool
from tests.helpers import SAMPLES, examples, graph_of, inputs, net_of

CONV = 'layer {{ name: "{0}" type: "Convolution" bottom: "{1}" top: "{0}" convolution_param {{ {2} }} }}\n'
RELU = 'layer {{ name: "{0}" type: "ReLU" bottom: "{1}" top: "{1}" }}\n'
LRN = 'layer {{ name: "{0}" type: "LRN" bottom: "{1}" top: "{0}" }}\n'
SETTING = "num_output: 5 kernel_size: 1"


def pictures(before: str, after: str) -> tuple[Picture, Picture]:
    graphs = [graph_of(net_of(inputs(x=(1, 3, 9, 11)) + text)) for text in (before, after)]
    old, new = (picture(count(graph), outline_of(graph)) for graph in graphs)
    return old, new


def drawn(before: str, after: str) -> Drawing:
    return changes_drawing(*pictures(before, after))


def tones(drawing: Drawing) -> dict[str, str]:
    boxes = zip(drawing.picture.boxes, drawing.labels, strict=True)
    return {box.name: label.tone for box, label in boxes}


def arrows(drawing: Drawing) -> set[tuple[str, str]]:
    boxes = drawing.picture.boxes
    return {(boxes[arrow.source].name, boxes[arrow.target].name) for arrow in drawing.picture.arrows}


def texts(drawing: Drawing, name: str) -> list[str]:
    boxes = zip(drawing.picture.boxes, drawing.labels, strict=True)
    (lines,) = [label.lines for box, label in boxes if box.name == name]
    return [line.text for line in lines]


def test_what_is_the_same_has_no_colour() -> None:
    text = CONV.format("c", "x", SETTING)
    drawing = drawn(text, text)
    assert set(tones(drawing).values()) == {""}
    assert drawing.facts[1] == "no layer differs"


def test_added_removed_changed_and_what_reads_another_shape() -> None:
    before = CONV.format("c", "x", SETTING) + LRN.replace("LRN", "Softmax").format("gone", "c")
    before += CONV.format("d", "c", SETTING)
    after = CONV.format("c", "x", "num_output: 7 kernel_size: 1") + CONV.format("d", "c", SETTING)
    after += LRN.format("new", "d")
    drawing = drawn(before, after)
    assert tones(drawing) == {"x": "", "c": "changed", "d": "resized", "new": "added", "gone": "removed"}
    assert arrows(drawing) == {("x", "c"), ("c", "d"), ("d", "new"), ("c", "gone")}
    assert "num_output 5 -> 7" in texts(drawing, "c")
    assert f"+{2 * 99 * 3} madds" in texts(drawing, "c")
    assert drawing.facts[1] == "1 added, 1 removed, 1 changed, 1 other input"
    (ghost,) = [box for box in picture_document(drawing)["boxes"] if box["state"] == "removed"]
    assert ghost["layers"] == []


def test_followers_that_come_and_go_are_told_in_their_box() -> None:
    conv = CONV.format("c", "x", SETTING)
    with_relu = drawn(conv, conv + RELU.format("r", "c"))
    assert tones(with_relu)["c"] == "changed"
    assert "+ ReLU" in texts(with_relu, "c")
    without = drawn(conv + RELU.format("r", "c"), conv)
    assert tones(without)["c"] == "changed"
    assert "− ReLU" in texts(without, "c")


def test_another_name_is_told() -> None:
    drawing = drawn(CONV.format("old", "x", SETTING), CONV.format("new", "x", SETTING))
    assert tones(drawing)["new"] == "renamed"
    assert 'was "old"' in texts(drawing, "new")


def test_arrows_of_what_is_removed_close_no_circle() -> None:
    def chain(*names: str) -> str:
        before = "x"
        text = ""
        for name in names:
            text += CONV.format(name, before, "num_output: 3 kernel_size: 1")
            before = name
        return text

    drawing = drawn(chain("a", "gone", "b", "c"), chain("b", "a", "c"))
    assert tones(drawing)["gone"] == "removed"
    assert ("a", "gone") in arrows(drawing)
    assert ("gone", "b") not in arrows(drawing)


def test_nets_that_are_no_versions_stand_side_by_side() -> None:
    graphs = [graph_of(SAMPLES / f"{name}.prototxt") for name in ("alexnet", "nin")]
    old, new = (picture(count(graph), outline_of(graph)) for graph in graphs)
    drawing = changes_drawing(old, new)
    assert [label.tone for label in drawing.labels].count("added") == len(new.boxes)
    assert [label.tone for label in drawing.labels].count("removed") == len(old.boxes)


@given(
    st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True), st.data()
)
@examples(40)
def test_any_change_can_be_drawn(old: list[str], new: list[str], data: Any) -> None:
    def net(names: list[str]) -> str:
        text, made = "", ["x"]
        for name in names:
            text += CONV.format(name, data.draw(st.sampled_from(made)), "num_output: 3 kernel_size: 1")
            made.append(name)
        return text

    drawing = drawn(net(old), net(new))
    assert len(drawing.placed.boxes) == len(drawing.labels)
    assert len(drawing.placed.routes) == len(drawing.notes)


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid", "html", "json"])
def test_the_command(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object) -> None:
    tool = Tool(tmp_path, monkeypatch, capsys)
    before = tool.write("a.prototxt", inputs(x=(1, 3, 9, 11)) + LRN.format("gone", "x"))
    after = tool.write("b.prototxt", inputs(x=(1, 3, 9, 11)) + LRN.format("new", "x"))
    done = tool("graph", before, "--diff", after, "-f", form)
    assert done.code == 0
    assert "gone" in done.out or "renamed" in done.out


def test_what_became_of_each_layer_is_told_in_words() -> None:
    before = CONV.format("c", "x", SETTING) + RELU.format("r", "c") + LRN.format("old", "c")
    after = CONV.format("c", "x", "num_output: 7 kernel_size: 1") + RELU.format("r", "c") + LRN.format("new", "c")
    after += LRN.format("more", "new")
    told = changes(*pictures(before, after))
    assert dict(told.layers) == {
        1: ("changed", "num_output 5 -> 7", "+594 madds", "+8 params"),
        2: ("other input",),
        3: ("renamed", 'was "old"'),
        4: ("added",),
    }
    assert [line.text for line in told.plain[1]] == ["c", "Convolution 1×1", "+ ReLU", "9×11×7"]


def test_the_command_refuses_what_is_no_net(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    tool = Tool(tmp_path, monkeypatch, capsys)
    right = tool.write("a.prototxt", inputs(x=(1, 3, 9, 11)))
    wrong = tool.write("b.prototxt", "layer { name: ")
    broken = tool("graph", right, "--diff", wrong, "-o", "a.svg")
    assert broken.code == 2
    assert "b.prototxt:1:" in broken.err
    assert not (tmp_path / "a.svg").exists()
