"""Which layers Caffe can set up when top 0 is bottom 0."""

from __future__ import annotations

import pytest

import netcount
from netcount.core.errors import InputError
from tests.helpers import inputs


def _in_place(layer: str) -> netcount.Net:
    text = inputs(x=(4, 6, 5, 7), same=(4, 6, 5, 7), label=(4, 5, 7))
    return netcount.loads(text + f'layer {{ name: "l" bottom: "x" top: "x" {layer} }}', batch="net")


@pytest.mark.parametrize(
    "layer",
    [
        'type: "AbsVal"',
        'type: "Flatten"',
        'type: "Reshape" reshape_param { shape { dim: 0 dim: -1 } }',
        'type: "Split" top: "y"',
        'type: "Slice" top: "y"',
        'type: "SPP" spp_param { pyramid_height: 2 }',
        'type: "EuclideanLoss" bottom: "same"',
        'type: "SigmoidCrossEntropyLoss" bottom: "same"',
        'type: "SoftmaxWithLoss" bottom: "label"',
    ],
)
def test_these_cannot_work_in_place(layer: str) -> None:
    with pytest.raises(InputError, match="cannot work in place"):
        _in_place(layer)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ('type: "ReLU"', (4, 6, 5, 7)),
        ('type: "ArgMax"', (4, 1, 1, 1)),
        ('type: "Slice"', (4, 6, 5, 7)),
        ('type: "SPP" spp_param { pyramid_height: 1 }', (4, 6, 1, 1)),
        ('type: "Concat" bottom: "same"', (4, 12, 5, 7)),
    ],
)
def test_these_can(layer: str, shape: tuple[int, ...]) -> None:
    assert _in_place(layer).node("l").top_shapes == [shape]


@pytest.mark.parametrize(("layer", "shape"), [("BatchNorm", (4,)), ("BatchNorm", ()), ("ArgMax", ())], ids=str)
def test_too_few_axes_are_refused(layer: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r'bottom 0 "x" .*ax[ie]s'):
        netcount.loads(inputs(x=shape) + f'layer {{ name: "l" type: "{layer}" bottom: "x" top: "y" }}')
