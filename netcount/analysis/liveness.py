"""Which blobs are alive when: what a run needs in memory at its peak."""

from __future__ import annotations

from typing import NamedTuple

from netcount.layers.scratch import COLUMN_ELEMENTS
from netcount.net import Net
from netcount.units import human_bytes

BYTES = 4
"""float32, as Caffe computes."""


class Memory(NamedTuple):
    """What a run needs besides the interpreter, in bytes, at the layer where it needs most.

    blobs: those kept for this and later layers, its own tops included.  scratch: column matrices and
    other working memory.
    """

    layer: str
    weight_bytes: int
    blob_bytes: int
    scratch_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weight_bytes + self.blob_bytes + self.scratch_bytes

    def __str__(self) -> str:
        return (
            f"{human_bytes(self.total_bytes)}: weights {human_bytes(self.weight_bytes)}, live blobs "
            f'{human_bytes(self.blob_bytes)} and scratch {human_bytes(self.scratch_bytes)} at "{self.layer}"'
        )


def run_memory(net: Net) -> Memory:
    """The peak of a run of the executor, known from the shapes alone."""
    weights = BYTES * net.learnable()
    steps = [Memory("", weights, 0, 0)]
    held = 0
    for node, live in zip(net.nodes, _live(net), strict=True):
        scratch = node.layer.scratch_elements(node.bottom_shapes, node.top_shapes)
        held = max(held, min(scratch, COLUMN_ELEMENTS))  # what `scratch` keeps for the layers to come
        steps.append(Memory(node.name, weights, BYTES * live, BYTES * max(scratch, held)))
    return max(steps, key=lambda step: step.total_bytes)


def _live(net: Net) -> list[int]:
    """For each layer the elements of all blobs that are in memory while it runs.

    A buffer is kept until the last layer has read any blob in it; outputs are kept to the end.  The
    executor writes no blob in place, so a top and the bottom it overwrites live side by side.
    """
    home = _buffers(net)
    last: dict[int, int] = {}
    for node in net.nodes:
        for blob in (*node.bottoms, *node.tops):
            last[home[blob.index]] = node.index
    for index in net.outputs:
        last[home[index]] = len(net.nodes)
    alive: dict[int, int] = {}
    found = []
    for node in net.nodes:
        for top in node.tops:
            buffer = home[top.index]
            alive[buffer] = max(alive.get(buffer, 0), top.shape.count())
        found.append(sum(alive.values()))
        for buffer in [b for b in alive if last[b] <= node.index]:
            del alive[buffer]
    return found


def _buffers(net: Net) -> list[int]:
    """For each blob version the one whose memory it lives in.

    Tops of layers that share their bottom's memory (Reshape, Flatten, Split, Dropout at test time)
    live in it.
    """
    home = list(range(len(net.blobs)))
    for node in net.nodes:
        if node.layer.shares_bottom and node.bottoms:
            for top in node.tops:
                home[top.index] = home[node.bottoms[0].index]
    return home
