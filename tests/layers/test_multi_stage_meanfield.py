"""MultiStageMeanfield: a random field as a recurrent net."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

PARAM = "multi_stage_meanfield_param { num_iterations: 2 theta_alpha: 3 theta_beta: 0.5 theta_gamma: 2 }"


@pytest.mark.parametrize(
    "first", ["layer { name: 'c' type: 'MultiStageMeanfield'", "layers { name: 'c' type: MULTI_STAGE_MEANFIELD"]
)
def test_three_matrices_of_classes_are_learned(first: str) -> None:
    rates = " ".join(["param { lr_mult: 1 }"] * 3) if first.startswith("layer {") else "blobs_lr: 1 " * 3
    text = f'{first} bottom: "u" bottom: "q" bottom: "i" top: "y" {rates} {PARAM} }}'
    blobs = " ".join(
        f'input: "{name}" input_shape {{ dim: 1 dim: {channels} dim: 50 dim: 40 }}'
        for name, channels in (("u", 21), ("q", 21), ("i", 3))
    )
    net = net_of(blobs + text)
    row = net.analyze().layers[-1]
    assert net.node("c").top_shapes == [(1, 21, 50, 40)]
    assert row.params == 3 * 21 * 21
    assert row.ops.madds == 2 * 3 * 21 * 21 * 50 * 40


def test_one_step_by_the_definition() -> None:
    unary = np.sin(np.arange(2 * 3 * 4, dtype=np.float32)).reshape(1, 2, 3, 4)
    image = np.cos(np.arange(3 * 3 * 4, dtype=np.float32)).reshape(1, 3, 3, 4)
    matrices = [
        np.array(rows, dtype=np.float32) for rows in ([[1, 2], [0, 1]], [[2, 0], [1, 1]], [[0, 1], [1, 0]])
    ]
    (y,) = layer_of(f'type: "MultiStageMeanfield" {PARAM}', 3).forward(
        [unary, unary, image], [matrix.reshape(1, 1, 2, 2) for matrix in matrices], Run()
    )
    flat, colours = unary.reshape(2, 12), image.reshape(3, 12)
    places = np.array([(row, column) for row in range(3) for column in range(4)])
    near, alike = np.zeros((12, 12)), np.zeros((12, 12))
    for one in range(12):
        for other in range(12):
            apart = ((places[one] - places[other]) ** 2).sum()
            near[one, other] = np.exp(-apart / 2 / 4)
            alike[one, other] = np.exp(
                -apart / 2 / 9 - ((colours[:, one] - colours[:, other]) ** 2).sum() / 2 / 0.25
            )
    q = flat
    for _ in range(2):
        likely = np.exp(q) / np.exp(q).sum(axis=0)
        heard = [likely @ kernel / kernel.sum(axis=0) for kernel in (near, alike)]
        q = flat - matrices[2] @ (matrices[0] @ heard[0] + matrices[1] @ heard[1])
    np.testing.assert_allclose(y.reshape(2, 12), q, rtol=1e-4, atol=1e-5)


def test_caffe_tvgs_has_rows_more() -> None:
    blobs = 'bottom: "u" bottom: "u" bottom: "i" bottom: "n" top: "y" top: "z" '
    text = f'layer {{ name: "c" type: "MultiStageMeanfield" {blobs}'
    net = net_of(inputs(u=(1, 4, 5, 6), i=(1, 3, 5, 6), n=(1, 1, 1, 3)) + text + PARAM + " }")
    assert net.node("c").top_shapes == [(1, 4, 5, 6), (1, 1, 1, 200)]
    assert net.analyze().layers[-1].params == 3 * 16 + 4 + 4 + 1 + 1
    with pytest.raises(InputError, match=r'give them with inputs=\{"y": array\} and inputs=\{"z": array\}'):
        net.run()


@pytest.mark.parametrize(
    ("shapes", "match"),
    [
        (((1, 4, 5, 6), (1, 4, 5, 7), (1, 3, 5, 6)), "must be as"),
        (((1, 4, 5, 6), (1, 4, 5, 6), (1, 3, 5, 7)), "an image"),
    ],
)
def test_all_bottoms_are_as_large(shapes: tuple[tuple[int, ...], ...], match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'type: "MultiStageMeanfield" {PARAM}', 3).infer([Shape(shape) for shape in shapes])


def test_one_iteration_is_none() -> None:
    with pytest.raises(InputError, match="more than 1"):
        layer_of('type: "MultiStageMeanfield" multi_stage_meanfield_param { num_iterations: 1 }', 3)
