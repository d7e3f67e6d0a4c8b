"""Flip, Reorg, ShuffleChannel and ChannelScale with the axes and settings that their forks allow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of


def values(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_missing_axes_are_ones() -> None:
    flip = layer_of('type: "Flip" flip_param { flip_height: true }')
    assert flip.infer([Shape((2, 3))]) == [(2, 3)]
    assert (flip.forward([values(2, 3)], [], Run())[0] == values(2, 3)).all()
    assert (flip.forward([values(2, 3, 4)], [], Run())[0] == values(2, 3, 4)[:, :, ::-1]).all()
    reorg = layer_of('type: "Reorg" reorg_param { stride: 2 reverse: true }')
    assert reorg.infer([Shape((2, 12, 3))]) == [(2, 3, 6, 2)]
    assert reorg.forward([values(2, 12, 3)], [], Run())[0].shape == (2, 3, 6, 2)
    shuffle = layer_of('type: "ShuffleChannel" shuffle_channel_param { group: 2 }')
    assert shuffle.infer([Shape((1, 6))]) == [(1, 6, 1, 1)]
    assert shuffle.forward([values(1, 6)], [], Run())[0].reshape(-1).tolist() == [0, 3, 1, 4, 2, 5]
    for layer in (flip, reorg, shuffle):
        with pytest.raises(InputError, match="more than the 4 axes"):
            layer.infer([Shape((1, 6, 2, 2, 2))])


def test_a_stride_not_given_is_2() -> None:
    assert layer_of('type: "Reorg"').infer([Shape((2, 3, 4, 6))]) == [(2, 12, 2, 3)]
    with pytest.raises(InputError, match="stride must be positive"):
        layer_of('type: "Reorg" reorg_param { stride: 0 }')


def test_a_channel_scale_may_have_any_shape_of_as_many_positions() -> None:
    layer = layer_of('type: "ChannelScale"', 2)
    assert layer.infer([Shape((2, 6, 4, 5)), Shape((2, 20))]) == [(2, 6, 4, 5)]
    (y,) = layer.forward([np.ones((2, 6, 4, 5), np.float32), values(2, 20)], [], Run())
    assert (y == values(2, 1, 4, 5)).all()
    for wrong in ((3, 1, 4, 5), (2, 6, 4, 5), (2, 1, 4, 4)):
        with pytest.raises(InputError, match="a value for each position"):
            layer.infer([Shape((2, 6, 4, 5)), Shape(wrong)])


def test_a_global_channel_scale_is_one_kept_number_within_bounds() -> None:
    text = 'type: "ChannelScale" channel_scale_param { global_scale: true max_global_scale: 5 }'
    layer, shapes = layer_of(text, 2, 2), [Shape((2, 6, 4, 5)), Shape((2, 1, 4, 5))]
    assert layer.infer(shapes) == [(2, 6, 4, 5), (1,)]
    assert [(blob.shape, blob.role) for blob in layer.blobs(shapes)] == [((1,), "statistic")]
    bottoms = [np.ones(shape, np.float32) for shape in shapes]
    for kept, factor in ((3, 3), (9, 5), (-1, 0)):
        y, told = layer.forward(bottoms, [np.array([kept], np.float32)], Run())
        assert (y == factor).all()
        assert told.tolist() == [factor]
    with pytest.raises(InputError, match="lr_mult must be 0"):
        layer_of(text + " param { lr_mult: 1 }", 2)
    assert layer_of(text + " param { lr_mult: 0 }", 2).infer(shapes) == shapes[:1]


def test_a_channel_scale_may_pass_its_values() -> None:
    layer = layer_of('type: "ChannelScale" channel_scale_param { do_forward: false }', 2)
    (y,) = layer.forward([values(2, 6, 4, 5), np.zeros((2, 1, 4, 5), np.float32)], [], Run())
    assert (y == values(2, 6, 4, 5)).all()
    assert not any(layer.ops([Shape((2, 6, 4, 5))], [Shape((2, 6, 4, 5))]))
