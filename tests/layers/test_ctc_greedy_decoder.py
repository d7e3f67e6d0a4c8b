"""CTCGreedyDecoder of two forks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of

BEST = [[1, 0], [1, 0], [3, 2], [1, 3]]
"""The most likely label of each instant of two sequences; 3 is the blank."""
SCORES = np.eye(4, dtype=np.float32)[np.array(BEST)]


def decoded(text: str, tops: int, *bottoms: Any) -> list[Any]:
    arrays = [SCORES, *[np.asarray(bottom, dtype=np.float32) for bottom in bottoms]]
    layer = layer_of(f'type: "CTCGreedyDecoder" {text}', len(arrays), tops)
    made = layer.forward(arrays, [], Run())
    assert [array.shape for array in made] == layer.infer([Shape(array.shape) for array in arrays])
    return [array.reshape(len(array), -1).tolist() for array in made]


def test_repeats_and_blanks_are_taken_out() -> None:
    assert decoded("", 1) == [[[1, 1, -1, -1], [0, 2, -1, -1]]]
    assert decoded("ctc_decoder_param { ctc_merge_repeated: false }", 1) == [[[1, 1, 1, -1], [0, 0, 2, -1]]]
    assert decoded("ctc_decoder_param { blank_index: 0 }", 1) == [[[1, 3, 1, -1], [2, 3, -1, -1]]]


def test_marks_end_a_sequence() -> None:
    marks = [[0, 0], [1, 1], [0, 1], [1, 1]]
    assert decoded("", 2, marks) == [[[1, -1, -1, -1], [0, 2, -1, -1]], [[-2], [-4]]]


def test_accuracy_is_by_the_edit_distance() -> None:
    marks = np.arange(4)[:, None].repeat(2, axis=1) > 0
    labels = [[1, 0], [2, 2], [1, 1], [-1, -1]]
    sequences, accuracy = decoded("", 2, marks, labels)
    assert sequences == [[1, 1, -1, -1], [0, 2, -1, -1]]
    assert accuracy == [[pytest.approx(1 - (1 / 3 + 1 / 3) / 2)]]
    assert decoded("", 3, marks, labels)[1:] == [[[-4], [-4]], accuracy]


def test_labels_in_rows_are_the_other_forks() -> None:
    assert decoded("", 1, [[1, 1, 3], [0, 1, 2]]) == [[[pytest.approx(1 - (1 / 3) / 2), 0.5]]]


def test_more_tops_than_the_fork_makes_are_refused() -> None:
    with pytest.raises(InputError, match="at most 1"):
        layer_of('type: "CTCGreedyDecoder"', 1, 2)
