"""Correlation and the other layers of FlowNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

A = np.sin(np.arange(2 * 3 * 9 * 11, dtype=np.float32) * 1.7).reshape(2, 3, 9, 11)
B = np.cos(np.arange(2 * 3 * 9 * 11, dtype=np.float32) * 0.7).reshape(2, 3, 9, 11)


def test_flownets_neighbourhood_of_21_by_21() -> None:
    text = (
        'layer { name: "corr" type: "Correlation" bottom: "a" bottom: "b" top: "corr" '
        "correlation_param { pad: 20 kernel_size: 1 max_displacement: 20 stride_1: 1 stride_2: 2 } }"
        'layer { name: "c" type: "Convolution" bottom: "corr" top: "c" '
        "convolution_param { num_output: 32 kernel_size: 1 } }"
    )
    net = net_of(inputs(a=(1, 16, 48, 64), b=(1, 16, 48, 64)) + text)
    rows = {layer.name: layer for layer in net.analyze().layers}
    assert net.node("corr").top_shapes == [(1, 441, 48, 64)]
    assert (rows["corr"].params, rows["corr"].ops.madds) == (0, 0)
    assert rows["corr"].ops.muls == 441 * 48 * 64 * 16
    assert rows["c"].params == 32 * 441 + 32


FIELDS = [
    ("pad: 4 kernel_size: 3 max_displacement: 4 stride_1: 2 stride_2: 3", (9, 4, 5)),
    ("pad: 2 kernel_size: 1 max_displacement: 3 stride_1: 1 stride_2: 1 correlation_type: SUBTRACT", (49, 7, 9)),
]


@pytest.mark.parametrize(("fields", "extents"), FIELDS)
def test_each_output_is_a_mean_over_a_patch(fields: str, extents: tuple[int, ...]) -> None:
    layer: Any = layer_of(f'type: "Correlation" correlation_param {{ {fields} }}', 2)
    (y,) = layer.forward([A, B], [], Run())
    assert layer.infer([Shape(A.shape)] * 2) == [y.shape] == [(2, *extents)]
    one, other = (np.pad(x, ((0, 0), (0, 0), (layer.pad,) * 2, (layer.pad,) * 2)) for x in (A, B))
    steps, k = layer.reach // layer.step, layer.kernel
    for channel in range(extents[0]):
        down, right = (divmod(channel, 2 * steps + 1)[i] * layer.step - steps * layer.step for i in range(2))
        for row in range(extents[1]):
            for column in range(extents[2]):
                top, left = row * layer.stride + layer.reach, column * layer.stride + layer.reach
                here = one[:, :, top : top + k, left : left + k]
                there = other[:, :, top + down : top + down + k, left + right : left + right + k]
                pair = np.abs(here - there) if layer.subtracts else here * there
                np.testing.assert_allclose(
                    y[:, channel, row, column], pair.mean(axis=(1, 2, 3)), rtol=1e-4, atol=1e-5
                )


@pytest.mark.parametrize(("direction", "channels", "first"), [(0, 5, -2), (1, 3, 0), (-1, 3, -3)])
def test_displacements_of_dispnet_are_along_the_width(direction: int, channels: int, first: int) -> None:
    fields = f"pad: 3 kernel_size: 1 max_displacement: 2 single_direction: {direction}"
    layer = layer_of(f'type: "Correlation1D" correlation_param {{ {fields} }}', 2)
    (y,) = layer.forward([A, B], [], Run())
    assert layer.infer([Shape(A.shape)] * 2) == [y.shape] == [(2, channels, 9, 13)]
    padded = [np.pad(x, ((0, 0), (0, 0), (0, 0), (5, 5))) for x in (A, B)]
    for channel in range(channels):
        shift = first + channel
        wanted = (padded[0][..., 4:17] * padded[1][..., 4 + shift : 17 + shift]).mean(axis=1)
        np.testing.assert_allclose(y[:, channel], wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ("kernel_size: 2 max_displacement: 1", "must be odd"),
        ("kernel_size: 1", "max_displacement"),
        ("kernel_size: 1 max_displacement: 5", "no room"),
        ("kernel_size: 1 max_displacement: 1 stride_2: 0", "stride_2"),
    ],
)
def test_what_flownet_refuses(fields: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'type: "Correlation" correlation_param {{ {fields} }}', 2).infer([Shape(A.shape)] * 2)


def test_both_images_have_one_shape() -> None:
    with pytest.raises(InputError, match="must be as"):
        layer_of('type: "Correlation" correlation_param { kernel_size: 1 max_displacement: 0 }', 2).infer(
            [Shape(A.shape), Shape((2, 3, 9, 10))]
        )


def test_a_warped_image_is_looked_up_where_the_flow_points() -> None:
    image = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    flow = np.zeros((1, 2, 3, 4), dtype=np.float32)
    flow[0, 0] += 0.5
    flow[0, 1] += 1
    layer = layer_of('type: "FlowWarp"', 2)
    (y,) = layer.forward([image, flow], [], Run())
    assert y[0, 0].tolist() == [[4.5, 5.5, 6.5, 7], [8.5, 9.5, 10.5, 11], [0, 0, 0, 0]]
    (y,) = layer_of('type: "FlowWarp" flow_warp_param { fill_value: NOT_A_NUMBER }', 2).forward(
        [image, flow], [], Run()
    )
    assert np.isnan(y[0, 0, 2]).all()
    with pytest.raises(InputError, match="1×2×3×4"):
        layer.infer([Shape(image.shape), Shape(image.shape)])


def test_the_norm_is_over_the_channels() -> None:
    layer = layer_of('type: "ChannelNorm"')
    (y,) = layer.forward([A], [], Run())
    np.testing.assert_allclose(y[:, 0], np.sqrt((A**2).sum(axis=1)), rtol=1e-5)
    assert layer.infer([Shape(A.shape)]) == [(2, 1, 9, 11)]


def test_mean_goes_round_the_channels() -> None:
    layer = layer_of(
        'type: "Mean" mean_param { operation: SUBTRACT value: 1 value: 2 output_scale: 3 mean_scale: 0.5 }'
    )
    x = np.ones((1, 4, 2, 3), dtype=np.float32)
    (y,) = layer.forward([x], [], Run())
    assert y[0, :, 0, 0].tolist() == [1.5, 0, 1.5, 0]
    with pytest.raises(InputError, match="do not divide"):
        layer.infer([Shape((1, 3, 2, 3))])
    with pytest.raises(InputError, match="operation"):
        layer_of('type: "Mean" mean_param { value: 1 }')
    with pytest.raises(InputError, match="inputs="):
        layer_of('type: "Mean" mean_param { operation: ADD file: "m" }').forward([x], [], Run())


def test_the_negative_relu_is_a_minimum() -> None:
    x = np.array([-2, 0, 3], dtype=np.float32)
    assert layer_of('type: "NegReLU"').forward([x], [], Run())[0].tolist() == [-2, 0, 0]
    assert layer_of('type: "NegReLU" relu_param { negative_slope: 2 }').forward([x], [], Run())[0].tolist() == [
        -2,
        0,
        6,
    ]


def test_augmentation_crops_and_keeps_its_means() -> None:
    text = (
        'layer { name: "a" type: "DataAugmentation" bottom: "x" top: "y" top: "k" param { lr_mult: 0 } '
        "param { lr_mult: 0 } param { lr_mult: 0 } augmentation_param { crop_height: 7 crop_width: 8 "
        "recompute_mean: 9 } }"
    )
    net = net_of(inputs(x=A.shape) + text)
    assert net.node("a").top_shapes == [(2, 3, 7, 8), (2, 42, 1, 1)]
    assert [blob.shape for blob in net.node("a").params] == [(1, 1, 1, 1), (1, 3, 7, 8), (1, 3, 1, 1)]
    row = net.analyze().layers[-1]
    assert (row.params, row.statistics) == (0, 1 + 3 * 7 * 8 + 3)
    with pytest.raises(InputError, match="larger"):
        layer_of('type: "DataAugmentation" augmentation_param { crop_height: 10 crop_width: 8 }').infer(
            [Shape(A.shape)]
        )
