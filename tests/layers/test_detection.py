from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import decoded, encoded, overlaps, suppressed, suppressed_adaptively
from netcount.kernels.run import Run
from tests.helpers import layer_of


def array(values: Any) -> Any:
    return np.asarray(values, dtype=np.float32)


PRIORS = array([[0.1, 0.1, 0.3, 0.5], [0.6, 0.2, 0.8, 0.6], [0.1, 0.15, 0.3, 0.55]])
VARIANCES = array([[0.1, 0.2, 0.3, 0.4]] * 3)
PRIOR_BLOB = np.stack([PRIORS.reshape(-1), VARIANCES.reshape(-1)])[None]
OUTPUT = 'type: "DetectionOutput" detection_output_param { num_classes: 3 code_type: CORNER %s }'


def detections(locations: Any, confidences: Any, rest: str = "") -> list[list[float]]:
    layer = layer_of(OUTPUT.replace("%s", rest), 3)
    bottoms = [array(locations), array(confidences), PRIOR_BLOB]
    assert layer.infer([Shape(b.shape) for b in bottoms]) == [(1, 1, 1, 7)]
    (top,) = layer.forward(bottoms, [], Run())
    assert top.dtype == np.float32
    assert top.shape[:2] == (1, 1)
    found: list[list[float]] = top[0, 0].round(5).tolist()
    return found


SCORES = [[0.1, 0.6, 0.3, 0.2, 0.1, 0.7, 0.2, 0.8, 0.0]]  # three priors: background, class 1, class 2


def test_detections_come_by_class_and_then_by_score() -> None:
    found = detections(np.zeros((1, 12)), SCORES, "confidence_threshold: 0.25 nms_param { nms_threshold: 0.9 }")
    assert [row[:3] for row in found] == [
        [0, 1, pytest.approx(0.8)],
        [0, 1, pytest.approx(0.6)],
        [0, 2, pytest.approx(0.7)],
        [0, 2, pytest.approx(0.3)],
    ]
    np.testing.assert_allclose([row[3:] for row in found], PRIORS[[2, 0, 1, 0]], rtol=1e-5)


def test_the_best_box_suppresses_those_of_its_class_that_overlap_it() -> None:
    # priors 0 and 2 overlap by 0.07 / 0.09
    found = detections(np.zeros((1, 12)), SCORES, "confidence_threshold: 0.25 nms_param { nms_threshold: 0.77 }")
    assert [(row[1], round(row[2], 2)) for row in found] == [(1, 0.8), (2, 0.7), (2, 0.3)]


def test_keep_top_k_counts_over_all_classes_of_an_image() -> None:
    rest = "confidence_threshold: 0.25 nms_param { nms_threshold: 0.9 } keep_top_k: 2"
    found = detections(np.zeros((2, 12)), SCORES * 2, rest)
    assert [(row[0], row[1], round(row[2], 2)) for row in found] == [
        (0, 1, 0.8),
        (0, 2, 0.7),
        (1, 1, 0.8),
        (1, 2, 0.7),
    ]


def test_top_k_counts_in_a_class_before_suppression() -> None:
    rest = "confidence_threshold: 0.05 nms_param { nms_threshold: 0.77 top_k: 1 }"
    assert [round(row[2], 2) for row in detections(np.zeros((1, 12)), SCORES, rest)] == [0.8, 0.7]


def test_without_detections_each_image_has_a_row_of_minus_one() -> None:
    found = detections(np.zeros((2, 12)), SCORES * 2, "confidence_threshold: 0.9")
    assert found == [[0] + [-1] * 6, [1] + [-1] * 6]


def test_locations_may_differ_by_class() -> None:
    locations = np.zeros((1, 3, 3, 4))
    locations[0, 2, 1] = 1  # prior 2, class 1: each corner by its variance
    rest = "share_location: false confidence_threshold: 0.75"
    (found,) = detections(locations.reshape(1, -1), SCORES, rest)
    np.testing.assert_allclose(found[3:], PRIORS[2] + VARIANCES[2], rtol=1e-5)
    rest += " variance_encoded_in_target: true"
    (found,) = detections(locations.reshape(1, -1), SCORES, rest)
    np.testing.assert_allclose(found[3:], PRIORS[2] + 1, rtol=1e-5)


def test_detection_output_refuses_predictions_that_do_not_fit_the_priors() -> None:
    layer = layer_of(OUTPUT.replace("%s", ""), 3)
    priors = Shape((1, 2, 12))
    for location, confidence, message in (
        ((1, 16), (1, 9), "12 channels for the 3 boxes"),
        ((1, 12), (1, 12), "9 channels for the 3 boxes"),
        ((1, 12), (2, 9), "differ in images"),
    ):
        with pytest.raises(InputError, match=message):
            layer.infer([Shape(location), Shape(confidence), priors])
    for rest, message in (("nms_param { nms_threshold: -1 }", "negative"), ("nms_param { eta: 0 }", "eta")):
        with pytest.raises(InputError, match=message):
            layer_of(OUTPUT.replace("%s", rest), 3)
    with pytest.raises(InputError, match="num_classes"):
        layer_of('type: "DetectionOutput"', 3)


def test_detection_output_says_how_many_rows_there_can_be() -> None:
    bottoms = [Shape((2, 12)), Shape((2, 9)), Shape((1, 2, 12))]
    bound = layer_of(OUTPUT.replace("%s", "keep_top_k: 20"), 3).data_dependent(bottoms)
    assert bound is not None
    assert "at most 40" in bound


@pytest.mark.parametrize(
    ("code", "each"),
    [
        ("CORNER", OpCount(adds=6, muls=5, compares=2)),
        ("CENTER_SIZE", OpCount(adds=12, muls=9, divs=6, compares=2, exps=2)),
        ("CORNER_SIZE", OpCount(adds=8, muls=9, compares=2)),
    ],
)
def test_decoding_is_counted_by_box(code: str, each: OpCount) -> None:
    layer = layer_of(OUTPUT.replace("%s", "").replace("CORNER", code), 3)
    bottoms = [Shape((2, 12)), Shape((2, 9)), Shape((1, 2, 12))]
    assert layer.ops(bottoms, [Shape((1, 1, 1, 7))]) == OpCount(*(6 * n for n in each)) + OpCount(compares=18)


def test_center_size_moves_the_centre_by_sides_and_scales_by_exponents() -> None:
    found = decoded("CENTER_SIZE", array([[1, -1, np.log(2), 0]]), PRIORS[:1], None)
    np.testing.assert_allclose(found, [[0.2 + 0.2 - 0.2, 0.3 - 0.4 - 0.2, 0.6, 0.1]], atol=1e-6)
    found = decoded("CORNER_SIZE", array([[1, 0, 0, -1]]), PRIORS[:1], VARIANCES[:1])
    np.testing.assert_allclose(found, [[0.1 + 0.1 * 0.2, 0.1, 0.3, 0.5 - 0.4 * 0.4]], atol=1e-6)


sides = st.floats(0.0625, 0.5, width=32)
corner = st.floats(0, 0.5, width=32)
box = st.tuples(corner, corner, sides, sides).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@pytest.mark.parametrize("code", ["CORNER", "CENTER_SIZE", "CORNER_SIZE"])
@given(prior=box, truth=box)
def test_what_is_encoded_is_decoded(code: str, prior: Any, truth: Any) -> None:
    for scale in (None, VARIANCES[:1].astype(np.float64)):
        target = encoded(code, np.array([truth]), np.array([prior]), scale)
        np.testing.assert_allclose(decoded(code, target, np.array([prior]), scale), [truth], atol=1e-6)


def test_overlap_is_the_shared_part_of_both() -> None:
    a, b = array([[0, 0, 2, 2], [3, 3, 1, 1]]), array([[1, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6]])
    np.testing.assert_allclose(overlaps(a, b), [[2 / 6, 1, 0], [0, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(overlaps(a[:1], b, 1), [[6 / 12, 1, 0]], rtol=1e-6)


@given(boxes=st.lists(box, min_size=1, max_size=12), threshold=st.floats(0, 0.9))
def test_boxes_that_stay_overlap_little_and_each_other_box_overlaps_a_better_one(
    boxes: Any, threshold: float
) -> None:
    corners, scores = array(boxes), np.linspace(1, 0, len(boxes), dtype=np.float32)
    kept = suppressed(corners, scores, threshold)
    shared = overlaps(corners, corners)
    assert kept == sorted(kept)
    assert all(shared[i, j] <= threshold for i in kept for j in kept if i != j)
    for other in set(range(len(boxes))) - set(kept):
        assert any(shared[i, other] > threshold for i in kept if i < other)
    assert suppressed(corners, scores, threshold, most=1) == [0]
    assert suppressed_adaptively(corners, scores, threshold, 1.0) == kept


def test_equal_overlap_suppresses_only_on_demand() -> None:
    corners, scores = array([[0, 0, 2, 1], [1, 0, 3, 1], [9, 9, 10, 10]]), array([1, 2, 3])
    third = float(overlaps(corners[:1], corners[1:2])[0, 0])
    assert suppressed(corners, scores, third) == [2, 1, 0]
    assert suppressed(corners, scores, third, equal=True) == [2, 1]


def test_an_adaptive_threshold_shrinks_with_each_box_that_stays() -> None:
    corners = array([[0, 0, 10, 1], [2, 0, 12, 1], [9, 9, 10, 10]])  # the first two overlap by 8 / 12
    assert suppressed(corners, array([3, 1, 2]), 0.7) == [0, 2, 1]
    assert suppressed_adaptively(corners, array([3, 1, 2]), 0.7, 0.9) == [0, 2]


TRUTH = [[0, 1, 0, 0.1, 0.1, 0.3, 0.5, 0], [0, 1, 0, 0.6, 0.2, 0.8, 0.6, 1], [1, 2, 0, 0.1, 0.1, 0.3, 0.5, 0]]
FOUND = [
    [0, 1, 0.5, 0.1, 0.1, 0.3, 0.5],  # right
    [0, 1, 0.4, 0.1, 0.1, 0.3, 0.5],  # the same box again
    [0, 1, 0.9, 0.6, 0.2, 0.8, 0.6],  # the difficult one
    [0, 2, 0.3, 0.1, 0.1, 0.3, 0.5],  # no such class in this image
    [1, 2, 0.2, 0.7, 0.7, 0.9, 0.9],  # elsewhere
    [2, -1, -1, -1, -1, -1, -1],
]


@pytest.mark.parametrize(("difficult", "count", "judged"), [("true", 2, [1, 0]), ("false", 1, [0, 0])])
def test_each_box_of_the_truth_is_found_once(difficult: str, count: int, judged: list[int]) -> None:
    text = f"detection_evaluate_param {{ num_classes: 3 evaluate_difficult_gt: {difficult} }}"
    layer = layer_of(f'type: "DetectionEvaluate" {text}', 2)
    bottoms = [array(FOUND)[None, None], array([*TRUTH, [-1] * 8])[None, None]]
    assert layer.infer([Shape(b.shape) for b in bottoms]) == [(1, 1, 2 + 6, 5)]
    (top,) = layer.forward(bottoms, [], Run())
    np.testing.assert_allclose(
        top[0, 0],
        [
            [-1, 1, count, -1, -1],
            [-1, 2, 1, -1, -1],
            [0, 1, 0.9, *judged],
            [0, 1, 0.5, 1, 0],
            [0, 1, 0.4, 0, 1],
            [0, 2, 0.3, 0, 1],
            [1, 2, 0.2, 0, 1],
        ],
    )


def test_the_evaluation_asks_for_rows_as_detection_output_makes_them() -> None:
    layer = layer_of('type: "DetectionEvaluate" detection_evaluate_param { num_classes: 3 }', 2)
    with pytest.raises(InputError, match=r"must be 1×1×…×7"):
        layer.infer([Shape((1, 1, 5, 6)), Shape((1, 1, 3, 8))])
    with pytest.raises(InputError, match="names the background"):
        layer.forward([array(FOUND)[None, None], array([[0.0] * 8])[None, None]], [], Run())
    with pytest.raises(InputError, match="overlap_threshold"):
        layer_of('type: "DetectionEvaluate" detection_evaluate_param { num_classes: 3 overlap_threshold: 0 }', 2)


GRID = "eval_detection_param { side: 2 num_class: 3 num_object: 2 threshold: 0.5 %s }"


def grids() -> list[Any]:
    """A grid of 2×2, predicted and true: cell 1 holds a box of class 2, cell 2 a difficult one of class 0."""
    prediction = np.zeros((3 + 2 + 8, 4), dtype=np.float32)
    prediction[:3] = [[0.1, 0, 0.8, 0.5], [0.2, 0, 0.1, 0.6], [0, 0.9, 0, 0.1]]  # classes 1, 2, 0, 1
    prediction[3:5] = [[0.5, 0.7, 1.0, 0.2], [0.1, 1.0, 0.3, 0.4]]
    boxes = prediction[5:].reshape(2, 4, 4)
    boxes[:, :2] = 0.5  # in the middle of the cell
    boxes[:, 2:] = np.sqrt(np.float32(0.5))  # half of the image
    truth = np.zeros((7, 4), dtype=np.float32)
    truth[0, 2] = 1
    truth[1, [1, 2]] = 1
    truth[2, 1] = 2
    truth[3:] = np.reshape([0, 0, 0, 0, 0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 0.5, 0.5, 0, 0, 0, 0], (4, 4))
    return [prediction.reshape(1, -1), truth.reshape(1, -1)]


def test_a_grid_is_judged_class_by_class() -> None:
    layer = layer_of('type: "EvalDetection" ' + GRID.replace("%s", ""), 2)
    bottoms = grids()
    assert layer.infer([Shape(b.shape) for b in bottoms]) == [(1, 3 + 4 * 2 * 4)]
    (top,) = layer.forward(bottoms, [], Run())
    assert top[0, :3].tolist() == [0, 0, 1]  # the difficult box is not counted
    np.testing.assert_allclose(
        top[0, 3:].reshape(-1, 4),
        [
            [0, 0.8, 0, 0],  # the difficult box, neither right nor wrong
            [0, 0.8 * 0.3, 0, 0],
            [1, 0.6 * 0.4, 0, 1],
            [1, 0.6 * 0.2, 0, 1],
            [1, 0.2 * 0.5, 0, 1],
            [1, 0.2 * 0.1, 0, 1],
            [2, 0.9, 1, 0],
            [2, 0.9 * 0.7, 0, 1],
        ],
        rtol=1e-5,
    )


@pytest.mark.parametrize(("score", "first"), [("OBJ", 1.0), ("PROB", 0.8)])
def test_scores_of_a_grid_are_made_as_told(score: str, first: float) -> None:
    layer = layer_of('type: "EvalDetection" ' + GRID.replace("%s", f"score_type: {score}"), 2)
    (top,) = layer.forward(grids(), [], Run())
    assert top[0, 3 + 1] == pytest.approx(first)


def test_suppression_in_a_grid_leaves_rows_of_zeros() -> None:
    layer = layer_of('type: "EvalDetection" ' + GRID.replace("%s", "nms: 0.5"), 2)
    (top,) = layer.forward(grids(), [], Run())
    rows = top[0, 3:].reshape(-1, 4)
    assert rows[:4, 0].tolist() == [0, 1, 1, 2]
    assert not rows[4:].any()


def test_a_grid_asks_for_its_values() -> None:
    layer = layer_of('type: "EvalDetection" ' + GRID.replace("%s", ""), 2)
    with pytest.raises(InputError, match="must hold 52 values per image for a grid of 2×2"):
        layer.infer([Shape((1, 51)), Shape((1, 28))])
    with pytest.raises(InputError, match="must hold 28 values"):
        layer.infer([Shape((1, 52)), Shape((1, 5))])


ANCHORED = "eval_detection_param { side: 2 num_class: 3 num_object: 2 nms: %s biases: [1, 1, 0.5, 0.25] }"


def test_biases_make_a_grid_of_yolo_v2() -> None:
    layer = layer_of('type: "EvalDetection" ' + ANCHORED % 0.9, 2)
    grid = np.full((1, 2, 8, 2, 2), -9, dtype=np.float32)
    grid[0, :, :4] = 0  # boxes in the middle of their cells, as large as their anchors
    grid[0, 0, 4:, 0, 1] = [9, -9, -9, 9]  # class 2, upper right: 0.5 to 1, 0 to 0.5
    grid[0, 1, 4:, 1, 0] = [9, 9, -9, -9]  # class 0, lower left, of another size than the truth
    truth = array([[0, 3, 0, 0.5, 0, 1, 0.5, 0], [0, 1, 0, 0, 0.5, 0.5, 1, 0], [-1] * 8])[None, None]
    bottoms = [grid.reshape(1, 16, 2, 2), truth]
    assert layer.infer([Shape(b.shape) for b in bottoms]) == [(1, 3 + 4 * 2 * 4)]
    (top,) = layer.forward(bottoms, [], Run())
    assert top[0, :3].tolist() == [1, 0, 1]
    sure = 1 / (1 + np.exp(-9.0))
    # what overlaps its truth too little is neither right nor wrong; weak scores are left out
    np.testing.assert_allclose(top[0, 3:11].reshape(2, 4), [[0, sure, 0, 0], [2, sure, 1, 0]], atol=1e-4)
    assert not top[0, 11:].any()
    (top,) = layer_of('type: "EvalDetection" ' + ANCHORED % -1, 2).forward(bottoms, [], Run())
    assert not top[0, 3:].any()  # the fork tells nothing without suppression
    with pytest.raises(InputError, match="must hold 64 values per image"):
        layer.infer([Shape((1, 52)), Shape((1, 1, 3, 8))])


def test_gaussian_boxes_are_less_sure_of_their_objects() -> None:
    param = "num_classes: 1 num_box: 1 mask_group_num: 1 mask: 0 anchors_scale: 4 biases: [2, 1] nms_threshold: 1"
    plain, gaussian = (
        layer_of(f'type: "Yolov3DetectionOutput" yolov3_detection_output_param {{ {param} {more} }}')
        for more in ("", "gaussian_box: true")
    )
    cell = array([0, 0, 0, 0, 2, 3])  # x, y, w, h, object, class
    (found,) = plain.forward([cell.reshape(1, 6, 1, 1)], [], Run())
    spread = array([0, -1, 0, -2, 0, 0, 0, 1, 2, 3])  # a deviation behind each coordinate
    (less,) = gaussian.forward([spread.reshape(1, 10, 1, 1)], [], Run())
    np.testing.assert_allclose(found[0, 0, 0, 3:], [0.25, 0.375, 0.75, 0.625])
    np.testing.assert_allclose(less[0, 0, 0, 3:], found[0, 0, 0, 3:])
    deviations = 1 / (1 + np.exp(-array([-1, -2, 0, 1])))
    np.testing.assert_allclose(less[0, 0, 0, 2], found[0, 0, 0, 2] * (1 - deviations.mean()), rtol=1e-5)


def test_yolo_v3_asks_for_all_values_of_a_cell_when_it_is_set_up() -> None:
    layer = layer_of('type: "Yolov3" yolov3_param { num: 3 num_class: 20 }', 2)
    assert layer.infer([Shape((2, 75, 13, 13)), Shape((2, 1500))]) == [Shape()]
    with pytest.raises(InputError, match="must have 75 channels"):
        layer.infer([Shape((2, 74, 13, 13)), Shape((2, 1500))])


def test_the_scales_of_a_python_layer_may_be_tagged_as_a_tuple() -> None:
    param = r"""type: "Python" python_param { module: "rpn.proposal_layer" layer: "ProposalLayer"
        param_str: "'feat_stride': 16 \n'scales': !!python/tuple [4, 8, 16, 32]" }"""
    shapes = [Shape((1, 24, 5, 7)), Shape((1, 48, 5, 7)), Shape((1, 3))]
    assert layer_of(param, 3).infer(shapes) == [(300, 5)]
