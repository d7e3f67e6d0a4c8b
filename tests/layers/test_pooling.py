"""Pooling and spatial pyramids: shapes, counts, refusals, and values against plain loops."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from netcount.layers.layer import Layer, Window
from tests.helpers import examples, layer_of

X = Shape((2, 6, 9, 11))
LOWEST = np.finfo(np.float32).min


def layer(param: str, tops: int = 1) -> Layer:
    return layer_of(f'type: "Pooling" pooling_param {{ {param} }}', tops=tops)


def pyramid(param: str) -> Layer:
    return layer_of(f'type: "SPP" spp_param {{ {param} }}')


def inferred(param: str, shape: tuple[int, ...] = X) -> Shape:
    (top,) = layer(param).infer([Shape(shape)])
    return top


def counted(found: Layer, shape: tuple[int, ...] = X) -> OpCount:
    return found.ops([Shape(shape)], found.infer([Shape(shape)]))


def run(found: Layer, x: Any) -> Any:
    return found.forward([np.asarray(x, dtype=np.float32)], [], Run())[0]


def refusal(param: str, shape: tuple[int, ...] = X, tops: int = 1) -> str:
    with pytest.raises(InputError) as found:
        layer(param, tops).infer([Shape(shape)])
    return found.value.message


def drawn(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(prod(shape)).standard_normal(shape).astype(np.float32)


def test_extents_are_rounded_up() -> None:
    assert inferred("kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 3") == (2, 6, 5, 4)


@pytest.mark.parametrize("floor", ["round_mode: FLOOR", "ceil_mode: false", "round_mode: CEIL ceil_mode: false"])
def test_extents_are_rounded_down_where_the_file_says_so(floor: str) -> None:
    assert inferred(f"kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 3 {floor}") == (2, 6, 4, 3)


def test_ceil_mode_true_is_the_default() -> None:
    assert inferred("kernel_size: 2 stride: 2 ceil_mode: true") == inferred("kernel_size: 2 stride: 2")


def test_padding_on_one_axis_drops_last_windows_of_both() -> None:
    assert inferred("kernel_h: 2 kernel_w: 1 stride: 3 pad_h: 1 pad_w: 0", (2, 6, 7, 12)) == (2, 6, 3, 4)
    assert inferred("kernel_h: 2 kernel_w: 1 stride: 3", (2, 6, 7, 12)) == (2, 6, 3, 5)


def test_an_extent_of_0_is_what_caffe_makes() -> None:
    assert inferred("kernel_size: 3 stride: 2", (2, 6, 1, 2)) == (2, 6, 0, 1)


def test_global_pooling_takes_the_whole_extent() -> None:
    found = layer("pool: AVE global_pooling: true")
    assert found.infer([X]) == [Shape((2, 6, 1, 1))]
    assert found.window([X]) == Window((9, 11), (1, 1), (0, 0), (1, 1))
    assert counted(found) == OpCount(adds=2 * 6 * 99, divs=2 * 6)


def test_window_of_both_ways_to_write_it() -> None:
    assert layer("kernel_size: 3 stride: 2 pad: 1").window([X]) == Window((3, 3), (2, 2), (1, 1), (1, 1))
    both = "kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 4 pad_h: 1 pad_w: 2"
    assert layer(both).window([X]) == Window((3, 5), (2, 4), (1, 2), (1, 1))


def test_one_of_kernel_h_and_kernel_w_beside_kernel_size_is_not_read() -> None:
    assert inferred("kernel_size: 3 kernel_h: 5") == inferred("kernel_size: 3")


def test_compares_are_those_of_clipped_windows() -> None:
    rows, columns = 2 + 3 + 3 + 3 + 2, 3 + 2
    found = layer("kernel_h: 3 kernel_w: 3 stride_h: 2 stride_w: 9 pad_h: 1 pad_w: 0")
    assert counted(found) == OpCount(compares=2 * 6 * rows * columns)


def test_an_average_adds_each_element_and_divides_each_window() -> None:
    found = layer("pool: AVE kernel_size: 3 stride: 2")
    assert counted(found) == OpCount(adds=2 * 6 * 12 * 15, divs=2 * 6 * 4 * 5)


def test_a_stochastic_pooling_sums_values_and_squares() -> None:
    seen, outputs = 2 * 6 * 12 * 15, 2 * 6 * 4 * 5
    found = layer("pool: STOCHASTIC kernel_size: 3 stride: 2")
    assert counted(found) == OpCount(adds=2 * seen, muls=seen, divs=outputs, compares=outputs)


def test_no_blobs() -> None:
    assert layer("kernel_size: 3").blobs([X]) == []


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("stride: 2", "needs either kernel_size or both kernel_h and kernel_w, not neither"),
        ("kernel_h: 3", "needs either kernel_size or both kernel_h and kernel_w, not kernel_h"),
        ("kernel_size: 3 kernel_h: 5 kernel_w: 2", "not kernel_size and kernel_h and kernel_w"),
        ("kernel_size: 0", "kernel_size 0 must be positive"),
        ("kernel_h: 3 kernel_w: 0", "kernel_w 0 must be positive"),
        ("kernel_size: 3 stride: 0", "stride 0×0 must be positive"),
        ("kernel_size: 3 stride_h: 2", "needs either stride or both stride_h and stride_w, not stride_h"),
        ("kernel_size: 3 pad: 1 pad_h: 2 pad_w: 1", "not pad and pad_h and pad_w"),
        ("kernel_size: 3 pad: 3", "pad 3 must be less than kernel 3"),
        ("kernel_h: 2 kernel_w: 5 pad_h: 1 pad_w: 5", "pad 5 must be less than kernel 5"),
        ("global_pooling: true kernel_w: 3", "global pooling takes no kernel_w"),
        ("global_pooling: true pad: 1", "global pooling takes pad 0 and stride 1, not 1×1 and 1×1"),
        ("global_pooling: true stride: 2", "global pooling takes pad 0 and stride 1, not 0×0 and 2×2"),
        ("pool: STOCHASTIC kernel_size: 3 pad: 1", "padding is for MAX and AVE, not STOCHASTIC"),
        ("kernel_h: 11 kernel_w: 3", "kernel 11×3 with stride 1×1 and pad 0×0 makes -1×9 of 9×11"),
    ],
)
def test_refused_windows(param: str, said: str) -> None:
    assert said in refusal(param)


def test_refused_bottoms_and_tops() -> None:
    assert "needs 4 axes N×C×H×W, not 2×6×9" in refusal("kernel_size: 3", (2, 6, 9))
    assert "global pooling needs elements" in refusal("global_pooling: true", (2, 6, 0, 11))
    assert "a second top (the mask) is for MAX, not AVE" in refusal("pool: AVE kernel_size: 3", tops=2)


@st.composite
def geometries(draw: st.DrawFn) -> tuple[str, tuple[int, int, int, int]]:
    """A pooling_param without its method, and a bottom; overhanging and empty windows included."""

    def pair(least: int, most: int) -> tuple[int, int]:
        return draw(st.integers(least, most)), draw(st.integers(least, most))

    kernel, stride, (high, wide) = pair(1, 5), pair(1, 4), pair(1, 9)
    pads = [draw(st.integers(0, k - 1)) if draw(st.booleans()) else 0 for k in kernel]
    pairs = (("kernel", kernel), ("stride", stride), ("pad", pads))
    fields = [f"{name}_{axis}: {extent}" for name, pair in pairs for axis, extent in zip("hw", pair, strict=True)]
    fields.append(f"round_mode: {draw(st.sampled_from(['CEIL', 'FLOOR']))}")
    return " ".join(fields), (draw(st.integers(0, 2)), draw(st.integers(1, 3)), high, wide)


def plain(method: str, x: Any, found: Layer, outputs: tuple[int, ...]) -> tuple[Any, Any]:
    """Values and mask, one window after the other, as the layer's definition has it."""
    window = found.window([Shape(x.shape)])
    assert window is not None
    (kh, kw), (sh, sw), (ph, pw) = window.kernel, window.stride, window.pad
    height, width = x.shape[2:]
    values, mask = np.zeros(outputs), np.full(outputs, -1.0)
    for n, c, i, j in product(*map(range, outputs)):
        top, left = i * sh - ph, j * sw - pw
        size = (min(top + kh, height + ph) - top) * (min(left + kw, width + pw) - left)
        rows, columns = range(max(top, 0), min(top + kh, height)), range(max(left, 0), min(left + kw, width))
        seen = [(float(x[n, c, r, q]), r * width + q) for r, q in product(rows, columns)]
        numbers = [value for value, _ in seen]
        if method == "MAX":
            values[n, c, i, j] = max(numbers, default=float(LOWEST))
            mask[n, c, i, j] = next((at for value, at in seen if value == max(numbers)), -1)
        elif method == "AVE":
            values[n, c, i, j] = sum(numbers) / size if size else np.nan
        elif sum(numbers) > 0:
            values[n, c, i, j] = sum(number * number for number in numbers) / sum(numbers)
    return values, mask


@examples(200)
@given(geometry=geometries(), method=st.sampled_from(["MAX", "AVE", "STOCHASTIC"]))
def test_executed_is_inferred_and_pooled(geometry: tuple[str, tuple[int, ...]], method: str) -> None:
    param, shape = geometry
    tops = 2 if method == "MAX" else 1
    try:
        found = layer(f"pool: {method} {param}", tops)
        outputs = found.infer([Shape(shape)])[0]
    except InputError:
        reject()
    x = drawn(shape) if method != "STOCHASTIC" else abs(drawn(shape)) + np.float32(0.01)
    before = x.copy()
    arrays = found.forward([x], [], Run())
    values, mask = plain(method, x, found, tuple(outputs))
    assert [a.shape for a in arrays] == [tuple(outputs)] * tops
    assert all(a.dtype == np.float32 for a in arrays)
    assert (x == before).all()
    np.testing.assert_allclose(arrays[0], values, rtol=1e-4, atol=1e-5)
    if method == "MAX":
        assert (arrays[1] == mask).all()
        (alone,) = layer(param).forward([x], [], Run())
        assert (alone == arrays[0]).all()


def test_the_mask_names_the_first_of_equal_values() -> None:
    x = np.zeros((1, 1, 3, 4), np.float32)
    _, mask = layer("kernel_h: 2 kernel_w: 2 stride_h: 1 stride_w: 2", tops=2).forward([x], [], Run())
    assert mask[0, 0].tolist() == [[0, 2], [4, 6]]


def test_a_maximum_passes_over_what_is_not_a_number() -> None:
    x = np.array([[[[np.nan, 2.0, np.nan, -np.inf]]]])
    assert run(layer("kernel_h: 1 kernel_w: 2 stride: 2"), x).tolist() == [[[[2.0, float(LOWEST)]]]]


def test_an_average_counts_padding_but_nothing_behind_it() -> None:
    ones = np.ones((1, 1, 5, 2))
    averages = run(layer("pool: AVE kernel_h: 4 kernel_w: 1 stride_h: 4 stride_w: 1 pad_h: 1 pad_w: 0"), ones)
    assert averages[0, 0, :, 0] == pytest.approx([3 / 4, 2 / 3])


def test_global_averages_and_maxima() -> None:
    x = drawn((2, 3, 9, 11))
    np.testing.assert_allclose(
        run(layer("pool: AVE global_pooling: true"), x)[..., 0, 0], x.mean(axis=(2, 3)), rtol=1e-4, atol=1e-6
    )
    assert (run(layer("global_pooling: true"), x)[..., 0, 0] == x.max(axis=(2, 3))).all()


def test_a_stochastic_pooling_weighs_values_by_themselves() -> None:
    x = [[[[1.0, 3.0, -2.0, 1.0]]]]
    found = layer("pool: STOCHASTIC kernel_h: 1 kernel_w: 2 stride: 2")
    assert run(found, x).tolist() == [[[[10 / 4, 0.0]]]]


def test_a_pyramid_joins_its_levels() -> None:
    found = pyramid("pyramid_height: 3")
    assert found.infer([Shape((2, 6, 9, 11))]) == [Shape((2, 6 * (1 + 4 + 16)))]


def test_a_pyramid_of_one_level_keeps_its_axes() -> None:
    assert pyramid("pyramid_height: 1").infer([X]) == [Shape((2, 6, 1, 1))]


@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_a_pyramid_is_poolings_side_by_side(method: str) -> None:
    x = drawn((2, 6, 9, 11))
    made = run(pyramid(f"pyramid_height: 2 pool: {method}"), x)
    whole = layer(f"pool: {method} kernel_h: 9 kernel_w: 11")
    quarters = layer(f"pool: {method} kernel_h: 5 kernel_w: 6 stride_h: 5 stride_w: 6 pad_h: 1 pad_w: 1")
    levels = [run(whole, x).reshape(2, 6), run(quarters, x).reshape(2, 24)]
    np.testing.assert_allclose(made, np.concatenate(levels, axis=1), rtol=1e-5)
    assert counted(pyramid(f"pyramid_height: 2 pool: {method}")) == counted(whole) + counted(quarters)


@pytest.mark.parametrize(
    ("param", "shape", "said"),
    [
        ("pyramid_height: 0", X, "pyramid_height 0 must be positive"),
        ("pyramid_height: 4294967295", (2, 6, 8, 8), "is too much for 2×6×8×8: pad 4 of a level"),
        ("pyramid_height: 2", (2, 6, 9), "needs 4 axes"),
        ("pyramid_height: 2", (2, 6, 0, 11), "with elements, not 2×6×0×11"),
        ("pyramid_height: 2 pool: STOCHASTIC", X, "needs padding, which is not for STOCHASTIC"),
    ],
)
def test_refused_pyramids(param: str, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError) as found:
        pyramid(param).infer([Shape(shape)])
    assert said in found.value.message


def test_a_stochastic_pyramid_without_padding_is_accepted() -> None:
    assert pyramid("pyramid_height: 2 pool: STOCHASTIC").infer([Shape((2, 6, 8, 12))]) == [Shape((2, 30))]


@examples(100)
@given(
    extents=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    height=st.integers(1, 4),
    method=st.sampled_from(["MAX", "AVE", "STOCHASTIC"]),
)
def test_a_pyramid_executes_what_is_inferred(extents: tuple[int, int], height: int, method: str) -> None:
    found = layer_of(f'type: "SPP" spp_param {{ pyramid_height: {height} pool: {method} }}')
    shape = Shape((2, 3, *extents))
    try:
        (top,) = found.infer([shape])
    except InputError:
        reject()
    (y,) = found.forward([np.ones(shape, np.float32)], [], Run())
    assert y.shape == tuple(top)
    assert y.dtype == np.float32
