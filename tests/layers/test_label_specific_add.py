"""The margin of AM-Softmax: added at the label, in training only."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

SCORES = np.array([[0.5, 0.9, 0.1], [0.1, 0.3, 0.8]], dtype=np.float32)
LABELS = np.array([1, 0], dtype=np.float32)


@pytest.mark.parametrize(
    ("param", "margin", "rows"),
    [
        ("bias: -0.35", 0.0, [[0.5, 0.55, 0.1], [0.1, 0.3, 0.8]]),
        ("bias: 0.25", 0.0, [[0.5, 1.15, 0.1], [0.35, 0.3, 0.8]]),
        (
            "bias_gamma: -0.0001 iteration: 2000 bias_base: 0 bias_min: -0.4",
            -0.2,
            [[0.5, 0.7, 0.1], [0.1, 0.3, 0.8]],
        ),
        (
            "bias_gamma: -0.0001 iteration: 9000 bias_base: 0 bias_min: -0.4",
            -0.4,
            [[0.5, 0.5, 0.1], [0.1, 0.3, 0.8]],
        ),
    ],
)
def test_the_margin_stands_at_the_label(param: str, margin: float, rows: list[list[float]]) -> None:
    text = f'type: "LabelSpecificAdd" label_specific_add_param {{ {param} }}'
    layer = layer_of(text, 2, 2, "TRAIN")
    scores, told = layer.forward([SCORES, LABELS], [], Run())
    assert np.allclose(scores, rows)
    assert np.allclose(told, margin)
    ops = layer.ops([Shape((2, 3)), Shape((2,))], layer.infer([Shape((2, 3)), Shape((2,))]))
    assert (ops.adds, ops.compares) == (2, 2)


def test_nothing_happens_at_test_time() -> None:
    layer = layer_of('type: "LabelSpecificAdd" label_specific_add_param { bias: -0.35 }', 2, 1)
    (scores,) = layer.forward([SCORES, LABELS], [], Run())
    assert (scores == SCORES).all()
    assert layer.passes_bottom
    assert not layer.ops([Shape((2, 3)), Shape((2,))], [Shape((2, 3))]).others


def test_a_label_a_sample() -> None:
    with pytest.raises(InputError, match="needs scores N×S and N labels"):
        net_of(
            inputs(s=(4, 7), l=(3,))
            + 'layer { name: "m" type: "LabelSpecificAdd" bottom: "s" bottom: "l" top: "y" }'
        )
