from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of


def prior(
    param: str, features: tuple[int, ...] = (1, 3, 2, 3), image: tuple[int, ...] | None = (1, 3, 20, 30)
) -> Any:
    shapes = [features] if image is None else [features, image]
    layer = layer_of(f'type: "PriorBox" prior_box_param {{ {param} }}', len(shapes))
    (top,) = layer.forward([np.zeros(shape, dtype=np.float32) for shape in shapes], [], Run())
    assert [top.shape] == layer.infer([Shape(shape) for shape in shapes])
    assert top.dtype == np.float32
    return top[0].reshape(2, -1, 4)


def test_a_box_stands_around_the_centre_of_each_cell() -> None:
    boxes, variances = prior("min_size: 4")
    assert len(boxes) == 2 * 3
    np.testing.assert_allclose(boxes[0], [3 / 30, 3 / 20, 7 / 30, 7 / 20], rtol=1e-6)
    np.testing.assert_allclose(boxes[1], [13 / 30, 3 / 20, 17 / 30, 7 / 20], rtol=1e-6)
    np.testing.assert_allclose(boxes[3], [3 / 30, 13 / 20, 7 / 30, 17 / 20], rtol=1e-6)
    np.testing.assert_allclose(variances, 0.1)


def test_the_boxes_of_a_cell_come_by_size_mean_and_ratio() -> None:
    param = "min_size: 4 min_size: 8 max_size: 9 max_size: 18 aspect_ratio: 4 aspect_ratio: 0.25 aspect_ratio: 4"
    boxes, _ = prior(param + " img_w: 100 img_h: 50", features=(1, 3, 1, 1))
    sides = (boxes[:, 2:] - boxes[:, :2]) * [100, 50]
    ratio = [(8, 2), (2, 8)]  # 4 and, by flip, 1/4, which is then no new one
    expected = [(4, 4), (6, 6), *ratio, (8, 8), (12, 12), *[(2 * w, 2 * h) for w, h in ratio]]
    np.testing.assert_allclose(sides, expected, rtol=1e-5)


def test_without_flip_a_ratio_stands_alone() -> None:
    assert len(prior("min_size: 4 aspect_ratio: 2 aspect_ratio: 3 flip: false")[0]) == 6 * 3
    assert len(prior("min_size: 4 aspect_ratio: 2 aspect_ratio: 3")[0]) == 6 * 5


def test_step_and_offset_place_the_centres() -> None:
    boxes, _ = prior("min_size: 2 step_h: 7 step_w: 5 offset: 0.25")
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 * [30, 20]
    np.testing.assert_allclose(centres[4], [(1 + 0.25) * 5, (1 + 0.25) * 7], rtol=1e-5)


def test_sizes_lose_their_fraction_as_in_caffe() -> None:
    boxes, _ = prior("min_size: 4.9", features=(1, 3, 1, 1))
    np.testing.assert_allclose((boxes[0, 2:] - boxes[0, :2]) * [30, 20], 4, rtol=1e-5)


def test_clipping_keeps_boxes_inside_the_image() -> None:
    wide, _ = prior("min_size: 40")
    clipped, _ = prior("min_size: 40 clip: true")
    assert wide.min() < 0
    assert wide.max() > 1
    np.testing.assert_allclose(clipped, np.clip(wide, 0, 1))


def test_four_variances_go_round() -> None:
    _, variances = prior("min_size: 4 variance: 0.1 variance: 0.2 variance: 0.3 variance: 0.4")
    np.testing.assert_allclose(variances, np.tile([0.1, 0.2, 0.3, 0.4], (6, 1)), rtol=1e-6)


def test_the_image_is_asked_for_only_where_its_size_is_not_told() -> None:
    told, _ = prior("min_size: 4 img_h: 20 img_w: 30", image=None)
    shown, _ = prior("min_size: 4")
    np.testing.assert_array_equal(told, shown)
    with pytest.raises(InputError, match="second bottom"):
        prior("min_size: 4", image=None)


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("", "min_size"),
        ("min_size: 0", "min_size"),
        ("min_size: 4 max_size: 4", "max_size 4 must be greater than min_size 4"),
        ("min_size: 4 min_size: 8 max_size: 9", "1 max_size for 2 min_size"),
        ("min_size: 4 variance: 0.1 variance: 0.2", "variance"),
        ("min_size: 4 variance: -1", "variance"),
        ("min_size: 4 img_size: 9 img_h: 9", "exclude each other"),
        ("min_size: 4 img_h: 9", "both be positive"),
        ("min_size: 4 step: 0", "step must be positive"),
        ("min_size: 4 step: 4 step_w: 4", "exclude each other"),
    ],
)
def test_what_caffe_refuses_is_refused(param: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        layer_of(f'type: "PriorBox" prior_box_param {{ {param} }}', 2)


def test_an_empty_map_has_no_boxes() -> None:
    layer = layer_of('type: "PriorBox" prior_box_param { min_size: 4 }', 2)
    with pytest.raises(InputError, match="has no position"):
        layer.infer([Shape((1, 3, 0, 4)), Shape((1, 3, 8, 8))])
    assert layer.infer([Shape((2, 3)), Shape((1, 3, 8, 8))]) == [(1, 2, 4)]


def test_the_sides_of_boxes_are_counted_at_every_position() -> None:
    layer = layer_of('type: "PriorBox" prior_box_param { min_size: 4 max_size: 8 aspect_ratio: 2 clip: true }', 2)
    bottoms = [Shape((1, 3, 2, 3)), Shape((1, 3, 20, 30))]
    corners = 2 * 3 * 4 * 4
    found = layer.ops(bottoms, layer.infer(bottoms))
    assert found == OpCount(
        adds=corners + 12, muls=6 * (2 + 3), divs=2 * corners + 12, compares=2 * corners + 18, exps=6 * 5
    )


def test_clustered_boxes_have_the_given_sides() -> None:
    text = 'type: "PriorBoxClustered" prior_box_param { width: 4.5 height: 6 width: 9 height: 3 }'
    layer = layer_of(text, 2)
    bottoms = [np.zeros((1, 3, 2, 5), dtype=np.float32), np.zeros((1, 3, 20, 30), dtype=np.float32)]
    (top,) = layer.forward(bottoms, [], Run())
    assert [top.shape] == layer.infer([Shape(b.shape) for b in bottoms])
    boxes = top[0, 0].reshape(2, 5, 2, 4)
    sides = (boxes[..., 2:] - boxes[..., :2]) * [30, 20]
    np.testing.assert_allclose(sides[1, 4], [[4.5, 6], [9, 3]], rtol=1e-5)
    with pytest.raises(InputError, match="2 width and 1 height"):
        layer_of('type: "PriorBoxClustered" prior_box_param { width: 4 width: 5 height: 6 }', 2)
    with pytest.raises(InputError, match="height -1 must be positive"):
        layer_of('type: "PriorBoxClustered" prior_box_param { width: 4 height: -1 }', 2)


def test_denser_boxes_stand_a_second_time_at_the_lower_end() -> None:
    boxes, _ = prior("min_size: 4 aspect_ratio: 4 flip: false denser_prior_boxes: true")
    assert len(boxes) == 6 * 2 * 2
    np.testing.assert_allclose(boxes[4 + 0], [13 / 30, 3 / 20, 17 / 30, 7 / 20], rtol=1e-6)
    np.testing.assert_allclose(boxes[4 + 1], [13 / 30, 8 / 20, 17 / 30, 12 / 20], rtol=1e-6)
    np.testing.assert_allclose(boxes[4 + 3], [11 / 30, 9 / 20, 19 / 30, 11 / 20], rtol=1e-6)


def test_a_density_spreads_boxes_over_their_size() -> None:
    text = "fixed_size: 8 fixed_size: 5 density: 2 density: 1 img_size: 40"
    boxes, _ = prior(text, features=(1, 3, 2, 3), image=None)
    assert len(boxes) == 6 * (4 + 1)
    # the centre of cell (1, 1) is (1.5·40/3, 1.5·40/2); 8/2 apart, from 4 before it on
    middle_x, middle_y = 20.0, 30.0
    for index, (down, right) in enumerate([(-2, -2), (-2, 2), (2, -2), (2, 2)]):
        x, y = middle_x + right, middle_y + down
        expected = np.array([x - 4, y - 4, x + 4, y + 4]) / 40
        np.testing.assert_allclose(boxes[4 * 5 + index], expected, rtol=1e-5)
    x, y = middle_x - 2 + 2.5, middle_y - 2 + 2.5
    np.testing.assert_allclose(boxes[4 * 5 + 4], np.array([x - 2.5, y - 2.5, x + 2.5, y + 2.5]) / 40, rtol=1e-5)


def test_a_density_counts_each_ratio() -> None:
    shapes = [Shape((1, 3, 2, 3))]
    for rest, boxes in (("aspect_ratio: 4", 3 * 9), ("fixed_ratio: 4", 9), ("aspect_ratio: 4 flip: false", 2 * 9)):
        layer = layer_of(f'type: "PriorBox" prior_box_param {{ fixed_size: 9 density: 3 {rest} }}', 1)
        assert layer.infer(shapes) == [(1, 2, 6 * boxes * 4)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fixed_size: 9", "as many positive density as fixed_size"),
        ("fixed_size: 9 density: 0", "as many positive density"),
        ("fixed_size: 9 density: 2 min_size: 4", "together are not known"),
        ("fixed_size: 9 density: 2 fixed_ratio: 1 fixed_ratio: 2", "takes one fixed_ratio"),
        ("fixed_size: 9 density: 2 fixed_ratio: -1", "fixed_ratio must be positive"),
    ],
)
def test_what_densities_ask_for(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(f'type: "PriorBox" prior_box_param {{ {text} }}', 1)
