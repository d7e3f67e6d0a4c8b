"""Old forms of a net, upgraded as Caffe's upgrade_proto.cpp does."""

from __future__ import annotations

import pytest

import netcount
from netcount.core.errors import InputError
from tests.helpers import inputs

DIMS = "input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4\n"


def relu(bottom: str, top: str) -> str:
    return f'layer {{ name: "{top}" type: "ReLU" bottom: "{bottom}" top: "{top}" }}\n'


def v0(type: str) -> str:
    return f'layers {{ bottom: "x" top: "y" layer {{ name: "r" {type} }} }}\n'


def names(net: netcount.Net) -> list[str]:
    return [blob.name for blob in net.blobs]


def refusal(text: str) -> list[str]:
    with pytest.raises(InputError) as found:
        netcount.loads(text)
    return str(found.value).splitlines()


def test_an_input_without_a_shape_is_dropped_where_no_layer_needs_it() -> None:
    assert names(netcount.loads('input: "a"\n' + inputs(x=(1, 2)) + relu("x", "y"))) == ["x", "y"]
    assert names(netcount.loads('input: "x"\n' + inputs(x=(1, 2)) + relu("x", "y"))) == ["x", "y"]
    (line,) = refusal('input: "a"\n' + relu("a", "y"))
    assert 'input_shapes={"a": (N, C, H, W)}' in line


def test_every_input_needs_an_input_shape() -> None:
    text = 'input: "a" input: "b"\ninput_shape { dim: 1 }\n' + relu("a", "y") + relu("b", "z")
    assert refusal(text) == ["<text>:2:1: 2 inputs but 1 input_shape; Caffe would read past the end of them"]


def test_three_params_of_a_batch_norm_keep_their_names() -> None:
    params = "".join(f'param {{ name: "{name}" lr_mult: 1 decay_mult: 2 }} ' for name in "abc")
    norms = "".join(f'layer {{ name: "n{i}" type: "BatchNorm" bottom: "x" top: "y{i}" {params} }}' for i in (0, 1))
    net = netcount.loads(inputs(x=(1, 5, 3, 2)) + norms)
    assert net.learnable() == 11
    assert net.node("n1").owners == ((1, 0), (1, 1), (1, 2))


def test_a_v0_net_keeps_only_what_caffe_copies() -> None:
    net = netcount.loads('input: "x"\n' + DIMS + v0('type: "relu"'))
    assert net.node("r").top_shapes == [(1, 2, 3, 4)]
    (line,) = refusal('input: "x" input_shape { dim: 1 }\n' + v0('type: "relu"'))
    assert "the file does not tell the shape" in line


@pytest.mark.parametrize("type", ["RELU", "ReLU", "rel"])
def test_a_v0_type_is_one_that_caffe_upgrades(type: str) -> None:
    (line,) = refusal('input: "x"\n' + DIMS + v0(f'type: "{type}"'))
    assert line == f'<text>:3:49: V0 has no layer type "{type}"; did you mean "relu"?'


def test_a_padding_layer_reads_a_blob_that_exists() -> None:
    text = 'input: "x"\n' + DIMS + 'layers { bottom: "z" top: "y" layer { name: "p" type: "padding" pad: 1 } }'
    assert refusal(text) == ['<text>:3:10: padding "p": unknown bottom "z"']


def test_a_mistake_in_an_old_layer_is_told_once() -> None:
    lines = refusal('input: "x"\n' + DIMS + v0('type: "conv" num_outputs: 3'))
    (line,) = lines
    assert 'V0LayerParameter has no field "num_outputs" in any known Caffe; did you mean "num_output"?' in line
    v1 = 'layers { name: "c" type: CONVOLUTION bottom: "x" top: "y" convolution_param { kernel: 3 } }'
    assert len(refusal('input: "x"\n' + DIMS + v1)) == 1
