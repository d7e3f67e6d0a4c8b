"""Lstm of two forks, held against the LSTM of Caffe itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

T, N, WIDE, H = 5, 2, 6, 3


def values(*shape: int) -> Any:
    return np.sin(np.arange(np.prod(shape), dtype=np.float32) * 1.7).reshape(shape)


X, WEIGHT, OWN, BIAS = values(T, N, WIDE), values(4 * H, WIDE), values(4 * H, H), values(4 * H)
MARKS = (np.arange(T) % 3 > 0).astype(np.float32)[:, None].repeat(N, axis=1)
FIRST = (np.arange(T) > 0).astype(np.float32)[:, None].repeat(N, axis=1)


def stock(marks: Any) -> Any:
    layer = layer_of(f'type: "LSTM" recurrent_param {{ num_output: {H} }}', 2)
    return layer.forward([X, marks], [WEIGHT, BIAS, OWN], Run())[0]


def test_ctpns_has_an_axis_of_sequences() -> None:
    layer = layer_of(f'type: "Lstm" lstm_param {{ num_output: {H} }}')
    assert layer.infer([Shape((T, N, 2, 3))]) == [(T, N, H)]
    assert [(blob.shape, blob.role) for blob in layer.blobs([Shape((T, N, 2, 3))])] == [
        ((4 * H, WIDE), "weight"), ((4 * H, H), "weight"), ((4 * H,), "bias")
    ]  # fmt: skip
    run = Run()
    (y,) = layer.forward([X], [WEIGHT, OWN, BIAS], run)
    np.testing.assert_allclose(y, stock(FIRST), rtol=1e-5, atol=1e-6)
    assert layer.ops([Shape(X.shape)], [Shape(y.shape)]).madds == run.madds == T * N * 4 * H * (WIDE + H)


def test_caffe_lstms_has_one_axis_for_instants_and_sequences() -> None:
    layer = layer_of(f'type: "Lstm" lstm_param {{ num_output: {H} batch_size: {N} }}', 2)
    assert layer.infer([Shape((T * N, WIDE)), Shape((T * N,))]) == [(T * N, H)]
    (y,) = layer.forward([X.reshape(T * N, WIDE), MARKS.reshape(-1)], [WEIGHT, OWN, BIAS], Run())
    np.testing.assert_allclose(y.reshape(T, N, H), stock(MARKS), rtol=1e-5, atol=1e-6)


def test_without_batch_size_marks_make_it_caffe_lstms() -> None:
    layer = layer_of(f'type: "Lstm" lstm_param {{ num_output: {H} }}', 2)
    assert layer.infer([Shape((T, 1, WIDE)), Shape((T, 1))]) == [(T, H)]
    assert layer.blobs([Shape((T, 2, WIDE)), Shape((T, 1))])[0].shape == (4 * H, 2 * WIDE)


def test_with_recurrent_param_it_is_caffes_own() -> None:
    text = "".join(
        f'layer {{ name: "{type}" type: "{type}" bottom: "x" bottom: "m" top: "{type}" '
        f"recurrent_param {{ num_output: {H} }} }}"
        for type in ("Lstm", "LSTM")
    )
    mine, theirs = net_of(inputs(x=(T, N, WIDE), m=(T, N)) + text).analyze().layers[-2:]
    assert (mine.params, mine.ops, mine.tops) == (theirs.params, theirs.ops, (mine.tops[0]._replace(),))
    assert mine.tops[0].shape == theirs.tops[0].shape == (T, N, H)


@pytest.mark.parametrize(
    ("fields", "shapes", "match"),
    [
        ("num_output: 0", [(T, N, WIDE)], "num_output"),
        ("num_output: 3 batch_size: 3", [(10, WIDE)], "multiple of batch_size 3"),
        ("num_output: 3", [(T, WIDE), (T - 1,)], "must hold 5 marks"),
        ("num_output: 3", [(T, WIDE), (T, 2)], "one mark along axis 0"),
    ],
)
def test_what_the_forks_refuse(fields: str, shapes: list[tuple[int, ...]], match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'type: "Lstm" lstm_param {{ {fields} }}', len(shapes)).infer([Shape(shape) for shape in shapes])
