"""Which blobs are alive when: what a run needs in memory at its peak."""

from __future__ import annotations

from typing import NamedTuple

from netcount.net import Net

BYTES = 4
"""float32, as Caffe computes."""


class Peak(NamedTuple):
    """The layer at which most memory is in use, and what it is used for, in elements.

    live: blobs kept for this and later layers, its own tops included.  scratch: the layer's working
    memory.  blobs: the indices of the live blobs, one for each buffer.
    """

    node: int
    live: int
    scratch: int
    blobs: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Live blobs and scratch."""
        return self.live + self.scratch


def buffers(net: Net, in_place: bool, passing: bool = True) -> list[int]:
    """For each blob version the version whose memory it lives in.

    Tops of layers that share their bottom's memory (Reshape, Flatten, Split) live in it; with
    `passing` so do those that hold its values (Dropout at test time), which Caffe copies; with
    `in_place` so do tops that overwrite a blob.
    """
    home = list(range(len(net.blobs)))
    for node in net.nodes:
        layer = node.layer
        for top in node.tops:
            if in_place and top.overwrites is not None:
                home[top.index] = home[top.overwrites]
            elif node.bottoms and (layer.passes_bottom if passing else layer.shares_bottom):
                home[top.index] = home[node.bottoms[0].index]
    return home


def usage(net: Net, in_place: bool) -> list[Peak]:
    """What is in memory while each layer runs.

    A buffer is kept until the last layer has read any blob in it; outputs are kept to the end.
    """
    home = buffers(net, in_place)
    last: dict[int, int] = {}
    for node in net.nodes:
        for blob in (*node.bottoms, *node.tops):
            last[home[blob.index]] = node.index
    for blob_index in net.outputs:
        last[home[blob_index]] = len(net.nodes)
    alive: dict[int, int] = {}
    steps = []
    for node in net.nodes:
        for top in node.tops:
            buffer = home[top.index]
            alive[buffer] = max(alive.get(buffer, 0), top.shape.count())
        images = node.bottoms[0].shape[0] if node.bottoms and node.bottoms[0].shape else 1
        scratch = node.layer.scratch_elements(node.bottom_shapes, node.top_shapes)
        steps.append(Peak(node.index, sum(alive.values()), scratch * images, tuple(alive)))
        for buffer in [b for b in alive if last[b] <= node.index]:
            del alive[buffer]
    return steps


def peak(net: Net, in_place: bool = True) -> Peak:
    """The step with most elements; an empty net needs none."""
    return max(usage(net, in_place), key=lambda step: step.elements, default=Peak(-1, 0, 0, ()))


def run_bytes(net: Net) -> int:
    """What the executor needs for a run besides the interpreter: weights, live blobs and scratch.

    The executor writes no blob in place, so a top and the bottom it overwrites live side by side.
    """
    return BYTES * (net.learnable() + peak(net, in_place=False).elements)
