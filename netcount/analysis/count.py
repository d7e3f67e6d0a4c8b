"""What a net costs: a row per layer, totals, and the shares by kernel size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from netcount.analysis._support.emptied import emptied
from netcount.analysis._support.kernels import KernelShare, kernel_shares
from netcount.analysis.conventions import CONVENTIONS, Convention
from netcount.analysis.rows import BYTES_PER_WEIGHT, BlobRow, LayerRow, Totals
from netcount.core.errors import Warned
from netcount.core.gc_pause import paused
from netcount.core.opcount import OpCount
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
        BYTES_PER_WEIGHT * (params + statistics),
    )


class _LayerCost(NamedTuple):
    """What a layer costs, wherever in a net it stands; tops: the elements of each."""

    blobs: tuple[BlobRow, ...]
    window: Window | None
    params: int
    statistics: int
    ops: OpCount
    tops: tuple[int, ...]
    note: str | None


def _row(net: Graph, node: Node, convention: Convention, known: Known | None) -> LayerRow:
    layer = node.layer
    if known is None or any(node.owners):
        cost = _cost(net, node)
    else:
        key = known.key(layer, [blob.shape for blob in node.bottoms + node.tops])
        cost = known.counted.get(key) or known.counted.setdefault(key, _cost(net, node))
    tree = layer.message.tree
    activations = 0
    if not layer.shares_bottom:
        for top, elements in zip(node.tops, cost.tops, strict=True):
            if top.overwrites is None:
                activations += elements
    return LayerRow(
        node.name,
        node.type,
        tree.source.line(tree.offset),
        tree.source.line(tree.end),
        node.bottoms,
        node.tops,
        cost.blobs,
        cost.window,
        cost.params,
        cost.statistics,
        cost.ops,
        convention.rule(node, cost.ops),
        activations,
        cost.note,
    )


def _cost(net: Graph, node: Node) -> _LayerCost:
    layer = node.layer
    bottoms = [blob.shape for blob in node.bottoms]
    tops = [blob.shape for blob in node.tops]
    params = statistics = 0
    blobs: list[BlobRow] = []
    for blob, owner in zip(node.params, node.owners, strict=True):
        shared_with = None
        if owner is not None:
            shared_with = f"{net.nodes[owner.node].name}/{owner.index}"
        elif blob.role == "statistic":
            statistics += blob.shape.count()
        else:
            params += blob.shape.count()
        blobs.append(BlobRow(blob.role, blob.shape, shared_with))
    return _LayerCost(
        tuple(blobs),
        layer.window(bottoms),
        params,
        statistics,
        layer.ops(bottoms, tops),
        tuple([top.count() for top in tops]),
        layer.data_dependent(bottoms),
    )


def _warnings(net: Graph, rows: list[LayerRow]) -> tuple[Warned, ...]:
    dependent = [
        Warned(f'{row.type} "{row.name}": {row.note}', node.place)
        for row, node in zip(rows, net.nodes, strict=True)
        if row.note
    ]
    return (*net.warnings, *dependent, *emptied(net))
