"""A net as Caffe's own message: what protobuf writes of it is the same net."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format

import netcount
from netcount.layers.bases import Moving, SameShape
from netcount.prototxt.message import Message
from tests.cases import CASES, TOLD
from tests.helpers import CORPUS, SAMPLES, conformance_cases, corpus_truth, inputs, needs_corpus

ACCEPTED = [case for case in conformance_cases() if case["verdict"] == "accepted"]
CORPUS_TRUTH = list(corpus_truth())


def costs(net: netcount.Net) -> list[Any]:
    """All that an analysis says of a net's layers but where they stand."""
    return [
        (
            *(row.name, row.type, row.blobs, row.window, row.params, row.statistics, row.ops, row.cost),
            [(blob.name, blob.shape) for blob in (*row.bottoms, *row.tops)],
        )
        for row in net.analyze("flops").layers
    ]


def written(net: netcount.Net, **options: Any) -> netcount.Net:
    """The net that the text of the message describes."""
    return netcount.loads(str(net.to_proto()), **options)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda path: path.stem)
def test_samples_come_back(path: Path) -> None:
    net = netcount.load(path, batch="net")
    assert costs(written(net, batch="net")) == costs(net)


def test_what_caffe_accepts_comes_back() -> None:
    for case in ACCEPTED:
        net = netcount.loads(case["prototxt"], batch="net")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what no schema knows costs nothing in these
            assert costs(written(net, batch="net")) == costs(net), case["name"]


def test_every_type_comes_back() -> None:
    for key, text in CASES.items():
        options: dict[str, Any] = {"batch": "net", "input_shapes": TOLD.get(key, {})}
        net = netcount.loads(text, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert costs(written(net, **options)) == costs(net), key


@needs_corpus
def test_public_nets_come_back() -> None:
    for line in CORPUS_TRUTH[::5]:
        options: dict[str, Any] = {"phase": line["phase"], "batch": "net", "input_shapes": line["inputs"]}
        net = netcount.load(CORPUS / "nets" / line["net"], **options)
        assert costs(written(net, **options)) == costs(net), line["net"]


STAGED = inputs(x=(2, 3, 9, 11)) + (
    'name: "staged" state { stage: "deploy" }\n'
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" include { stage: "deploy" }\n'
    "  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'xavier' } } }\n"
    'layer { name: "l" type: "SoftmaxWithLoss" bottom: "c" bottom: "x" top: "l" include { phase: TRAIN } }\n'
)


def test_it_is_the_net_of_one_phase_in_the_current_form() -> None:
    net = netcount.loads(STAGED)
    proto: Any = net.to_proto()
    assert proto.DESCRIPTOR.full_name == "caffe.NetParameter"
    assert (proto.name, [layer.name for layer in proto.layer]) == ("staged", ["x", "c"])
    assert str(netcount.loads("").to_proto()) == ""
    assert proto.state.phase == proto.DESCRIPTOR.file.enum_types_by_name["Phase"].values_by_name["TEST"].number
    assert not any(layer.include or layer.exclude for layer in proto.layer)
    assert proto.layer[1].convolution_param.weight_filler.type == "xavier"
    assert costs(written(net)) == costs(net)
    old = netcount.loads('input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9\n'
                         'layers { name: "r" type: RELU bottom: "x" top: "y" }')  # fmt: skip
    upgraded: Any = old.to_proto()
    assert [(layer.name, layer.type) for layer in upgraded.layer] == [("input", "Input"), ("r", "ReLU")]
    assert not upgraded.layers
    assert not upgraded.input


def test_text_and_bytes_are_protobufs_own() -> None:
    proto: Any = netcount.load(SAMPLES / "mobilenet_v2.prototxt").to_proto()
    kind = type(proto)
    assert text_format.Parse(text_format.MessageToString(proto), kind()) == proto
    assert kind.FromString(proto.SerializeToString()) == proto


class Own(SameShape, Moving):
    type = "Own"

    def read(self, message: Message) -> None:
        self.times = message.extra("own_param", "times", 1)

    def forward(self, bottoms: Any, blobs: Any, run: Any) -> Any:
        return bottoms


def test_what_no_schema_knows_is_left_out_and_said() -> None:
    text = inputs(x=(1, 3)) + 'layer { name: "o" type: "Own" bottom: "x" top: "y" own_param { times: 3 } }'
    net = netcount.loads(text, catalogue=netcount.CATALOGUE.with_(Own))
    with pytest.warns(UserWarning, match='"o": no schema knows own_param, which is left out'):
        proto: Any = net.to_proto()
    assert "own_param" not in str(proto)
    assert proto.layer[1].type == "Own"


def test_a_name_that_is_not_utf_8_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "x.prototxt"
    path.write_bytes(inputs(x=(1, 3)).encode().replace(b'"x"', b'"\xff"'))
    net = netcount.load(path)
    assert costs(written(net)) == costs(net)
