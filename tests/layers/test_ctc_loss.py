"""CTCLoss under its names, against all alignments of short sequences added up."""

from __future__ import annotations

from itertools import groupby, product
from math import log
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of

T, N, C = 4, 2, 3
SCORES = np.linspace(-1.5, 2, T * N * C, dtype=np.float32).reshape(T, N, C)[:, :, [1, 2, 0]]
CRNN = 'type: "CtcLoss" ctc_loss_param { alphabet_size: 3 time_step: 4 blank_label: 2 }'


def added_up(length: int, stream: int, wanted: list[int], blank: int) -> float:
    """The loss of one sequence by its definition: every path that reads as the wanted labels."""
    each = np.exp(SCORES[:length, stream].astype(np.float64))
    each /= each.sum(axis=1, keepdims=True)
    total = 0.0
    for path in product(range(C), repeat=length):
        if [label for label, _ in groupby(path) if label != blank] == wanted:
            total += float(np.prod([each[step, label] for step, label in enumerate(path)]))
    return -log(total)


def loss(text: str, *bottoms: Any) -> float:
    arrays = [SCORES, *[np.asarray(bottom, dtype=np.float32) for bottom in bottoms]]
    layer = layer_of(text, len(arrays))
    assert layer.infer([Shape(array.shape) for array in arrays]) == [()]
    (value,) = layer.forward(arrays, [], Run())
    return float(value)


def test_crnns_labels_stand_in_rows_and_blanks_are_left_out() -> None:
    wanted = (added_up(4, 0, [0, 1], 2) + added_up(4, 1, [1], 2)) / 2
    assert loss(CRNN, [[0, 1], [1, 2]]) == pytest.approx(wanted, rel=1e-6)


def test_marks_end_a_sequence_and_negative_labels_the_labels() -> None:
    marks = [[0, 0], [1, 1], [1, 0], [1, 0]]
    labels = [[1, 0], [1, -1], [-1, -1], [-1, -1]]
    wanted = (added_up(4, 0, [1, 1], 2) + added_up(2, 1, [0], 2)) / 2
    assert loss('type: "CTCLoss"', marks, labels) == pytest.approx(wanted, rel=1e-6)


def test_lengths_can_be_given_and_what_cannot_be_aligned_is_left_out() -> None:
    labels = [[1, 0], [0, 0]]
    assert loss('type: "WarpCTCLoss"', [3, 2], [2, 2], labels) == pytest.approx(
        added_up(3, 0, [1, 0], 2), rel=1e-6
    )


def test_the_blank_may_have_another_place() -> None:
    wanted = (added_up(4, 0, [1, 2], 0) + added_up(4, 1, [2], 0)) / 2
    text = 'type: "WarpCTC" ctc_loss_param { blank_index: 0 }'
    assert loss(text, [[1, 2], [2, 0]]) == pytest.approx(wanted, rel=1e-6)


def test_the_loss_weighs_one_and_costs_no_madds() -> None:
    layer = layer_of(CRNN, 2)
    ops = layer.ops([Shape(SCORES.shape), Shape((2, 3))], [Shape()])
    states = T * N * (2 * 3 + 1)
    assert layer.weighs
    assert (ops.madds, ops.muls, ops.exps) == (0, states, T * N * C + N)


@pytest.mark.parametrize("fields", ["alphabet_size: 3", "time_step: 4"])
def test_crnns_asks_for_its_numbers(fields: str) -> None:
    with pytest.raises(InputError, match="must be positive"):
        layer_of(f'type: "CtcLoss" ctc_loss_param {{ {fields} }}', 2)


@pytest.mark.parametrize("others", [[(3, 2)], [(4, 1), (4, 2)], [(4, 2), (4, 3)], [(2,), (3,), (5, 2)]])
def test_all_bottoms_have_as_many_sequences(others: list[tuple[int, ...]]) -> None:
    with pytest.raises(InputError, match="must"):
        layer_of('type: "CTCLoss"', 1 + len(others)).infer([Shape(SCORES.shape), *map(Shape, others)])
