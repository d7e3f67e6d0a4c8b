"""A .caffemodel that does not fit its prototxt: all layers at once, with the likely cause."""

from __future__ import annotations

from pathlib import Path

import pytest

import netcount
from netcount.core.errors import InputError
from netcount.execute.init_weights import random_weights
from netcount.execute.weights import read_caffemodel, write_caffemodel
from tests.helpers import graph_of, inputs

BODY = """
layer { name: "c1" type: "Convolution" bottom: "x" top: "c1" convolution_param { num_output: 6 kernel_size: 3 } }
layer { name: "c2" type: "Convolution" bottom: "c1" top: "c2"
        convolution_param { num_output: 8 kernel_size: 2 group: 2 } }
layer { name: "f1" type: "InnerProduct" bottom: "c2" top: "f1" inner_product_param { num_output: 7 } }
layer { name: "f2" type: "InnerProduct" bottom: "f1" top: "f2" inner_product_param { num_output: 5 } }
"""
NET = inputs(x=(1, 3, 6, 7)) + BODY


def told(folder: Path, other: str, mine: str = NET) -> list[str]:
    """What is said of the weights of one net in another."""
    path = folder / "it.caffemodel"
    saved = netcount.loads(other)
    write_caffemodel(path, graph_of(saved), random_weights(graph_of(saved)))
    with pytest.raises(InputError) as found:
        read_caffemodel(path, graph_of(netcount.loads(mine)))
    return str(found.value).splitlines()


SIZE = "images of another size, or other layers before it"


@pytest.mark.parametrize(
    ("was", "becomes", "causes"),
    [
        ("num_output: 5", "num_output: 9", ["another number of classes: 9 in the file, 5 in the net"] * 2),
        ("dim: 3", "dim: 1", ["the file is for grey images, the net for colour ones"]),
        ("dim: 7", "dim: 9", [SIZE]),
        ("group: 2", "group: 1", ["another group, 2 times as many, or other layers before it"]),
        ("kernel_size: 3", "kernel_size: 1", ["another kernel_size", SIZE]),
        ("kernel_size: 3 }", "kernel_size: 3 bias_term: false }", ["the file has no bias (bias_term)"]),
        ('"c2" type', '"conv2" type', ['its "conv2" has just such blobs; is it that one?']),
        ("num_output: 7", "num_output: 4", ["another num_output", "another num_output", SIZE]),
    ],
)
def test_the_likely_cause(was: str, becomes: str, causes: list[str], tmp_path: Path) -> None:
    lines = told(tmp_path, NET.replace(was, becomes))
    assert len(lines) == len(causes)
    for line, cause in zip(lines, causes, strict=True):
        assert line.endswith(f": {cause}")


def test_a_convolution_for_an_inner_product(tmp_path: Path) -> None:
    other = NET.replace(
        'type: "InnerProduct" bottom: "c2" top: "f1" inner_product_param { num_output: 7 }',
        'type: "Convolution" bottom: "c2" top: "f1" convolution_param { num_output: 7 kernel_h: 3 kernel_w: 4 }',
    )
    (line,) = told(tmp_path, other)
    assert line.endswith("the file's layer is of type Convolution of as many values")


def test_many_renamed_layers_are_matched_in_order(tmp_path: Path) -> None:
    same = "".join(
        f'layer {{ name: "NAME{i}" type: "Convolution" bottom: "x" top: "x" '
        "convolution_param { num_output: 3 kernel_size: 1 } }\n"
        for i in range(4)
    )
    text = inputs(x=(1, 3, 6, 7)) + same
    lines = told(tmp_path, text.replace("NAME", "b"), text.replace("NAME", "a"))
    assert len(lines) == 4
    for i, line in enumerate(lines):
        assert f'"a{i}"' in line
        assert f'its "b{i}" has' in line


def test_all_layers_are_told_at_once(tmp_path: Path) -> None:
    other = (
        NET.replace("dim: 3", "dim: 1").replace("num_output: 5", "num_output: 9").replace('"f1" type', '"g" type')
    )
    lines = told(tmp_path, other)
    assert [line.split('"')[1] for line in lines] == ["c1", "f1", "f2", "f2"]
