"""Named rules for what a layer's one number is.  People compare figures that count differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from netcount.core.errors import InputError
from netcount.core.opcount import OpCount
from netcount.core.suggest import unknown
from netcount.graph.graph import Node

Rule: TypeAlias = Callable[[Node, OpCount], int]


class Convention(NamedTuple):
    """A named rule.  `unit` is what a table calls the number; `used_by` who counts so."""

    name: str
    unit: str
    rule: Rule
    about: str
    used_by: str


def _madds(node: Node, ops: OpCount) -> int:
    return ops.madds


def _flops(node: Node, ops: OpCount) -> int:
    return 2 * ops.madds + ops.others


def _netscope(node: Node, ops: OpCount) -> int:
    """Netscope CNN Analyzer's number; what it leaves out or gets wrong is kept as it is."""
    layer = node.layer
    if not node.tops:
        return ops.madds
    top = node.tops[0]
    if node.type == "Deconvolution":
        window = layer.window(node.bottom_shapes)
        if window is None:
            return ops.madds
        (bottom, *_) = node.bottoms
        channels = bottom.shape[bottom.shape.axis(getattr(layer, "axis_given", 1))]
        products = channels * top.shape.count() * prod(window.kernel)
        return products * len(node.tops) // prod([stride or 1 for stride in window.stride])  # 0: not set
    if node.type == "Scale":
        return top.shape.count()
    if node.type == "LRN":
        return top.shape.count() * int(getattr(layer, "local_size", 0))
    if node.type == "Eltwise" and getattr(layer, "operation", "") == "PROD":
        return top.shape.count()
    if node.type == "Power" and getattr(layer, "scale", 1.0) != 1.0:
        return top.shape.count()
    return ops.madds


def weighted(name: str, weights: Mapping[str, int], about: str = "") -> Convention:
    """A convention that adds op classes with whole-number weights, such as {"madds": 2, "adds": 1}.

    InputError for a class that does not exist.
    """
    for key in weights:
        if key not in OpCount._fields:
            raise InputError(f'convention "{name}": {unknown("op class", key, OpCount._fields, show_all=True)}')
    factors = tuple(weights.get(key, 0) for key in OpCount._fields)
    words = " + ".join(f"{key}" if factor == 1 else f"{factor}·{key}" for key, factor in weights.items())
    return Convention(name, name, partial(_weighted, factors), about or words, "this project")


def _weighted(factors: tuple[int, ...], node: Node, ops: OpCount) -> int:
    return sum(factor * count for factor, count in zip(factors, ops, strict=True))


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        found.name: found
        for found in (
            Convention(
                "madds",
                "madds",
                _madds,
                "one for every multiply-add with a learned matrix",
                "MobileNet's paper, fvcore",
            ),
            Convention(
                "netscope",
                "netscope",
                _netscope,
                "madds, and one for every element of Scale, Eltwise PROD and scaled Power, "
                "local_size for every element of LRN; Deconvolution by its output, blind to group",
                "Netscope CNN Analyzer",
            ),
            Convention(
                "flops",
                "flops",
                _flops,
                "two for every multiply-add, one for every other operation",
                '"FLOPs" in most papers after 2019',
            ),
        )
    }
)

ALIASES: Mapping[str, str] = MappingProxyType({"macs": "madds"})
"""Other names of conventions, as people know them; a result has the convention's own name."""
KNOWN: Mapping[str, Convention] = MappingProxyType(
    {**CONVENTIONS, **{alias: CONVENTIONS[name] for alias, name in ALIASES.items()}}
)
"""By every name that needs no configuration."""


def convention_named(name: str | Convention, own: Mapping[str, Convention] = MappingProxyType({})) -> Convention:
    """The convention of that name (a Convention is its own); InputError lists the known ones."""
    if isinstance(name, Convention):
        return name
    known = {**KNOWN, **own}
    if name not in known:
        raise InputError(unknown("convention", name, known, show_all=True))
    return known[name]
