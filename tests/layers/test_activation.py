"""Activations of forks, and what only a debug build of Caffe refuses."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from netcount.layers.bases import ElementWise
from netcount.layers.registry import CATALOGUE, shipped_types
from tests.helpers import layer_of

X = np.array([-4, -1, 0, 5, 9], dtype=np.float32)


def test_relu6_has_a_slope_of_its_own() -> None:
    (y,) = layer_of('type: "ReLU6"').forward([X], [], Run())
    assert y.tolist() == [0, 0, 0, 5, 6]
    layer = layer_of('type: "ReLU6" relu6_param { negative_slope: 0.5 }')
    (y,) = layer.forward([X], [], Run())
    assert y.tolist() == [-2, -0.5, 0, 5, 6]
    assert layer.ops([Shape((5,))], [Shape((5,))]) == OpCount(adds=5, muls=5, compares=15)


ELEMENT_WISE = [
    f'type: "{key}"' for key in shipped_types() if issubclass(CATALOGUE.get(key) or object, ElementWise)
]
SLOPED = [f'type: "ReLU{n}" relu{n}_param {{ negative_slope: 0.5 }}' for n in ("", 6)]


@pytest.mark.parametrize("text", ELEMENT_WISE + SLOPED)
def test_a_number_without_axes_stays_one(text: str) -> None:
    """numpy makes a scalar of many a function's value, which is no array to write to."""
    (y,) = layer_of(text).forward([np.full((), 0.5, dtype=np.float32)], [], Run())
    assert isinstance(y, np.ndarray)
    assert (y.shape, y.dtype) == ((), np.float32)


@pytest.mark.parametrize("ratio", ["0", "1"])
def test_a_dropout_ratio_at_its_bounds_passes_values(ratio: str) -> None:
    layer = layer_of(f'type: "Dropout" dropout_param {{ dropout_ratio: {ratio} }}')
    (y,) = layer.forward([X], [], Run())
    assert (y == X).all()


def clipped(text: str) -> list[float]:
    x = np.asarray([-3, 1, 8], dtype=np.float32)
    (top,) = layer_of(f'type: "Clip" {text}').forward([x], [], Run())
    return list(top)


def test_clip_takes_the_upper_bound_first() -> None:
    assert clipped("clip_param { min: -2 max: 6 }") == [-2, 1, 6]
    assert clipped("clip_param { min: 4 max: 2 }") == [4, 4, 4]


def test_clip_without_its_parameters_clips_to_0() -> None:
    assert clipped("") == [0, 0, 0]


def test_how_a_type_counts_is_told_without_names_of_the_code() -> None:
    for name in CATALOGUE:
        layer = CATALOGUE.get(name)
        assert layer is not None
        assert "`" not in (inspect.getdoc(layer.ops) or "").partition("\n\n")[0], name
