"""Convolution and its kin: shapes, blobs, counts, refusals, and values against plain loops."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels import depthwise, scratch
from netcount.kernels.run import Run
from netcount.layers.layer import Layer
from tests.helpers import examples, layer_of

X = Shape((2, 6, 9, 11))


def layer(param: str, kind: str = "Convolution", many: int = 1) -> Layer:
    return layer_of(f'type: "{kind}" convolution_param {{ {param} }}', bottoms=many, tops=many)


def inferred(param: str, shape: tuple[int, ...] = X, kind: str = "Convolution") -> Shape:
    (top,) = layer(param, kind).infer([Shape(shape)])
    return top


def counted(param: str, shape: tuple[int, ...] = X, kind: str = "Convolution") -> OpCount:
    found = layer(param, kind)
    return found.ops([Shape(shape)], found.infer([Shape(shape)]))


def params(param: str, shape: tuple[int, ...] = X, kind: str = "Convolution") -> list[tuple[str, tuple[int, ...]]]:
    return [(blob.role, tuple(blob.shape)) for blob in layer(param, kind).blobs([Shape(shape)])]


def refusal(param: str, *shapes: tuple[int, ...], kind: str = "Convolution") -> str:
    with pytest.raises(InputError) as found:
        layer(param, kind, max(1, len(shapes))).infer([Shape(shape) for shape in shapes or (X,)])
    return found.value.message


def plain(x: Any, weight: Any, bias: Any, group: int, stride: Any, pad: Any, dilation: Any) -> Any:
    """A convolution in float64, one output position after the other."""
    kernel = weight.shape[2:]
    axes = range(len(kernel))
    outputs = [
        int((x.shape[2 + a] + 2 * pad[a] - dilation[a] * (kernel[a] - 1) - 1) / stride[a]) + 1 for a in axes
    ]
    made, each = weight.shape[0] // group, weight.shape[1]
    y = np.zeros((len(x), weight.shape[0], *outputs))
    for place in product(*map(range, outputs)):
        for tap in product(*map(range, kernel)):
            at = [place[a] * stride[a] - pad[a] + tap[a] * dilation[a] for a in axes]
            if all(0 <= at[a] < x.shape[2 + a] for a in axes):
                for g in range(group):
                    seen = x[(slice(None), slice(g * each, (g + 1) * each), *at)]
                    filters = weight[(slice(g * made, (g + 1) * made), slice(None), *tap)]
                    target: Any = (slice(None), slice(g * made, (g + 1) * made), *place)
                    y[target] += seen @ filters.T
    return y if bias is None else y + bias.reshape(-1, *(1 for _ in axes))


def test_shape_of_each_axis() -> None:
    assert inferred("num_output: 4 kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 2") == (
        2,
        4,
        5,
        4,
    )


def test_dilation_widens_the_kernel() -> None:
    assert inferred("num_output: 4 kernel_size: 3 dilation: 4 dilation: 2") == (2, 4, 1, 7)


def test_a_dilation_of_0_is_what_caffe_takes_it_for() -> None:
    assert inferred("num_output: 4 kernel_size: 3 dilation: 0") == (2, 4, 9, 11)


def test_a_kernel_larger_than_the_input_by_less_than_the_stride_fits_once() -> None:
    assert inferred("num_output: 4 kernel_h: 10 kernel_w: 3 stride: 2") == (2, 4, 1, 5)


def test_any_number_of_spatial_axes() -> None:
    assert inferred("num_output: 4 kernel_size: 3 pad: 1 stride: 2", (2, 6, 7)) == (2, 4, 4)
    assert inferred("num_output: 4 kernel_size: 3 stride: 2", (2, 6, 7, 9, 11)) == (2, 4, 3, 4, 5)
    assert inferred("num_output: 4", (2, 6)) == (2, 4)


def test_axes_before_the_channels_are_images() -> None:
    assert inferred("num_output: 4 kernel_size: 3 axis: 2", (2, 5, 6, 9)) == (2, 5, 4, 7)
    assert inferred("num_output: 4 kernel_size: 3 axis: -2", (2, 5, 6, 9)) == (2, 5, 4, 7)
    assert counted("num_output: 4 kernel_size: 3 axis: 2", (2, 5, 6, 9)) == (
        2 * 5 * 4 * 7 * 6 * 3,
        2 * 5 * 4 * 7,
        *[0] * 4,
    )


def test_blobs() -> None:
    assert params("num_output: 4 kernel_h: 3 kernel_w: 5 group: 2") == [("weight", (4, 3, 3, 5)), ("bias", (4,))]
    assert params("num_output: 4 kernel_size: 3 bias_term: false") == [("weight", (4, 6, 3, 3))]
    assert params("num_output: 4", (2, 6)) == [("weight", (4, 6)), ("bias", (4,))]


def test_madds_count_padding_and_adds_count_the_bias() -> None:
    window = "num_output: 4 kernel_h: 3 kernel_w: 5 pad_h: 1 pad_w: 2 group: 2"
    assert counted(window) == OpCount(madds=2 * 4 * 9 * 11 * 3 * 3 * 5, adds=2 * 4 * 9 * 11)
    assert counted(f"{window} bias_term: false") == OpCount(madds=2 * 4 * 9 * 11 * 3 * 3 * 5)


def test_several_bottoms_share_the_weights_and_count_each() -> None:
    found = layer("num_output: 4 kernel_size: 3", many=2)
    assert found.infer([X, X]) == [Shape((2, 4, 7, 9))] * 2
    assert len(found.blobs([X, X])) == 2
    assert found.ops([X, X], found.infer([X, X])).madds == 2 * counted("num_output: 4 kernel_size: 3").madds


def test_depthwise_is_one_channel_a_group() -> None:
    def told(param: str) -> tuple[int, bool]:
        found = layer(param).window([X])
        assert found is not None
        return found.group, found.depthwise

    assert told("num_output: 6 kernel_size: 3 group: 6") == (6, True)
    assert told("num_output: 12 kernel_size: 3 group: 6") == (6, True)
    assert told("num_output: 6 kernel_size: 3 group: 3") == (3, False)
    one = layer("num_output: 4 kernel_size: 3").window([Shape((2, 1, 9, 11))])
    assert one is not None
    assert not one.depthwise


def test_the_column_buffer_holds_one_image() -> None:
    def elements(param: str, kind: str = "Convolution") -> int:
        found = layer(param, kind)
        return found.working_memory([X], found.infer([X])).columns

    assert elements("num_output: 4 kernel_h: 3 kernel_w: 5 group: 2") == 6 * 3 * 5 * 7 * 7
    assert elements("num_output: 4 kernel_size: 1") == 0
    assert elements("num_output: 4 kernel_size: 1 stride: 2") == 6 * 5 * 6
    assert elements("num_output: 4 kernel_size: 1 pad: 1") == 6 * 11 * 13
    assert elements("num_output: 4 kernel_h: 3 kernel_w: 5 group: 2", "Deconvolution") == 4 * 3 * 5 * 9 * 11
    assert elements("num_output: 4 kernel_size: 1", "Deconvolution") == 0


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution", "DepthwiseConvolution"])
@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("num_output: 4 kernel_size: 3 group: 4", "6 input channels cannot be divided by group 4"),
        ("num_output: 4 kernel_size: 3 group: 3", "4 num_output cannot be divided by group 3"),
        ("num_output: 4 kernel_size: 3 group: 0", "group 0 must be positive"),
        ("num_output: 0 kernel_size: 3", "num_output 0 must be positive"),
        ("kernel_size: 3", "num_output 0 must be positive"),
        ("num_output: 3000000000 kernel_size: 3", "num_output 3000000000 must be positive"),
        ("num_output: 4 kernel_size: 3 axis: 4", "axis 4 is out of range for 2×6×9×11"),
        ("num_output: 4 kernel_size: 3 axis: -5", "axis -5 is out of range for 2×6×9×11"),
    ],
)
def test_refused_numbers(kind: str, param: str, said: str) -> None:
    assert said in refusal(param, kind=kind)


def test_bottoms_of_two_shapes_are_refused() -> None:
    said = refusal("num_output: 4 kernel_size: 3", (2, 6, 9, 11), (2, 6, 11, 9))
    assert 'bottom 0 "b0" is 2×6×9×11, bottom 1 "b1" is 2×6×11×9' in said


def test_negative_extents_are_refused() -> None:
    assert "makes -1×9 of 9×11" in refusal("num_output: 4 kernel_h: 11 kernel_w: 3")
    assert "makes 11×-1 of 9×11" in refusal("num_output: 4 kernel_size: 3 pad_h: 0 pad_w: 7", kind="Deconvolution")


def test_an_extent_of_0_is_refused_only_with_a_bias() -> None:
    """Caffe takes an empty blob, but its vector of ones for the bias cannot be empty."""
    window = "num_output: 4 kernel_h: 10 kernel_w: 3"
    assert "2×4×0×9, without elements for the bias" in refusal(window)
    assert inferred(f"{window} bias_term: false") == (2, 4, 0, 9)


def test_a_filler_of_an_absent_bias_is_not_read() -> None:
    unread = 'num_output: 4 kernel_size: 3 bias_filler { type: "nonsense" }'
    assert inferred(f"{unread} bias_term: false") == (2, 4, 7, 9)
    assert 'unknown filler "nonsense"' in refusal(unread)


def test_a_deconvolution_reverses_shapes() -> None:
    window = "num_output: 4 kernel_h: 4 kernel_w: 3 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 0 group: 2"
    assert inferred(window, kind="Deconvolution") == (2, 4, 18, 33)
    assert params(window, kind="Deconvolution") == [("weight", (6, 2, 4, 3)), ("bias", (4,))]
    assert counted(window, kind="Deconvolution") == OpCount(2 * 9 * 11 * 6 * 2 * 4 * 3, 2 * 4 * 18 * 33)


def test_a_depthwise_convolution_of_the_forks_takes_group_as_given() -> None:
    whole = "num_output: 6 kernel_size: 3"
    assert params(whole, kind="DepthwiseConvolution")[0] == ("weight", (6, 6, 3, 3))
    assert params(f"{whole} group: 6", kind="DepthwiseConvolution")[0] == ("weight", (6, 1, 3, 3))


def test_a_convolution_depthwise_has_one_filter_a_channel() -> None:
    for numbers in ("num_output: 6 group: 6", "num_output: 5 group: 4", ""):
        window = f"{numbers} kernel_h: 3 kernel_w: 5 stride: 2"
        assert inferred(window, kind="ConvolutionDepthwise") == (2, 6, 4, 4)
        assert params(window, kind="ConvolutionDepthwise") == [("weight", (6, 1, 3, 5)), ("bias", (6,))]
        assert counted(window, kind="ConvolutionDepthwise") == OpCount(2 * 6 * 4 * 4 * 15, 2 * 6 * 4 * 4)
    assert "needs 4 axes" in refusal("kernel_size: 3", (2, 6, 9), kind="ConvolutionDepthwise")


def test_im2col_only_moves() -> None:
    found = layer("kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0", "Im2col")
    tops = found.infer([X])
    assert tops == [Shape((2, 6 * 15, 5, 7))]
    assert found.ops([X], tops) == NOTHING
    assert found.blobs([X]) == []


def test_im2col_needs_a_spatial_axis() -> None:
    assert "needs a spatial axis behind axis 1 of 2×6" in refusal("kernel_size: 3", (2, 6), kind="Im2col")


def test_im2col_is_what_a_convolution_multiplies() -> None:
    window = "kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 2 dilation: 1 dilation: 3"
    x, weight = drawn((2, 6, 9, 11)), drawn((4, 6, 3, 2))
    (columns,) = layer(window, "Im2col").forward([x], [], Run())
    (y,) = layer(f"{window} num_output: 4 bias_term: false").forward([x], [weight], Run())
    product_ = weight.reshape(4, -1) @ columns.reshape(2, 36, -1)
    np.testing.assert_allclose(product_.reshape(y.shape), y, rtol=1e-4, atol=1e-5)


def test_im2col_of_one_padded_element_keeps_its_values() -> None:
    """Its columns are the padded input, which must not be memory that the next layer uses again."""
    found = layer("kernel_size: 1 pad: 1", "Im2col")
    (first,) = found.forward([np.full((1, 2, 3, 4), 5, np.float32)], [], Run())
    found.forward([np.full((1, 2, 3, 4), 7, np.float32)], [], Run())
    assert first.sum() == 5 * 24


def drawn(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(prod(shape)).standard_normal(shape).astype(np.float32)


@st.composite
def geometries(draw: st.DrawFn) -> dict[str, Any]:
    """A small convolution of 1 to 3 spatial axes, windows larger than the input included."""
    axes = draw(st.integers(1, 3))
    group = draw(st.integers(1, 3))
    each, made = draw(st.sampled_from([1, 1, 2, 3])), draw(st.integers(1, 2))

    def extents(least: int, most: int) -> list[int]:
        return [draw(st.integers(least, most)) for _ in range(axes)]

    return {
        "images": draw(st.integers(0, 3)),
        "group": group,
        "channels": group * each,
        "num_output": group * made,
        "spatial": extents(1, 7),
        "kernel": extents(1, 4),
        "stride": extents(1, 3),
        "pad": extents(0, 3),
        "dilation": extents(0, 2),
        "bias": draw(st.booleans()),
    }


def text_of(found: dict[str, Any]) -> str:
    fields = (("kernel_size", "kernel"), ("stride", "stride"), ("pad", "pad"), ("dilation", "dilation"))
    return " ".join(
        [
            f"num_output: {found['num_output']} group: {found['group']}",
            f"bias_term: {str(found['bias']).lower()}",
            *(f"{field}: {extent}" for field, key in fields for extent in found[key]),
        ]
    )


@examples(150)
@given(found=geometries(), parts=st.booleans())
def test_executed_is_inferred_and_counted_and_a_convolution(found: dict[str, Any], parts: bool) -> None:
    of = layer(text_of(found))
    shape = Shape((found["images"], found["channels"], *found["spatial"]))
    try:
        tops = of.infer([shape])
    except InputError:
        reject()
    blobs = [drawn(tuple(blob.shape)) for blob in of.blobs([shape])]
    x, run = drawn(shape), Run()
    before = x.copy()
    with pytest.MonkeyPatch.context() as patched:
        if parts:  # so small that every large image would be made in parts
            patched.setattr("netcount.kernels.im2col.COLUMN_ELEMENTS", 40)
            patched.setattr(depthwise, "DEPTHWISE_ELEMENTS", 40)
        (y,) = of.forward([x], blobs, run)
    assert y.shape == tuple(tops[0])
    assert y.dtype == np.float32
    assert run.madds == of.ops([shape], tops).madds
    assert (x == before).all()
    window = (found["stride"], found["pad"], found["dilation"])
    bias = blobs[1].astype(np.float64) if found["bias"] else None
    expected = plain(x.astype(np.float64), blobs[0].astype(np.float64), bias, found["group"], *window)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@examples(150)
@given(found=geometries())
def test_a_deconvolution_is_the_transpose_of_its_convolution(found: dict[str, Any]) -> None:
    """For all x and y: the inner products of (deconv x, y) and (x, conv y) are the same."""
    found = {**found, "bias": False, "images": 2}
    shape = Shape((2, found["channels"], *found["spatial"]))
    of = layer(text_of(found), "Deconvolution")
    try:
        tops = of.infer([shape])
    except InputError:
        reject()
    (blob,) = of.blobs([shape])
    weight, x, run = drawn(tuple(blob.shape)), drawn(shape), Run()
    (made,) = of.forward([x], [weight], run)
    assert made.shape == tuple(tops[0])
    assert run.madds == of.ops([shape], tops).madds
    window = (found["stride"], found["pad"], found["dilation"])
    y = drawn(tuple(tops[0])).astype(np.float64)
    back = plain(y, weight.astype(np.float64), None, found["group"], *window)
    assert np.isclose((made * y).sum(), (x * back).sum(), rtol=1e-3, atol=1e-3)


def test_a_depthwise_convolution_that_steps_over_positions() -> None:
    """With stride 3 and dilation 2, the kernel meets only two of the three remainders."""
    window = "kernel_h: 2 kernel_w: 3 stride: 3 stride: 4 dilation: 2 dilation: 3 pad: 1"
    of = layer(f"num_output: 6 group: 3 {window} bias_term: false")
    x, weight = drawn((2, 3, 9, 17)), drawn((6, 1, 2, 3))
    (y,) = of.forward([x], [weight], Run())
    expected = plain(x, weight, None, 3, (3, 4), (1, 1), (2, 3))
    assert y.shape == expected.shape == (2, 6, 3, 4)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_a_deconvolution_adds_its_bias_once() -> None:
    of = layer("num_output: 2 kernel_size: 3 stride: 2", "Deconvolution")
    weight, bias = np.zeros((3, 2, 3, 3), np.float32), np.array([5, 7], np.float32)
    (y,) = of.forward([drawn((1, 3, 2, 4))], [weight, bias], Run())
    assert y.shape == (1, 2, 5, 9)
    assert (y[0, 0] == 5).all()
    assert (y[0, 1] == 7).all()


def test_several_bottoms_run_one_after_the_other() -> None:
    of = layer("num_output: 4 kernel_size: 3", many=2)
    one, two, weight, bias = (
        drawn((2, 6, 5, 7)),
        -drawn((2, 6, 5, 7)),
        drawn((4, 6, 3, 3)),
        np.zeros(4, np.float32),
    )
    first, second = of.forward([one, two], [weight, bias], Run())
    np.testing.assert_allclose(first, -second, rtol=1e-4, atol=1e-5)


def test_scratch_memory_is_used_again_and_large_arrays_are_not_kept() -> None:
    first = scratch.scratch("test", (3, 5))
    assert np.shares_memory(first, scratch.scratch("test", (2, 4)))
    large = scratch.scratch("test", (scratch.COLUMN_ELEMENTS + 1,))
    assert not np.shares_memory(large, scratch.scratch("test", (2, 4)))


@pytest.mark.parametrize(
    ("field", "extents"), [("hole: 2", (5, 7)), ("hole_h: 3 hole_w: 2", (3, 7)), ("dilation: 2", (5, 7))]
)
def test_deeplabs_holes_are_a_dilation(field: str, extents: tuple[int, int]) -> None:
    layer = layer_of(f'type: "Convolution" convolution_param {{ num_output: 4 kernel_size: 3 {field} }}')
    assert layer.infer([Shape((2, 3, 9, 11))]) == [(2, 4, *extents)]


def test_weights_that_are_frozen_at_zero_are_counted() -> None:
    param = "convolution_param { num_output: 4 kernel_size: 3 }"
    layer = layer_of(f'type: "Convolution" connectivity_mode: DISCONNECTED_GRPWISE {param}')
    assert [blob.shape for blob in layer.blobs([Shape((2, 3, 9, 11))])] == [(4, 3, 3, 3), (4,)]
