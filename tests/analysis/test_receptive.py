"""Receptive fields: those known of nets, and the law that a pixel moves exactly the values that see it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcount
from netcount.analysis._support.receptive import Field, fields
from netcount.execute.executor import Executor
from netcount.layers.sight import Sight
from tests.helpers import ROOT, SAMPLES, examples, graph_of, inputs, net_of


def fields_of(net: netcount.Net, blob: str) -> tuple[Field, ...]:
    graph = graph_of(net)
    return next(fields(graph)[one.index] for one in reversed(graph.blobs) if one.name == blob)


def field_of(net: netcount.Net, blob: str) -> Field:
    (field,) = fields_of(net, blob)
    return field


@pytest.mark.parametrize(
    ("blob", "size", "stride", "offset", "pad"),
    [
        ("conv1_2", 5, 1, 0, 2),
        ("pool1", 6, 2, Fraction(1, 2), 2),
        ("conv3_3", 40, 4, Fraction(3, 2), 18),
        ("loc", 48, 4, Fraction(3, 2), 22),
    ],
)
def test_a_stem(blob: str, size: int, stride: int, offset: Fraction, pad: int) -> None:
    field = field_of(netcount.load(ROOT / "tests/data/field/46-receptive-field.prototxt", batch="net"), blob)
    assert field.size == field.least == (size, size)
    assert field.stride == (stride, stride)
    assert field.offset == (offset, offset)
    assert field.pad == (pad, pad)


@pytest.mark.parametrize(
    ("sample", "blob", "size", "least", "stride"),
    [
        ("alexnet", "pool5", 195, 195, 32),
        ("vgg16", "pool5", 212, 212, 32),
        ("resnet50", "res5c", 483, 11, 32),
        ("mobilenet_v1", "conv6/sep", 315, 315, 32),
    ],
)
def test_nets_whose_fields_are_published(sample: str, blob: str, size: int, least: int, stride: int) -> None:
    """Sizes of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks" (2019)."""
    field = field_of(netcount.load(SAMPLES / f"{sample}.prototxt"), blob)
    assert (field.size, field.least) == ((size, size), (least, least))
    assert field.stride == (stride, stride)


def test_what_follows_everything_sees_everything() -> None:
    field = field_of(netcount.load(SAMPLES / "vgg16.prototxt"), "fc6")
    assert field.size == field.least == (224, 224)
    assert field.stride == (None, None)
    assert field.offset == (Fraction(223, 2),) * 2
    assert field.pad == (0, 0)


def conv(name: str, bottom: str, window: str, type: str = "Convolution", outputs: int = 2) -> str:
    return (
        f'layer {{ name: "{name}" type: "{type}" bottom: "{bottom}" top: "{name}" convolution_param {{ '
        f"num_output: {outputs} {window} }} }}\n"
    )


def pool(name: str, bottom: str, window: str) -> str:
    return (
        f'layer {{ name: "{name}" type: "Pooling" bottom: "{bottom}" top: "{name}" '
        f"pooling_param {{ {window} }} }}\n"
    )


def op(name: str, type: str, bottoms: str, rest: str = "") -> str:
    lines = "".join(f' bottom: "{bottom}"' for bottom in bottoms.split())
    return f'layer {{ name: "{name}" type: "{type}"{lines} top: "{name}" {rest} }}\n'


IMAGE = inputs(x=(1, 2, 17, 14))
NETS = {
    "a window": IMAGE + conv("y", "x", "kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0"),
    "windows": IMAGE
    + conv("a", "x", "kernel_size: 3 pad: 1")
    + pool("p", "a", "pool: AVE kernel_size: 3 stride: 2 pad: 1")
    + conv("y", "p", "kernel_h: 2 kernel_w: 3 pad_h: 0 pad_w: 1"),
    "a dilation whose gaps are filled": IMAGE
    + conv("a", "x", "kernel_size: 3 pad: 1")
    + conv("y", "a", "kernel_size: 3 pad: 2 dilation: 2"),
    "a maximum": IMAGE + conv("a", "x", "kernel_size: 3") + pool("y", "a", "kernel_h: 3 kernel_w: 2 stride: 2"),
    "a deconvolution": IMAGE
    + conv("y", "x", "kernel_h: 4 kernel_w: 3 stride: 2 pad_h: 1 pad_w: 0", "Deconvolution"),
    "a deconvolution with gaps": IMAGE + conv("y", "x", "kernel_size: 2 stride: 3", "Deconvolution"),
    "down and up": IMAGE
    + conv("a", "x", "kernel_size: 3 stride: 2 pad: 1")
    + conv("b", "a", "kernel_size: 4 stride: 2 pad: 1", "Deconvolution")
    + conv("y", "b", "kernel_size: 3 pad: 1"),
    "up and down": IMAGE
    + conv("a", "x", "kernel_size: 4 stride: 3 pad: 1", "Deconvolution")
    + conv("y", "a", "kernel_size: 3 stride: 2"),
    "branches": IMAGE
    + conv("a", "x", "kernel_size: 1")
    + conv("b", "x", "kernel_size: 5 pad: 2")
    + op("y", "Eltwise", "a b"),
    "a skip over a coarser grid": inputs(x=(1, 2, 18, 14))  # a row left over would be the coarser grid's padding
    + conv("a", "x", "kernel_size: 2 stride: 2")
    + conv("b", "a", "kernel_size: 4 stride: 2 pad: 1", "Deconvolution")
    + op("c", "Crop", "b x", "crop_param { axis: 2 }")
    + conv("d", "x", "kernel_h: 3 kernel_w: 1 pad_h: 1 pad_w: 0")
    + op("y", "Concat", "c d"),
    "crops": IMAGE
    + conv("a", "x", "kernel_size: 3")
    + conv("l", "x", "kernel_size: 6")
    + op("y", "Crop", "a l", "crop_param { axis: 2 offset: 2 offset: 1 }"),
    "cut and joined along the height": IMAGE
    + conv("a", "x", "kernel_size: 3 pad: 1")
    + 'layer { name: "s" type: "Slice" bottom: "a" top: "s" top: "t" slice_param { axis: 2 slice_point: 7 } }\n'
    + conv("y", "t", "kernel_size: 3"),
    "axes in another order": IMAGE
    + conv("a", "x", "kernel_h: 3 kernel_w: 1")
    + op("y", "Permute", "a", "permute_param { order: 0 order: 3 order: 1 order: 2 }"),
    "a plane as one": IMAGE + pool("a", "x", "pool: AVE global_pooling: true") + conv("y", "a", "kernel_size: 1"),
    "interpolated": IMAGE
    + conv("a", "x", "kernel_size: 3 stride: 2")
    + op("y", "Interp", "a", "interp_param { zoom_factor: 2 }"),
    "interpolated unevenly": IMAGE + op("y", "Interp", "x", "interp_param { height: 23 width: 9 }"),
    "a pyramid": IMAGE
    + pool("a", "x", "pool: AVE global_pooling: true")
    + op("b", "Interp", "a", "interp_param { height: 17 width: 14 }")
    + op("y", "Concat", "x b"),
    "a volume": inputs(x=(1, 2, 7, 9, 8))
    + conv("a", "x", "kernel_size: 3 kernel_size: 2 kernel_size: 1 stride: 2 stride: 1 stride: 1 pad: 1")
    + conv("y", "a", "kernel_size: 2"),
    "one axis": inputs(x=(1, 2, 19))
    + conv("a", "x", "kernel_size: 5 stride: 2 pad: 2")
    + conv("y", "a", "kernel_size: 3"),
}


@pytest.mark.parametrize("text", NETS.values(), ids=NETS)
def test_a_pixel_moves_exactly_the_values_that_see_it(text: str) -> None:
    check_law(net_of(text))


def check_law(net: netcount.Net) -> None:
    """Perturb pixel after pixel of each axis: through the middle of the others."""
    field = field_of(net, "y")
    weights = {
        node.name: [np.full(blob.shape, 0.5, np.float32) for blob in node.params]
        for node in net.layers
        if node.params
    }
    executor = Executor(graph_of(net), weights)
    extents = field.extents
    zero = np.zeros(field.input.shape, np.float32)
    before = executor.run({"x": zero})["y"]
    middle = [extent // 2 for extent in extents]
    for axis, extent in enumerate(extents):
        for at in range(extent):
            pixel = [*middle[:axis], at, *middle[axis + 1 :]]
            image = zero.copy()
            image[(slice(None), slice(None), *pixel)] = 1000
            changed = (executor.run({"x": image})["y"] != before).any(axis=channels_of(field, before.ndim))
            assert np.array_equal(changed, seen_by(field.largest, pixel, before.shape)), pixel


def channels_of(field: Field, axes: int) -> tuple[int, ...]:
    moving = {sight.axis for sight in field.largest}
    return tuple(axis for axis in range(axes) if axis not in moving)


def seen_by(sights: Sequence[Sight], pixel: Sequence[int], shape: Sequence[int]) -> Any:
    """Of each position of the top's moving axes whether its field holds a pixel."""
    moving = sorted(sight.axis for sight in sights if sight.axis is not None)
    seen = np.ones([shape[axis] for axis in moving], bool)
    for sight, at in zip(sights, pixel, strict=True):
        extent = 1 if sight.axis is None else shape[sight.axis]
        spans = [sight.at(position) for position in range(extent)]
        holds = np.array([span is not None and span[0] <= at <= span[1] for span in spans])
        if sight.axis is None:
            seen &= holds[0]
        else:
            along = moving.index(sight.axis)
            seen &= holds.reshape([-1 if number == along else 1 for number in range(len(moving))])
    return seen


WINDOWS = st.tuples(st.sampled_from("CPD"), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2))


@given(st.lists(WINDOWS, min_size=1, max_size=4), st.integers(9, 24))
@examples(60)
def test_the_law_of_chains(windows: list[tuple[str, int, int, int]], extent: int) -> None:
    """One axis; every pixel lies in a window, and every window holds a pixel.

    What a window leaves over at the end would count as padding of its top's grid.
    """
    text, bottom, rows = inputs(x=(1, 1, extent, 1)), "x", extent
    for number, (kind, kernel, stride, pad) in enumerate(windows):
        name = "y" if number == len(windows) - 1 else f"l{number}"
        stride, pad = min(stride, kernel), min(pad, (kernel - 1) // 2)
        left = rows + 2 * pad - kernel
        if kind == "D":
            rows = stride * (rows - 1) + kernel - 2 * pad
        elif left >= 0:
            stride = stride if left % stride == 0 else 1
            rows = left // stride + 1
        else:
            kernel, stride, pad = 1, 1, 0
        sides = f"kernel_h: {kernel} kernel_w: 1 stride_h: {stride} stride_w: 1 pad_h: {pad} pad_w: 0"
        if kind == "P":
            text += pool(name, bottom, f"pool: AVE {sides}")
        else:
            text += conv(name, bottom, sides, "Convolution" if kind == "C" else "Deconvolution", 1)
        bottom = name
    check_law(net_of(text))


def test_the_gaps_of_a_dilation_belong_to_its_field() -> None:
    field = field_of(net_of(IMAGE + conv("y", "x", "kernel_size: 3 dilation: 3")), "y")
    assert field.size == (7, 7)
    assert field.offset == (3, 3)


def test_branches_see_more_and_less() -> None:
    field = field_of(net_of(NETS["branches"]), "y")
    assert field.size == (5, 5)
    assert field.least == (1, 1)
    assert field.pad == (2, 2)


def test_a_deconvolutions_values_see_more_and_less() -> None:
    field = field_of(net_of(NETS["a deconvolution"]), "y")
    assert field.size == (2, 2)
    assert field.least == (2, 1)
    assert field.stride == (Fraction(1, 2), Fraction(1, 2))


def test_two_images_have_a_field_each() -> None:
    text = inputs(x=(1, 1, 9, 8), z=(1, 1, 9, 8)) + conv("a", "x", "kernel_size: 3 pad: 1", outputs=1)
    seen = fields_of(net_of(text + op("y", "Eltwise", "a z")), "y")
    assert {field.input.name: field.size for field in seen} == {"x": (3, 3), "z": (1, 1)}


def test_a_label_is_no_image_and_a_shape_is_not_seen() -> None:
    text = inputs(x=(1, 1, 9, 8), label=(1, 1, 1, 1), like=(1, 1, 5, 4))
    net = net_of(text + op("y", "Crop", "x like", "crop_param { axis: 2 }"))
    assert [field.input.name for field in fields_of(net, "y")] == ["x"]
    assert fields_of(net, "label") == ()
