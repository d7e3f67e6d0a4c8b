"""Pooling of regions: shapes, refusals, and values against plain loops."""

from __future__ import annotations

from itertools import product
from math import ceil, floor
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from netcount.layers.layer import Layer
from tests.helpers import layer_of

BOXES = np.array(
    [
        [0, 0, 0, 21, 17],
        [1, 5, 3, 14, 16],
        [1, 6.5, 2.5, 6.5, 2.5],
        [0, 12, 9, 4, 3],
        [0, -9, -4, 100, 60],
        [1, 40, 50, 60, 70],
    ],
    np.float32,
)


def roi_pooling(param: str = "pooled_h: 3 pooled_w: 2 spatial_scale: 0.5") -> Layer:
    return layer_of(f'type: "ROIPooling" roi_pooling_param {{ {param} }}', bottoms=2)


def psroi(param: str = "output_dim: 4 group_size: 3 spatial_scale: 0.5") -> Layer:
    return layer_of(f'type: "PSROIPooling" psroi_pooling_param {{ {param} }}', bottoms=2)


def roi_align(param: str = "pooled_h: 3 pooled_w: 2 spatial_scale: 0.5") -> Layer:
    return layer_of(f'type: "ROIAlign" roi_align_param {{ {param} }}', bottoms=2)


def drawn(channels: int) -> Any:
    return np.random.default_rng(channels).standard_normal((2, channels, 9, 11)).astype(np.float32)


def rounded(value: float) -> int:
    return floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def within(value: int, limit: int) -> int:
    return min(max(value, 0), limit)


def test_shapes() -> None:
    features, boxes = Shape((2, 36, 9, 11)), Shape((7, 5))
    assert roi_pooling().infer([features, boxes]) == [Shape((7, 36, 3, 2))]
    assert psroi().infer([features, boxes]) == [Shape((7, 4, 3, 3))]
    assert roi_align().infer([features, boxes]) == [Shape((7, 36, 3, 2))]
    assert roi_pooling().infer([features, Shape((7, 5, 1, 1))]) == [Shape((7, 36, 3, 2))]


def test_the_largest_of_each_bin() -> None:
    x = drawn(3)
    (y,) = roi_pooling().forward([x, BOXES], [], Run())
    expected = np.zeros((6, 3, 3, 2))
    for r, (image, *corners) in enumerate(BOXES.tolist()):
        x1, y1, x2, y2 = (rounded(corner * 0.5) for corner in corners)
        high, wide = max(y2 - y1 + 1, 1) / 3, max(x2 - x1 + 1, 1) / 2
        for i, j in product(range(3), range(2)):
            rows = slice(within(floor(i * high) + y1, 9), within(ceil((i + 1) * high) + y1, 9))
            columns = slice(within(floor(j * wide) + x1, 11), within(ceil((j + 1) * wide) + x1, 11))
            seen = x[int(image), :, rows, columns]
            if seen.size:
                expected[r, :, i, j] = seen.max(axis=(1, 2))
    assert (y == expected.astype(np.float32)).all()
    assert not y[5].any()


def test_the_mean_of_each_bin_of_its_own_channels() -> None:
    x = drawn(36)
    (y,) = psroi().forward([x, BOXES], [], Run())
    expected = np.zeros((6, 4, 3, 3))
    for r, (image, *corners) in enumerate(BOXES.tolist()):
        x1, y1, x2, y2 = (rounded(corner) for corner in corners)
        high, wide = max((y2 + 1 - y1) * 0.5, 0.1) / 3, max((x2 + 1 - x1) * 0.5, 0.1) / 3
        for d, i, j in product(range(4), range(3), range(3)):
            rows = slice(
                within(floor(i * high + y1 * 0.5), 9), within(ceil(np.float32((i + 1) * high + y1 * 0.5)), 9)
            )
            columns = slice(
                within(floor(j * wide + x1 * 0.5), 11), within(ceil(np.float32((j + 1) * wide + x1 * 0.5)), 11)
            )
            seen = x[int(image), (d * 3 + i) * 3 + j, rows, columns]
            if seen.size:
                expected[r, d, i, j] = seen.mean()
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_aligned_samples_of_a_plane_are_the_plane() -> None:
    """A linear function is its own bilinear interpolation: a bin has the value at its middle."""
    rows, columns = np.mgrid[0:9, 0:11].astype(np.float32)
    x = (2 * rows - 3 * columns)[None, None]
    (y,) = roi_align().forward([x, np.array([[0, 4, 2, 16, 14]], np.float32)], [], Run())
    middles = [[2 * (1 + (i + 0.5) * 2) - 3 * (2 + (j + 0.5) * 3) for j in range(2)] for i in range(3)]
    np.testing.assert_allclose(y[0, 0], middles, rtol=1e-5)


@pytest.mark.parametrize(
    ("made", "shapes", "said"),
    [
        (roi_pooling, [(2, 36, 9), (7, 5)], 'bottom 0 "b0" 2×36×9 must be N×C×H×W'),
        (roi_pooling, [(2, 36, 9, 11), (7, 4)], 'bottom 1 "b1" 7×4 must be R×5'),
        (psroi, [(2, 35, 9, 11), (7, 5)], "must have output_dim·group_size² = 36 channels"),
    ],
)
def test_refused_bottoms(made: Any, shapes: list[tuple[int, ...]], said: str) -> None:
    with pytest.raises(InputError) as found:
        made().infer([Shape(shape) for shape in shapes])
    assert said in found.value.message


@pytest.mark.parametrize(
    ("made", "param", "said"),
    [
        (roi_pooling, "pooled_w: 3", "pooled_h 0 must be positive"),
        (roi_pooling, "pooled_h: 3", "pooled_w 0 must be positive"),
        (roi_align, "pooled_h: 3", "pooled_w 0 must be positive"),
        (psroi, "group_size: 3", "output_dim 0 must be positive"),
        (psroi, "output_dim: 3 group_size: -2", "group_size -2 must be positive"),
    ],
)
def test_refused_numbers(made: Any, param: str, said: str) -> None:
    with pytest.raises(InputError) as found:
        made(param)
    assert said in found.value.message


@pytest.mark.parametrize("made", [roi_pooling, psroi, roi_align])
def test_a_box_in_no_image_is_refused(made: Any) -> None:
    box = np.array([[2, 0, 0, 5, 5]], np.float32)
    with pytest.raises(InputError, match="image 2 of a batch of 2"):
        made().forward([drawn(36), box], [], Run())


@pytest.mark.parametrize("made", [roi_pooling, psroi, roi_align])
def test_no_boxes_give_no_regions(made: Any) -> None:
    (y,) = made().forward([drawn(36), np.zeros((0, 5), np.float32)], [], Run())
    assert len(y) == 0


def test_counts_are_a_bound_that_grows_with_boxes() -> None:
    features = Shape((1, 36, 9, 11))
    for made in (roi_pooling(), psroi(), roi_align()):
        once, twice = (
            made.ops([features, boxes], made.infer([features, boxes])) for boxes in (Shape((3, 5)), Shape((6, 5)))
        )
        assert twice == once + once
        assert once.madds == 0
        assert once.others > 0
