"""Losses of triplets, and what chooses and scales their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of


def run(layer: Any, *bottoms: Any) -> list[Any]:
    arrays = [np.asarray(bottom, dtype=np.float32) for bottom in bottoms]
    tops: list[Any] = layer.forward(arrays, [], Run())
    assert [top.shape for top in tops] == layer.infer([Shape(a.shape) for a in arrays])
    return tops


A, P, N = [[0, 0], [1, 1]], [[1, 0], [1, 2]], [[0, 2], [1, 1.5]]
LOSSES = (max(0, 3 + 1 - 4), max(0, 3 + 1 - 0.25))
"""With a margin of 3: what is nearer than its negative by less than that."""


def test_an_anchor_is_to_be_nearer_to_its_positive_by_a_margin() -> None:
    (loss,) = run(layer_of('type: "TripletLoss" triplet_loss_param { margin: 3 }', 3), A, P, N)
    assert float(loss) == pytest.approx(sum(LOSSES) / 2 / 2)
    weighed = layer_of('type: "TripletLoss" triplet_loss_param { margin: 3 }', 4)
    assert float(run(weighed, A, P, N, [[9], [9]])[0]) == float(loss)
    one = layer_of('type: "TripletLoss" triplet_loss_param { margin: 3 }', 3)
    assert float(run(one, 1, [3], 2)[0]) == pytest.approx((3 + 4 - 1) / 2), "a number is a triplet of one value"


def test_triplets_may_name_rows_of_the_features() -> None:
    features = np.concatenate([A, P, N])
    layer = layer_of('type: "TripletLoss" triplet_loss_param { margin: 3 }', 2)
    (loss,) = run(layer, features, [[0, 2, 4], [1, 3, 5]])
    assert loss.shape == (1,)
    assert float(loss[0]) == pytest.approx(sum(LOSSES) / 2)
    assert layer.ops([Shape((6, 2)), Shape((2, 3))], [Shape((1,))]) == OpCount(
        adds=4 * 4 + 3 * 2, muls=8, compares=2, divs=1
    )
    with pytest.raises(InputError, match="names a row outside the 6"):
        layer.forward([features.astype(np.float32), np.array([[0, 2, 6]], np.float32)], [], Run())


def test_a_chosen_triplet_loss_needs_no_weight() -> None:
    text = inputs(x=(6, 2), t=(2, 3)) + 'layer { name: "l" type: "TripletLoss" bottom: "x" bottom: "t" top: "y" }'
    assert net_of(text).nodes[-1].tops[0].shape == (1,)


def test_rows_of_a_triplet_have_no_positions() -> None:
    layer = layer_of('type: "TripletLoss"', 3)
    assert layer.infer([Shape((4, 3)), Shape((4, 3, 1, 1)), Shape((4, 3))]) == [()]
    with pytest.raises(InputError, match=r"must be 4×3×1×1"):
        layer.infer([Shape((4, 3)), Shape((4, 5)), Shape((4, 3))])
    with pytest.raises(InputError, match=r"must be 4×3×1×1"):
        layer.infer([Shape((4, 3, 2, 1))] * 3)


def python(module: str, layer: str, text: str = "") -> str:
    return f'type: "Python" python_param {{ module: "{module}" layer: "{layer}" param_str: \'{text}\' }}'


def test_the_python_layer_has_the_same_loss() -> None:
    layer = layer_of(python("tripletlosslayer", "TripletLayer", '{"margin":3}'), 3)
    (loss,) = run(layer, A, P, N)
    assert float(loss[0]) == pytest.approx(sum(LOSSES) / 2 / 2)
    with pytest.raises(InputError, match="all bottoms must be N×C"):
        layer.infer([Shape((4, 3)), Shape((4, 3)), Shape((4, 2))])
    other = layer_of(python("tripletlosslayer", "TripletLayer"), 3)
    assert other.infer([Shape((2, 2))] * 3) == [(1,)]
    with pytest.raises(InputError, match="needs a margin in param_str; give it with inputs="):
        run(other, A, P, N)


def test_a_third_of_the_batch_each_the_farthest_first() -> None:
    x = [[0, 0], [5, 5], [1, 0], [3, 0], [0, 2], [0, 1], [9, 9]]
    layer = layer_of(python("tripletselectlayer", "TripletSelectLayer"), 2, 3)
    anchors, positives, negatives = run(layer, x, [0] * 7)
    assert anchors.tolist() == [[0, 0], [5, 5]]
    assert positives.tolist() == [[3, 0], [1, 0]]
    assert negatives.tolist() == [[0, 2], [0, 1]]
    assert layer.infer([Shape((1, 8)), Shape((1,))]) == [(1, 8)] * 3
    assert layer.data_dependent([]) is not None
    with pytest.raises(InputError, match="takes three images or more, not 2"):
        layer.forward([np.zeros((2, 4), np.float32)], [], Run())


def test_rows_are_scaled_to_one() -> None:
    layer = layer_of(python("norm2layer", "Norm2Layer"))
    (y,) = run(layer, [[[[3]], [[4]]], [[[0]], [[0]]]])
    np.testing.assert_allclose(y, [[0.6, 0.8], [0, 0]], rtol=1e-6)
    with pytest.raises(InputError, match=r"must be N×C, or N×C×1×1"):
        layer.infer([Shape((2, 3, 2, 1))])
    assert layer.ops([Shape((2, 3))], [Shape((2, 3))]) == OpCount(adds=6, muls=6, divs=6, exps=2)
