"""Which layers stand in one box, and which blocks can be folded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.analysis.count import count
from netcount.core.errors import InputError
from netcount.graph.partial import Outline, outline_of
from netcount.picture.boxes import diagram
from netcount.picture.picture import Picture, picture
from netcount.picture.strips import ordered
from tests.helpers import SAMPLES, examples, graph_of, inputs, net_of

POINTWISE = 'layer {{ name: "{0}" type: "{1}" bottom: "{2}" top: "{3}" }}\n'


def conv(name: str, bottom: str) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}"\n'
        "convolution_param { num_output: 3 kernel_size: 3 pad: 1 } }\n"
    )


def outline(text: str) -> Outline:
    return outline_of(graph_of(net_of(inputs(x=(2, 3, 9, 11)) + text)))


def boxes(text: str, fuse: bool = True) -> list[list[str]]:
    found = outline(text)
    return [[found.layers[index].name for index in box.layers] for box in diagram(found, fuse).boxes]


def drawn(text: str, *collapse: str) -> Picture:
    found = outline(text)
    return picture(count(found.graph), found, collapse=collapse)


def test_what_works_on_one_layers_top_stands_in_its_box() -> None:
    text = (
        conv("c", "x") + POINTWISE.format("bn", "BatchNorm", "c", "c") + POINTWISE.format("s", "Scale", "c", "d")
    )
    text += POINTWISE.format("r", "ReLU", "d", "e") + conv("next", "e")
    assert boxes(text) == [["x"], ["c", "bn", "s", "r"], ["next"]]
    assert boxes(text, fuse=False) == [["x"], ["c"], ["bn"], ["s"], ["r"], ["next"]]
    arrows = drawn(text).arrows
    assert [(arrow.source, arrow.target, arrow.name) for arrow in arrows] == [(0, 1, "x"), (1, 2, "e")]


def test_a_blob_that_others_read_too_ends_a_box() -> None:
    text = conv("c", "x") + POINTWISE.format("r", "ReLU", "c", "d") + conv("other", "c")
    assert boxes(text) == [["x"], ["c"], ["r"], ["other"]]


def test_one_output_of_several_is_no_box_to_join() -> None:
    text = 'layer { name: "slice" type: "Slice" bottom: "x" top: "a" top: "b" slice_param { slice_point: 1 } }\n'
    assert boxes(text + POINTWISE.format("r", "ReLU", "a", "a")) == [["x"], ["slice"], ["r"]]


def test_a_normalization_over_neighbours_has_a_box_of_its_own() -> None:
    assert boxes(conv("c", "x") + POINTWISE.format("n", "LRN", "c", "d")) == [["x"], ["c"], ["n"]]


def test_shapes_are_told_where_they_change() -> None:
    text = conv("c", "x") + conv("d", "c")
    text += 'layer { name: "p" type: "Pooling" bottom: "d" top: "p" pooling_param { kernel_size: 2 stride: 2 } }\n'
    assert [(arrow.name, arrow.changes) for arrow in drawn(text + conv("e", "p")).arrows] == [
        ("x", True), ("c", False), ("d", False), ("p", True),
    ]  # fmt: skip


def test_blocks_are_folded_by_name() -> None:
    text = (SAMPLES / "squeezenet_v1.1.prototxt").read_text(encoding="utf-8")
    found = outline_of(graph_of(net_of(text)))
    whole = picture(count(found.graph), found)
    folded = picture(count(found.graph), found, collapse=["all"])
    one = picture(count(found.graph), found, collapse=["fire3"])
    assert folded.folded == tuple(f"fire{number}" for number in range(2, 10))
    assert len(folded.boxes) == 16
    assert len(one.boxes) == len(whole.boxes) - 3
    for other in (folded, one):
        for figure in ("params", "madds", "activations"):
            assert sum(getattr(box, figure) for box in other.boxes) == getattr(found_totals(found), figure)
        assert other.peak_bytes == whole.peak_bytes
    with pytest.raises(InputError, match='did you mean "fire3"'):
        picture(count(found.graph), found, collapse=["fire33"])


def found_totals(found: Outline) -> object:
    return count(found.graph).totals


def test_a_fold_that_would_make_a_circle_stays_open() -> None:
    """Of block b the first half goes into "between", and that into the second half."""
    text = conv("b/one", "x") + conv("between", "b/one") + conv("b/two", "between") + conv("c/one", "b/two")
    text += conv("c/two", "c/one")
    found = drawn(text, "all")
    assert found.kept_open == ("b",)
    assert found.folded == ("c",)


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("abc ")), min_size=1, max_size=14))
@examples(60)
def test_a_folded_net_has_no_circles(layers: list[tuple[int, str]]) -> None:
    tops = ["x"]
    text = ""
    for number, (back, block) in enumerate(layers):
        name = f"{block}/{number}" if block.strip() else f"l{number}"
        bottoms = [tops[-1], tops[-min(back, len(tops))]]
        text += f'layer {{ name: "{name}" type: "Eltwise" top: "{name}" '
        text += "".join(f'bottom: "{bottom}" ' for bottom in bottoms) + "}\n"
        tops.append(name)
    found = outline(text)
    blocks = {index: layer.name[0] for index, layer in enumerate(found.layers) if layer.name[1:2] == "/"}
    made = diagram(found, True, blocks, set("abc"))
    below: list[list[int]] = [[] for _ in made.boxes]
    for link in made.links:
        below[link.source].append(link.target)
    assert len(ordered(below)) == len(made.boxes)
    assert sorted(index for box in made.boxes for index in box.layers) == list(range(len(found.layers)))
    assert not {box.block for box in made.boxes} & set(made.kept_open)
