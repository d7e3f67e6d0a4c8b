"""Boxes of MS-CNN and Cascade R-CNN: decoded, selected and suppressed as their sources say."""

from __future__ import annotations

from math import exp, log
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from netcount.layers.detection._box_output import suppressed_by
from tests.helpers import layer_of

BRANCH = "field_w: 40 field_h: 30 downsample_rate: 8"


def box_output(rest: str = "", branches: int = 1, tops: int = 2) -> Any:
    return layer_of(f'type: "BoxOutput" box_output_param {{ {BRANCH * branches} {rest} }}', branches, tops)


def run(layer: Any, *bottoms: Any) -> list[Any]:
    tops: list[Any] = layer.forward([np.asarray(bottom, dtype=np.float32) for bottom in bottoms], [], Run())
    return tops


def cells(values: dict[tuple[int, int], list[float]]) -> Any:
    """One image 1×7×3×4 of three classes: what the cells hold, background everywhere else."""
    x = np.zeros((1, 7, 3, 4), dtype=np.float32)
    x[:, 0] = 5
    for place, value in values.items():
        x[(0, slice(None), *place)] = value
    return x


def test_a_position_is_a_box_where_a_class_beats_the_background() -> None:
    rois, scored = run(box_output("fg_thr: 1 min_size: 2"), cells({(1, 2): [1, 2.5, 0, 0.1, -0.2, 0.3, -0.1]}))
    wide, high = 40 * exp(0.3), 30 * exp(-0.1)
    x, y = 0.1 * 40 + 2.5 * 8 - wide / 2, -0.2 * 30 + 1.5 * 8 - high / 2
    left, top = max(x, 0), max(y, 0)
    box = [0, left, top, left + min(wide, 32 - left), top + min(high, 24 - top)]
    np.testing.assert_allclose(rois.reshape(-1, 5), [box], rtol=1e-5)
    np.testing.assert_allclose(scored.reshape(-1, 6), [[*box, 1.5]], rtol=1e-5)


def test_predictions_are_bounded_and_put_back_to_their_scale() -> None:
    text = f"box_output_param {{ {BRANCH} field_xyr: 4 field_whr: 1.5 min_size: 1 }}"
    coding = "bbox_reg_param { bbox_mean: [0, 0, 0, 0.1] bbox_std: [2, 1, 1, 1] }"
    layer = layer_of(f'type: "BoxOutput" {text} {coding}', 1, 1)
    (rois,) = run(layer, cells({(1, 1): [0, 1, 0, 9, -9, 9, 0.2]}))
    wide, high = 40 * exp(log(1.5)), 30 * exp(0.3)
    x, y = 40 / 4 + 1.5 * 8 - wide / 2, -30 / 4 + 1.5 * 8 - high / 2
    left, top = max(x, 0), max(y, 0)
    box = [0, left, top, left + min(wide, 32 - left), top + min(high, 24 - top)]
    np.testing.assert_allclose(rois.reshape(-1, 5), [box], rtol=1e-5)


def test_of_boxes_that_overlap_the_surest_stays() -> None:
    same = {(1, 1): [0, 2, 0, 0, 0, 0, 0], (1, 2): [0, 3, 0, -8 / 40, 0, 0, 0], (0, 3): [0, 1, 0, 0, 0, -1, -1]}
    _, scored = run(box_output("iou_thr: 0.5 min_size: 1 field_whr: 4"), cells(same))
    assert scored.reshape(-1, 6)[:, 5].tolist() == [3, 1]


def test_without_a_box_one_fixed_box_stands() -> None:
    rois, scored = run(box_output("fg_thr: 99"), cells({}))
    assert rois.reshape(-1).tolist() == [0, 1, 1, 10, 10]
    assert not scored.any()
    assert scored.shape == (1, 6, 1, 1)


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("IOU", [0, 1]), ("IOMU", [0]), ("IOFU", [0, 1])],
)
def test_the_shared_part_is_held_against_what_the_mode_says(mode: str, kept: list[int]) -> None:
    large, small = [0, 0, 10, 10], [0, 0, 10, 4]  # 40 shared: 0.4 of both, all of the smaller, 0.4 of the first
    assert suppressed_by(mode, np.array([large, small], dtype=np.float32), 0.5, 0) == kept


def test_how_many_boxes_there_can_be() -> None:
    shapes = [Shape((2, 7, 3, 4))]
    assert box_output("max_post_nms_num: 9 max_nms_num: 50").infer(shapes) == [(18, 5, 1, 1), (18, 6, 1, 1)]
    assert box_output("max_nms_num: 50", tops=1).infer(shapes) == [(100, 5, 1, 1)]
    plain = box_output()
    assert plain.infer(shapes) == [(1, 5, 1, 1), (1, 6, 1, 1)]
    assert "Caffe sets up one" in plain.data_dependent(shapes)
    assert plain.ops(shapes, [Shape((1, 5, 1, 1))]) == OpCount(
        adds=16 * 24, muls=12 * 24, divs=2 * 24, compares=18 * 24, exps=2 * 24
    )
    with pytest.raises(InputError, match="1 field_w for 2 bottoms"):
        run(layer_of(f'type: "BoxOutput" box_output_param {{ {BRANCH} }}', 2), cells({}), cells({}))
    with pytest.raises(InputError, match="3 bbox_mean; give four"):
        layer_of('type: "BoxOutput" bbox_reg_param { bbox_mean: [1, 2, 3] bbox_std: [1, 1, 1, 1] }')


GROUPS = "box_group_param { field_w: 40 field_h: 30 field_w: 20 field_h: 60 stride: 8 }"


def test_a_group_has_a_box_of_each_field_at_each_position() -> None:
    layer = layer_of(
        f'type: "BoxGroupOutput" box_group_output_param {{ fg_thr: 0.5 min_size: 1 iou_thr: 0.9 {GROUPS} }}', 2, 2
    )
    sure, values = np.ones((2, 3, 4, 5), dtype=np.float32), np.zeros((2, 4, 4, 5), dtype=np.float32)
    sure[0, 0, 2, 3], sure[1, 0, 1, 1] = 0.2, 0.4
    values[1, :, 1, 1] = [0.1, 0.2, -0.3, 0]
    shapes = [Shape(sure.shape), Shape(values.shape)]
    assert layer.infer(shapes) == [(1, 5, 1, 1), (1, 6, 1, 1)]
    _, scored = run(layer, sure, values)
    x, y, wide, high = 0.1 * 20 + 12, 0.2 * 60 + 12, 20 * exp(-0.3), 60.0
    second = [0, x - wide / 2, max(0, y - high / 2), x + wide / 2 - 1, min(32, y + high / 2 - 1), 0.6]
    first = [0, 28 - 20, 20 - 15, 28 + 20 - 1, 32, 0.8]
    first[3] = min(first[3], 40)
    np.testing.assert_allclose(scored.reshape(-1, 6), [first, second], rtol=1e-5)


def test_the_bottoms_of_a_group_belong_together() -> None:
    text = f'type: "BoxGroupOutput" box_group_output_param {{ {GROUPS} }}'
    layer = layer_of(text, 2)
    assert layer.infer([Shape((4, 3, 5, 6)), Shape((4, 4, 5, 6))]) == [(1, 5, 1, 1)]
    with pytest.raises(InputError, match=r"must be 4×4×5×6"):
        layer.infer([Shape((4, 3, 5, 6)), Shape((4, 4, 5, 7))])
    with pytest.raises(InputError, match="3 bottoms for 1 box_group_param"):
        layer_of(text, 3)
    with pytest.raises(InputError, match="0 field_w and 0 field_h"):
        layer_of('type: "BoxGroupOutput" box_group_output_param { box_group_param { stride: 8 } }', 2)


def test_regions_are_moved_by_the_prediction_of_objects() -> None:
    layer = layer_of(
        'type: "DecodeBBox" bbox_reg_param { bbox_mean: [0, 0, 0, 0.1] bbox_std: [0.1, 0.2, 1, 1] }', 2
    )
    values = [[9, 9, 9, 9, 1, -1, 0.5, 0], [0] * 8]
    regions = np.array([[0, 10, 20, 29, 59], [1, 0, 0, 9, 19]], dtype=np.float32).reshape(2, 5, 1, 1)
    assert layer.infer([Shape((2, 8)), Shape((2, 5, 1, 1))]) == [(2, 5, 1, 1)]
    (moved,) = run(layer, values, regions)
    cx, cy, wide, high = 0.1 * 20 + 19.5, -0.2 * 40 + 39.5, 20 * exp(0.5), 40 * exp(0.1)
    half_w, half_h = (wide - 1) / 2, (high - 1) / 2
    rows = moved.reshape(-1, 5)
    np.testing.assert_allclose(rows[0], [0, cx - half_w, cy - half_h, cx + half_w, cy + half_h], rtol=1e-5)
    np.testing.assert_allclose(rows[1][[0, 1, 3]], [1, 0, 9], atol=1e-5)


def test_in_training_boxes_that_are_the_truth_nearly_are_left_out() -> None:
    layer = layer_of('type: "DecodeBBox" decode_bbox_param { gt_iou_thr: 0.9 }', 3, 1, "TRAIN")
    regions = [[0, 0, 0, 9, 9], [0, 5, 5, 14, 14], [0, 1, 1, 8, 8]]
    truth = [[1, 0, 0, 9, 9, 0.95], [1, 5, 5, 14, 14, 0.3], [0] * 6]
    arrays = [np.asarray(a, dtype=np.float32) for a in (np.zeros((3, 8)), regions, truth)]
    (kept,) = layer.forward(arrays, [], Run(phase="TRAIN"))
    np.testing.assert_allclose(kept, regions[1:])
    assert layer.data_dependent([Shape(a.shape) for a in arrays]) is not None
    with pytest.raises(InputError, match="takes a truth in TRAIN only"):
        layer_of('type: "DecodeBBox"', 3)
    with pytest.raises(InputError, match="must hold 8 values per box"):
        layer.infer([Shape((3, 4)), Shape((3, 5)), Shape((3, 6))])
    with pytest.raises(InputError, match="differ in boxes"):
        layer.infer([Shape((3, 8)), Shape((4, 5)), Shape((3, 6))])
    with pytest.raises(InputError, match="bbox_std 0 must be positive"):
        layer_of('type: "DecodeBBox" bbox_reg_param { bbox_mean: [0, 0, 0, 0] bbox_std: [1, 0, 1, 1] }', 2)
