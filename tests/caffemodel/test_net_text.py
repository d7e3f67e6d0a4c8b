"""The net that a .caffemodel holds, as a prototxt: held to protobuf, and damage is an InputError."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

import netcount
from netcount.caffemodel import read as caffemodel
from netcount.caffemodel.net_text import NetText, quoted, shortest
from netcount.core.errors import InputError, NetcountError
from netcount.prototxt import read_net
from netcount.prototxt.protobuf import message_class, to_protobuf
from tests.caffemodel.test_caffemodel import open_bytes, packed, record, varint
from tests.helpers import GOLDEN, SAMPLES, conformance_cases, needs_golden


def text_of(folder: Path, data: bytes) -> NetText:
    with open_bytes(folder, data) as model:
        return model.net_text()


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.prototxt")), ids=lambda path: path.stem)
def test_it_is_the_net_that_was_saved(path: Path, tmp_path: Path) -> None:
    problems: list[NetcountError] = []
    net = to_protobuf(read_net(path.read_text(encoding="utf-8"), path.name, problems, []))
    made = text_of(tmp_path, net.SerializeToString())
    assert made.connected
    assert made.unknown == 0
    assert text_format.Parse(made.text, message_class("NetParameter")()) == net


def test_every_kind_of_field(tmp_path: Path) -> None:
    for case in conformance_cases():
        problems: list[NetcountError] = []
        if case["verdict"] == "accepted":
            net = to_protobuf(read_net(case["prototxt"], "case", problems, []))
            if not net.ByteSize():
                continue
            made = text_of(tmp_path, net.SerializeToString())
            assert text_format.Parse(made.text, message_class("NetParameter")()) == net, case["name"]


def test_old_layers_are_read_as_they_are(tmp_path: Path) -> None:
    old = message_class("NetParameter")(name="é\x01")
    old.layers.add(name='a"b', type=4, bottom=["x"], blobs_lr=[1, 0.1])
    old.layers[0].blobs.add(num=1, channels=1, height=1, width=2, data=[1, 2])
    made = text_of(tmp_path, old.SerializeToString())
    assert "type: CONVOLUTION" in made.text
    del old.layers[0].blobs[:]
    assert text_format.Parse(made.text, message_class("NetParameter")()) == old


def test_what_forks_use_the_numbers_for_is_left_out(tmp_path: Path) -> None:
    known = record(1, b"l") + record(2, b"ReLU") + record(3, b"x")
    odd = record(100, known + record(106, b"\xff\xff") + varint(8888 << 3) + b"\1")
    made = text_of(tmp_path, odd)
    assert made.text == 'layer {\n  name: "l"\n  type: "ReLU"\n  bottom: "x"\n}\n'
    assert made.unknown == 2


def test_weights_alone_are_no_net(tmp_path: Path) -> None:
    assert not text_of(
        tmp_path, record(100, record(1, b"l") + record(7, record(7, packed(1, [])) + packed(5, [1])))
    ).connected


@pytest.mark.parametrize(
    "inner", [record(147, b"")[:-1] + b"\x05", varint(3 << 3 | 2) + b"\x7f", varint(1 << 3 | 3)]
)
def test_damage_is_an_input_error(inner: bytes, tmp_path: Path) -> None:
    try:
        made = text_of(tmp_path, record(100, record(1, b"l") + inner) + inner)
    except InputError as problem:
        assert "it.caffemodel" in str(problem)
    else:
        assert made.unknown


def test_deep_nesting_is_cut(tmp_path: Path) -> None:
    data = b""
    for _ in range(40):
        data = record(104, record(20, data))  # what no schema nests so deep is not a net
    made = text_of(tmp_path, record(100, record(1, b"l") + record(3, b"x") + data))
    assert made.text.count("{") < 32


@pytest.mark.parametrize("value", [0.1, 1.0, 3.0000001e38, 1e-45, float("inf"), -2.5])
def test_numbers_are_short_and_exact(value: float) -> None:
    import numpy as np

    assert np.float32(shortest(float(np.float32(value)))) == np.float32(value)


def test_strings_stay_on_one_line() -> None:
    assert quoted("\u2028\x1b\n".encode()) == '"\\342\\200\\250\\033\\n"'


@needs_golden
def test_a_file_that_caffe_wrote() -> None:
    path = GOLDEN / "squeezenet_v1.1"
    with caffemodel.open(path.with_suffix(".1.caffemodel")) as model:
        made = model.net_text()
    net = netcount.loads(made.text)
    assert net.analyze().totals.madds == netcount.load(path.with_suffix(".1.prototxt")).analyze().totals.madds
