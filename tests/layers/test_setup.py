"""What Caffe's set-up of its own layers takes and refuses where it is easily got wrong.

Verdicts, shapes and values are those of BVLC Caffe (CPU, release build), but for the layers that read
images or HDF5 files, whose checks are read from image_data_layer.cpp and hdf5_data_layer.cpp.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netcount
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

Shapes = tuple[tuple[int, ...], ...]

X = (2, 6, 9, 11)
ONE_STRIDE = "num_output: 4 kernel_h: 3 kernel_w: 2 stride_h: 2"
NO_IMAGES, NO_CHANNELS, NO_ROWS = (0, 6, 9, 11), (2, 0, 9, 11), (2, 6, 0, 11)


def built(text: str, *shapes: tuple[int, ...], tops: int = 1) -> list[Shape]:
    """The shapes of the tops of one layer whose bottoms have these shapes."""
    names = [f"b{index}" for index in range(len(shapes))]
    blobs = "".join(f' bottom: "{name}"' for name in names) + "".join(f' top: "t{i}"' for i in range(tops))
    given = inputs(**dict(zip(names, shapes, strict=True)))
    net = net_of(f'{given}layer {{ name: "op"{blobs} {text} }}')
    net.analyze()
    return net.node("op").top_shapes


def forward(text: str, *bottoms: Any, tops: int = 1) -> list[Any]:
    layer = layer_of(text, len(bottoms), tops)
    arrays = [np.asarray(bottom, dtype=np.float32) for bottom in bottoms]
    found = layer.forward(arrays, [], Run())
    assert [top.shape for top in found] == layer.infer([Shape(a.shape) for a in arrays])
    return found


@pytest.mark.parametrize(
    ("text", "shapes", "tops"),
    [
        ('type: "Dropout" dropout_param { dropout_ratio: 0 }', (X,), (X,)),
        ('type: "Dropout" dropout_param { dropout_ratio: 1 }', (X,), (X,)),
        ('type: "Clip"', (X,), (X,)),
        ('type: "ArgMax"', ((5,),), ((5, 1, 1),)),
        ('type: "MVN"', ((),), ((1, 1, 1, 1),)),
        ('type: "MVN"', ((3, 4),), ((3, 4, 1, 1),)),
        ('type: "MVN"', ((2, 3, 4),), ((2, 3, 4, 1),)),
        ('type: "MVN"', (NO_CHANNELS,), (NO_CHANNELS,)),
        ('type: "PReLU"', (NO_IMAGES,), (NO_IMAGES,)),
        ('type: "Softmax"', (NO_IMAGES,), (NO_IMAGES,)),
        ('type: "Concat"', ((0, 3), (0, 4)), ((0, 7),)),
        ('type: "Slice" slice_param { slice_point: 6 }', (X,), (X, (2, 0, 9, 11))),
        (
            'type: "Slice" slice_param { slice_point: 2 slice_point: 6 }',
            (X,),
            ((2, 2, 9, 11), (2, 4, 9, 11), (2, 0, 9, 11)),
        ),
        ('type: "Reshape" reshape_param { shape { } }', ((1, 1, 1),), ((),)),
        ('type: "Reduction" reduction_param { operation: ASUM }', (NO_ROWS,), ((),)),
        ('type: "InnerProduct" inner_product_param { num_output: 3 bias_term: false }', (NO_IMAGES,), ((0, 3),)),
        ('type: "Embed" embed_param { num_output: 3 input_dim: 7 bias_term: false }', ((0, 6),), ((0, 6, 3),)),
        ('type: "Scale" scale_param { num_axes: -2 filler { type: "none" } }', (X, (6,)), (X,)),
        ('type: "Scale" scale_param { axis: 9 }', (X, ()), (X,)),
        ('type: "Bias" bias_param { num_axes: -2 filler { type: "none" } }', (X, (6,)), (X,)),
        ('type: "Scale"', (NO_IMAGES,), (NO_IMAGES,)),
        ('type: "Filter"', ((4, 3), (4, 1, 1)), ((4, 3),)),
        ('type: "LSTM" recurrent_param { num_output: 4 }', ((3, 2, 5), (3, 2), (2, 7)), ((3, 2, 4),)),
        ('type: "DummyData" dummy_data_param { data_filler { type: "uniform" } shape { dim: 0 } }', (), ((0,),)),
        ('type: "SoftmaxWithLoss" loss_weight: 0', ((0, 7), (0,)), ((),)),
        ('type: "SigmoidCrossEntropyLoss"', ((0, 7), (0,)), ((),)),
        ('type: "BatchReindex"', ((), (3,)), ((3,),)),
        ('type: "AbsVal" loss_weight: 0', (NO_IMAGES,), (NO_IMAGES,)),
        (f'type: "Deconvolution" convolution_param {{ {ONE_STRIDE} }}', (X,), ((2, 4, 19, 2),)),
        ('type: "HDF5Output" hdf5_output_param { file_name: "a" }', ((2, 3), (4,)), ()),
    ],
)
def test_taken(text: str, shapes: Shapes, tops: Shapes) -> None:
    assert built(text, *shapes, tops=len(tops)) == list(tops)


@pytest.mark.parametrize(
    ("text", "shapes", "said"),
    [
        ('type: "PReLU"', ((2, 3, 4, 5, 6),), "more than the 4 axes"),
        ('type: "PReLU"', (NO_ROWS,), "an image would have no elements"),
        ('type: "MVN"', ((2, 3, 4, 5, 6),), "more than the 4 axes"),
        ('type: "MVN"', (NO_ROWS,), "no elements"),
        ('type: "MVN" mvn_param { across_channels: true }', (NO_CHANNELS,), "no elements"),
        ('type: "BatchNorm"', ((),), "at least 2 axes"),
        ('type: "BatchNorm"', ((5,),), "at least 2 axes"),
        ('type: "BatchNorm"', (NO_IMAGES,), "no elements"),
        ('type: "BatchNorm"', (NO_ROWS,), "no elements"),
        ('type: "ArgMax"', ((),), "needs an axis of images"),
        ('type: "Softmax"', (NO_CHANNELS,), "axis 1 would have no elements"),
        ('type: "Concat"', ((0, 3),), "no elements"),
        ('type: "Slice"', (NO_IMAGES,), "no elements"),
        ('type: "Reshape" reshape_param { shape { dim: 0 dim: 54 dim: 11 } }', (NO_IMAGES,), "no elements"),
        ('type: "Reduction"', (NO_ROWS,), "no elements"),
        ('type: "Reduction" reduction_param { operation: MEAN axis: 1 }', (NO_ROWS,), "no elements"),
        ('type: "InnerProduct" inner_product_param { num_output: 3 }', (NO_IMAGES,), "no elements"),
        ('type: "Embed" embed_param { num_output: 3 input_dim: 7 }', ((0, 6),), "no elements"),
        ('type: "Scale" scale_param { num_axes: 0 }', ((),), "axis 1 is out of range"),
        ('type: "Scale" scale_param { axis: 9 bias_term: true }', (X, ()), "axis 9 is out of range"),
        ('type: "Scale" scale_param { axis: 0 bias_term: true }', (NO_CHANNELS,), "no elements"),
        ('type: "Bias"', (NO_ROWS,), "no elements"),
        ('type: "Bias" bias_param { axis: 4 num_axes: 0 }', (X,), "axis 4 is out of range"),
        ('type: "Filter"', ((), ()), "one value per image"),
        ('type: "Filter"', ((0, 3), (0,)), "the selector would have no elements"),
        ('type: "LSTM" recurrent_param { num_output: 4 }', ((3, 2), (3, 2)), "at least 3 axes"),
        ('type: "LSTM" recurrent_param { num_output: 4 }', ((0, 2, 5), (0, 2)), "no elements"),
        ('type: "RNN" recurrent_param { num_output: 4 }', ((3, 2, 5), (3, 2), (2,)), "must be N×S"),
        ('type: "Exp" exp_param { base: nan }', (X,), "must be positive and finite"),
        ('type: "Exp" exp_param { base: 1e300 }', (X,), "must be positive and finite"),
        ('type: "Log" log_param { base: inf }', (X,), "must be positive and finite"),
        ('type: "SoftmaxWithLoss"', ((0, 7), (0,)), "no elements"),
        ('type: "SigmoidCrossEntropyLoss" loss_weight: 2', ((0, 7), (0,)), "no elements"),
        ('type: "SoftmaxWithLoss" loss_weight: 0', ((4, 0), (4,)), "no elements"),
        ('type: "InfogainLoss"', ((0, 7), (0,), (7, 7)), "no elements"),
        ('type: "DummyData" dummy_data_param { shape { dim: 0 } }', (), "no elements"),
        ('type: "DummyData" dummy_data_param { data_filler { } shape { dim: 0 } }', (), "without elements"),
        ('type: "HDF5Data" transform_param { scale: 2 }', (), "does not transform data"),
        ('type: "AbsVal" loss_weight: 1', (NO_IMAGES,), "has a loss_weight but no elements"),
        ('type: "Flatten" loss_weight: 1', (NO_IMAGES,), "has a loss_weight but no elements"),
        (f'type: "Convolution" convolution_param {{ {ONE_STRIDE} }}', (X,), "stride 2×0 must be positive"),
        ('type: "Im2col" convolution_param { kernel_size: 3 stride_w: 2 }', (X,), "stride 0×2 must be"),
        ('type: "Deconvolution" convolution_param { num_output: 4 kernel_size: 3 stride: 0 }', (X,), "stride 0×0"),
    ],
)
def test_refused(text: str, shapes: Shapes, said: str) -> None:
    with pytest.raises(netcount.InputError, match=said) as found:
        built(text, *shapes)
    assert found.value.place is not None
    assert found.value.place.line == len(shapes) + 1
    assert found.value.place.column > 0


def test_a_slice_point_needs_a_channel_for_every_top() -> None:
    with pytest.raises(netcount.InputError, match="must rise from 1 to at most 1"):
        built('type: "Slice" slice_param { slice_point: 1 }', (2, 1, 5), tops=2)


def test_a_split_does_not_work_in_place() -> None:
    text = inputs(x=(2, 3)) + 'layer { name: "op" type: "Split" bottom: "x" top: "x" top: "y" }'
    with pytest.raises(netcount.InputError, match="cannot work in place"):
        net_of(text)


@pytest.mark.parametrize("type", ["InnerProduct", "Embed"])
def test_a_filler_of_an_absent_bias_is_not_read(type: str) -> None:
    param = {"InnerProduct": "inner_product_param", "Embed": "embed_param"}[type]
    fields = 'num_output: 3 bias_filler { type: "none" }' + (" input_dim: 7" if type == "Embed" else "")
    with pytest.raises(netcount.InputError, match='unknown filler "none"'):
        built(f'type: "{type}" {param} {{ {fields} }}', (4, 5))
    built(f'type: "{type}" {param} {{ {fields} bias_term: false }}', (4, 5))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("image_data_param { batch_size: 2 new_height: 9 }", "must be set together"),
        ("image_data_param { batch_size: 0 new_height: 9 new_width: 7 }", "batch_size must be positive"),
        (
            "image_data_param { batch_size: 2 new_height: 9 new_width: 7 } transform_param { crop_size: 8 }",
            "crop_size 8 is larger than 9×7",
        ),
    ],
)
def test_image_data(fields: str, said: str) -> None:
    with pytest.raises(netcount.InputError, match=said):
        built(f'type: "ImageData" {fields}', tops=2)


def test_memory_data_names_its_mean_once() -> None:
    shape = "memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 }"
    mean = 'transform_param { mean_file: "mean" mean_value: 2 }'
    with pytest.raises(netcount.InputError, match="cannot both be set"):
        built(f'type: "MemoryData" {shape} {mean}', tops=2)
    assert built(f'type: "MemoryData" {shape} transform_param {{ crop_size: 2 }}', tops=2) == [(2, 3, 4, 5), (2,)]


def test_crossed_bounds_clip_to_the_lower_one() -> None:
    (y,) = forward('type: "Clip" clip_param { min: 2 max: -1 }', [-3, 0, 5])
    assert y.tolist() == [2, 2, 2]
    (y,) = forward('type: "Clip"', [-3, 0, 5])
    assert y.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ("scale: 0 power: -1", np.inf),
        ("scale: 0 shift: -2 power: 0.5", np.nan),
        ("scale: 0 shift: 1e10 power: 10", np.inf),
        ("scale: 0 shift: 2 power: 3", 8),
        ("scale: 0 power: 0", 1),
        ("scale: 1e-30 power: 1e-30", 0),
    ],
)
def test_a_power_without_its_input_is_what_c_makes_of_it(fields: str, value: float) -> None:
    (y,) = forward(f'type: "Power" power_param {{ {fields} }}', [3, 4])
    np.testing.assert_array_equal(y, np.full(2, value, np.float32))


def test_a_shift_too_large_for_an_exponential_is_infinite() -> None:
    (y,) = forward('type: "Exp" exp_param { base: 2 shift: 5000 }', [1, -1])
    assert np.isinf(y).all()


def test_mvn_of_single_values_is_zero() -> None:
    (y,) = forward('type: "MVN"', [[3, 4], [5, 6]])
    assert not y.any()
    (y,) = forward('type: "MVN" mvn_param { across_channels: true }', [[3, 5], [5, 1]])
    np.testing.assert_allclose(y.reshape(2, 2), [[-1, 1], [1, -1]], rtol=1e-6)


def test_not_a_numbers_lose_as_in_caffe() -> None:
    nan = np.nan
    (y,) = forward(
        'type: "Eltwise" eltwise_param { operation: MAX }', [nan, 1, 2, 5], [3, nan, 1, 4], [1, 4, nan, 1]
    )
    np.testing.assert_array_equal(y, [3, nan, 2, 5])
    (y,) = forward('type: "Clip" clip_param { min: -1 max: 1 }', [nan, 0.5])
    assert y.tolist() == [-1, 0.5]


def test_scalars_have_a_largest() -> None:
    (y,) = forward('type: "Eltwise" eltwise_param { operation: MAX }', 1, 3, 2)
    assert y.shape == ()
    assert y == 3


def test_nothing_reduces_to_nothing() -> None:
    """Empty blobs, as a Filter that lets no image through makes them, have no numpy -1."""
    (y,) = forward('type: "Reduction" reduction_param { axis: 1 operation: ASUM }', np.zeros((0, 3, 4)))
    assert y.shape == (0,)
    (y,) = forward('type: "ArgMax"', np.zeros((0, 3)))
    assert y.shape == (0, 1, 1)


def test_netscopes_deconvolution_reads_the_channels_of_its_axis() -> None:
    text = inputs(x=(2, 5, 6, 7)) + (
        'layer { name: "op" type: "Deconvolution" bottom: "x" top: "y" '
        "convolution_param { axis: 2 num_output: 4 kernel_size: 3 stride: 2 } }"
    )
    row = net_of(text).analyze("netscope").layers[-1]
    assert row.tops[0].shape == (2, 5, 4, 15)
    assert row.cost == 6 * (2 * 5 * 4 * 15) * 3 // 2


def test_a_deconvolution_with_one_stride_is_counted_but_not_run() -> None:
    text = (
        f'layer {{ name: "op" type: "Deconvolution" bottom: "x" top: "y" convolution_param {{ {ONE_STRIDE} }} }}'
    )
    net = net_of(inputs(x=X) + text)
    madds = 2 * 9 * 11 * 6 * 4 * 3 * 2
    assert net.analyze().totals.madds == madds
    assert net.analyze("netscope").totals.cost == 6 * (2 * 4 * 19 * 2) * (3 * 2) // 2  # its stride_w is 1
    with pytest.raises(netcount.InputError, match="stride 0 can be counted but not run"):
        net.run()


def test_hdf5_output_opens_its_file_at_once_and_counts_rows_when_it_writes() -> None:
    with pytest.raises(netcount.InputError, match="needs a file_name"):
        built('type: "HDF5Output"', (2, 3), (2,), tops=0)
    layer = layer_of('type: "HDF5Output" hdf5_output_param { file_name: "a" }', 2, 0)
    assert layer.forward([np.zeros((2, 3)), np.zeros((2,))], [], Run()) == []
    with pytest.raises(netcount.InputError, match="2 images and 4 labels"):
        layer.forward([np.zeros((2, 3)), np.zeros((4,))], [], Run())


def test_dropout_multiplies_only_in_training() -> None:
    def muls(phase: str) -> int:
        net = net_of(inputs(x=X) + 'layer { name: "op" type: "Dropout" bottom: "x" top: "y" }', phase=phase)
        return net.analyze().layers[-1].ops.muls

    assert muls("TEST") == 0
    assert muls("TRAIN") == 2 * 2 * 6 * 9 * 11
