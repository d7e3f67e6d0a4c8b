from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of


def forward(text: str, *bottoms: Any, tops: int = 1, blobs: Any = ()) -> list[Any]:
    layer = layer_of(text, len(bottoms), tops)
    arrays = [np.asarray(bottom, dtype=np.float32) for bottom in bottoms]
    found = layer.forward(arrays, [np.asarray(blob, dtype=np.float32) for blob in blobs], Run())
    assert [top.shape for top in found] == layer.infer([Shape(a.shape) for a in arrays])
    assert all(top.dtype == np.float32 for top in found)
    return found


def refusal(text: str, *shapes: tuple[int, ...], tops: int = 1) -> str:
    with pytest.raises(InputError) as found:
        layer_of(text, len(shapes), tops).infer([Shape(shape) for shape in shapes])
    return str(found.value)


A, B = [[0.5, 3.0, -2.0], [1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0], [1.0, 1.25, 4.0]]


def test_the_smooth_l1_loss_is_a_square_and_then_a_line() -> None:
    (loss,) = forward('type: "SmoothL1Loss"', A, B)
    assert float(loss) == pytest.approx((0.125 + 2.5 + 1.5 + 0.03125 + 3.5) / 2)


def test_sigma_moves_the_turn_of_the_smooth_l1_loss() -> None:
    (loss,) = forward('type: "SmoothL1Loss" smooth_l1_loss_param { sigma: 2 }', [[0.125, 1.0]], [[0, 0]])
    assert float(loss) == pytest.approx(0.5 * 4 * 0.125**2 + (1 - 0.5 / 4))


def test_weights_of_the_smooth_l1_loss_stand_inside_and_outside() -> None:
    inside, outside = [[2, 1, 0], [1, 1, 1]], [[3, 1, 5], [0, 2, 1]]
    (one,) = forward('type: "SmoothL1Loss"', A, B, inside)
    assert float(one) == pytest.approx((0.5 + 2.5 + 0 + 0.03125 + 3.5) / 2)
    (both,) = forward('type: "SmoothL1Loss"', A, B, inside, outside)
    assert float(both) == pytest.approx((1.5 + 2.5 + 0 + 0.0625 + 3.5) / 2)


def test_the_smooth_l1_loss_takes_missing_axes_for_one() -> None:
    layer = layer_of('type: "SmoothL1Loss"', 2)
    assert layer.infer([Shape((4, 3)), Shape((4, 3, 1, 1))]) == [()]
    assert "must be as" in refusal('type: "SmoothL1Loss"', (4, 3), (4, 3, 2))
    assert "must be as" in refusal('type: "SmoothL1Loss"', (4, 3), (4, 3), (4, 5))


def test_the_smooth_l1_loss_counts_a_mul_a_weight() -> None:
    shapes = [Shape((4, 3))] * 4
    two, four = layer_of('type: "SmoothL1Loss"', 2), layer_of('type: "SmoothL1Loss"', 4)
    assert two.ops(shapes[:2], [Shape()]) == OpCount(adds=24, muls=24, divs=1, compares=24)
    assert four.ops(shapes, [Shape()]).muls == 48


@pytest.mark.parametrize(
    ("param", "divisor"),
    [
        ("", 6),
        ("normalization: FULL", 6),
        ("normalization: BATCH_SIZE", 2),
        ("normalization: NONE", 1),
        ("normalization: PRE_FIXED pre_fixed_normalizer: 8", 8),
        ("normalization: PRE_FIXED pre_fixed_normalizer: 0.5", 1),
    ],
)
def test_ohem_tells_the_smooth_l1_loss_of_each_instance(param: str, divisor: float) -> None:
    a = np.arange(2 * 4 * 3, dtype=np.float32).reshape(2, 4, 3, 1) / 10
    text = f'type: "SmoothL1LossOHEM" loss_param {{ {param} }} smooth_l1_loss_param {{ sigma: 3 }}'
    loss, instances = forward(text, a, np.zeros_like(a), tops=2)
    each = np.where(a < 1, a * a / 2, a - 0.5)
    np.testing.assert_allclose(instances, each.sum(axis=1, keepdims=True), rtol=1e-5)
    assert float(loss) == pytest.approx(float(each.sum()) / divisor, rel=1e-5)


def test_only_the_set_up_of_a_loss_gives_it_a_weight() -> None:
    net = net_of(
        inputs(a=(2, 4, 1, 1), b=(2, 4, 1, 1), c=(2, 1, 1, 1))
        + """
    layer { name: "l" type: "SmoothL1LossOHEM" bottom: "a" bottom: "b" top: "x" top: "y" }"""
    )
    assert [blob.shape for blob in net.nodes[-1].tops] == [(), (2, 1, 1, 1)]
    with pytest.raises(InputError, match="loss_weight is given 0 times for 2 tops"):
        net_of(
            inputs(a=(2, 4, 1, 1), c=(2, 1, 1, 1))
            + """
        layer { name: "l" type: "SoftmaxWithLossOHEM" bottom: "a" bottom: "c" top: "x" top: "y" }"""
        )
    with pytest.raises(InputError, match="loss_weight is given 1 times for 2 tops"):
        net_of(
            inputs(a=(2, 4, 1, 1), b=(2, 4, 1, 1))
            + """
        layer { name: "l" type: "SmoothL1LossOHEM" bottom: "a" bottom: "b" top: "x" top: "y" loss_weight: 1 }"""
        )


def test_ohem_gives_flat_predictions_four_axes() -> None:
    _, instances = forward('type: "SmoothL1LossOHEM"', A, B, tops=2)
    assert instances.shape == (2, 1, 1, 1)


def test_ohem_tells_the_softmax_loss_of_each_instance() -> None:
    x = np.log(np.array([[1, 2, 5], [4, 4, 2]]))[:, :, None, None]
    labels = np.array([2, 9]).reshape(2, 1, 1, 1)
    text = 'type: "SoftmaxWithLossOHEM" loss_param { ignore_label: 9 }'
    loss, probabilities, each = forward(text, x, labels, tops=3)
    assert float(loss) == pytest.approx(-np.log(0.625), rel=1e-5)
    np.testing.assert_allclose(probabilities[:, :, 0, 0], [[0.125, 0.25, 0.625], [0.4, 0.4, 0.2]], rtol=1e-5)
    np.testing.assert_allclose(each.reshape(-1), [-np.log(0.625), 0], rtol=1e-5)


def test_the_annotator_keeps_the_hardest_boxes_of_each_image() -> None:
    boxes = np.zeros((6, 5))
    boxes[:, 0] = [1, 0, 0, 1, 0, 1]
    losses, labels = [0.3, 0.1, 0.9, 0.2, 0.5, 0.4], [1, 2, 3, 4, 5, 6]
    weights = np.arange(12).reshape(6, 2) + 1
    text = 'type: "BoxAnnotatorOHEM" box_annotator_ohem_param { roi_per_img: 2 ignore_label: -1 }'
    kept, weighed = forward(text, boxes, losses, labels, weights, tops=2)
    assert kept.reshape(-1).tolist() == [1, -1, 3, -1, 5, 6]
    assert weighed[:, :, 0, 0].tolist() == [[1, 2], [0, 0], [5, 6], [0, 0], [9, 10], [11, 12]]


def test_the_annotator_makes_four_axes_and_asks_for_matching_rows() -> None:
    text = 'type: "BoxAnnotatorOHEM" box_annotator_ohem_param { roi_per_img: 2 }'
    shapes = [Shape((6, 5)), Shape((6, 1, 1, 1)), Shape((6, 1)), Shape((6, 8))]
    assert layer_of(text, 4, 2).infer(shapes) == [(6, 1, 1, 1), (6, 8, 1, 1)]
    assert "R×5×H×W" in refusal(text, (6, 4), (6,), (6,), (6, 8), tops=2)
    assert "must be 6×1×1×1" in refusal(text, (6, 5), (6,), (7,), (6, 8), tops=2)
    with pytest.raises(InputError, match="roi_per_img"):
        layer_of('type: "BoxAnnotatorOHEM"', 4, 2)


@pytest.mark.parametrize(("distance", "loss"), [("L2", (1 + 4 + 9) / 2 / 2), ("L1", (1 + 2 + 3) / 2)])
def test_the_center_loss_is_the_distance_to_the_centre_of_the_class(distance: str, loss: float) -> None:
    text = f'type: "CenterLoss" center_loss_param {{ num_output: 3 distance_type: "{distance}" }}'
    centres = [[0, 0], [9, 9], [5, 5]]
    (found,) = forward(text, [[1, -2], [5, 8]], [0, 2], blobs=[centres])
    assert float(found) == pytest.approx(loss)


def test_the_center_loss_learns_a_centre_a_class() -> None:
    layer = layer_of('type: "CenterLoss" center_loss_param { num_output: 9 }', 2)
    bottoms = [Shape((4, 7, 2, 3)), Shape((4,))]
    assert [(blob.shape, blob.role) for blob in layer.blobs(bottoms)] == [((9, 42), "weight")]
    assert layer.ops(bottoms, [Shape()]) == OpCount(adds=336, muls=168, divs=2)
    text = 'type: "CenterLoss" center_loss_param { num_output: 9 }'
    assert "one label per image" in refusal(text, (4, 7), (4, 2))
    with pytest.raises(InputError, match="label 9 lies outside the 9 classes"):
        forward(text, np.ones((1, 2)), [9], blobs=[np.zeros((9, 2))])


def test_the_l1_loss_is_the_mean_absolute_distance() -> None:
    (loss,) = forward('type: "L1Loss"', A, B)
    assert float(loss) == pytest.approx((0.5 + 3 + 2 + 0.25 + 4) / 2)
    assert "as many values per image" in refusal('type: "L1Loss"', (4, 3), (4, 5))


def test_the_dice_loss_is_one_without_overlap() -> None:
    (loss,) = forward('type: "DiceLoss"', [[1, 1, 0], [0, 0, 2]], [[1, 0, 0], [1, 0, 0]])
    assert float(loss) == pytest.approx(((1 - 2 / 3) + 1) / 2)
    (empty,) = forward('type: "DiceLoss"', np.zeros((1, 3)), np.zeros((1, 3)))
    assert float(empty) == 1


def test_seg_accuracy_is_three_means_over_the_confusion_matrix() -> None:
    guess = [0, 0, 1, 1, 1, 3]
    scores = np.zeros((1, 4, 2, 3), dtype=np.float32)
    scores[0, guess, [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]] = 1
    (found,) = forward('type: "SegAccuracy"', scores, [[[[0, 1, 1], [1, 0, 0]]]])
    # right: 1 of class 0, 2 of class 1; recall 1/3 and 2/3; of the absent classes, 2 counts as agreed
    shared = [1 / 4, 2 / 4, 1, 0]
    np.testing.assert_allclose(found.reshape(-1), [3 / 6, (1 / 3 + 2 / 3) / 2, sum(shared) / 4], rtol=1e-6)


def test_seg_accuracy_leaves_ignored_labels_out_and_guesses_the_last_of_equal_scores() -> None:
    text = 'type: "SegAccuracy" seg_accuracy_param { ignore_label: 255 ignore_label: 7 }'
    (found,) = forward(text, np.zeros((1, 2, 1, 4)), [[[[0, 1, 255, 7]]]])
    np.testing.assert_allclose(found.reshape(-1), [1 / 2, 1 / 2, (0 + 1 / 2) / 2])


def test_seg_accuracy_refuses_labels_that_are_no_class() -> None:
    with pytest.raises(InputError, match="label 255 lies outside the 2 classes"):
        forward('type: "SegAccuracy"', np.zeros((1, 2, 1, 2)), [[[[0, 255]]]])
    assert "must be 2×1×6×7" in refusal('type: "SegAccuracy"', (2, 5, 6, 7), (2, 1, 6, 8))


def test_labels_of_the_softmax_loss_may_be_weighed_by_class() -> None:
    text = 'type: "SoftmaxWithLoss" loss_param { %s weight_by_label_freqs: true class_weighting: [1, 3] }'
    scores = np.log([[1, 3], [1, 1], [1, 1]])
    (loss,) = forward(text % "", scores, [0, 1, 0])
    assert float(loss) == pytest.approx((np.log(4) + 3 * np.log(2) + np.log(2)) / 3)
    (loss,) = forward(text % "ignore_label: 0", scores, [0, 1, 0])
    assert float(loss) == pytest.approx(3 * np.log(2))
    assert "2 class_weighting" in refusal(text % "", (3, 4), (3,))


def test_a_turn_point_leaves_the_line_its_slope() -> None:
    (loss,) = forward('type: "SmoothL1Loss" smoothl1_param { turn_point: 0.5 }', A, B)
    sizes = np.abs(np.subtract(A, B))
    each = np.where(sizes < 0.5, sizes**2 / 2, sizes - 0.375)
    assert float(loss) == pytest.approx(float(each.sum()) / 2, rel=1e-6)
