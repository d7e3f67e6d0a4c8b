"""Questions asked of a net cost in proportion to its layers, whatever its graph."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import netcount
from netcount.analysis._support.plain import Plain
from netcount.analysis.rescale import Rescaler
from tests.helpers import inputs

CONV = 'layer {{ name: "{0}" type: "Convolution" bottom: "{1}" top: "{2}" convolution_param {{ {3} }} }}\n'
WINDOW = "num_output: 8 kernel_size: 3 pad: 1"


def residual(blocks: int) -> str:
    """Blocks with a shortcut each, one behind the other; at half the width the first sum has to give way."""
    text = inputs(data=(1, 4, 6, 7)) + CONV.format("stem", "data", "s-1", "num_output: 8 kernel_size: 1")
    for i in range(blocks):
        text += CONV.format(f"b{i}/c", f"s{i - 1}", f"c{i}", WINDOW)
        text += f'layer {{ name: "r{i}" type: "ReLU" bottom: "c{i}" top: "c{i}" }}\n'
        text += CONV.format(f"b{i}/d", f"c{i}", f"d{i}", "num_output: 8 kernel_size: 1")
        text += f'layer {{ name: "j{i}" type: "Eltwise" bottom: "d{i}" bottom: "s{i - 1}" top: "s{i}" }}\n'
    return text + CONV.format("end", f"s{blocks - 1}", "end", "num_output: 5 kernel_size: 1")


def one_block(layers: int) -> str:
    """Convolutions of one block, one behind the other."""
    text = inputs(data=(1, 4, 6, 7))
    for i in range(layers):
        text += CONV.format(f"all/{i}", "data" if not i else f"c{i - 1}", f"c{i}", WINDOW)
    return text


def fan(branches: int) -> str:
    """Blocks that all read one blob, and whose tops are all outputs."""
    text = inputs(data=(1, 8, 6, 7))
    for i in range(branches):
        text += CONV.format(f"b{i}/c", "data", f"c{i}", WINDOW)
        text += f'layer {{ name: "j{i}" type: "Eltwise" bottom: "c{i}" bottom: "data" top: "j{i}" }}\n'
    return text


def calls(function: Callable[[], Any]) -> int:
    """How many functions are called, built-in ones included."""
    number = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return number


def first_block(analysis: netcount.Analysis) -> Any:
    return analysis.explain(analysis.blocks()[0].name, kind="block")


@pytest.mark.parametrize("make", [residual, one_block, fan])
@pytest.mark.parametrize("question", [netcount.Analysis.blocks, netcount.Analysis.memory, first_block])
def test_four_times_the_layers_are_four_times_the_work(
    make: Callable[[int], str], question: Callable[[netcount.Analysis], Any]
) -> None:
    small, large = (netcount.loads(make(size)).analyze() for size in (60, 240))
    assert calls(lambda: question(large)) < 4.4 * calls(lambda: question(small))


@pytest.mark.parametrize("make", [residual, one_block, fan])
def test_rescaling_is_so_too(make: Callable[[int], str]) -> None:
    small, large = (Rescaler(make(size), keep=["stem"] if make is residual else []) for size in (60, 240))
    assert calls(lambda: large.rescaled("1/2")) < 4.4 * calls(lambda: small.rescaled("1/2"))


@pytest.mark.parametrize(("steps", "seen"), [(600, 1201), (8500, None)])
def test_a_window_may_be_seen_through_many_layers(steps: int, seen: int | None) -> None:
    (block,) = netcount.loads(one_block(steps)).analyze().blocks()
    if seen is None:
        assert "too large a window" in str(block.plain)
    else:
        assert isinstance(block.plain, Plain)
        assert block.plain.kernel == (seen, seen)
