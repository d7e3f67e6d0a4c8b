"""ConvLSTM: on an image of one pixel it is LSTM; its blobs and figures by the unrolled net of the fork."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of

CONV = "lstm_conv_param { num_output: 7 kernel_size: 3 pad: 1 }"
X = Shape((4, 2, 3, 5, 6))
MARKS = Shape((4, 2))


def shapes_of(text: str, bottoms: int = 2, tops: int = 1) -> list[tuple[int, ...]]:
    layer = layer_of(f'type: "ConvLSTM" {text}', bottoms, tops)
    states = [Shape((1, 2, 7, 5, 6))] * (bottoms - 2)
    layer.infer([X, MARKS, *states])
    return [blob.shape for blob in layer.blobs([X, MARKS, *states])]


def test_blobs_stand_in_the_order_of_the_unrolled_net() -> None:
    filters = [(28, 3, 3, 3), (28, 7, 3, 3), (28,)]
    assert shapes_of(CONV) == [*filters, (5, 6), (5, 6), (5, 6)]
    assert shapes_of(f"lstm_debug_param {{ disable_hadamard: true }} {CONV}") == filters
    assert shapes_of(f"lstm_debug_param {{ axis_hadamard: 2 num_axes_hadamard: 3 }} {CONV}")[3:] == [(7, 5, 6)] * 3
    assert shapes_of(f"lstm_debug_param {{ ignore_x: true disable_hadamard: true }} {CONV}") == filters[1:]
    two = 'lstm_conv_param { num_output: 7 type: "hidden" kernel_size: 1 bias_term: false } ' + CONV
    assert shapes_of(f"{two} lstm_debug_param {{ disable_hadamard: true }}") == [(28, 3, 3, 3), (28, 7, 1, 1)]


def test_madds_are_those_of_both_convolutions_at_every_instant() -> None:
    layer = layer_of(f'type: "ConvLSTM" {CONV}', 2)
    tops = layer.infer([X, MARKS])
    assert tops == [(4, 2, 7, 5, 6)]
    assert layer.ops([X, MARKS], tops).madds == 4 * 2 * 5 * 6 * 28 * (3 + 7) * 9


def test_on_one_pixel_it_is_lstm() -> None:
    def values(*shape: int) -> Any:
        return np.sin(np.arange(np.prod(shape), dtype=np.float32) * 1.3).reshape(shape)

    x, weight, bias, own = values(4, 2, 3), values(28, 3), values(28), values(28, 7)
    marks = np.array([[0, 0], [1, 1], [1, 0], [1, 1]], dtype=np.float32)
    plain = layer_of('type: "LSTM" recurrent_param { num_output: 7 }', 2)
    (wanted,) = plain.forward([x, marks], [weight, bias, own], Run())
    text = (
        'type: "ConvLSTM" lstm_conv_param { num_output: 7 kernel_size: 1 } '
        "lstm_debug_param { disable_hadamard: true }"
    )
    blobs = [weight[..., None, None], own[..., None, None], bias]
    (y,) = layer_of(text, 2).forward([x[..., None, None], marks], blobs, Run())
    np.testing.assert_allclose(y[..., 0, 0], wanted, rtol=1e-5, atol=1e-6)


def test_the_cell_opens_its_own_gates() -> None:
    text = (
        'type: "ConvLSTM" lstm_conv_param { num_output: 1 kernel_size: 1 } recurrent_param { expose_hidden: true }'
    )
    one = np.ones((1, 1, 1, 1, 1), dtype=np.float32)
    zero = np.zeros((4, 1, 1, 1), dtype=np.float32)
    factors = [np.full((1, 1), value, dtype=np.float32) for value in (0.5, 2.0, 9.0)]
    layer = layer_of(text, 4, 3)
    _, hidden, cell = layer.forward(
        [one, one[0, 0, 0], 0 * one, 3 * one], [zero, zero, zero.reshape(-1), *factors], Run()
    )
    forget, output = 1 / (1 + np.exp(-2.0 * 3)), 1 / (1 + np.exp(-9.0 * 3))
    assert float(cell.item()) == pytest.approx(forget * 3, rel=1e-5)
    assert float(hidden.item()) == pytest.approx(output * np.tanh(forget * 3), rel=1e-5)


def test_a_relu_in_each_tanhs_place() -> None:
    text = "lstm_conv_param { num_output: 1 kernel_size: 1 } lstm_debug_param { disable_hadamard: true }"
    layer = layer_of(f'type: "ConvLSTMReLU" {text}', 2)
    x = np.array([2.0, -2.0], dtype=np.float32).reshape(2, 1, 1, 1, 1)
    weight = np.array([0, 0, 0, 3], dtype=np.float32).reshape(4, 1, 1, 1)
    (y,) = layer.forward(
        [x, np.array([[0], [1]], dtype=np.float32)], [weight, 0 * weight, weight[:, 0, 0, 0] * 0], Run()
    )
    assert y.reshape(-1).tolist() == [0.5 * 0.5 * 6, 0.5 * (0.5 * 0.5 * 6)]
    shapes = [Shape((4, 2, 3, 5, 6)), MARKS]
    layer = layer_of(f'type: "ConvLSTMReLU" {CONV}', 2)
    ops, plain = (one.ops(shapes, layer.infer(shapes)) for one in (layer, layer_of(f'type: "ConvLSTM" {CONV}', 2)))
    values = 4 * 2 * 7 * 5 * 6
    assert (ops.compares, plain.exps - ops.exps, plain.divs - ops.divs) == (2 * values,) * 3
    assert ops.madds == plain.madds


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "takes 1 or 2 lstm_conv_param"),
        ("lstm_conv_param { num_output: 7 kernel_size: 3 }", "check kernel_size and pad"),
        ("lstm_conv_param { num_output: 7 }", "positive kernel_size"),
        ("lstm_conv_param { num_output: 7 kernel_size: 1 group: 2 }", "group 2"),
        (
            "lstm_conv_param { num_output: 7 kernel_size: 1 } lstm_conv_param { num_output: 6 kernel_size: 1 }",
            "same",
        ),
        (f"lstm_debug_param {{ expose: 'c_t=5' }} {CONV}", "4 instants"),
        (f"lstm_debug_param {{ expose: 'gate' }} {CONV}", "can expose"),
    ],
)
def test_what_the_fork_refuses(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'type: "ConvLSTM" {text}', 2, 1 + ("expose" in text)).infer([X, MARKS])
