"""Which layers a convolution does along with its own work, while the values are in the cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.graph.graph import Graph, Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass


class Group(NamedTuple):
    """A convolution, and what it does for the layers behind it.

    Attributes:
        passes: What each of them does to a block of values, in order.
        followers: Their indices.
    """

    passes: tuple[Pass, ...]
    followers: tuple[int, ...]


def groups(net: Graph, weights: Sequence[Sequence[Array]], keep: Collection[str]) -> dict[int, Group]:
    """The groups of a net, by the index of their convolution.

    A layer belongs to one when it reads only what the layer before it made, nobody else reads that, nobody
    wants to keep it, and it can work on a block of the values by itself.
    """
    readers = Counter(blob.index for node in net.nodes for blob in node.bottoms)
    outputs = frozenset(net.outputs)

    def follower(node: Node) -> tuple[Node, Pass] | None:
        (blob,) = node.tops
        if readers[blob.index] != 1 or blob.index in outputs or blob.name in keep:
            return None
        reader = net.nodes[net.readers[blob.index][0]]
        if len(reader.bottoms) != 1 or len(reader.tops) != 1 or reader.top_shapes != reader.bottom_shapes:
            return None
        step = reader.layer.block_pass(weights[reader.index], len(blob.shape))
        return None if step is None else (reader, step)

    by_leader: dict[int, Group] = {}
    for node in net.nodes:
        if not node.layer.applies_passes or len(node.tops) != 1:
            continue
        chain: list[tuple[Node, Pass]] = []
        last = node
        while (behind := follower(last)) is not None:
            chain.append(behind)
            last = behind[0]
        if chain:
            by_leader[node.index] = Group(tuple(step for _, step in chain), tuple(each.index for each, _ in chain))
    return by_leader
