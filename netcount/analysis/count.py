"""What a net costs: a row per layer, totals, and the shares by kernel size."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import NamedTuple, TypeAlias

from netcount.analysis._support.emptied import emptied
from netcount.analysis._support.kernels import KernelShare, kernel_shares
from netcount.analysis.conventions import CONVENTIONS, Convention
from netcount.analysis.rows import BlobRow, LayerRow, Totals
from netcount.core.errors import Warned
from netcount.core.gc_pause import paused
from netcount.core.opcount import OpCount
from netcount.core.units import FLOAT_BYTES
from netcount.graph.graph import Graph, Node
from netcount.graph.known import Known
from netcount.layers.layer import Window


class Count(NamedTuple):
    """The counted net.  `layers` stand in the order of the file."""

    net: Graph
    convention: Convention
    layers: tuple[LayerRow, ...]
    totals: Totals
    warnings: tuple[Warned, ...]

    @property
    def kernels(self) -> tuple[KernelShare, ...]:
        """Shares by kernel size, for the net and for families of named blocks; worked out when asked for."""
        return tuple(kernel_shares(self.layers))


def count(net: Graph, convention: Convention = CONVENTIONS["madds"], known: Known | None = None) -> Count:
    """Count every layer of `net`.  known: what was found in nets with the same layers."""
    with paused():
        rows = [_row(net, node, convention, known) for node in net.nodes]
    return Count(net, convention, tuple(rows), totals_of(rows), _warnings(net, rows))


def totals_of(rows: Iterable[LayerRow]) -> Totals:
    """The sums of some rows."""
    params = statistics = cost = activations = 0
    madds = adds = muls = divs = compares = exps = 0
    for row in rows:
        params += row.params
        statistics += row.statistics
        cost += row.cost
        activations += row.activations
        ops = row.ops
        madds += ops.madds
        adds += ops.adds
        muls += ops.muls
        divs += ops.divs
        compares += ops.compares
        exps += ops.exps
    return Totals(
        params,
        statistics,
        OpCount(madds, adds, muls, divs, compares, exps),
        cost,
        activations,
        FLOAT_BYTES * (params + statistics),
    )


_Cost: TypeAlias = "tuple[tuple[BlobRow, ...], Window | None, int, int, OpCount, tuple[int, ...], str | None]"
"""What a layer costs, wherever it stands: blobs, window, params, statistics, ops, elements of its tops, note."""


def _row(net: Graph, node: Node, convention: Convention, known: Known | None) -> LayerRow:
    layer = node.layer
    if known is None or any(node.owners):
        cost = _cost(net, node)
    else:
        key = known.key(layer, [blob.shape for blob in node.bottoms + node.tops])
        cost = known.counted.get(key) or known.counted.setdefault(key, _cost(net, node))
    blobs, window, params, statistics, ops, elements, note = cost
    tree = layer.message.tree
    activations = 0
    if not layer.shares_bottom:
        for top, number in zip(node.tops, elements, strict=True):
            if top.overwrites is None:
                activations += number
    return LayerRow(
        node.name,
        node.type,
        tree.source.line(tree.offset),
        tree.source.line(tree.end),
        node.bottoms,
        node.tops,
        blobs,
        window,
        params,
        statistics,
        ops,
        convention.rule(node, ops),
        activations,
        note,
    )


def _cost(net: Graph, node: Node) -> _Cost:
    layer = node.layer
    bottoms = [blob.shape for blob in node.bottoms]
    tops = [blob.shape for blob in node.tops]
    params = statistics = 0
    blobs: tuple[BlobRow, ...] = ()
    if node.params:
        rows = []
        for blob, owner in zip(node.params, node.owners, strict=True):
            shared_with = None
            if owner is not None:
                shared_with = f"{net.nodes[owner.node].name}/{owner.index}"
            elif blob.role == "statistic":
                statistics += prod(blob.shape)
            else:
                params += prod(blob.shape)
            rows.append(BlobRow(blob.role, blob.shape, shared_with))
        blobs = tuple(rows)
    ops, elements = layer.ops(bottoms, tops), tuple(map(prod, tops))
    return blobs, layer.window(bottoms), params, statistics, ops, elements, layer.data_dependent(bottoms)


def _warnings(net: Graph, rows: list[LayerRow]) -> tuple[Warned, ...]:
    dependent = [
        Warned(f'{row.type} "{row.name}": {row.note}', node.place)
        for row, node in zip(rows, net.nodes, strict=True)
        if row.note
    ]
    return (*net.warnings, *dependent, *emptied(net))
