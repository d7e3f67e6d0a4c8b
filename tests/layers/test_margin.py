"""SphereFace's classifier: the angle to the own class counts m times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of

ANGLES = np.array([0.2, 0.7, 1.2, 2.0, 2.8])
X = (np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1) * [[1], [2], [3], [4], [5]]).astype(np.float32)
WEIGHTS = np.array([[7, 0], [0, 0.5], [3, 4]], dtype=np.float32)  # its first class lies at angle 0
LABELS = np.zeros(5, dtype=np.float32)


def forward(param: str) -> tuple[Any, Any]:
    layer = layer_of(f'type: "MarginInnerProduct" margin_inner_product_param {{ num_output: 3 {param} }}', 2, 2)
    y, told = layer.forward([X, LABELS], [WEIGHTS], Run())
    return y, float(told[0])


@pytest.mark.parametrize(("margin", "times"), [("DOUBLE", 2), ("TRIPLE", 3), ("QUADRUPLE", 4)])
def test_the_own_angle_is_multiplied_and_keeps_falling(margin: str, times: int) -> None:
    y, told = forward(f"type: {margin} base: 0")
    assert told == 0
    halves = np.floor(times * ANGLES / np.pi)
    wanted = (-1) ** halves * np.cos(times * ANGLES) - 2 * halves
    np.testing.assert_allclose(y[:, 0], wanted * np.arange(1, 6), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(y[:, 1:], (X @ (WEIGHTS / [[7], [0.5], [5]]).T)[:, 1:], rtol=1e-5)


def test_lambda_mixes_the_plain_product_in() -> None:
    plain, told = forward("base: 8 gamma: 0.5 iteration: 3 power: 2")
    assert told == pytest.approx(8 / 3**2)
    np.testing.assert_allclose(plain, X @ (WEIGHTS / [[7], [0.5], [5]]).T, rtol=1e-5)
    hard, _ = forward("type: DOUBLE base: 0")
    mixed, told = forward("type: DOUBLE base: 1 gamma: 1 lambda_min: 5")
    assert told == 5
    np.testing.assert_allclose(mixed, (hard + 5 * plain) / 6, rtol=1e-4)


def test_a_row_needs_its_label() -> None:
    layer = layer_of('type: "MarginInnerProduct" margin_inner_product_param { num_output: 3 }', 2, 2)
    assert layer.infer([Shape((5, 2)), Shape((5,))]) == [(5, 3), (1,)]
    with pytest.raises(InputError, match="differ in axis 0"):
        layer.infer([Shape((5, 2)), Shape((4,))])
