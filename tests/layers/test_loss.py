from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of


def forward(text: str, *bottoms: Any, tops: int = 1) -> list[Any]:
    layer = layer_of(text, len(bottoms), tops)
    arrays = [np.asarray(bottom, dtype=np.float32) for bottom in bottoms]
    found = layer.forward(arrays, [], Run())
    assert [top.shape for top in found] == layer.infer([Shape(a.shape) for a in arrays])
    assert all(top.dtype == np.float32 for top in found)
    return found


def ops(text: str, *shapes: tuple[int, ...], tops: int = 1) -> OpCount:
    layer = layer_of(text, len(shapes), tops)
    bottoms = [Shape(shape) for shape in shapes]
    return layer.ops(bottoms, layer.infer(bottoms))


def refusal(text: str, *shapes: tuple[int, ...], tops: int = 1) -> str:
    with pytest.raises(InputError) as found:
        layer_of(text, len(shapes), tops).infer([Shape(shape) for shape in shapes])
    return str(found.value)


LOGITS = np.log(np.array([[1, 2, 5], [4, 4, 2]]))  # softmax: .125 .25 .625 and .4 .4 .2


def test_softmax_sums_to_one_along_its_axis() -> None:
    x = np.log(np.arange(1, 7, dtype=np.float32)).reshape(1, 2, 3)
    (rows,) = forward('type: "Softmax" softmax_param { axis: 2 }', x)
    np.testing.assert_allclose(rows[0], [[1 / 6, 2 / 6, 3 / 6], [4 / 15, 5 / 15, 6 / 15]], rtol=1e-6)
    (columns,) = forward('type: "Softmax"', x)
    np.testing.assert_allclose(columns[0], [[1 / 5, 2 / 7, 3 / 9], [4 / 5, 5 / 7, 6 / 9]], rtol=1e-6)


@given(shift=st.floats(-80, 80))
def test_softmax_does_not_change_with_a_shift(shift: float) -> None:
    x = np.array([[0.5, -1.25, 3.0]], dtype=np.float32)
    (still,), (moved,) = forward('type: "Softmax"', x), forward('type: "Softmax"', x + np.float32(shift))
    np.testing.assert_allclose(moved, still, rtol=1e-4)


def test_softmax_counts_each_element_five_times() -> None:
    assert ops('type: "Softmax"', (2, 6, 9)) == OpCount(adds=216, divs=108, compares=108, exps=108)
    assert "axis 3 is out of range" in refusal('type: "Softmax" softmax_param { axis: 3 }', (2, 6, 9))


@pytest.mark.parametrize(
    ("param", "divisor"),
    [
        ("", 3),  # VALID: labels that count
        ("normalization: FULL", 4),
        ("normalization: BATCH_SIZE", 2),
        ("normalization: NONE", 1),
        ("normalize: true", 3),
        ("normalize: false", 2),
        ("normalize: false normalization: FULL", 4),
    ],
)
def test_the_softmax_loss_is_divided_as_the_normalization_says(param: str, divisor: int) -> None:
    x = np.stack([LOGITS, LOGITS[::-1]], axis=2)  # 2 images, 3 classes, 2 positions
    labels = [[2, 7], [0, 1]]
    (loss,) = forward(f'type: "SoftmaxWithLoss" loss_param {{ ignore_label: 7 {param} }}', x, labels)
    assert float(loss) == pytest.approx(-np.log(0.625 * 0.4 * 0.25) / divisor, rel=1e-5)


def test_the_softmax_loss_of_ignored_labels_alone_is_zero() -> None:
    (loss,) = forward('type: "SoftmaxWithLoss" loss_param { ignore_label: 1 }', LOGITS, [1, 1])
    assert float(loss) == 0


def test_the_softmax_loss_takes_its_classes_from_any_axis() -> None:
    x = np.moveaxis(LOGITS[:, None], 2, 0)  # 3 classes, 2 images, 1
    layer = layer_of('type: "SoftmaxWithLoss" softmax_param { axis: -3 }', 2)
    (loss,) = layer.forward([x.astype(np.float32), np.array([2.0, 0.0], dtype=np.float32)], [], Run())
    assert float(loss) == pytest.approx(-np.log(0.625 * 0.4) / 2, rel=1e-5)


def test_the_softmax_loss_wants_one_label_a_position() -> None:
    text = 'type: "SoftmaxWithLoss"'
    assert "24 labels" in refusal(text, (2, 3, 5, 7), (2, 12))
    assert "70 predictions" in refusal(text, (2, 3, 5, 7), (2, 12))
    assert "axis 0" in refusal(text, (2, 3), (3,))
    with pytest.raises(InputError, match="label 3 lies outside the 3 classes"):
        forward(text, LOGITS, [0, 3])


@pytest.mark.parametrize("weights", ["", "loss_weight: 1"])
def test_a_second_top_of_the_softmax_loss_wants_a_weight_as_the_first(weights: str) -> None:
    op = 'name: "op" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "y" top: "p"'
    net = inputs(x=(4, 7), label=(4,)) + f"layer {{ {op} {weights} }}"
    with pytest.raises(InputError, match="times for 2 tops; give one per top"):
        net_of(net)


def test_the_softmax_loss_counts_the_softmax_and_its_logarithms() -> None:
    found = ops('type: "SoftmaxWithLoss"', (2, 3, 5), (2, 5))
    assert found == OpCount(adds=70, divs=31, compares=40, exps=40)


def test_the_euclidean_loss_is_half_the_mean_squared_distance() -> None:
    (loss,) = forward('type: "EuclideanLoss"', [[1, 2, 3], [4, 5, 6]], [[1, 0, 0], [4, 5, 2]])
    assert float(loss) == (4 + 9 + 16) / 4
    assert ops('type: "EuclideanLoss"', (2, 3), (2, 3)) == OpCount(adds=12, muls=6, divs=2)
    assert "as many values per image" in refusal('type: "EuclideanLoss"', (2, 3), (2, 4))
    forward('type: "EuclideanLoss"', np.ones((2, 6)), np.ones((2, 3, 2)))


def test_a_loss_over_no_image_is_not_a_number() -> None:
    (loss,) = forward('type: "EuclideanLoss"', np.zeros((0, 3)), np.zeros((0, 3)))
    assert np.isnan(loss)


@pytest.mark.parametrize(("norm", "total"), [("L1", 3 + 0.5 + 2 + 1.5 + 1), ("L2", 9 + 0.25 + 4 + 2.25 + 1)])
def test_the_hinge_loss_pulls_the_labelled_class_up(norm: str, total: float) -> None:
    x = [[2, -0.5, 1], [-1, 0.5, 0]]  # the label's own margin is 1 - 1 = 0, and 1 + 1 = 2
    (loss,) = forward(f'type: "HingeLoss" hinge_loss_param {{ norm: {norm} }}', x, [2, 0])
    assert float(loss) == pytest.approx(total / 2)


def test_the_hinge_loss_squares_for_l2_only() -> None:
    assert ops('type: "HingeLoss"', (4, 7), (4,)) == OpCount(adds=56, muls=4, divs=1, compares=28)
    squared = ops('type: "HingeLoss" hinge_loss_param { norm: L2 }', (4, 7), (4,))
    assert squared == OpCount(adds=56, muls=32, divs=1, compares=28)


def test_the_infogain_loss_weighs_confusions() -> None:
    matrix = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 2]], dtype=np.float32)
    loss, probabilities = forward('type: "InfogainLoss"', LOGITS, [2, 0], matrix, tops=2)
    expected = -(0.5 * np.log(0.125) + 2 * np.log(0.625) + np.log(0.4)) / 2
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(probabilities, [[0.125, 0.25, 0.625], [0.4, 0.4, 0.2]], rtol=1e-5)


def test_the_infogain_loss_with_an_identity_is_the_softmax_loss() -> None:
    (found,) = forward('type: "InfogainLoss" loss_param { ignore_label: 0 }', LOGITS, [2, 0], np.eye(3))
    assert float(found) == pytest.approx(-np.log(0.625), rel=1e-5)


def test_the_infogain_loss_asks_for_its_matrix() -> None:
    assert "third bottom" in refusal('type: "InfogainLoss"', (2, 3), (2,))
    assert "3×3 values" in refusal('type: "InfogainLoss"', (2, 3), (2,), (3, 4))
    assert "use normalization" in refusal(
        'type: "InfogainLoss" loss_param { normalize: true }', (2, 3), (2,), (3, 3)
    )
    text = 'type: "InfogainLoss" infogain_loss_param { source: "h.binaryproto" }'
    assert layer_of(text, 2).infer([Shape((2, 3)), Shape((2,))]) == [()]
    with pytest.raises(InputError, match="file that is not read"):
        forward(text, LOGITS, [2, 0])


@pytest.mark.parametrize(("form", "apart"), [("", (3 - 2.5) ** 2), ("legacy_version: true", 0)])
def test_the_contrastive_loss_pushes_unlike_pairs_a_margin_apart(form: str, apart: float) -> None:
    a, b = [[1.0, 2.0], [0.0, 0.0], [4.0, 4.0]], [[1.0, 0.0], [1.5, 2.0], [4.0, 4.0]]
    text = f'type: "ContrastiveLoss" contrastive_loss_param {{ margin: 3 {form} }}'
    (loss,) = forward(text, a, b, [1, 0, 1])
    assert float(loss) == pytest.approx((4 + apart) / 3 / 2)


def test_the_contrastive_loss_wants_vectors_of_one_length() -> None:
    text = 'type: "ContrastiveLoss"'
    assert "of one length" in refusal(text, (4, 3), (4, 5), (4,))
    assert "of one length" in refusal(text, (4, 3, 2, 1), (4, 3, 2, 1), (4,))
    assert "one label per pair" in refusal(text, (4, 3), (4, 3), (4, 2))
    assert "more than the 4 axes" in refusal(text, (4, 3, 1, 1, 1), (4, 3), (4,))
    assert layer_of(text, 3).infer([Shape((4,)), Shape((4, 1)), Shape((4,))]) == [()]


def test_the_multinomial_loss_takes_probabilities() -> None:
    (loss,) = forward('type: "MultinomialLogisticLoss"', [[0.25, 0.75], [0, 1]], [1, 0])
    assert float(loss) == pytest.approx(-(np.log(0.75) + np.log(1e-20)) / 2, rel=1e-5)
    assert "one label per image" in refusal('type: "MultinomialLogisticLoss"', (4, 3), (4, 2))


@pytest.mark.parametrize(("param", "divisor"), [("", 2), ("normalization: VALID", 3), ("normalization: FULL", 4)])
def test_the_sigmoid_loss_is_divided_by_the_batch_by_default(param: str, divisor: int) -> None:
    x, target = np.array([[0.0, 2.0], [-100.0, 3.0]]), np.array([[1.0, 0.0], [0.0, 7.0]])
    text = f'type: "SigmoidCrossEntropyLoss" loss_param {{ ignore_label: 7 {param} }}'
    (loss,) = forward(text, x, target)
    assert float(loss) == pytest.approx((np.log(2) + np.log1p(np.exp(2))) / divisor, rel=1e-5)


def test_the_sigmoid_loss_counts_the_sigmoid_it_also_computes() -> None:
    found = ops('type: "SigmoidCrossEntropyLoss"', (2, 3), (2, 3))
    assert found == OpCount(adds=36, muls=30, divs=1, compares=12, exps=18)


SCORES = [[0.1, 0.5, 0.4], [0.3, 0.3, 0.2], [0.6, 0.1, 0.3], [0.2, 0.7, 0.1]]


@pytest.mark.parametrize(("top_k", "right"), [(1, 1), (2, 3), (3, 4)])
def test_accuracy_lets_the_label_be_among_the_best(top_k: int, right: int) -> None:
    text = f'type: "Accuracy" accuracy_param {{ top_k: {top_k} }}'
    (found,) = forward(text, SCORES, [1, 0, 2, 2])  # the second label ties, which is not enough
    assert float(found) == right / 4


def test_accuracy_by_class_leaves_absent_classes_at_zero() -> None:
    text = 'type: "Accuracy" accuracy_param { ignore_label: 2 }'
    found, each = forward(text, SCORES, [1, 2, 0, 0], tops=2)
    assert float(found) == pytest.approx(2 / 3)
    np.testing.assert_allclose(each, [0.5, 1, 0])


def test_accuracy_over_an_axis_and_over_nothing() -> None:
    x = np.array(SCORES, dtype=np.float32).T[None]  # 1 image, 3 classes, 4 positions
    (found,) = forward('type: "Accuracy"', x, [[1, 0, 0, 1]])
    assert float(found) == 0.75
    (nothing,) = forward('type: "Accuracy" accuracy_param { ignore_label: 1 }', x, [[1, 1, 1, 1]])
    assert float(nothing) == 0


def test_accuracy_refuses_more_places_than_classes() -> None:
    assert "top_k 8 is more than the 7 classes" in refusal(
        'type: "Accuracy" accuracy_param { top_k: 8 }', (4, 7), (4,)
    )
    assert "labels" in refusal('type: "Accuracy" accuracy_param { axis: 2 }', (4, 7, 5), (4, 5))
