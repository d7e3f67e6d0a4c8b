"""Fully connected layers between the convolutions and the classifier, scaled where asked."""

from __future__ import annotations

import pytest

import netcount
from netcount.analysis.count import count
from netcount.analysis.rescale import Rescaler
from netcount.core.errors import InputError
from netcount.graph.load import load_text
from tests.analysis.test_rescale import LEGACY, conv
from tests.analysis.test_variants import Short, assert_same
from tests.analysis.test_widths import op
from tests.helpers import SAMPLES, inputs


def dense(name: str, bottom: str, made: int, rest: str = "") -> str:
    return op("InnerProduct", bottom, name, f"inner_product_param {{ num_output: {made} {rest} }}")


def outputs(text: str, width: str = "1/2", **options: object) -> dict[str, int]:
    """Channels of every layer with a num_output, of the rescaled text read anew."""
    made = Rescaler(text, dense=True, **options).rescaled(width)  # type: ignore[arg-type]
    net = load_text(made.text)
    return {n.tops[0].name: n.tops[0].shape[1] for n in net.nodes if n.type in ("Convolution", "InnerProduct")}


HEAD = inputs(x=(1, 3, 9, 11)) + conv("a", "x", "a", "num_output: 8 kernel_size: 3")
CHAIN = (
    HEAD + dense("b", "a", 14) + op("ReLU", "b", "b") + dense("c", "b", 10, "transpose: true") + dense("d", "c", 7)
)


def test_all_but_the_classifier_are_scaled() -> None:
    assert outputs(CHAIN) == {"a": 4, "b": 7, "c": 5, "d": 7}
    assert outputs(CHAIN, keep=["InnerProduct-b"]) == {"a": 4, "b": 14, "c": 5, "d": 7}
    without = netcount.loads(CHAIN).rescale(width=0.5).net
    assert [without.layer(f"InnerProduct-{name}").tops[0].shape[1] for name in "bcd"] == [14, 10, 7]


def test_the_samples_with_two_of_them() -> None:
    for name in ("alexnet", "vgg16"):
        path = SAMPLES / f"{name}.prototxt"
        made = netcount.load(path).rescale(width=0.25, dense=True)
        shapes = {layer: made.net.layer(layer).params[0].shape for layer in ("fc6", "fc7", "fc8")}
        assert [shapes["fc6"][0], *shapes["fc7"], *shapes["fc8"]] == [1024, 1024, 1024, 1000, 1024]
        assert {change.layer for change in made.changes} >= {"fc6", "fc7"}
        assert made.classifiers == ("fc8",)
        (variant,) = netcount.load(path).sweep("0.25", dense=True).variants
        assert variant.params == made.net.analyze().totals.params
        (variant,) = netcount.sweep(path, [0.25], dense=True).variants
        assert variant.madds == netcount.loads(made.text).analyze().totals.madds


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "googlenet"])
def test_variants_are_counted_as_their_files(name: str) -> None:
    text = (SAMPLES / f"{name}.prototxt").read_text(encoding="utf-8")
    for variant in (("0.5", None, 2), ("0.31", None, 16)):
        made = Rescaler(text, dense=True, both_phases=False).rescaled(*variant)
        assert_same(Short(text, dense=True, both_phases=False).counted(*variant), count(load_text(made.text)))


def test_squeeze_and_excitation_gives_back_its_channels() -> None:
    """The second layer of a block multiplies channels of the net, and follows them."""
    text = HEAD + op("Pooling", "a", "p", "pooling_param { pool: AVE global_pooling: true }")
    text += dense("down", "p", 3) + op("ReLU", "down", "down") + dense("up", "down", 8) + op("Sigmoid", "up", "s")
    text += op("Scale", "a s", "y", "scale_param { axis: 0 }") + conv(
        "e", "y", "e", "num_output: 9 kernel_size: 1"
    )
    assert outputs(text) == {"a": 4, "down": 2, "up": 4, "e": 9}
    assert outputs(text, keep=["a"]) == {"a": 8, "down": 2, "up": 8, "e": 9}
    assert netcount.loads(text).rescale(width=0.5).net.layer("a").tops[0].shape[1] == 8, "it follows what stays"


def test_what_is_added_to_a_sum_stays_alike() -> None:
    text = HEAD + dense("b", "a", 5) + dense("c", "a", 5)
    text += op("Concat", "b c", "j") + dense("d", "a", 10) + op("Eltwise", "j d", "s") + dense("e", "s", 9)
    assert outputs(text) == {"a": 4, "b": 3, "c": 3, "d": 6, "e": 9}


@pytest.mark.parametrize("axis", [2, -1])
def test_outputs_on_another_axis_are_left(axis: int) -> None:
    text = HEAD + dense("b", "a", 14, f"axis: {axis}") + op("Flatten", "b", "f") + dense("c", "f", 7)
    made = Rescaler(text, dense=True).rescaled("1/2").net
    assert made.node("InnerProduct-b").tops[0].shape == ((1, 4, 14) if axis == 2 else (1, 4, 7, 14))


def test_old_formats() -> None:
    v1 = """
    layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" convolution_param { num_output: 8 kernel_size: 3 } }
    layers { name: "d" type: INNER_PRODUCT bottom: "c" top: "d" inner_product_param { num_output: 0xA } }
    layers { name: "e" type: INNER_PRODUCT bottom: "d" top: "e" inner_product_param { num_output: 9 } }
    """
    v0 = """
    layers { layer { name: "c" type: "conv" num_output: 8 kernelsize: 3 } bottom: "x" top: "c" }
    layers { layer { name: "d" type: "innerproduct" num_output: 10 } bottom: "c" top: "d" }
    layers { layer { name: "e" type: "innerproduct" num_output: 9 } bottom: "d" top: "e" }
    """
    for old in (v1, v0):
        assert outputs(LEGACY + old) == {"c": 4, "d": 5, "e": 9}
        made = Rescaler(LEGACY + old, dense=True, both_phases=False).rescaled("1/2", 16)
        short = Short(LEGACY + old, dense=True, both_phases=False).counted("1/2", 16)
        assert_same(short, count(load_text(made.text)))


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match='no convolution or InnerProduct layer is called "e"'):
        netcount.loads(CHAIN).rescale(width=0.5, dense=True, keep=["e"])
    with pytest.raises(InputError, match='no convolution is called "InnerProduct-b"'):
        netcount.loads(CHAIN).rescale(width=0.5, keep=["InnerProduct-b"])
    with pytest.raises(InputError, match="dense: it is one of True, False"):
        netcount.loads(CHAIN).sweep(0.5, dense=1)  # type: ignore[arg-type]
