"""Fillers: what Caffe refuses, and the distributions they draw from."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.fillers import FILLS
from netcount.layers.filler import TYPES, Filler
from netcount.prototxt.message import Message
from tests.helpers import layer_of

WIDE = Shape((30, 20, 9, 11))


def message(text: str) -> Message:
    fields = f"num_output: 1 kernel_size: 1 weight_filler {{ {text} }}"
    made = layer_of(f'type: "Convolution" convolution_param {{ {fields} }}')
    return made.message.child("convolution_param")


def filler(text: str) -> Filler:
    return Filler(message(text), "weight_filler")


def filled(text: str, shape: tuple[int, ...] = WIDE, seed: int = 3) -> Any:
    found = filler(text)
    found.check(Shape(shape))
    values = found.fill(Shape(shape), np.random.default_rng(seed))
    assert values.dtype == np.float32
    assert values.shape == tuple(shape)
    return values


def test_every_type_fills() -> None:
    assert set(FILLS) == TYPES


def test_constant() -> None:
    assert (filled("value: 2.5") == 2.5).all()
    assert (filled('type: "constant"') == 0).all()


def test_an_absent_filler_is_not_given() -> None:
    assert not Filler(message(""), "bias_filler").given
    assert filler("value: 1").given


def test_uniform() -> None:
    values = filled('type: "uniform" min: -2 max: 5')
    assert -2 <= values.min() < -1.99
    assert 4.99 < values.max() <= 5


def test_gaussian() -> None:
    values = filled('type: "gaussian" mean: 4 std: 3')
    assert abs(values.mean() - 4) < 0.1
    assert abs(values.std() - 3) < 0.1


def test_a_sparse_gaussian_keeps_that_many_of_axis_0() -> None:
    values = filled('type: "gaussian" std: 1 sparse: 6')
    assert abs((values != 0).mean() - 6 / 30) < 0.01
    assert not filled('type: "gaussian" std: 1 sparse: 0').any()


def test_rows_of_a_positive_unitball_sum_to_1() -> None:
    values = filled('type: "positive_unitball"')
    assert (values >= 0).all()
    np.testing.assert_allclose(values.reshape(30, -1).sum(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize(
    ("norm", "fan"),
    [
        ("", 20 * 99),
        ("variance_norm: FAN_IN", 20 * 99),
        ("variance_norm: FAN_OUT", 30 * 99),
        ("variance_norm: AVERAGE", 25 * 99),
    ],
)
def test_variance_norms(norm: str, fan: int) -> None:
    xavier, msra = filled(f'type: "xavier" {norm}'), filled(f'type: "msra" {norm}')
    limit = sqrt(3 / fan)
    assert 0.999 * limit < abs(xavier).max() <= limit * (1 + 1e-6)
    assert abs(msra.std() / sqrt(2 / fan) - 1) < 0.01
    assert abs(msra.mean()) < 0.01 * limit


def test_the_fan_of_a_blob_with_one_axis() -> None:
    """Caffe divides by axis 0 for the inputs, and has no axis to divide by for the outputs."""
    assert abs(filled('type: "xavier"', (1000,))).max() > 1.7
    assert 0.05 < abs(filled('type: "xavier" variance_norm: FAN_OUT', (1000,))).max() < sqrt(3 / 1000) * 1.001


def test_bilinear() -> None:
    odd, even = filled('type: "bilinear"', (2, 1, 3, 3)), filled('type: "bilinear"', (2, 1, 4, 4))
    assert odd[1, 0].tolist() == np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]).tolist()
    assert even[0, 0].tolist() == np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25]).tolist()


def test_one_seed_gives_the_same_values() -> None:
    assert (filled('type: "msra"', seed=5) == filled('type: "msra"', seed=5)).all()
    assert (filled('type: "msra"', seed=5) != filled('type: "msra"', seed=6)).any()


@pytest.mark.parametrize(
    ("text", "shape", "said"),
    [
        ('type: "gaussian" std: 0', (3, 5), "std > 0, not 0"),
        ('type: "gaussian" std: -2', (3, 5), "std > 0, not -2"),
        ('type: "gaussian" sparse: -2', (3, 5), "sparse -2 is not supported"),
        ('type: "gaussian" sparse: 4', (3, 5), "sparse 4 is more than axis 0 of the blob (3×5) allows"),
        ('type: "uniform" min: 2 max: 1', (3, 5), "min <= max, not 2 and 1"),
        ('type: "bilinear"', (3, 5, 4), "square 4-axis blob, not 3×5×4"),
        ('type: "bilinear"', (3, 5, 4, 6), "square 4-axis blob, not 3×5×4×6"),
        ('type: "xavier"', (), "needs a blob with an axis"),
        ('type: "msra"', (), "needs a blob with an axis"),
        ('type: "positive_unitball"', (), "needs a blob with an axis"),
        *[(f'type: "{kind}"', (3, 0), "cannot fill a blob without elements (3×0)") for kind in sorted(TYPES)],
        *[
            (f'type: "{kind}" sparse: 3', (6, 5, 4, 4), f"sparse 3 is not supported by the {kind} filler")
            for kind in sorted(TYPES - {"gaussian"})
        ],
    ],
)
def test_refused_fillers(text: str, shape: tuple[int, ...], said: str) -> None:
    found = filler(text)
    with pytest.raises(InputError) as refusal:
        found.check(Shape(shape))
    assert said in refusal.value.message


def test_a_constant_fills_a_blob_without_axes() -> None:
    assert filled("value: 3", ()) == 3


def test_an_unknown_type_is_refused_when_it_is_read() -> None:
    with pytest.raises(InputError, match='unknown filler "xavir"; known are bilinear, constant'):
        filler('type: "xavir"')
