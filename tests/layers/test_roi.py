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
        (roi_pooling, [(2, 36, 9, 1, 1), (7, 5)], 'bottom 0 "b0" 2×36×9×1×1 has more than the 4 axes'),
        (roi_pooling, [(2, 36, 9, 11), (7, 5, 1, 1, 1)], "has more than the 4 axes"),
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


@pytest.mark.parametrize("made", [roi_pooling, psroi, roi_align])
def test_boxes_are_looked_at_when_the_layer_runs(made: Any) -> None:
    """Caffe's set-up takes the number of boxes and nothing else."""
    assert made().infer([Shape((1, 36, 9, 11)), Shape((1, 4, 1, 1))])[0][0] == 1
    assert made().infer([Shape((1, 36)), Shape()])[0][0] == 1
    with pytest.raises(InputError, match=r"7×4 holds no boxes R×5"):
        made().forward([drawn(36), np.zeros((7, 4), np.float32)], [], Run())
    with pytest.raises(InputError, match="holds no boxes"):
        made().forward([drawn(36), np.float32(3)], [], Run())


def test_a_padded_box_is_larger_by_a_part_of_its_sides() -> None:
    x = drawn(3)
    box = np.array([[1, 6, 4, 13, 9]], np.float32)  # 8 wide, 6 high
    larger = np.array([[1, 4, 2.5, 15, 10.5]], np.float32)
    padded = roi_pooling("pooled_h: 3 pooled_w: 2 spatial_scale: 0.5 pad_ratio: 0.25")
    (one,), (other,) = padded.forward([x, box], [], Run()), roi_pooling().forward([x, larger], [], Run())
    np.testing.assert_array_equal(one, other)
    shapes = [Shape((2, 3, 9, 11)), Shape((5, 5))]
    tops = padded.infer(shapes)
    more = padded.ops(shapes, tops)
    assert (more.adds, more.muls - roi_pooling().ops(shapes, tops).muls) == (40, 10)


def roi_warping(param: str = "pooled_h: 3 pooled_w: 2 spatial_scale: 0.5") -> Layer:
    return layer_of(f'type: "ROIWarping" roi_warping_param {{ {param} }}', bottoms=2)


def at(plane: Any, y: float, x: float) -> float:
    """A bilinear value of H×W, clamped to it."""
    high, wide = plane.shape
    y, x = min(max(y, 0), high - 1), min(max(x, 0), wide - 1)
    i, j = int(y), int(x)
    k, m = min(i + 1, high - 1), min(j + 1, wide - 1)
    upper = plane[i, j] * (1 - x + j) + plane[i, m] * (x - j)
    lower = plane[k, j] * (1 - x + j) + plane[k, m] * (x - j)
    return float(upper * (1 - y + i) + lower * (y - i))


def test_a_warped_bin_is_one_sample_at_its_corner() -> None:
    x = drawn(3)
    (y,) = roi_warping().forward([x, BOXES], [], Run())
    for r, (image, *corners) in enumerate(BOXES.tolist()):
        x1, y1, x2, y2 = (rounded(corner * 0.5) for corner in corners)
        for i, j in product(range(3), range(2)):
            row, column = y1 + i * max(y2 - y1, 0) / 3, x1 + j * max(x2 - x1, 0) / 2
            inside = -0.5 <= row <= 8.5 and -0.5 <= column <= 10.5
            for c in range(3):
                expected = at(x[int(image), c], row, column) if inside else 0
                assert y[r, c, i, j] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert roi_warping().infer([Shape(x.shape), Shape((7, 5))]) == [(7, 3, 3, 2)]
    with pytest.raises(InputError, match="pooled_w 0 must be positive"):
        roi_warping("pooled_h: 3")


def deformable(param: str = "", bottoms: int = 3) -> Layer:
    own = "spatial_scale: 0.5 output_dim: 6 group_size: 2 sample_per_part: 3"
    return layer_of(f'type: "DeformablePSROIPooling" deformable_psroi_pooling_param {{ {own} {param} }}', bottoms)


def test_samples_of_a_deformable_bin_move_by_an_offset_of_its_class() -> None:
    x, part, classes = drawn(24), 2, 3
    moves = np.linspace(-1, 1, len(BOXES) * 2 * classes * part * part, dtype=np.float32)
    moves = moves.reshape(len(BOXES), 2 * classes, part, part)
    layer = deformable("part_size: 2 trans_std: 0.3")
    assert layer.infer([Shape(x.shape), Shape(BOXES.shape), Shape(moves.shape)]) == [(len(BOXES), 6, 2, 2)]
    (y,) = layer.forward([x, BOXES, moves], [], Run())
    for r, (image, *corners) in enumerate(BOXES.tolist()):
        x1, y1 = (rounded(corner) * 0.5 - 0.5 for corner in corners[:2])
        wide, high = (
            max((rounded(end) + 1) * 0.5 - 0.5 - start, 0.1)
            for end, start in zip(corners[2:], (x1, y1), strict=True)
        )
        for d, i, j in product(range(6), range(2), range(2)):
            right, down = moves[r, 2 * (d // 2), i, j] * 0.3, moves[r, 2 * (d // 2) + 1, i, j] * 0.3
            seen = []
            for m, n in product(range(3), range(3)):
                row = y1 + i * high / 2 + down * high + m * high / 6
                column = x1 + j * wide / 2 + right * wide + n * wide / 6
                if -0.5 <= row <= 8.5 and -0.5 <= column <= 10.5:
                    seen.append(at(x[int(image), (d * 2 + i) * 2 + j], row, column))
            assert y[r, d, i, j] == pytest.approx(np.mean(seen) if seen else 0, rel=1e-3, abs=1e-4)


def test_offsets_are_a_bottom_or_are_none() -> None:
    x = drawn(24)
    (fixed,) = deformable("no_trans: true", 2).forward([x, BOXES], [], Run())
    zeros = np.zeros((len(BOXES), 2, 2, 2), np.float32)
    (moved,) = deformable("part_size: 2 trans_std: 0.3").forward([x, BOXES, zeros], [], Run())
    np.testing.assert_allclose(fixed, moved, rtol=1e-5)
    with pytest.raises(InputError, match="needs offsets as a third bottom, or no_trans"):
        deformable(bottoms=2)
    with pytest.raises(InputError, match="must be R×2K×part_size×part_size"):
        deformable("part_size: 3").forward([x, BOXES, zeros], [], Run())
    with pytest.raises(InputError, match="output_dim·group_size² = 24 channels"):
        deformable().infer([Shape((1, 23, 9, 11)), Shape((1, 5)), Shape((1, 2, 2, 2))])


def test_a_mask_is_the_same_in_every_channel() -> None:
    layer = layer_of('type: "MaskPooling"', 2)
    x, mask = drawn(3), drawn(1)
    (y,) = layer.forward([x, mask], [], Run())
    np.testing.assert_array_equal(y, x * mask)
    assert layer.ops([Shape(x.shape), Shape(mask.shape)], [Shape(x.shape)]).muls == x.size
    with pytest.raises(InputError, match="differ in boxes, height or width"):
        layer.infer([Shape((2, 3, 9, 11)), Shape((3, 1, 9, 11))])
