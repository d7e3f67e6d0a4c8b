"""The batch that is counted for, and shapes given from outside."""

from __future__ import annotations

import pytest

import netcount
from netcount.core.errors import InputError
from netcount.execute.verify import verify
from tests.helpers import graph_of, inputs, net_of

CONV = (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
    "convolution_param { num_output: 4 kernel_size: 3 } }\n"
)


def _relu(top: str, bottom: str = "x") -> str:
    return f'layer {{ name: "r" type: "ReLU" bottom: "{bottom}" top: "{top}" }}\n'


def madds(text: str, **options: object) -> int:
    return netcount.loads(text, **options).analyze().totals.madds  # type: ignore[arg-type]


def test_counts_are_for_one_image_whatever_the_file_says() -> None:
    one, ten = inputs(x=(1, 3, 8, 9)) + CONV, inputs(x=(10, 3, 8, 9)) + CONV
    assert madds(ten) == madds(one) == 4536
    assert madds(ten, batch="net") == madds(one, batch=10) == 45360
    assert netcount.loads(ten).blobs[0].shape == (1, 3, 8, 9)


def test_only_inputs_of_the_same_batch_change_with_it() -> None:
    text = inputs(x=(2, 3, 8, 9), rois=(300, 5), label=(2,))
    assert [blob.shape for blob in netcount.loads(text).blobs] == [(1, 3, 8, 9), (300, 5), (1,)]


DUMMY = 'layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 3 dim: 2 dim: 5 } } }\n'
LEARNED = 'layer { name: "p" type: "Parameter" top: "p" parameter_param { shape { dim: 3 dim: 2 } } }\n'


def test_a_constant_changes_with_the_batch_and_runs_in_its_new_shape() -> None:
    for options in ({}, {"batch": 4}, {"batch": "net", "input_shapes": {"d": (1, 7)}}):
        net = netcount.loads(DUMMY + _relu("y", "d"), **options)  # type: ignore[arg-type]
        assert net.blobs[0].shape == options.get("input_shapes", {"d": (options.get("batch", 1), 2, 5)})["d"]
        assert verify(graph_of(net)).agrees


def test_the_batch_and_a_shape_without_a_name_are_those_of_the_data_not_of_constants() -> None:
    net = netcount.loads(DUMMY + LEARNED + inputs(x=(6, 4)) + _relu("y"), input_shapes={"": (2, 9)})
    assert [blob.shape for blob in net.blobs] == [(3, 2, 5), (3, 2), (1, 9), (1, 9)]


def test_a_learned_blob_keeps_its_shape_in_any_batch() -> None:
    net = netcount.loads(inputs(x=(3, 4)) + LEARNED + _relu("y", "p"))
    assert [blob.shape for blob in net.blobs] == [(1, 4), (3, 2), (3, 2)]
    assert verify(graph_of(net)).agrees
    with pytest.raises(InputError, match='"p" has "p" as its weights'):
        netcount.loads(LEARNED, input_shapes={"p": (1, 2)})


@pytest.mark.parametrize(
    ("layer", "obstacle"),
    [
        ('type: "Reshape" reshape_param { shape { dim: 10 dim: -1 } }', 'blob "y" would become 10×36'),
        ('type: "Reshape" reshape_param { shape { dim: 10 dim: 360 } }', "would not build"),
        ('type: "InnerProduct" inner_product_param { num_output: 2 axis: 0 }', 'the weights of "l"'),
    ],
)
def test_a_net_that_cannot_be_rebatched_is_told_as_declared(layer: str, obstacle: str) -> None:
    net = netcount.loads(inputs(x=(10, 5, 8, 9)) + f'layer {{ name: "l" bottom: "x" top: "y" {layer} }}')
    assert net.batch == 10
    assert net.blobs[0].shape == (10, 5, 8, 9)
    (warning,) = net.warnings
    assert "the batch of 10 cannot be changed to 1" in warning.message
    assert obstacle in warning.message


def test_axis_0_of_a_recurrent_net_is_time() -> None:
    text = inputs(x=(5, 2, 7), c=(5, 2)) + (
        'layer { name: "l" type: "LSTM" bottom: "x" bottom: "c" top: "h" recurrent_param { num_output: 3 } }'
    )
    net = netcount.loads(text)
    assert net.analyze().totals.madds == 5 * 2 * 12 * (7 + 3)
    assert "is time" in net.warnings[0].message


def test_given_shapes_override_and_supply() -> None:
    text = inputs(x=(1, 3, 8, 9)) + CONV
    assert netcount.loads(text, input_shapes={"x": (1, 3, 10, 11)}).node("c").top_shapes == [(1, 4, 8, 9)]
    assert netcount.loads(text, input_shapes={"": (1, 3, 10, 11)}).node("c").top_shapes == [(1, 4, 8, 9)]
    assert netcount.loads(CONV, input_shapes={"x": (1, 3, 8, 9)}).node("c").top_shapes == [(1, 4, 6, 7)]
    assert netcount.loads('input: "x"\n' + CONV, input_shapes={"x": (2, 3, 8, 9)}).batch == 1


def test_a_data_dependent_extent_can_be_given() -> None:
    text = inputs(x=(4, 3, 2, 2), s=(4,)) + 'layer { name: "f" type: "Filter" bottom: "x" bottom: "s" top: "y" }'
    net = netcount.loads(text, batch="net")
    assert net.node("f").top_shapes == [(4, 3, 2, 2)]
    assert "4 is the most" in (net.analyze().layers[-1].note or "")
    assert net_of(text, input_shapes={"y": (2, 3, 2, 2)}).node("f").top_shapes == [(2, 3, 2, 2)]


@pytest.mark.parametrize(
    ("given_shapes", "message"),
    [
        ({"c": (1, 4, 5, 5)}, '"c" from its bottoms'),
        ({"q": (1, 4, 5, 5)}, 'the net has no blob "q"; the inputs are x'),
        ({"x": (1, 3, -8, 9)}, "negative"),
        ({"x": (1, 3, 2**20, 2**20)}, "INT_MAX"),
    ],
)
def test_given_shapes_that_make_no_sense(given_shapes: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        netcount.loads(inputs(x=(1, 3, 8, 9)) + CONV, input_shapes=given_shapes)


def test_database_layers_tell_what_they_know() -> None:
    text = (
        'layer { name: "d" type: "Data" top: "x" top: "l" data_param { batch_size: 8 }'
        " transform_param { crop_size: 9 } }"
    )
    net = netcount.loads(text, batch="net")
    assert [blob.shape for blob in net.blobs] == [(8, 3, 9, 9), (8,)]
    assert "3 channels are assumed" in net.warnings[0].message
    grey = net_of(text, input_shapes={"x": (8, 1, 9, 9)})
    assert [blob.shape for blob in grey.blobs] == [(8, 1, 9, 9), (8,)]
    assert not grey.warnings
    with pytest.raises(InputError, match=r'input_shapes=\{"x": \(N,'):
        netcount.loads(text.replace("crop_size: 9", ""))
    with pytest.raises(InputError, match=r'input_shapes=\{"x": \(N,'):  # only V1's upgrade reads it there
        netcount.loads(text.replace("crop_size: 9", "").replace("batch_size", "crop_size: 9 batch_size"))
    old = 'layers { name: "d" type: DATA top: "x" data_param { batch_size: 8 crop_size: 9 } }'
    assert netcount.loads(old).blobs[0].shape == (1, 3, 9, 9)
