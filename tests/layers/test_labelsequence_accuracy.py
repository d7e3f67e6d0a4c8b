"""LabelsequenceAccuracy: whole sequences read rightly."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of

TEXT = 'type: "LabelsequenceAccuracy" labelsequence_accuracy_param { blank_label: 3 }'


def test_a_sequence_counts_when_all_of_it_is_right() -> None:
    scores = np.eye(4, dtype=np.float32)[np.array([[1, 1, 3, 1], [0, 2, 2, 3], [3, 3, 3, 3]])]
    labels = np.array([[1, 1, 3], [0, 2, 1], [3, 3, 3]], dtype=np.float32)
    layer = layer_of(TEXT, 2)
    assert layer.infer([Shape(scores.shape), Shape(labels.shape)]) == [()]
    (share,) = layer.forward([scores, labels], [], Run())
    assert float(share) == pytest.approx(2 / 3)


def test_a_label_row_a_sequence() -> None:
    with pytest.raises(InputError, match="N×L"):
        layer_of(TEXT, 2).infer([Shape((3, 4, 4)), Shape((2, 3))])
