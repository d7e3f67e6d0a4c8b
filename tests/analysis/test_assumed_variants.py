"""Variants of nets with layers of which only a shape, or a cost, is assumed: none is made up."""

from __future__ import annotations

from typing import Any

import pytest

import netcount
from netcount.analysis._support.resolutions import Resolution
from netcount.core.errors import InputError
from tests.analysis.test_rescale import conv, widths
from tests.analysis.test_widths import op
from tests.helpers import inputs

HEAD = inputs(x=(1, 3, 24, 26)) + conv("a", "x", "a", "num_output: 8 kernel_size: 3")
NET = HEAD + op("Foo", "a", "f") + conv("b", "f", "b", "num_output: 6 kernel_size: 1")
NET += conv("c", "b", "c", "num_output: 9 kernel_size: 1")
SHAPE = {"Foo-f": (1, 8, 22, 24)}
BY_HAND = {"Foo": {"params": 7, "madds": 100}}


@pytest.mark.parametrize("assume", [SHAPE, BY_HAND])
def test_a_width_that_would_change_what_it_reads_is_refused(assume: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refusal:
        netcount.loads(NET, assume=assume).rescale(width=0.5)
    assert str(refusal.value).startswith("<text>:3:")
    assert (
        'Foo "Foo-f": what is assumed of it holds for the net as it is, and it would read 4 channels, not 8; keep '
        'them with keep=["a"], or take it for a type that follows what it reads: assume={"Foo": "KNOWN_TYPE"}'
    ) in str(refusal.value)
    assert widths(NET, keep=["a"], assume=assume) == {"a": 8, "b": 3, "c": 9}


@pytest.mark.parametrize("assume", [SHAPE, BY_HAND])
def test_a_resolution_that_would_change_what_it_reads_is_refused(assume: dict[str, Any]) -> None:
    with pytest.raises(
        InputError, match="it would read 1×8×14×14, not 1×8×22×24; take it for a type that follows"
    ):
        netcount.loads(NET, assume=assume).rescale(resolution=16)
    same = netcount.loads(NET, assume=assume).rescale(resolution=(24, 26))
    assert same.text == NET


@pytest.mark.parametrize("assume", [SHAPE, BY_HAND])
def test_a_sweep_recommends_no_net_that_nobody_knows(assume: dict[str, Any]) -> None:
    net = netcount.loads(NET, assume=assume)
    found = net.sweep(["0.5", "1", "2"], [Resolution(24, 26), 16], limits={"madds": 10**9})
    assert [variant.error is None for variant in found.variants] == [False, False, True, False, False, False]
    assert found.best == 2
    kept = net.sweep(["0.5", "1", "2"], keep=["a"])
    assert [variant.error for variant in kept.variants] == [None] * 3
    assert kept.variants[0].madds < kept.variants[1].madds < kept.variants[2].madds


@pytest.mark.parametrize("what", ["identity", "ReLU"])
def test_what_is_taken_for_a_type_follows(what: str) -> None:
    found = netcount.loads(NET, assume={"Foo": what}).rescale(width=0.5, resolution=16)
    assert found.net.node("b").bottoms[0].shape == (1, 4, 14, 14)


def test_an_assumed_source_has_no_resolution() -> None:
    text = op("Foo", "", "x") + HEAD.partition("\n")[2] + conv("b", "a", "b", "num_output: 6 kernel_size: 1")
    (variant,) = netcount.loads(text, assume={"Foo": (1, 3, 24, 26)}).sweep(["0.5"], [16]).variants
    assert "there is no resolution to change" in str(variant.error)
    (variant,) = netcount.loads(text, assume={"Foo": (1, 3, 24, 26)}).sweep(["0.5"]).variants
    assert variant.error is None


def test_another_axis_is_seen_too() -> None:
    """What the plan of channels does not follow, the built net shows."""
    text = HEAD + op("Flatten", "a", "flat", "flatten_param { axis: 0 end_axis: 1 }") + op("Foo", "flat", "f")
    text += op("InnerProduct", "f", "fc", "inner_product_param { num_output: 5 }")
    with pytest.raises(InputError, match="what is assumed of it holds for the net as it is"):
        netcount.loads(text, assume={"Foo": (8, 22, 24)}).rescale(width=0.5)
