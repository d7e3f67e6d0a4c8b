"""Reverse: a blob read backwards along an axis."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

X = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_axis_is_read_from_its_end(axis: int) -> None:
    (y,) = layer_of(f'type: "Reverse" reverse_param {{ axis: {axis} }}').forward([X], [], Run())
    assert (y == np.flip(X, axis)).all()


def test_axis_0_is_the_default_and_costs_nothing() -> None:
    net = net_of(inputs(x=(7, 2, 3)) + 'layer { name: "r" type: "Reverse" bottom: "x" top: "y" }')
    row = net.analyze().layers[-1]
    assert (row.params, row.ops.madds, row.ops.others) == (0, 0, 0)
    assert net.node("r").top_shapes == [(7, 2, 3)]
    (y,) = layer_of('type: "Reverse"').forward([X], [], Run())
    assert (y == X[::-1]).all()


@pytest.mark.parametrize("axis", [-1, 3])
def test_an_axis_that_the_bottom_has_not_is_refused(axis: int) -> None:
    text = f'layer {{ name: "r" type: "Reverse" bottom: "x" top: "y" reverse_param {{ axis: {axis} }} }}'
    with pytest.raises(InputError, match=f"axis {axis}"):
        net_of(inputs(x=(2, 3, 5)) + text)
