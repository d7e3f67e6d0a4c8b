"""BN of three forks: blobs, values and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.execute.executor import Executor
from netcount.execute.weights import read_caffemodel, write_caffemodel
from netcount.kernels.run import Run
from tests.helpers import graph_of, layer_of, net_of

X = np.random.default_rng(3).standard_normal((2, 6, 3, 5)).astype(np.float32)
SLOPE, BIAS = np.arange(1, 7, dtype=np.float32), np.arange(6, dtype=np.float32)


def blobs(*more: Any, shape: tuple[int, ...] = (1, 6, 1, 1)) -> list[Any]:
    return [blob.reshape(shape) for blob in (SLOPE, BIAS, *more)]


def normal(x: Any, eps: float) -> Any:
    mean, variance = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * SLOPE.reshape(6, 1, 1) + BIAS.reshape(6, 1, 1)


def test_kept_statistics_are_the_mean_and_the_inverse_deviation() -> None:
    layer = layer_of('type: "BN" bn_param { slope_filler { value: 1 } }')
    assert [(blob.shape, blob.role) for blob in layer.blobs([Shape(X.shape)])] == [
        ((1, 6), role) for role in ("weight", "bias", "statistic", "statistic")
    ]
    (y,) = layer.forward([X], blobs(BIAS, SLOPE, shape=(1, 6)), Run())
    planes = [(X[:, c] - c) * (c + 1) * (c + 1) + c for c in range(6)]
    np.testing.assert_allclose(y, np.stack(planes, axis=1), rtol=1e-5, atol=1e-5)
    (own,) = layer_of('type: "BN"', phase="TRAIN").forward([X], blobs(BIAS, SLOPE, shape=(1, 6)), Run())
    np.testing.assert_allclose(own, normal(X, 1e-5), rtol=1e-4, atol=1e-5)


NET = """
input: "x" input_shape { dim: 2 dim: 6 dim: 3 dim: 5 }
layer { name: "n" type: "BN" bottom: "x" top: "y" bn_param { eps: 0.5 } param { name: "s" } param { name: "b" }
        param { name: "m" } param { name: "v" } }
layer { name: "o" type: "BN" bottom: "x" top: "z" bn_param { eps: 0.5 } param { name: "s" } param { name: "b" }
        param { name: "m" } param { name: "v" } }
"""


def test_a_model_with_four_axes_keeps_variances_as_pspnets(tmp_path: Path) -> None:
    net = net_of(NET)
    path = tmp_path / "pspnet.caffemodel"
    write_caffemodel(path, graph_of(net), {"n": blobs(BIAS, SLOPE)})
    weights = read_caffemodel(path, graph_of(net)).blobs
    assert [array.shape for array in weights["n"]] == [(1, 6, 1, 1)] * 4
    outputs = dict(Executor(graph_of(net), weights, keep=["y", "z"]).run({"x": X}))
    by_channel = [value.reshape(6, 1, 1) for value in (SLOPE, BIAS)]
    wanted = (X - by_channel[1]) / np.sqrt(by_channel[0] + 0.5) * by_channel[0] + by_channel[1]
    for blob in ("y", "z"):
        np.testing.assert_allclose(outputs[blob], wanted, rtol=1e-4, atol=1e-5)
    write_caffemodel(path, graph_of(net), {"n": blobs(BIAS, SLOPE, shape=(1, 6))})
    assert [array.shape for array in read_caffemodel(path, graph_of(net)).blobs["n"]] == [(1, 6)] * 4
    with pytest.raises(InputError, match="needs blobs 1×6"):
        write_caffemodel(path, graph_of(net), {"n": blobs(BIAS, SLOPE, shape=(6, 1))})


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_segnet_normalizes_by_the_batch_in_either_phase(phase: str) -> None:
    layer = layer_of(
        'type: "BN" bn_param { scale_filler { value: 1 } shift_filler { value: 0.001 } }', 1, 3, phase
    )
    assert layer.infer([Shape(X.shape)]) == [X.shape, (1, 6, 1, 1), (1, 6, 1, 1)]
    assert [(b.shape, b.role) for b in layer.blobs([Shape(X.shape)])] == [
        ((1, 6, 1, 1), "weight"),
        ((1, 6, 1, 1), "bias"),
    ]
    y, mean, variance = layer.forward([X], blobs(), Run())
    np.testing.assert_allclose(y, normal(X, 1e-9), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mean.reshape(-1), X.mean(axis=(0, 2, 3)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variance.reshape(-1), X.var(axis=(0, 2, 3)), rtol=1e-5)


def test_segnets_inference_is_a_scale_and_a_shift() -> None:
    layer = layer_of('type: "BN" bn_param { bn_mode: INFERENCE }')
    (y,) = layer.forward([X], blobs(), Run())
    np.testing.assert_allclose(y, X * SLOPE.reshape(6, 1, 1) + BIAS.reshape(6, 1, 1), rtol=1e-6)
    ops = layer.ops([Shape(X.shape)], [Shape(X.shape)])
    assert (ops.madds, ops.adds, ops.muls) == (0, X.size, X.size)


def test_more_tops_or_axes_than_the_fork_has_are_refused() -> None:
    with pytest.raises(InputError, match="takes 1 top"):
        layer_of('type: "BN"', 1, 3)
    with pytest.raises(InputError, match="more than the 4 axes"):
        layer_of('type: "BN"').infer([Shape((2, 3, 4, 5, 6))])
    with pytest.raises(InputError, match="takes 1 to 3 tops, not 0"):
        net_of('layer { name: "n" type: "BN" bottom: "x" } input: "x" input_shape { dim: 2 dim: 3 }')


STATISTICS = [SLOPE + 1, SLOPE, np.ones(1, dtype=np.float32)]


@pytest.mark.parametrize("field", ["scale_bias: true", "scale_filler { value: 1 }", "bias_filler { value: 0 }"])
def test_nvidias_batch_norm_learns_a_scale_and_a_bias(field: str) -> None:
    specs = "".join(f" param {{ lr_mult: {rate} }}" for rate in (1, 1, 0, 0))
    net = net_of(
        'input: "x" input_shape { dim: 2 dim: 6 dim: 3 dim: 5 }'
        f'layer {{ name: "n" type: "BatchNorm" bottom: "x" top: "y"{specs} batch_norm_param {{ {field} }} }}'
    )
    rows = {layer.name: layer for layer in net.analyze().layers}
    assert [blob.shape for blob in net.node("n").params] == [(6,), (6,), (1,), (6,), (6,)]
    assert (rows["n"].params, rows["n"].statistics) == (12, 13)
    assert (rows["n"].ops.madds, rows["n"].ops.muls) == (0, 2 * 6 * 15 + 2 * 6)


def test_nvidias_batch_norm_scales_after_it_normalizes() -> None:
    layer = layer_of('type: "BatchNorm" batch_norm_param { scale_bias: true eps: 1e-9 }')
    (y,) = layer.forward([X], [*STATISTICS, SLOPE, BIAS], Run())
    mean, variance, scale, bias = (value.reshape(6, 1, 1) for value in (*STATISTICS[:2], SLOPE, BIAS))
    np.testing.assert_allclose(y, (X - mean) / np.sqrt(variance + 1e-5) * scale + bias, rtol=1e-5, atol=1e-5)
    (own,) = layer_of('type: "BatchNorm" batch_norm_param { scale_bias: true }', phase="TRAIN").forward(
        [X], [*STATISTICS, SLOPE, BIAS], Run()
    )
    np.testing.assert_allclose(own, normal(X, 1e-5), rtol=1e-4, atol=1e-5)


def test_a_batch_norm_without_these_fields_learns_nothing() -> None:
    layer = layer_of('type: "BatchNorm" batch_norm_param { scale_bias: false }')
    assert {blob.role for blob in layer.blobs([Shape(X.shape)])} == {"statistic"}
    with pytest.raises(InputError, match="lr_mult must be 0"):
        layer_of('type: "BatchNorm" param { lr_mult: 1 }')
