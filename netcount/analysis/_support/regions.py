"""Blocks that the graph shows: what lies between a fork and the join that closes it."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from netcount.graph.graph import Graph, Node

MOST_LAYERS = 500
"""A region of more layers is no block that repeats, and looking for its fork would take long."""
MOST_IN_VAIN = 200_000
"""Layers looked at for joins that close nothing: a net with more of them has no blocks that people would see."""


class Region(NamedTuple):
    """The layers between a fork and the join that closes it, the join included.

    fork: the blob version that all of them start from.  nodes: indices, ascending; the last is the join.
    gate: whether the join multiplies (squeeze and excitation), so that a sum around it is the block.
    """

    fork: int
    nodes: tuple[int, ...]
    gate: bool

    @property
    def fork_and_join(self) -> tuple[int, int]:
        """What tells regions apart."""
        return self.fork, self.nodes[-1]


def regions(net: Graph) -> list[Region]:
    """The residual, inception and dense blocks of a net, none inside another.

    A region has one blob that every way into it starts from and one layer that every way out leads
    through, and holds something learned.  Of two that overlap, the inner one is the block (the skip
    connections of a U-Net enclose half the net), but for a gate, and for an inner join that starts from
    the same fork: an Inception-ResNet block is closed by its sum.
    """
    closed: dict[tuple[int, int], Region] = {}
    home: dict[int, Region] = {}
    in_vain = MOST_IN_VAIN
    for join in net.nodes:
        if not _joins(join):
            continue
        region, steps = _closed_by(net, join, min(MOST_LAYERS, in_vain))
        if region is None:
            in_vain -= steps
            continue
        inner = {id(block): block for index in region.nodes if (block := home.get(index)) is not None}
        if any(not _absorbed(block, region) for block in inner.values()):
            continue
        for absorbed in inner.values():
            closed.pop(absorbed.fork_and_join, None)
        closed[region.fork_and_join] = region
        home.update(dict.fromkeys(region.nodes, region))
    return [region for region in closed.values() if not region.gate]


def _absorbed(inner: Region, outer: Region) -> bool:
    return set(inner.nodes) <= set(outer.nodes) and (inner.gate or inner.fork == outer.fork)


def _joins(node: Node) -> bool:
    """Whether the layer combines blobs of at least two different layers into one, and learns nothing."""
    return len(node.tops) == 1 and not node.params and len({blob.index for blob in node.value_bottoms}) > 1


def _closed_by(net: Graph, join: Node, most: int) -> tuple[Region | None, int]:
    """The region that a join closes, or None where its ways have no common start within `most` layers; and how
    many layers were looked at."""
    inside: set[int] = set()
    open_blobs: list[int] = []  # a heap of negated blob versions: the latest is looked at first
    seen: set[int] = set()

    def reach(blobs: Iterable[int]) -> None:
        for blob in blobs:
            if blob not in seen:
                seen.add(blob)
                heappush(open_blobs, -blob)

    reach(blob.index for blob in join.value_bottoms)
    while len(open_blobs) > 1:
        producer = net.blobs[-heappop(open_blobs)].producer
        if producer in inside:
            continue
        node = net.nodes[producer]
        if not node.bottoms or len(inside) >= most:
            return None, len(inside)
        inside.add(producer)
        reach(blob.index for blob in node.value_bottoms)
    if not inside or not any(net.nodes[index].params for index in inside):
        return None, len(inside)
    members = {*inside, join.index}
    ends = set(net.outputs)
    for index in inside:
        for top in net.nodes[index].tops:
            if top.index in ends or not members.issuperset(net.readers[top.index]):
                return None, len(inside)
    return Region(-open_blobs[0], tuple(sorted(members)), _multiplies(join)), len(inside)


def _multiplies(join: Node) -> bool:
    """Whether every value of a bottom gets a factor from another one: Eltwise PROD, Scale and the like."""
    ops = join.layer.ops(join.bottom_shapes, join.top_shapes)
    return ops.muls >= join.tops[0].shape.count() > ops.adds
