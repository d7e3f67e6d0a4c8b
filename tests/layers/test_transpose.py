"""Transpose: axes in another order."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of


def test_axis_i_of_the_top_is_axis_dim_i_of_the_bottom() -> None:
    layer = layer_of('type: "Transpose" transpose_param { dim: 3 dim: 0 dim: 2 dim: 1 }')
    assert layer.infer([Shape((2, 3, 5, 7))]) == [(7, 2, 5, 3)]
    x = np.arange(2 * 3 * 5 * 7, dtype=np.float32).reshape(2, 3, 5, 7)
    (y,) = layer.forward([x], [], Run())
    assert y[6, 1, 4, 2] == x[1, 2, 4, 6]
    assert y.shape == (7, 2, 5, 3)


@pytest.mark.parametrize("dims", ["dim: 0 dim: 0", "dim: 1 dim: 2", "dim: -1 dim: 0"])
def test_each_axis_is_named_once(dims: str) -> None:
    with pytest.raises(InputError, match="once"):
        layer_of(f'type: "Transpose" transpose_param {{ {dims} }}')


def test_all_axes_are_named() -> None:
    with pytest.raises(InputError, match="has 3"):
        layer_of('type: "Transpose" transpose_param { dim: 1 dim: 0 }').infer([Shape((2, 3, 5))])
