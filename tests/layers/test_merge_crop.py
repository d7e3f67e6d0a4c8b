"""The middle of one bottom joined to the other, as naibaf7's Caffe does it."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of, net_of

A, B = Shape((2, 3, 4, 5)), Shape((2, 4, 7, 8))


def test_the_middle_is_stacked() -> None:
    layer = layer_of('type: "MergeCrop"', 2)
    assert layer.infer([A, B]) == [(2, 7, 4, 5)]
    a, b = np.zeros(A, np.float32), np.arange(np.prod(B), dtype=np.float32).reshape(B)
    (y,) = layer.forward([a, b], [], Run())
    np.testing.assert_array_equal(y[:, :3], 0)
    np.testing.assert_array_equal(
        y[:, 3:], b[:, :, 1:5, 1:6]
    )  # (7 − 4) / 2 and (8 − 5) / 2 are 1 in whole numbers


def test_values_are_added() -> None:
    layer = layer_of('type: "MergeCrop" mergecrop_param { operation: ADD }', 2)
    like = Shape((2, 3, 9, 8))
    assert layer.infer([A, like]) == [A]
    assert layer.ops([A, like], [A]) == OpCount(adds=120)
    (y,) = layer.forward([np.full(A, 2, np.float32), np.full(like, 3, np.float32)], [], Run())
    np.testing.assert_array_equal(y, 5)
    with pytest.raises(InputError, match="differ in channels"):
        layer.infer([A, B])


def test_a_bottom_that_is_switched_off_is_zero() -> None:
    layer = layer_of('type: "MergeCrop" mergecrop_param { forward: false forward: true }', 2)
    (y,) = layer.forward([np.ones(A, np.float32), np.ones(B, np.float32)], [], Run())
    assert (y[:, :3].max(), y[:, 3:].min()) == (0, 1)


def test_the_first_has_to_fit_into_the_second() -> None:
    layer = layer_of('type: "MergeCrop"', 2)
    with pytest.raises(InputError, match="does not fit into"):
        layer.infer([A, Shape((2, 4, 7, 3))])
    with pytest.raises(InputError, match="agree in axes and images"):
        layer.infer([A, Shape((3, 4, 7, 8))])
    with pytest.raises(InputError, match="given 3 times"):
        layer_of('type: "MergeCrop" mergecrop_param { forward: true forward: true forward: true }', 2)


def test_data_in_memory_have_any_number_of_axes() -> None:
    text = 'layer { name: "d" type: "MemoryData" top: "x" top: "l" memory_data_param { %s } }'
    net = net_of(text % "dim: 2 dim: 3 dim: 5 dim: 7 dim: 9")
    assert [blob.shape for blob in net.blobs] == [(2, 3, 5, 7, 9), (2, 1, 1, 1, 1)]
    net = net_of(text % "batch_size: 2 channels: 3 height: 5 width: 7")
    assert [blob.shape for blob in net.blobs] == [(2, 3, 5, 7), (2,)]
    with pytest.raises(InputError, match="each dim must be positive"):
        net_of(text % "dim: 2 dim: 0")
