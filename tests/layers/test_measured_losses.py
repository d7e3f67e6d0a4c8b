"""FlowNet2's losses: values by the sources' own steps."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

A = np.array([[[[3.0, 0.0]], [[4.0, 0.5]]], [[[1.0, 2.0]], [[np.nan, 2.0]]]], dtype=np.float32)
"""Two images of two channels and two positions; one value is not a number."""
ROOTS = 5 + 0.5 + 1 + sqrt(8)
"""Of the squares of A, summed over the channels, the missing value counted as 0."""


def value(text: str, *bottoms: Any) -> float:
    layer = layer_of(text, len(bottoms))
    (y,) = layer.forward(list(bottoms), [], Run())
    assert y.shape == tuple(layer.infer([Shape(bottom.shape) for bottom in bottoms])[0])
    return float(y)


@pytest.mark.parametrize(
    ("param", "loss"),
    [
        ("", (7.5 + 5) / 2),
        ("plateau: 1.5", (7 + 4) / 2),
        ("normalize_by_num_entries: true", 12.5 / 3.5),
        ("l2_per_location: true epsilon: 0", ROOTS / 2),
        ("l2_per_location: true epsilon: 0 plateau: 0.75", (ROOTS - 0.5) / 2),
        ("l2_per_location: true epsilon: 0 l2_prescale_by_channels: true", ROOTS / 2 / sqrt(2)),
    ],
)
def test_flownets_l1_loss(param: str, loss: float) -> None:
    text = f'type: "L1Loss" l1_loss_param {{ {param} }}'
    assert value(text, A) == pytest.approx(loss)
    assert value(text, A + 1, np.ones_like(A)) == pytest.approx(loss)


def test_the_plateau_leaves_the_epsilon() -> None:
    assert value('type: "L1Loss" l1_loss_param { l2_per_location: true plateau: 9 }', A) == pytest.approx(
        4 * 0.1 / 2
    )


def test_nvidias_l1_loss_takes_blobs_of_different_shapes() -> None:
    a, b = np.full((2, 4), 3, np.float32), np.ones((2, 2, 2), np.float32)
    assert value('type: "L1Loss"', a, b) == 8.0


@pytest.mark.parametrize(
    ("param", "loss"),
    [
        ("p: 2 q: 0.5 q_epsilon: 0", ROOTS / 2),
        ("p: 1 q: 1 q_epsilon: 0", 12.5 / 2),
        ("p: 1 q: 1 q_epsilon: 0 p_epsilon: 0.5", (12.5 + 8 * 0.5) / 2),
        ("p: 1 q: 1", (12.5 + 4 * 0.01) / 2),
        ("p: 1 q: 1 q_epsilon: 0 l2_prescale_by_channels: true normalize_by_num_entries: true", 6.25 / 3.5),
        (
            "p: 2 p: 1 q: 0.5 q: 1 pq_episode_starts_at_iter: 0 pq_episode_starts_at_iter: 9 q_epsilon: 0",
            ROOTS / 2,
        ),
    ],
)
def test_lpq_loss(param: str, loss: float) -> None:
    assert value(f'type: "LpqLoss" lpq_loss_param {{ {param} }}', A) == pytest.approx(loss)


def test_what_is_counted() -> None:
    shapes = [Shape((2, 3, 4, 5))] * 2
    ops = layer_of('type: "L1Loss" l1_loss_param { plateau: 1 }', 2).ops(shapes, [Shape()])
    assert (ops.adds, ops.muls, ops.compares, ops.divs) == (240, 120, 360, 1)
    ops = layer_of('type: "L1Loss" l1_loss_param { l2_per_location: true }', 2).ops(shapes, [Shape()])
    assert (ops.adds, ops.muls, ops.exps, ops.compares) == (240 + 80, 120, 40, 120)
    ops = layer_of('type: "LpqLoss" lpq_loss_param { p: 2 q: 0.4 }', 2).ops(shapes, [Shape()])
    assert (ops.adds, ops.muls, ops.exps, ops.compares) == (240 + 80, 120, 160, 240)


@pytest.mark.parametrize(
    ("text", "shapes", "match"),
    [
        ('type: "L1Loss" l1_loss_param { epsilon: 1 }', [(2, 3, 4, 5), (2, 3, 5, 4)], "must be as"),
        ('type: "LpqLoss" lpq_loss_param { p: 1 q: 1 }', [(2, 3, 4, 5), (2, 60)], "must be as"),
        ('type: "LpqLoss"', [(2, 3, 4, 5)], "a p and a q"),
        ('type: "LpqLoss" lpq_loss_param { p: 1 p: 2 q: 1 }', [(2, 3, 4, 5)], "as many p"),
        (
            'type: "LpqLoss" lpq_loss_param { p: 1 q: 1 pq_episode_starts_at_iter: 3 }',
            [(2, 3, 4, 5)],
            "rise from 0",
        ),
        ('type: "L1Loss"', [(2, 3), (2, 4)], "as many values per image"),
    ],
)
def test_what_is_refused(text: str, shapes: list[tuple[int, ...]], match: str) -> None:
    names = [f"b{index}" for index in range(len(shapes))]
    blobs = "".join(f' bottom: "{name}"' for name in names)
    with pytest.raises(InputError, match=match):
        net_of(inputs(**dict(zip(names, shapes, strict=True))) + f'layer {{ name: "l"{blobs} top: "y" {text} }}')
