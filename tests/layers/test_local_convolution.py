"""LocalConvolution under its names: filters that are not shared."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of


@pytest.mark.parametrize(
    "layer",
    [
        'layer { name: "l1" type: "LocalConvolution" bottom: "data" top: "l1" local_conv_param',
        'layer { name: "l1" type: "Local" bottom: "data" top: "l1" local_param',
        'layers { name: "l1" type: LOCAL bottom: "data" top: "l1" blobs_lr: 1 blobs_lr: 2 local_param',
    ],
)
def test_each_position_has_its_own_filters(layer: str) -> None:
    net = net_of(
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 39 input_dim: 39 '
        f"{layer} {{ num_output: 20 kernel_size: 4 stride: 1 }} }}"
    )
    row = net.analyze().layers[-1]
    assert net.node("l1").top_shapes == [(1, 20, 36, 36)]
    assert [blob.shape for blob in net.node("l1").params] == [(20, 1, 48, 1296), (1, 1, 20, 1296)]
    assert row.params == 20 * 48 * 1296 + 20 * 1296
    assert row.ops.madds == 20 * 48 * 1296


def test_with_equal_filters_it_is_a_convolution() -> None:
    fields = "num_output: 4 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0"
    x = np.sin(np.arange(2 * 3 * 7 * 8, dtype=np.float32)).reshape(2, 3, 7, 8)
    weight, bias = np.cos(np.arange(4 * 18, dtype=np.float32)), np.arange(4, dtype=np.float32)
    stock = layer_of(f'type: "Convolution" convolution_param {{ {fields} }}')
    (wanted,) = stock.forward([x], [weight.reshape(4, 3, 3, 2), bias], Run())
    ours = layer_of(f'type: "LocalConvolution" local_convolution_param {{ {fields} }}')
    assert ours.infer([Shape(x.shape)]) == [wanted.shape]
    positions = wanted[0, 0].size
    blobs = [weight.reshape(4, 1, 18, 1).repeat(positions, 3), bias.reshape(1, 1, 4, 1).repeat(positions, 3)]
    (y,) = ours.forward([x], blobs, Run())
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-5)


def test_its_columns_are_caffes_and_those_of_one_image() -> None:
    layer = 'layer { name: "l1" type: "Local" bottom: "x" top: "y" local_param { num_output: 4 kernel_size: 3 } }'
    net = net_of(inputs(x=(5, 2, 7, 9)) + layer)
    assert [each.scratch for each in net.memory().layers] == [0, 2 * 9 * 5 * 7]


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ("kernel_size: 3", "num_output"),
        ("num_output: 2", "kernel_size"),
        ("num_output: 2 kernel_size: 9", "makes"),
        ("num_output: 2 kernel_size: 3 stride: 0", "stride"),
    ],
)
def test_what_the_fork_refuses(fields: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'type: "LocalConvolution" local_conv_param {{ {fields} }}').infer([Shape((1, 3, 6, 6))])
