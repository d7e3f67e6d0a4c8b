"""Channels through nets whose branches meet: what follows what, and what cannot."""

from __future__ import annotations

import pytest

import netcount
from netcount.core.errors import InputError
from tests.analysis.test_rescale import CHAIN, conv, widths


def op(type: str, bottoms: str, top: str, rest: str = "") -> str:
    lines = "".join(f' bottom: "{bottom}"' for bottom in bottoms.split())
    return f'layer {{ name: "{type}-{top}" type: "{type}"{lines} top: "{top}" {rest} }}\n'


END = conv("end", "%s", "end", "num_output: 9 kernel_size: 1")


def test_what_scales_a_concat_channel_by_channel_follows_it() -> None:
    text = CHAIN + conv("a", "x", "a", "num_output: 5 kernel_size: 1")
    text += conv("b", "x", "b", "num_output: 7 kernel_size: 1") + op("Concat", "a b", "j")
    text += op("Pooling", "j", "p", "pooling_param { pool: AVE global_pooling: true }")
    text += conv("up", "p", "up", "num_output: 12 kernel_size: 1") + op("LRN", "up", "n")
    text += op("Reshape", "n", "r", "reshape_param { shape { dim: 0 dim: 0 } }")
    text += op("Scale", "j r", "s", "scale_param { axis: 0 }") + END % "s"
    assert widths(text) == {"a": 3, "b": 4, "up": 7, "end": 9}, "12/2 = 6 would not be 3 + 4"


def test_what_is_joined_along_another_axis_stays_alike() -> None:
    text = CHAIN + conv("a", "x", "a", "num_output: 8 kernel_size: 1")
    text += conv("b", "x", "b", "num_output: 8 kernel_size: 1")
    text += op("Concat", "a b", "j", "concat_param { axis: 2 }") + END % "j"
    assert widths(text, keep=["b"]) == {"a": 8, "b": 8, "end": 9}


def test_sums_of_sums_are_looked_through_once() -> None:
    text = CHAIN + conv("a", "x", "s0", "num_output: 8 kernel_size: 1")
    for i in range(60):
        text += op("Eltwise", f"s{i} s{i}", f"s{i + 1}")
    text += conv("b", "x", "b", "num_output: 8 kernel_size: 1") + op("Eltwise", "s60 b", "t") + END % "t"
    assert widths(text, keep=["b"]) == {"a": 8, "b": 8, "end": 9}


def test_a_refusal_names_what_would_have_to_be_kept() -> None:
    text = CHAIN + conv("score", "x", "a", "num_output: 6 kernel_size: 1") + op("ReLU", "a", "a")
    text += op("Slice", "a", "p", 'top: "q" slice_param { slice_point: 2 }')
    text += conv("b", "p", "b", "num_output: 9 kernel_size: 1") + END % "q"
    with pytest.raises(InputError, match=r'there would be 3; keep them with keep=\["score"\]'):
        netcount.loads(text).rescale(width=0.5)
    assert widths(text, keep=["score"])["score"] == 6


def test_a_depthwise_convolution_is_kept_with_what_it_reads() -> None:
    text = CHAIN + conv("a", "x", "a", "num_output: 8 kernel_size: 1")
    text += conv("dw", "a", "dw", "num_output: 8 group: 8 kernel_size: 3") + END % "dw"
    with pytest.raises(InputError, match=r'at 8 channels.* reads 4 now; keep them with keep=\["a"\]'):
        netcount.loads(text).rescale(width=0.5, keep=["dw"])
    assert widths(text, keep=["dw", "a"]) == {"a": 8, "dw": 8, "end": 9}


def test_channels_on_another_axis_are_left_to_the_reader() -> None:
    text = CHAIN + conv("a", "x", "a", "num_output: 8 kernel_size: 1 axis: 2") + END % "a"
    with pytest.raises(InputError, match="channels are not axis 1"):
        netcount.loads(text).rescale(width=0.5)
