"""Which layers an engine computes together, and where their time stands."""

from __future__ import annotations

from typing import NamedTuple

from netcount.engines.engine import LayerTimes
from netcount.graph.graph import Graph


class Grouped(NamedTuple):
    """Layers that are computed together.

    Attributes:
        seconds: By the index of the layer that stands for its group.
        of: By index the layer that stands for it.
    """

    seconds: dict[int, float]
    of: dict[int, int]


def grouped(net: Graph, times: LayerTimes) -> Grouped:
    """The time of each group at its layer with most madds.

    A layer without a time was computed with others: where a group is named after its last layer, with the layer
    that reads it, else with the layer before it.
    """
    of = {index: group[0] for group in times.groups for index in group}
    timed = {of.get(index, index) for index in times.seconds}
    for node in reversed(net.nodes) if times.named_after == "last" else ():
        if node.index in timed or node.index in of or not node.bottoms:
            continue
        readers = {reader for blob in node.tops for reader in net.readers[blob.index]}
        heads = {of.get(reader, reader) for reader in readers}
        if len(heads) == 1 and heads <= timed:
            of[node.index] = heads.pop()
    for node in net.nodes:
        if node.index in timed or node.index in of:
            continue
        before = [of.get(blob.producer, blob.producer) for blob in node.bottoms]
        head = next((index for index in before if index in timed), None)
        if head is not None:
            of[node.index] = head
    return _led(net, times, of)


def _led(net: Graph, times: LayerTimes, of: dict[int, int]) -> Grouped:
    """Each group under its layer with most madds, or the first of several."""
    members: dict[int, list[int]] = {}
    for index in range(len(net.nodes)):
        members.setdefault(of.get(index, index), []).append(index)
    seconds: dict[int, float] = {}
    leaders: dict[int, int] = {}
    for head, group in members.items():
        told = [times.seconds[index] for index in group if index in times.seconds]
        if not told:
            continue
        leader = max(group, key=lambda index: (_madds(net, index), index == head, -index))
        seconds[leader] = sum(told)
        leaders |= dict.fromkeys(group, leader)
    return Grouped(seconds, leaders)


def _madds(net: Graph, index: int) -> int:
    node = net.nodes[index]
    return node.layer.ops(node.bottom_shapes, node.top_shapes).madds
