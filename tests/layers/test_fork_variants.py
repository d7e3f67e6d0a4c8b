"""Known types as other forks use them, and small types of forks: values by the forks' own rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of


def run(layer: Any, *bottoms: Any, blobs: Any = ()) -> list[Any]:
    arrays = [np.asarray(bottom, dtype=np.float32) for bottom in bottoms]
    tops: list[Any] = layer.forward(arrays, [np.asarray(blob, dtype=np.float32) for blob in blobs], Run())
    assert [top.shape for top in tops] == layer.infer([Shape(a.shape) for a in arrays])
    assert all(top.dtype == np.float32 for top in tops)
    return tops


LOGITS = np.log([[1.0, 2, 3], [4, 2, 2]])


def test_the_softmax_loss_may_tell_probabilities_and_each_label() -> None:
    loss, probabilities, each = run(layer_of('type: "SoftmaxWithLoss"', 2, 3), LOGITS, [2, 1])
    np.testing.assert_allclose(probabilities, [[1 / 6, 2 / 6, 3 / 6], [0.5, 0.25, 0.25]], rtol=1e-5)
    np.testing.assert_allclose(each, [np.log(2), np.log(4)], rtol=1e-5)
    assert float(loss) == pytest.approx(np.log(8) / 2)


def test_further_tops_of_the_softmax_loss_want_weights() -> None:
    text = inputs(x=(8, 21), label=(8,)) + (
        'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "a" top: "b" top: "c" %s }'
    )
    net = net_of(text % "loss_weight: 1 loss_weight: 0 loss_weight: 0")
    assert [top.shape for top in net.nodes[-1].tops] == [(), (8, 21), (8,)]
    with pytest.raises(InputError, match="loss_weight is given 1 times for 3 tops"):
        net_of(text % "loss_weight: 1")
    with pytest.raises(InputError, match="takes 1 to 3 tops, not 4"):
        net_of(text.replace('top: "c"', 'top: "c" top: "d"') % "")


def test_the_smooth_l1_loss_may_tell_each_instance_and_needs_no_weight_for_it() -> None:
    a = np.arange(24, dtype=np.float32).reshape(2, 4, 3, 1) / 10
    layer = layer_of('type: "SmoothL1Loss" loss_param { normalization: BATCH_SIZE }', 2, 2)
    loss, instances = run(layer, a, np.zeros_like(a))
    each = np.where(a < 1, a * a / 2, a - 0.5)
    np.testing.assert_allclose(instances, each.sum(axis=1, keepdims=True), rtol=1e-5)
    assert float(loss) == pytest.approx(each.sum() / 2, rel=1e-5)
    tops = layer.infer([Shape(a.shape)] * 2)
    assert layer.ops([Shape(a.shape)] * 2, tops).adds == 3 * 24
    text = inputs(a=(2, 4, 3, 1), b=(2, 4, 3, 1)) + (
        'layer { name: "l" type: "SmoothL1Loss" bottom: "a" bottom: "b" top: "x" top: "y" }'
    )
    assert net_of(text).nodes[-1].tops[1].shape == (2, 1, 3, 1)


def test_with_four_bottoms_each_instance_is_told_as_cascade_r_cnn_does() -> None:
    a = np.arange(24, dtype=np.float32).reshape(2, 4, 3, 1) / 10
    layer = layer_of('type: "SmoothL1Loss" smooth_l1_loss_param { sigma: 2 }', 4, 2)
    loss, instances = run(layer, a, np.zeros_like(a), np.full_like(a, 0.5), np.full_like(a, 3))
    each = 3 * np.where(a / 2 < 1 / 4, a * a / 4 * 2, a / 2 - 1 / 8)
    np.testing.assert_allclose(instances, each.sum(axis=1, keepdims=True), rtol=1e-5)
    assert float(loss) == pytest.approx(each.sum() / 2, rel=1e-5)


IP = 'type: "InnerProduct" inner_product_param { %s }'


def test_weights_of_an_inner_product_may_be_a_bottom() -> None:
    x, weights = [[1, 2, 3], [4, 5, 6]], [[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 2]]
    layer = layer_of(IP % "bias_term: false", 2)
    (y,) = run(layer, x, weights)
    np.testing.assert_allclose(y, np.array(x) @ np.transpose(weights))
    shapes = [Shape((2, 3)), Shape((4, 3))]
    assert layer.blobs(shapes) == []
    assert layer.ops(shapes, [Shape((2, 4))]) == OpCount(madds=24)
    (z,) = run(layer_of(IP % "num_output: 9", 3), x, weights, [1, 2, 3, 4])
    np.testing.assert_allclose(z, np.add(y, [1, 2, 3, 4]))
    biased = layer_of(IP % "", 2)
    assert [blob.shape for blob in biased.blobs(shapes)] == [(4,)]
    with pytest.raises(InputError, match="must hold 3 values for each output"):
        layer.infer([Shape((2, 3)), Shape((4, 5))])
    with pytest.raises(InputError, match="num_output must be positive"):
        layer_of(IP % "")


def test_filters_of_an_inner_product_may_be_scaled_to_one() -> None:
    layer = layer_of(IP % "num_output: 2 normalize: true bias_term: false")
    (y,) = run(layer, [[1, 2]], blobs=[[[3, 4], [0, 2]]])
    np.testing.assert_allclose(y, [[2.2, 2]], rtol=1e-5)
    assert layer.ops([Shape((1, 2))], [Shape((1, 2))]) == OpCount(madds=4, adds=4 + 2, muls=8, divs=2, exps=2)


def test_an_in_place_sum_loses_its_first_bottom() -> None:
    text = inputs(x=(1, 4, 2, 2), b=(1, 4, 2, 2)) + (
        'layer { name: "p" type: "Power" bottom: "x" top: "a" }'
        'layer { name: "e" type: "Eltwise" bottom: "a" bottom: "b" top: "%s" eltwise_param { %s } }'
    )
    given = {"x": np.full((1, 4, 2, 2), 3, np.float32), "b": np.full((1, 4, 2, 2), 2, np.float32)}
    for operation, apart, inside in (
        ("SUM", 5, 2),
        ("MAX", 3, 2),
        ("PROD", 6, 6),
        ("SUM coeff: 2 coeff: 5", 16, 10),
    ):
        param = f"operation: {operation}"
        own, lost = net_of(text % ("y", param)), net_of(text % ("a", param))
        assert float(own.run(given)["y"].max()) == apart
        assert float(lost.run(given)["a"].max()) == inside
        assert not own.warnings
        assert bool(lost.warnings) == (operation != "PROD")
        for warning in lost.warnings:
            assert 'Caffe clears its top, which is bottom 0 "a"' in warning.message
            assert warning.place is not None
            assert warning.place.line == 3


def test_numbers_that_input_dim_has_too_many_of_are_named() -> None:
    text = """input: "vol" input_dim: 1 input_dim: 1 input_dim: 32 input_dim: 33 input_dim: 34 %s
        layer { name: "c1" type: "Convolution" bottom: "vol" top: "c1"
                convolution_param { num_output: 8 kernel_size: 3 } }"""
    net = net_of(text % "")
    assert net.nodes[0].tops[0].shape == (1, 1, 32, 33)
    (warning,) = net.analyze().warnings
    assert warning.message.endswith(
        "input_dim has 5 numbers for 1 input; Caffe takes four per input and leaves out 34"
    )
    (more,) = net_of(text % "input_dim: 35 input_dim: 36 input_dim: 37").warnings
    assert more.message.endswith("leaves out 34, 35, 36, 37")


def test_an_input_param_does_not_beat_what_caffe_reads() -> None:
    text = """layer { name: "data" type: "ImageData" top: "data" top: "label"
        transform_param { crop_size: 24 } image_data_param { batch_size: 2 }
        input_param { shape { dim: 1 dim: 1 dim: 9 dim: 9 } } }"""
    net = net_of(text)
    assert [top.shape for top in net.nodes[0].tops] == [(2, 3, 24, 24), (2,)]
    assert not net.warnings


def test_an_input_param_is_taken_for_want_of_anything_that_caffe_reads() -> None:
    text = """layer { name: "data" type: "Data" top: "data" top: "label" data_param { batch_size: 2 }
        input_param { shape { dim: 5 dim: 1 dim: 9 dim: 7 } } }"""
    net = net_of(text)
    assert [top.shape for top in net.nodes[0].tops] == [(5, 1, 9, 7), (5,)]
    assert "input_param is taken, which Caffe's layer does not read" in net.warnings[0].message


def test_a_unit_ball_of_normal_values() -> None:
    net = net_of(
        inputs(x=(1, 6))
        + """layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param {
            num_output: 5 weight_filler { type: "gaussian_unitball" } } }"""
    )
    filler = net.nodes[-1].params[0].filler
    assert filler is not None
    rows = filler.fill(Shape((5, 6)), np.random.default_rng(1))
    np.testing.assert_allclose(np.square(rows).sum(axis=1), 1, rtol=1e-5)
    assert (rows < 0).any()


def test_a_norm_over_the_channels_of_a_position() -> None:
    x = np.array([[3, 0], [4, 2]], np.float32).reshape(1, 2, 1, 2)
    (y,) = run(layer_of('type: "GRN"'), x)
    np.testing.assert_allclose(y.reshape(2, 2), [[0.6, 0], [0.8, 1]], rtol=1e-5)
    (z,) = run(layer_of('type: "GRN" grn_param { bias: 11 }'), x)
    assert z[0, 0, 0, 0] == pytest.approx(0.5)
    assert layer_of('type: "GRN"').ops([Shape((2, 3, 4, 5))], []) == OpCount(adds=160, muls=120, divs=120, exps=40)
    with pytest.raises(InputError, match="bias -1 must not be negative"):
        layer_of('type: "GRN" grn_param { bias: -1 }')


def test_factors_of_channels_stand_in_either_order() -> None:
    x, factors = np.arange(12).reshape(1, 3, 2, 2), [[[[1]], [[2]], [[-1]]]]
    layer = layer_of('type: "BroadcastMul"', 2)
    for bottoms in ((x, factors), (factors, x)):
        (y,) = run(layer, *bottoms)
        np.testing.assert_array_equal(y, x * np.array(factors))
    assert layer.infer([Shape((4, 1)), Shape((2, 2))]) == [(2, 2)]  # of two as large ones the second
    with pytest.raises(InputError, match="2 factors for 1×3 channels"):
        layer.forward([x.astype(np.float32), np.ones((1, 2), np.float32)], [], Run())


def test_one_process_gathers_what_it_has() -> None:
    layer = layer_of('type: "Gather"', 2, 2)
    shapes = [Shape((4, 3)), Shape((2, 5, 6, 7))]
    assert layer.infer(shapes) == shapes
    a, b = run(layer, np.ones((4, 3)), np.zeros((1, 2)))
    assert (a.sum(), b.sum()) == (12, 0)
    with pytest.raises(InputError, match="needs as many tops as bottoms"):
        net_of(inputs(x=(2, 3)) + 'layer { name: "g" type: "Gather" bottom: "x" top: "y" top: "z" }')


def test_features_are_read_where_a_flow_points() -> None:
    x = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    flow = np.zeros((1, 2, 3, 4), np.float32)
    flow[0, 0], flow[0, 1, 0] = 0.5, 1  # half a column to the right; the first line one down
    (y,) = run(layer_of('type: "Warping"', 2), x, flow)
    np.testing.assert_allclose(y[0, 0], [[4.5, 5.5, 6.5, 7], [4.5, 5.5, 6.5, 7], [8.5, 9.5, 10.5, 11]])
    with pytest.raises(InputError, match=r"must be 1×2×3×4"):
        layer_of('type: "Warping"', 2).infer([Shape((1, 6, 3, 4)), Shape((1, 3, 3, 4))])


def test_the_dice_loss_of_each_image_is_smoothed() -> None:
    a, b = [[1, 0, 0.5], [0, 0, 0]], [[1, 1, 0], [0, 0, 0]]
    (loss,) = run(layer_of('type: "DiceCoefLoss" dice_coef_loss_param { smooth: 2 }', 2), a, b)
    assert float(loss) == pytest.approx(1 - ((2 + 2) / (1.25 + 2 + 2) + 2 / 2) / 2)
    (default,) = run(layer_of('type: "DiceCoefLoss"', 2), a, b)
    assert float(default) == pytest.approx(1 - (3 / 4.25 + 1) / 2)


def test_jolibrains_dice_loss_has_labels_and_is_not_run() -> None:
    layer = layer_of('type: "DiceCoefLoss" dice_coef_loss_param { generalization: MULTICLASS }', 2)
    shapes = [Shape((2, 5, 6, 7)), Shape((2, 1, 6, 7))]
    assert layer.infer(shapes) == [()]
    assert layer_of('type: "DiceCoefLoss"', 2).infer(shapes) == [()]
    with pytest.raises(InputError, match=r'give it with inputs=\{"t0"'):
        layer.forward([np.zeros(shape, np.float32) for shape in shapes], [], Run())
    with pytest.raises(InputError, match=r"must be 2×1×6×7"):
        layer.infer([shapes[0], Shape((2, 1, 6, 8))])
    with pytest.raises(InputError, match="must hold as many values per image"):
        layer_of('type: "DiceCoefLoss"', 2).infer([Shape((2, 1, 6, 7)), Shape((2, 1, 6, 8))])


def test_softmax_over_channels_in_v1_form() -> None:
    net = net_of(
        """input: "x" input_dim: 1 input_dim: 3 input_dim: 2 input_dim: 1 input: "l" input_dim: 1 input_dim: 2
        input_dim: 1 input_dim: 1
        layers { name: "p" type: MULTI_SOFTMAX bottom: "x" top: "p" }
        layers { name: "loss" type: MULTI_SOFTMAX_LOSS bottom: "x" bottom: "l" }"""
    )
    assert [node.type for node in net.nodes[1:]] == ["MULTI_SOFTMAX", "MULTI_SOFTMAX_LOSS"]
    x = np.log(np.array([[1, 2], [1, 1], [2, 1]], np.float32)).reshape(1, 3, 2, 1)
    np.testing.assert_allclose(
        net.run({"x": x, "l": np.array([[3], [1]]).reshape(1, 2, 1, 1)})["p"].sum(axis=1), 1
    )
    loss = layer_of('type: "MULTI_SOFTMAX_LOSS"', 2, 0)
    (value,) = loss.forward([x, np.array([3, 1], np.float32)], [], Run())
    assert float(value) == pytest.approx((np.log(2) + np.log(2)) / 336)  # labels start at 1
    with pytest.raises(InputError, match="lies outside the 3 classes"):
        loss.forward([x, np.array([0, 1], np.float32)], [], Run())
    with pytest.raises(InputError, match="takes no top"):
        layer_of('type: "MULTI_SOFTMAX_LOSS"', 2, 1)


YOLO = 'type: "YoloLoss" yolo_loss_param { %s }'
ANCHORS = "num_class: 5 num_object: 3 anchor_x: [1, 2, 3] anchor_y: [3, 2, 1]"


def test_yolos_losses_of_two_forks() -> None:
    grid = layer_of(YOLO % "grid_side: 7 classes: 2 bbox_count: 2", 2)
    assert grid.infer([Shape((3, 588)), Shape((3, 343))]) == [()]
    with pytest.raises(InputError, match="must hold 588 values per image"):
        grid.infer([Shape((3, 587)), Shape((3, 343))])
    masked = layer_of(YOLO % f"{ANCHORS} mask: 0 mask: 2", 2)
    assert masked.infer([Shape((3, 20, 6, 8)), Shape((3, 1, 1, 50))]) == [()]
    assert layer_of(YOLO % ANCHORS, 2).infer([Shape((3, 30, 6, 8)), Shape((3, 50))]) == [()]
    with pytest.raises(InputError, match="must hold 960 values per image"):
        masked.infer([Shape((3, 30, 6, 8)), Shape((3, 50))])
    with pytest.raises(InputError, match="must hold rows of 5 values"):
        masked.infer([Shape((3, 20, 6, 8)), Shape((3, 51))])
    with pytest.raises(InputError, match="0 anchor_x for num_object 2"):
        layer_of(YOLO % "", 2)
    boxes = 3 * 2 * 48
    assert masked.ops([Shape((3, 20, 6, 8)), Shape((3, 50))], [Shape()]).exps == 3 * 960 + 2 * boxes
