"""The layers of Cascade R-CNN: branches over several fields, routes to a pyramid, detections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from netcount.layers.layer import Layer
from tests.helpers import layer_of, net_of


def shapes(*extents: tuple[int, ...]) -> list[Shape]:
    return [Shape(extent) for extent in extents]


def run(layer: Layer, *bottoms: Any) -> list[Any]:
    tops: list[Any] = layer.forward([np.array(bottom, dtype=np.float32) for bottom in bottoms], [], Run())
    return tops


DATA = 'layer { name: "data" type: "DetectionData" top: "data" %s detection_data_param { batch_size: 2 %s } }'
BRANCHES = "stride: 8 stride: 16 field_w: 40 field_w: 80 field_h: 30 field_h: 60"


@pytest.mark.parametrize(
    ("size", "extent", "cells"),
    [
        ("short_size: 100 long_size: 140", (140, 100), ((18, 13), (9, 6))),  # 17.5, 12.5, 8.75, 6.25
        ("resize_width: 100 resize_height: 140", (140, 100), ((18, 13), (9, 6))),
        ("short_size: 300 long_size: 400 crop_width: 64 crop_height: 32", (32, 64), ((4, 8), (2, 4))),
        ("resize_ratio: 2 crop_short_size: 64 crop_long_size: 96", (96, 64), ((12, 8), (6, 4))),
    ],
)
def test_images_and_the_truth_of_each_branch(
    size: str, extent: tuple[int, int], cells: tuple[tuple[int, int], ...]
) -> None:
    text = DATA % ('top: "a" top: "b" top: "boxes"', f"{size} output_gt_boxes: true {BRANCHES}")
    net = net_of(text)
    found = [blob.shape for blob in net.nodes[0].tops]
    assert found == [(2, 3, *extent), (2, 6, *cells[0]), (2, 6, *cells[1]), (1, 8, 1, 1)]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("resize_ratio: 2 short_size: 3 long_size: 4", "resize_ratio takes the place of another size"),
        ("short_size: 3 long_size: 4 resize_width: 3 resize_height: 4", "exclude each other"),
        (
            "crop_width: 3 crop_height: 4 crop_short_size: 3 crop_long_size: 4",
            "crop_height and crop_long_size exclude each other",
        ),
        ("stride: 4", "2 field_h for 3 stride"),
    ],
)
def test_sizes_that_cascade_r_cnn_refuses(size: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        net_of(DATA % ('top: "a" top: "b"', f"{BRANCHES} {size}")).analyze()


def test_images_for_a_test_come_with_boxes_and_sizes() -> None:
    tops = 'top: "data" top: "boxes" top: "size"'
    text = f'layer {{ name: "data" type: "EvalData" {tops} eval_data_param {{ batch_size: %s }} }}'
    found = net_of(text % "1 short_size: 64 long_size: 96").nodes[0].tops
    assert [blob.shape for blob in found] == [(1, 3, 96, 64), (1, 8, 1, 1), (1, 2, 1, 1)]
    found = net_of(text % "4 resize_width: 64 resize_height: 96").nodes[0].tops
    assert [blob.shape for blob in found] == [(4, 3, 96, 64), (1, 8, 1, 1), (4, 2, 1, 1)]
    given = net_of(text % "1", input_shapes={"data": (1, 4, 32, 64)}).nodes[0].tops
    assert [blob.shape for blob in given] == [(1, 4, 32, 64), (1, 8, 1, 1), (1, 2, 1, 1)]
    with pytest.raises(InputError, match="needs a batch_size of 1, or resize_height and resize_width"):
        net_of(text % "2 short_size: 64 long_size: 96")


ROUTE = 'type: "ScaleRoute" scale_route_param { %s }'
REGIONS = [[0, 0, 0, 9, 9], [0, 0, 0, 19, 19], [0, 5, 5, 24, 84], [0, 3, 3, 2, 9]]
"""Of scales 10, 20, 40 and 0: the last one is turned inside out."""


def test_regions_go_where_their_scale_belongs() -> None:
    layer = layer_of(ROUTE % "low_scale: 10 high_scale: 40", 2, 2)
    values = np.arange(8).reshape(4, 2)
    regions, others = run(layer, REGIONS, values)
    assert regions.tolist() == [[[[v]] for v in row] for row in REGIONS[:2]]
    assert others.reshape(2, 2).tolist() == [[0, 1], [2, 3]]
    assert run(layer_of(ROUTE % "low_scale: 40", 1, 1), REGIONS)[0][:, 1:3].reshape(-1, 2).tolist() == [[5, 5]]
    assert len(run(layer_of(ROUTE % "", 1, 1), REGIONS)[0]) == 4


@pytest.mark.parametrize(
    ("range_of_scales", "nearest"),
    [
        ("low_scale: 60 high_scale: 70", 2),
        ("low_scale: 12 high_scale: 19", 1),
        ("low_scale: 11 high_scale: 12", 0),
    ],
)
def test_where_no_region_fits_the_nearest_is_taken(range_of_scales: str, nearest: int) -> None:
    """By the ratio to the middle, √(12·19) = 15.1: 20 is nearer to it than 10."""
    (found,) = run(layer_of(ROUTE % range_of_scales, 1, 1), REGIONS)
    assert found.reshape(-1, 5).tolist() == [REGIONS[nearest]]


def test_a_route_is_set_up_with_one_row() -> None:
    layer = layer_of(ROUTE % "low_scale: 10 high_scale: 40", 2, 2)
    found = layer.infer(shapes((9, 5), (9, 6, 3, 2)))
    assert found == [(1, 5, 1, 1), (1, 6, 3, 2)]
    assert layer.data_dependent(shapes((9, 5))) == "one row a region of these scales, at most 9; Caffe sets up one"
    assert layer.ops(shapes((9, 5)), found) == OpCount(adds=36, muls=9, divs=9, compares=54, exps=18)
    with pytest.raises(InputError, match="must hold 5 values per region"):
        layer.infer(shapes((9, 4), (9, 6)))
    with pytest.raises(InputError, match="must have a row for each of the 9 regions"):
        layer.infer(shapes((9, 5), (8, 6)))


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("low_scale: 0", "low_scale 0 must be positive"),
        ("low_scale: 9 high_scale: 8", "high_scale 8 must be positive and not below low_scale"),
        ("high_scale: 0", "high_scale 0 must be positive"),
    ],
)
def test_ranges_that_hold_no_scale(param: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(ROUTE % param, 1, 1)


MINING = 'type: "HardMining" hard_mining_param { num_image: 2 num_roi_per_image: %d }'


def test_the_hardest_of_each_image_are_kept_in_their_order() -> None:
    owners = [[image, 0, 0, 9, 9] for image in (0, 1, 0, 0, 1, 0)]
    scores = [1, 9, 4, 3, 2, 8]
    regions, labels = run(layer_of(MINING % 2, 3, 2), scores, owners, np.arange(6))
    assert labels.reshape(-1).tolist() == [1, 2, 4, 5]
    assert regions[:, 0].reshape(-1).tolist() == [1, 0, 1, 0]
    assert run(layer_of(MINING % 2, 3, 2), scores, owners, np.arange(6))[1].shape == (4, 1, 1, 1)


def test_an_image_with_few_regions_leaves_room_for_others() -> None:
    owners = [[image, 0, 0, 9, 9] for image in (0, 0, 0, 1, 0)]
    _, labels = run(layer_of(MINING % 2, 3, 2), [5, 4, 3, 1, 2], owners, np.arange(5))
    assert labels.reshape(-1).tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match="a region's image is not one of the 2"):
        run(layer_of(MINING % 2, 2, 1), [1], [[2, 0, 0, 9, 9]])


def test_what_is_mined_are_rows_of_as_many_regions() -> None:
    layer = layer_of(MINING % 4, 3, 2)
    found = layer.infer(shapes((9, 1), (9, 5), (9, 6, 3, 2)))
    assert found == [(8, 5, 1, 1), (8, 6, 3, 2)]
    assert layer.infer(shapes((5,), (5, 5), (5, 6, 3, 2))) == [(5, 5, 1, 1), (5, 6, 3, 2)]
    assert layer.ops(shapes((9, 1)), found) == NOTHING
    for bottoms, said in (
        (shapes((9, 2), (9, 5), (9, 6)), "must hold a score a region"),
        (shapes((9,), (9, 4), (9, 6)), "must hold 5 values per region"),
        (shapes((9,), (9, 5), (8, 6)), "must have a row for each of the 9 scores"),
    ):
        with pytest.raises(InputError, match=said):
            layer.infer(bottoms)
    with pytest.raises(InputError, match="takes a top for each bottom after the scores: 2, not 1"):
        layer_of(MINING % 4, 3, 1)
    with pytest.raises(InputError, match="num_roi_per_image must be positive"):
        layer_of(MINING % 0, 3, 2)


GROUP = "cls_num: 3 field_w: 40 field_w: 80 field_h: 30 field_h: 60 stride: 8"
BRANCH = shapes((4, 3, 5, 6), (4, 4, 5, 6), (4, 6, 5, 6))


def test_a_branch_has_a_loss_over_all_its_fields() -> None:
    layer = layer_of(f'type: "DetectionGroupLoss" detection_group_loss_param {{ {GROUP} }}', 3)
    assert layer.infer(BRANCH) == [(1, 1, 1, 2)]
    cells = 4 * 30
    softmax = OpCount(adds=6 * cells, divs=3 * cells, compares=3 * cells, exps=3 * cells)
    own = OpCount(adds=24 * cells, muls=7 * cells, divs=8 * cells + 2, compares=21 * cells, exps=3 * cells)
    assert layer.ops(BRANCH, shapes((1, 1, 1, 2))) == softmax + own
    assert layer.weighs
    with pytest.raises(InputError, match=r'its values are not computed here; give it with inputs=\{"t0"'):
        run(layer, *(np.zeros(shape) for shape in BRANCH))


def test_a_branch_has_an_accuracy_over_all_its_fields() -> None:
    layer = layer_of(f'type: "DetectionGroupAccuracy" detection_group_accuracy_param {{ {GROUP} }}', 3, 2)
    assert layer.infer(BRANCH) == [(1, 1, 1, 2), (1, 1, 1, 1)]
    cells = 4 * 30
    assert layer.ops(BRANCH, []) == OpCount(
        adds=28 * cells, muls=15 * cells, divs=5 * cells + 3, compares=19 * cells, exps=2 * cells
    )


@pytest.mark.parametrize(
    ("param", "bottoms", "said"),
    [
        (GROUP, shapes((3, 3, 5, 6), (3, 4, 5, 6), (3, 6, 5, 6)), "must have a multiple of 2 images"),
        (GROUP, shapes((4, 2, 5, 6), (4, 4, 5, 6), (4, 6, 5, 6)), "must be 4×3×5×6"),
        (GROUP, shapes((4, 3, 5, 6), (4, 4, 5, 5), (4, 6, 5, 6)), "must be 4×4×5×6"),
        (GROUP, shapes((4, 3, 5, 6), (4, 4, 5, 6), (4, 5, 5, 6)), "must be 4×6×5×6"),
        (f"{GROUP} field_w: 9", BRANCH, "2 field_h and 3 field_w must be as many"),
        ("cls_num: 3", BRANCH, "0 field_h and 0 field_w must be as many, one or more"),
        (f"{GROUP} objectness: true", BRANCH, "objectness needs cls_num 2, not 3"),
    ],
)
def test_branches_that_do_not_fit(param: str, bottoms: list[Shape], said: str) -> None:
    for name in ("Loss", "Accuracy"):
        with pytest.raises(InputError, match=said):
            layer_of(f'type: "DetectionGroup{name}" detection_group_{name.lower()}_param {{ {param} }}', 3).infer(
                bottoms
            )


def test_deviations_of_a_branch_are_positive() -> None:
    coding = "bbox_reg_param { bbox_mean: [0, 0, 0, 0] bbox_std: [1, 1, 0, 1] }"
    with pytest.raises(InputError, match="bbox_std 0 must be positive"):
        layer_of(f'type: "DetectionGroupLoss" detection_group_loss_param {{ {GROUP} }} {coding}', 3)
    with pytest.raises(InputError, match="bbox_std 0 must be positive"):
        layer_of(f'type: "FrcnnOutput" {coding}', 4)


OUTPUT = 'type: "FrcnnOutput" frcnn_output_param { conf_thr: 0.2 iou_thr: 0.5 %s } bbox_reg_param { %s }'
BOXES = [[0, 10, 10, 19, 29], [0, 11, 10, 20, 29], [0, 60, 60, 89, 89]]
PROBABILITIES = [[0.1, 0.6, 0.3], [0.1, 0.7, 0.2], [0.8, 0.1, 0.1]]


def test_detections_follow_a_row_that_says_nothing() -> None:
    deltas = np.zeros((3, 12))
    (found,) = run(layer_of(OUTPUT % ("", ""), 4), PROBABILITIES, deltas, BOXES, [[64, 64]])
    assert found.shape == (3, 7, 1, 1)
    np.testing.assert_allclose(
        found.reshape(3, 7),
        [[0, -1, -1, -1, -1, -1, -1], [0, 11, 10, 20, 29, 1, 0.7], [0, 10, 10, 19, 29, 2, 0.3]],
        rtol=1e-6,
    )
    (found,) = run(layer_of(OUTPUT % ("max_det_num: 1", ""), 4), PROBABILITIES, deltas, BOXES, [[64, 64]])
    assert found.reshape(-1, 7)[1:, 5].tolist() == [1]


def test_boxes_are_decoded_and_kept_within_the_image() -> None:
    """Moved right by half of 10 pixels, and made twice as high around the centre 20."""
    deltas = [[0, 0, 0, 0, 0.25, 0, 0, np.log(2) / 2]]
    coding = "cls_aware: false bbox_mean: [0, 0, 0, 0] bbox_std: [2, 2, 2, 2]"
    (found,) = run(layer_of(OUTPUT % ("", coding), 4), [[0.1, 0.9, 0]], deltas, BOXES[:1], [[35, 64]])
    np.testing.assert_allclose(found.reshape(-1, 7)[1], [0, 15, 0, 24, 35, 1, 0.9], atol=1e-5)


def test_bottoms_of_detections_fit_together() -> None:
    layer = layer_of(OUTPUT % ("max_det_num: 9", ""), 4)
    good = shapes((8, 3), (8, 12), (8, 6), (1, 2, 1, 1))
    assert layer.infer(good) == [(1, 7, 1, 1)]
    assert layer.data_dependent(good) == "one row per detection, at most 9; Caffe sets up one"
    assert layer_of(OUTPUT % ("", ""), 4).data_dependent(good) == "one row per detection; Caffe sets up one"
    assert layer.ops(good, []) == OpCount(
        adds=12 * 24 + 6 * 8, muls=8 * 24 + 2 * 8, divs=48, compares=5 * 16, exps=48
    )
    for index, other, said in (
        (1, (8, 8), "must hold 12 values per region"),
        (1, (7, 12), "differ in regions"),
        (2, (8, 4), "must hold 5 or 6 values per region"),
        (3, (2, 2), "must be one height and width"),
    ):
        bottoms = [*good]
        bottoms[index] = Shape(other)
        with pytest.raises(InputError, match=said):
            layer.infer(bottoms)
    with pytest.raises(InputError, match="needs regions of one image, number 0"):
        run(layer, PROBABILITIES[:1], np.zeros((1, 12)), [[1, 0, 0, 9, 9]], [[9, 9]])


def test_detections_are_judged_with_the_sizes_of_a_file() -> None:
    layer = layer_of('type: "DetectionEvaluate" detection_evaluate_param { num_classes: 3 }', 3)
    bottoms = shapes((5, 7, 1, 1), (2, 8, 1, 1), (1, 2, 1, 1))
    assert layer.infer(bottoms) == [(7, 5, 1, 1)]
    assert layer.ops(bottoms, []) == OpCount(adds=82, muls=30, divs=10, compares=110)
    with pytest.raises(InputError, match="must hold 8 values per row"):
        layer.infer(shapes((5, 7, 1, 1), (2, 7, 1, 1), (1, 2, 1, 1)))
    with pytest.raises(InputError, match="needs a name_size_file, which is not read here"):
        run(layer, *(np.zeros(shape) for shape in bottoms))


def test_the_truth_of_a_sampler_may_tell_what_is_difficult() -> None:
    layer = layer_of('type: "ProposalTarget" proposal_target_param { cls_num: 4 batch_size: 16 }', 2, 6)
    assert layer.infer(shapes((9, 5, 1, 1), (2, 8, 1, 1)))[0] == (16, 5, 1, 1)
