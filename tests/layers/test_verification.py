"""Layers that train nets to tell whether two images show the same face."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import layer_of, net_of


def run(layer: Any, *arrays: Any, blobs: Any = ()) -> list[Any]:
    given = [np.array(array, dtype=np.float32) for array in arrays]
    tops: list[Any] = layer.forward(given, [np.array(blob, dtype=np.float32) for blob in blobs], Run())
    assert [top.shape for top in tops] == layer.infer([Shape(array.shape) for array in given])
    return tops


def images(param: str, tops: str = "data label each") -> str:
    names = "".join(f' top: "{name}"' for name in tops.split())
    size = "new_height: 12 new_width: 8"
    return f'layer {{ name: "data" type: "ImageData"{names} image_data_param {{ {size} {param} }} }}'


def test_images_may_come_by_label_a_number_of_each() -> None:
    net = net_of(images("batch_size: 6 label_num: 2 sample_num: 3 probability: 0.5 min_aspect_ratio: 0.3"))
    assert [top.shape for top in net.nodes[0].tops] == [(6, 3, 12, 8), (2,), (6,)]
    assert [top.shape for top in net_of(images("batch_size: 6", "data label")).nodes[0].tops] == [
        (6, 3, 12, 8),
        (6,),
    ]
    with pytest.raises(InputError, match="with three tops batch_size must be label_num times sample_num"):
        net_of(images("batch_size: 5 label_num: 2 sample_num: 3"))


def test_an_image_is_divided_by_its_norm() -> None:
    layer = layer_of('type: "SimpleNormalize"', 1)
    (found,) = run(layer, [[[[3]], [[4]]], [[[0]], [[0.5]]]])
    np.testing.assert_allclose(found.reshape(2, 2), [[0.6, 0.8], [0, 1]], rtol=1e-6)
    (empty,) = run(layer, [[0, 0]])
    assert np.isnan(empty).all()
    assert layer.infer([Shape((4, 3))]) == [(4, 3, 1, 1)]
    assert layer.ops([Shape((4, 3))], [Shape((4, 3, 1, 1))]) == OpCount(adds=12, muls=24, exps=4)
    with pytest.raises(InputError, match="axis 0 would have no elements"):
        layer.infer([Shape((0, 3))])


def test_triplets_are_set_up_one_a_label() -> None:
    layer = layer_of('type: "SampleTriplet" sample_triplet_param { alpha: 0.3 }', 2)
    bottoms = [Shape((6, 4)), Shape((2,))]
    assert layer.infer(bottoms) == [(2, 3, 1, 1)]
    assert layer.data_dependent(bottoms) == "one row per triplet; Caffe sets up one per label, 2"
    assert layer.ops(bottoms, []) == OpCount(adds=2 * 120 + 30, muls=120, compares=30)
    with pytest.raises(InputError, match="its values are not computed here"):
        run(layer, np.zeros((6, 4)), [3, 3])


def test_a_cosine_less_a_margin_at_the_label() -> None:
    layer = layer_of('type: "CosinL2Normalize" cosin_loss_param { num_output: 2 margin: -0.25 scale: 10 }', 2)
    (found,) = run(layer, [[3, 4], [0, 2]], [0, 1], blobs=[[[5, 0], [0, 0.5]]])
    np.testing.assert_allclose(found, [[10 * (0.6 - 0.25), 8], [0, 10 * 0.75]], rtol=1e-5)


def test_a_cosine_has_a_weight_for_each_class() -> None:
    layer = layer_of(
        'type: "CosinL2Normalize" cosin_loss_param { num_output: 5 cosin_filler { type: "xavier" } }', 2
    )
    bottoms = [Shape((4, 6, 1, 1)), Shape((4,))]
    assert layer.infer(bottoms) == [(4, 5)]
    (weight,) = layer.blobs(bottoms)
    assert (weight.shape, weight.role) == ((5, 6), "weight")
    assert layer.indices(bottoms) == {1: 5}
    counted = layer.ops(bottoms, [Shape((4, 5))])
    values = 30 + 24
    assert counted == OpCount(4 * 5 * 6, adds=values + 9 + 4, muls=2 * values + 20, exps=9)


@pytest.mark.parametrize(
    ("param", "bottoms", "said"),
    [
        ("", [(4, 6), (4,)], "num_output must be positive"),
        ("num_output: 5 axis: 2", [(4, 6, 2), (4,)], "axis must be 1"),
        ("num_output: 5", [(4, 6), (3,)], "must hold a label for each of 4 images"),
    ],
)
def test_cosines_that_cannot_be(param: str, bottoms: list[tuple[int, ...]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(f'type: "CosinL2Normalize" cosin_loss_param {{ {param} }}', 2).infer([Shape(b) for b in bottoms])


def test_neighbours_are_paired() -> None:
    layer = layer_of('type: "Identity2Verify"', 2, 3)
    even, odd, same = run(layer, [[1, 2], [3, 4], [5, 6], [7, 8]], [7, 7, 8, 9])
    assert even.tolist() == [[1, 2], [5, 6]]
    assert odd.tolist() == [[3, 4], [7, 8]]
    assert same.tolist() == [1, 0]
    assert layer.ops([], [Shape((2, 2)), Shape((2, 2)), Shape((2,))]) == OpCount(adds=2, compares=4)
    with pytest.raises(InputError, match="must have an even number of rows"):
        layer.infer([Shape((3, 2)), Shape((3,))])
    with pytest.raises(InputError, match="must hold one label per row"):
        layer.infer([Shape((4, 2)), Shape((4, 2))])
