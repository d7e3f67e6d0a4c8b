"""Images of another size: which numbers follow, and which cannot."""

from __future__ import annotations

import re

import pytest

import netcount
from netcount.analysis._support.resolutions import Resolution
from netcount.analysis.rescale import Rescaler
from netcount.core.errors import InputError
from tests.analysis.test_rescale import LEGACY, conv
from tests.analysis.test_widths import op
from tests.helpers import inputs

CHAIN = inputs(x=(1, 3, 24, 24)) + conv("a", "x", "a", "num_output: 8 kernel_size: 1 stride: 2")


def test_a_pooling_in_a_side_branch_still_covers_its_plane() -> None:
    text = CHAIN
    for i, bottom in enumerate(("a", "s0")):
        text += op("Pooling", bottom, f"p{i}", f"pooling_param {{ pool: AVE kernel_size: {12 - 2 * i} }}")
        text += conv(f"up{i}", f"p{i}", f"u{i}", "num_output: 8 kernel_size: 1")
        text += op("Reshape", f"u{i}", f"r{i}", "reshape_param { shape { dim: 0 dim: 0 } }")
        text += op("Scale", f"{bottom} r{i}", f"t{i}", "scale_param { axis: 0 }")
        text += conv(f"c{i}", f"t{i}", f"s{i}", "num_output: 8 kernel_size: 3")
    text += conv("end", "s1", "end", "num_output: 9 kernel_size: 1")
    text = text.replace("kernel_size: 12", "kernel_size: 12 stride: 12")
    found = netcount.loads(text).rescale(width=0.5, resolution=18)
    assert "kernel_size: 9 stride: 12" in found.text
    assert "kernel_size: 7 " in found.text
    assert found.net.node("end").tops[0].shape == (1, 9, 5, 5)
    assert found.net.node("up1").bottoms[0].shape == (1, 4, 1, 1)


def test_channels_are_not_made_out_of_the_plane() -> None:
    text = CHAIN + op("Reshape", "a", "r", "reshape_param { shape { dim: 0 dim: -1 dim: 12 dim: 12 } }")
    text += conv("b", "r", "b", "num_output: 9 kernel_size: 1")
    assert netcount.loads(text).rescale(resolution=24).text == text
    with pytest.raises(InputError, match=r'Convolution "b": would read 1×2×12×12, not 8 channels: a constant'):
        netcount.loads(text).rescale(resolution=12)


def test_what_no_layer_reads_is_no_number_of_the_net() -> None:
    stray = "inner_product_param { num_output: 77 }"
    text = CHAIN.replace("convolution_param", f"{stray} convolution_param")
    text += conv("b", "a", "b", "num_output: 9 kernel_size: 1")
    found = netcount.loads(text).rescale(width=0.5)
    assert found.net.node("a").tops[0].shape[1] == 4
    assert stray in found.text


def test_one_height_and_width_a_top() -> None:
    text = (
        'layer { name: "x" type: "DummyData" top: "l" top: "r" dummy_data_param { num: 1 num: 1 '
        "channels: 3 channels: 1 height: 24 height: 24 width: [26, 26] } }\n"
    )
    text += conv("a", "l", "a", "num_output: 8 kernel_size: 3") + conv(
        "b", "r", "b", "num_output: 8 kernel_size: 3"
    )
    found = netcount.loads(text).rescale(resolution=Resolution(13, 17))
    assert [found.net.node(name).tops[0].shape for name in "ab"] == [(1, 8, 11, 15)] * 2


def test_the_other_phase_has_to_build_too() -> None:
    rest = "include { phase: TRAIN } reshape_param { shape { dim: 1 dim: 144 dim: 8 } }"
    text = CHAIN + op("Reshape", "a", "r", rest) + conv("b", "a", "b", "num_output: 9 kernel_size: 1")
    text += op("InnerProduct", "r", "f", "include { phase: TRAIN } inner_product_param { num_output: 2 }")
    with pytest.raises(InputError, match="rescaled, the net would be refused in phase TRAIN: Reshape"):
        netcount.loads(text).rescale(width=0.5)
    assert Rescaler(text, both_phases=False).rescaled("1/2").changes


FORMS = {
    "dims": "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 1 dim: 3 dim: 24 dim: 26 } } }",
    "list": "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: [1, 3, # two\n 24,26] } } }",
    "input_dim": LEGACY,
    "input_shape": 'input: "x" input_shape { dim: [1, 3] dim: 24 dim: 26 }\n',
    "memory": "layer { name: 'x' type: 'MemoryData' top: 'x' top: 'l' memory_data_param "
    "{ batch_size: 1 channels: 3 height: 24 width: 26 } }",
    "dummy": "layer { name: 'x' type: 'DummyData' top: 'x' dummy_data_param "
    "{ shape { dim: 1 dim: 3 dim: 24 dim: 26 } } }",
    "image": "layer { name: 'x' type: 'ImageData' top: 'x' top: 'l' image_data_param "
    "{ batch_size: 1 new_height: 24 new_width: 26 } }",
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_way_to_write_a_size_is_found(form: str) -> None:
    text = FORMS[form] + conv("a", "x", "a", "num_output: 8 kernel_size: 3")
    found = netcount.loads(text).rescale(resolution=Resolution(13, 17))
    assert netcount.loads(found.text).node("a").tops[0].shape == (1, 8, 11, 15)
    assert re.sub(r"\d+", "0", found.text) == re.sub(r"\d+", "0", text)


def test_a_crop_is_the_size_and_is_square() -> None:
    text = (
        "layer { name: 'x' type: 'Data' top: 'x' top: 'l' transform_param { crop_size: 24 } "
        "data_param { batch_size: 1 } }" + conv("a", "x", "a", "num_output: 8 kernel_size: 3")
    )
    assert netcount.loads(text).rescale(resolution=13).net.node("a").tops[0].shape == (1, 8, 11, 11)
    with pytest.raises(InputError, match="a crop is square"):
        netcount.loads(text).rescale(resolution=Resolution(13, 17))


def test_a_size_that_only_the_caller_knows_stays_with_the_caller() -> None:
    text = "layer { name: 'x' type: 'Data' top: 'x' data_param { batch_size: 1 } }"
    text += conv("a", "x", "a", "num_output: 8 kernel_size: 3")
    found = netcount.loads(text, input_shapes={"x": (1, 3, 24, 26)}).rescale(resolution=13)
    assert found.text == text
    assert found.net.node("a").tops[0].shape == (1, 8, 11, 11)
    assert 'give it with input_shapes={"x": (1, 3, 13, 13)}' in str(found.notes[0])
    with pytest.raises(InputError, match="give it with input_shapes="):
        netcount.loads(text).rescale(resolution=13)


def test_a_pooling_over_the_whole_plane_still_covers_it() -> None:
    text = inputs(x=(1, 3, 15, 15)) + conv("a", "x", "a", "num_output: 8 kernel_size: 3 stride: 2")
    text += 'layer { name: "p" type: "Pooling" bottom: "a" top: "p" pooling_param { pool: AVE kernel_size: 7 } }\n'
    text += conv("b", "p", "b", "num_output: 9 kernel_size: 1")
    for size in (9, 15, 31):
        found = netcount.loads(text).rescale(resolution=size)
        assert found.net.node("b").tops[0].shape == (1, 9, 1, 1)
        assert f"kernel_size: {(size - 3) // 2 + 1} }}" in found.text
    with pytest.raises(InputError, match="its one kernel_size cannot cover 4×8"):
        netcount.loads(text).rescale(resolution=Resolution(9, 17))


def test_without_an_image_a_resolution_has_no_meaning() -> None:
    text = inputs(x=(4, 7)) + (
        'layer { name: "f" type: "InnerProduct" bottom: "x" top: "f" inner_product_param { num_output: 3 } }'
    )
    with pytest.raises(InputError, match="there is no resolution to change"):
        netcount.loads(text).rescale(resolution=9)
