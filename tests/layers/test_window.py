"""Sliding-window geometry: reading, spreading over axes, and extents."""

from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.layers.layer import Window
from netcount.layers.window import convolved, covered, deconvolved, pooled
from tests.helpers import layer_of


def window(param: str, shape: tuple[int, ...]) -> Window:
    layer = layer_of(f'type: "Convolution" convolution_param {{ num_output: 6 {param} }}')
    layer.infer([Shape(shape)])
    found = layer.window([Shape(shape)])
    assert found is not None
    return found


def refusal(param: str, shape: tuple[int, ...] = (2, 6, 9, 11)) -> str:
    with pytest.raises(InputError) as found:
        window(param, shape)
    return found.value.message


def test_one_extent_is_for_all_axes() -> None:
    found = window("kernel_size: 3 stride: 2 pad: 1 dilation: 4", (2, 6, 15, 16, 17))
    assert found == Window((3, 3, 3), (2, 2, 2), (1, 1, 1), (4, 4, 4))


def test_repeated_extents_are_one_an_axis() -> None:
    found = window(
        "kernel_size: 3 kernel_size: 5 stride: 2 stride: 3 pad: 1 pad: 4 dilation: 2 dilation: 1", (2, 6, 9, 11)
    )
    assert found == Window((3, 5), (2, 3), (1, 4), (2, 1))


def test_height_and_width_fields() -> None:
    found = window("kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 3 pad_h: 4 pad_w: 1", (2, 6, 9, 11))
    assert found == Window((3, 5), (2, 3), (4, 1), (1, 1))


def test_an_unset_pad_of_a_pair_is_0() -> None:
    assert window("kernel_size: 3 pad_w: 2", (2, 6, 9, 11)).pad == (0, 2)


def test_defaults() -> None:
    assert window("kernel_size: 3", (2, 6, 9, 11)) == Window((3, 3), (1, 1), (0, 0), (1, 1))


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("kernel_size: 3 kernel_h: 5 kernel_w: 7", "kernel_size [3] and kernel_h 5 exclude each other"),
        ("kernel_size: 3 pad: 2 pad_w: 4", "pad [2] and pad_w 4 exclude each other"),
        ("kernel_size: 3 stride: 2 stride_h: 4", "stride [2] and stride_h 4 exclude each other"),
        ("kernel_h: 3", "kernel 3×0 must be positive"),
        ("kernel_size: 3 stride_w: 2", "stride 0×2 must be positive"),
        ("kernel_size: 0", "kernel 0×0 must be positive"),
        ("kernel_size: 3 kernel_size: 0", "kernel 3×0 must be positive"),
        ("kernel_size: 3 stride: 0", "stride 0×0 must be positive"),
        ("kernel_size: 4294967295", "kernel 4294967295×4294967295 must be positive"),
        ("", "needs a kernel_size"),
        ("kernel_size: 3 kernel_size: 2 kernel_size: 5", "kernel_size is given 3 times for 2 spatial axes"),
        ("kernel_size: 3 stride: 1 stride: 2 stride: 1", "stride is given 3 times for 2 spatial axes"),
        ("kernel_size: 3 pad: 1 pad: 2 pad: 1", "pad is given 3 times for 2 spatial axes"),
        ("kernel_size: 3 dilation: 1 dilation: 2 dilation: 1", "dilation is given 3 times for 2 spatial axes"),
    ],
)
def test_refused_windows(param: str, said: str) -> None:
    assert said in refusal(param)


@pytest.mark.parametrize(
    ("param", "field"),
    [("kernel_h: 3 kernel_w: 5", "kernel_h"), ("kernel_size: 3 stride_w: 2 stride_h: 1", "stride_h")],
)
def test_height_and_width_fields_are_for_two_axes(param: str, field: str) -> None:
    assert f"{field} is for 2 spatial axes, not 1" in refusal(param, (2, 6, 9))
    assert f"{field} is for 2 spatial axes, not 3" in refusal(param, (2, 6, 9, 11, 13))


def test_a_kernel_size_may_stand_where_there_is_no_spatial_axis() -> None:
    assert window("kernel_size: 0 stride: 0", (2, 6)) == Window((), (), (), ())


def test_the_refusal_points_at_the_field() -> None:
    with pytest.raises(InputError) as found:
        layer_of('type: "Convolution"\nconvolution_param {\n num_output: 3\n  kernel_h: 0 kernel_w: 4 }').infer(
            [Shape((2, 6, 9, 11))]
        )
    assert found.value.place is not None
    assert (found.value.place.line, found.value.place.column) == (4, 3)


def test_a_negative_extent_is_told_with_the_whole_window() -> None:
    said = refusal("kernel_h: 13 kernel_w: 5 stride_h: 2 stride_w: 3 pad_h: 0 pad_w: 1")
    assert "kernel 13×5 with stride 2×3, pad 0×1 and dilation 1×1 makes -1×3 of 9×11" in said


window_axis = {
    "extent": st.integers(1, 40),
    "kernel": st.integers(1, 9),
    "stride": st.integers(1, 5),
    "dilation": st.integers(0, 4),
}


@given(pad=st.integers(0, 8), **window_axis)
def test_a_convolution_rounds_toward_zero(extent: int, kernel: int, stride: int, pad: int, dilation: int) -> None:
    room = extent + 2 * pad - dilation * (kernel - 1) - 1
    assert convolved(extent, kernel, stride, pad, dilation) == int(room / stride) + 1


@given(**window_axis)
def test_a_deconvolution_undoes_the_extents_of_a_convolution(
    extent: int, kernel: int, stride: int, dilation: int
) -> None:
    pad = kernel // 2
    made = deconvolved(extent, kernel, stride, pad, dilation)
    if made + 2 * pad > dilation * (kernel - 1):
        assert convolved(made, kernel, stride, pad, dilation) == extent


@given(pads=st.tuples(st.integers(0, 8), st.integers(0, 8)), down=st.booleans(), **window_axis)
def test_a_pooling_rounds_up_and_drops_windows_behind_the_input(
    extent: int, kernel: int, stride: int, dilation: int, pads: tuple[int, int], down: bool
) -> None:
    pads = (min(pads[0], kernel - 1), min(pads[1], kernel - 1))
    found = pooled((extent, extent), (kernel, kernel), (stride, stride), pads, down)
    for outputs, pad in zip(found, pads, strict=True):
        expected = (floor if down else ceil)((extent + 2 * pad - kernel) / stride) + 1
        if any(pads) and (expected - 1) * stride >= extent + pad:
            expected -= 1
        assert outputs == expected


@given(pad=st.integers(0, 8), outputs=st.integers(0, 12), **window_axis)
def test_covered_counts_what_the_clipped_windows_see(
    extent: int, kernel: int, stride: int, dilation: int, pad: int, outputs: int
) -> None:
    pad = min(pad, kernel - 1)
    seen = [
        position
        for index in range(outputs)
        for position in range(index * stride - pad, index * stride - pad + kernel)
        if 0 <= position < extent
    ]
    assert covered(extent, outputs, kernel, stride, pad) == len(seen)
