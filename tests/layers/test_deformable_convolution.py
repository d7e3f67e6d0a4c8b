"""A convolution whose taps move: by the loops of deformable_im2col.cu."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

PARAM = "num_output: 4 kernel_h: 3 kernel_w: 2 pad_h: 1 pad_w: 0 stride_h: 2 stride_w: 1 dilation: 2 group: 2"


def made(param: str = f"{PARAM} deformable_group: 3") -> Any:
    return layer_of(f'type: "DeformableConvolution" deformable_convolution_param {{ {param} }}', 2)


def drawn(*shape: int, seed: int = 3) -> Any:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def value(plane: Any, y: float, x: float) -> float:
    """Bilinear, 0 outside."""
    high, wide = plane.shape
    if not (0 <= y < high and 0 <= x < wide):
        return 0.0
    i, j = int(y), int(x)
    k, m = min(i + 1, high - 1), min(j + 1, wide - 1)
    upper = plane[i, j] * (1 - y + i) + plane[k, j] * (y - i)
    other = plane[i, m] * (1 - y + i) + plane[k, m] * (y - i)
    return float(upper * (1 - x + j) + other * (x - j))


def test_each_tap_is_moved_by_its_group() -> None:
    x, moves = drawn(2, 6, 7, 8), drawn(2, 36, 7, 8, seed=5)
    layer = made()
    shapes = [Shape(x.shape), Shape(moves.shape)]
    assert layer.infer(shapes) == [(2, 4, 3, 6)]
    assert [blob.shape for blob in layer.blobs(shapes)] == [(4, 3, 3, 2), (4,)]
    weight, bias = drawn(4, 3, 3, 2, seed=7), drawn(4, seed=9)
    run = Run()
    (y,) = layer.forward([x, moves], [weight, bias], run)
    expected = np.zeros((2, 4, 3, 6))
    flat = moves.reshape(2, -1)[:, : 3 * 6 * 2 * 18].reshape(2, 3, 3, 2, 2, 3, 6)
    for n, o, row, column in np.ndindex(expected.shape):
        total = float(bias[o])
        for c, i, j in product(range(3), range(3), range(2)):
            channel = o // 2 * 3 + c
            down, right = flat[n, channel // 2, i, j, :, row, column]
            place = (row * 2 - 1 + i * 2 + down, column + j * 2 + right)
            total += float(weight[o, c, i, j]) * value(x[n, channel], *place)
        expected[n, o, row, column] = total
    np.testing.assert_allclose(y, expected, rtol=1e-3, atol=1e-4)
    assert run.madds == layer.ops(shapes, layer.infer(shapes)).madds == 2 * 4 * 18 * 3 * 6


def test_without_offsets_it_is_a_convolution() -> None:
    x = drawn(1, 6, 7, 8)
    weight, bias = drawn(4, 3, 3, 2, seed=7), drawn(4, seed=9)
    plain = layer_of(f'type: "Convolution" convolution_param {{ {PARAM} }}')
    (one,) = made().forward([x, np.zeros((1, 36, 7, 8), np.float32)], [weight, bias], Run())
    (other,) = plain.forward([x], [weight, bias], Run())
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_its_weights_and_madds_are_a_convolutions() -> None:
    net = net_of(
        inputs(data=(1, 16, 14, 14))
        + """
        layer { name: "off" type: "Convolution" bottom: "data" top: "off"
                convolution_param { num_output: 18 kernel_size: 3 pad: 1 } }
        layer { name: "dc" type: "DeformableConvolution" bottom: "data" bottom: "off" top: "dc"
                deformable_convolution_param { num_output: 32 kernel_size: 3 pad: 1 deformable_group: 1
                                               bias_term: false } }
        layer { name: "c" type: "Convolution" bottom: "dc" top: "c"
                convolution_param { num_output: 8 kernel_size: 1 } }"""
    )
    rows = {row.name: (row.params, row.madds) for row in net.analyze().layers}
    assert rows["dc"] == (4608, 903168)
    assert rows["c"] == (264, 50176)
    assert net.complete


@pytest.mark.parametrize(
    ("param", "shapes", "said"),
    [
        (PARAM, [(1, 6, 7, 8), (1, 48, 7, 8)], "6 input channels cannot be divided by deformable_group 4"),
        (f"{PARAM} deformable_group: 3", [(1, 6, 7, 8), (1, 36, 3, 6)], r"must be 1×36×7×8: two offsets"),
        (f"{PARAM} deformable_group: 3", [(1, 6, 7, 8), (1, 35, 7, 8)], "6 taps of 3 deformable_group"),
        (f"{PARAM} deformable_group: 3", [(6, 7, 8), (36, 7, 8)], "needs 4 axes"),
    ],
)
def test_what_it_asks_of_its_offsets(param: str, shapes: list[tuple[int, ...]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        made(param).infer([Shape(shape) for shape in shapes])


def test_its_errors_point_at_its_own_message() -> None:
    text = """layer { name: "d" type: "DeformableConvolution" bottom: "x" bottom: "o" top: "y"
        deformable_convolution_param { num_output: 4
        kernel_size: 3 kernel_h: 2 } }"""
    with pytest.raises(InputError) as found:
        net_of(inputs(x=(1, 4, 5, 5), o=(1, 72, 5, 5)) + text)
    assert found.value.place is not None
    assert found.value.place.line == 5
    with pytest.raises(InputError, match="deformable_group must be positive"):
        made(f"{PARAM} deformable_group: 0")
    with pytest.raises(InputError, match="holds fewer offsets"):
        made("num_output: 4 kernel_size: 1 pad: 1 deformable_group: 1").forward(
            [drawn(1, 4, 5, 5), drawn(1, 2, 5, 5)], [drawn(4, 4, 1, 1), drawn(4)], Run()
        )
