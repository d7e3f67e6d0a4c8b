"""A blob's shape reads the same in every command: H×W×C for images, Caffe's order in brackets for all else."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from netcount.cli.main import netcount
from netcount.core.shape import Reordered, Shape
from tests.helpers import inputs

NET = inputs(data=(1, 4, 8, 9)) + (
    'layer { name: "a/conv" type: "Convolution" bottom: "data" top: "conv" '
    "convolution_param { num_output: 6 kernel_size: 3 } }\n"
    'layer { name: "a/permute" type: "Permute" bottom: "conv" top: "turned" '
    "permute_param { order: 0 order: 2 order: 3 order: 1 } }\n"
    'layer { name: "a/relu" type: "ReLU" bottom: "turned" top: "relu" }\n'
    'layer { name: "fc" type: "InnerProduct" bottom: "relu" top: "fc" inner_product_param { num_output: 5 } }\n'
)
SHOWN = {"conv": "6×7×6", "turned": "[1×6×7×6]", "relu": "[1×6×7×6]", "fc": "[1×5]"}


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(netcount, list(arguments), input=NET)
    assert done.exit_code == 0, done.output
    return done.stdout


def row(text: str, layer: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{layer} "))


@pytest.mark.parametrize(
    "command", [["analyze"], ["memory"], ["verify"], ["explain", "-", "a", "--block", "(a)/"]]
)
@pytest.mark.parametrize(("layer", "blob"), [("a/conv", "conv"), ("a/permute", "turned"), ("a/relu", "relu")])
def test_the_table_of_layers(command: list[str], layer: str, blob: str) -> None:
    arguments = command if len(command) > 1 else [*command, "-"]
    assert SHOWN[blob] in row(shown(*arguments), layer).split()


def test_a_vector_is_in_caffes_order() -> None:
    assert "[1×5]" in row(shown("analyze", "-"), "fc").split()
    assert row(shown("verify", "-"), "fc").split()[2:4] == ["[1×5]", "[1×5]"]
    assert "6×7×6 -> [1×6×7×6]" in shown("explain", "-", "a/permute")
    assert "8×9×4 (data) -> [1×6×7×6] (relu)" in shown("explain", "-", "a", "--block", "(a)/")
    assert row(shown("blocks", "-", "--block", "(a)/"), "a").split()[1:3] == ["8×9×4", "[1×6×7×6]"]


def test_programs_get_caffes_order() -> None:
    layers = json.loads(shown("analyze", "-", "-f", "json"))["layers"]
    assert [layer["tops"][0]["shape"] for layer in layers] == [
        [1, 4, 8, 9], [1, 6, 6, 7], [1, 6, 7, 6], [1, 6, 7, 6], [1, 5],
    ]  # fmt: skip


def test_a_turned_shape_stays_turned() -> None:
    turned = Shape((2, 3, 8, 9)).permuted((0, 2, 3, 1))
    assert isinstance(turned, Reordered)
    assert turned == Shape((2, 8, 9, 3))
    assert turned.replaced(0, 1).hwc() == "[1×8×9×3]"
    assert Shape((2, 3, 8, 9)).permuted((0, 1, 2, 3)).hwc(2) == "8×9×3"
    assert Shape((2, 3, 8, 9)).permuted((0, 1, 3, 2)).hwc() == "[2×3×9×8]"
