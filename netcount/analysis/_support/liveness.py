"""Which blobs are alive when: what a run needs in memory at its peak."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import prod
from typing import NamedTuple

from netcount.core.units import FLOAT_BYTES, human_bytes
from netcount.graph.graph import Blob, Graph
from netcount.kernels.scratch import COLUMN_ELEMENTS


def buffers(net: Graph, in_place: bool, passing: bool = True) -> list[int]:
    """For each blob version the version whose memory it lives in.

    Tops of layers that share their bottom's memory (Reshape, Flatten, Split) live in it; with
    `passing` so do those that hold its values (Dropout at test time), which Caffe copies; with
    `in_place` so do tops that overwrite a blob.  With both, a top overwrites nothing that another name
    (of a Split) still holds for this or a later layer: it gets memory of its own, where Caffe would
    change that other blob too.
    """
    home = list(range(len(net.blobs)))
    needed = _Needed(net)
    for node in net.nodes:
        layer = node.layer
        for position, top in enumerate(node.tops):
            if in_place and top.overwrites is not None:
                old = home[top.overwrites]
                read = any(blob.index == top.overwrites for blob in node.value_bottoms)
                if not passing or (read and needed.of_others(old, top.overwrites) < node.index):
                    home[top.index] = old
            elif node.bottoms and (layer.passes_bottom if passing else layer.shares_bottom):
                home[top.index] = home[node.bottoms[position if layer.equal_bottoms_tops else 0].index]
            needed.add(home[top.index], top.index)
    return home


class _Needed:
    """Until which layer each buffer is needed, and by which blob version."""

    def __init__(self, net: Graph) -> None:
        self._last = {blob.index: node.index for node in net.nodes for blob in node.value_bottoms}
        self._last.update(dict.fromkeys(net.outputs, len(net.nodes)))
        self._most: dict[int, tuple[tuple[int, int], int]] = {}
        """Of each buffer the layer and the version that needs it longest, and the layer of all others."""

    def add(self, buffer: int, version: int) -> None:
        """A version lives in a buffer."""
        own = self._last.get(version, -1), version
        first, second = self._most.get(buffer, ((-1, -1), -1))
        self._most[buffer] = (max(first, own), max(second, min(first, own)[0]))

    def of_others(self, buffer: int, version: int) -> int:
        """The last layer that needs a buffer for another version than this."""
        first, second = self._most[buffer]
        return second if first[1] == version else first[0]


def usage(net: Graph, in_place: bool) -> list[int]:
    """Elements in memory while each layer runs: blobs kept for it and later layers, and its own tops.

    A buffer is kept until the last layer has read values of any blob in it (a layer that reads only a
    shape keeps nothing alive); outputs are kept to the end.
    """
    return [live for live, _ in _steps(net, in_place)]


def alive(net: Graph, in_place: bool, node: int) -> list[Blob]:
    """The blobs that are in memory while a layer runs: of each buffer the first, or the largest."""
    for _, held in islice(_steps(net, in_place), node, node + 1):
        return [net.blobs[index] for index in held.values()]
    return []


class Life(NamedTuple):
    """How long a buffer is in memory.

    blob: the first blob in it.  first, last: the layers at which it is made and read last.  elements: of the
    largest blob in it.
    """

    blob: Blob
    first: int
    last: int
    elements: int


def lives(net: Graph, in_place: bool) -> list[Life]:
    """Every buffer of a run, in the order in which they are made."""
    return list(lives_of(net, in_place).values())


def lives_of(net: Graph, in_place: bool) -> dict[int, Life]:
    """The same by the blob version in whose memory the others of its buffer live (`buffers`)."""
    lifetimes = _lifetimes(net, in_place)
    last = {buffer: index for index, ends in enumerate(lifetimes.ends) for buffer in ends}
    seen: dict[int, Life] = {}
    for node, buffers_of_tops in zip(net.nodes, lifetimes.tops, strict=True):
        for top, buffer in zip(node.tops, buffers_of_tops, strict=True):
            elements, before = prod(top.shape), seen.get(buffer)
            if before is None:
                seen[buffer] = Life(top, node.index, min(last[buffer], len(net.nodes) - 1), elements)
            elif elements > before.elements:
                seen[buffer] = before._replace(elements=elements)
    return seen


class _Lifetimes(NamedTuple):
    """What the connections of a net say, whatever its shapes are.

    tops: for each layer the buffers of its tops.  ends: for each layer those that nobody needs behind it.
    """

    tops: list[list[int]]
    ends: list[list[int]]


def _lifetimes(net: Graph, in_place: bool) -> _Lifetimes:
    lifetimes: _Lifetimes | None = net.by_connections.get((_lifetimes, in_place))
    if lifetimes is not None:
        return lifetimes
    home = buffers(net, in_place)
    last: dict[int, int] = {}
    for node in net.nodes:
        # a run's inputs lie with the caller, also those of which only the shape is read
        for blob in (*(node.value_bottoms if in_place else node.bottoms), *node.tops):
            last[home[blob.index]] = node.index
    for blob_index in net.outputs:
        last[home[blob_index]] = len(net.nodes)
    ends: list[list[int]] = [[] for _ in range(len(net.nodes) + 1)]
    for buffer, node_index in last.items():
        ends[node_index].append(buffer)
    lifetimes = _Lifetimes([[home[top.index] for top in node.tops] for node in net.nodes], ends)
    net.by_connections[_lifetimes, in_place] = lifetimes
    return lifetimes


def _steps(net: Graph, in_place: bool) -> Iterator[tuple[int, dict[int, int]]]:
    """For each layer the elements alive, and of each buffer the blob that it holds (true until the next step).

    While a layer overwrites a blob by a smaller one, the larger of both is there; behind it the smaller.
    """
    lifetimes = _lifetimes(net, in_place)
    held: dict[int, int] = {}
    sizes: dict[int, int] = {}
    live = 0
    for node, buffers_of_tops, ends in zip(net.nodes, lifetimes.tops, lifetimes.ends, strict=False):
        shrinking = []
        for top, buffer in zip(node.tops, buffers_of_tops, strict=True):
            before, elements = sizes.get(buffer, -1), prod(top.shape)
            if elements > before:
                live += elements - max(before, 0)
                held[buffer], sizes[buffer] = top.index, elements
            elif elements < before and top.overwrites is not None:
                shrinking.append((buffer, top.index, elements))
        yield live, held
        for buffer, index, elements in shrinking:
            live -= sizes[buffer] - elements
            held[buffer], sizes[buffer] = index, elements
        for buffer in ends:
            live -= sizes.pop(buffer)
            del held[buffer]


class RunMemory(NamedTuple):
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


def run_memory(net: Graph) -> RunMemory:
    """The peak of a run of the executor, known from the shapes alone.

    It writes no blob in place, so a top and the bottom it overwrites live side by side.
    """
    weights = FLOAT_BYTES * net.learnable()
    needs = [RunMemory("", weights, 0, 0)]
    held = 0
    for node, live in zip(net.nodes, usage(net, in_place=False), strict=True):
        scratch = node.layer.working_memory(node.bottom_shapes, node.top_shapes).forward
        held = max(held, min(scratch, COLUMN_ELEMENTS))  # what `scratch` keeps for the layers to come
        needs.append(RunMemory(node.name, weights, FLOAT_BYTES * live, FLOAT_BYTES * max(scratch, held)))
    return max(needs, key=lambda one: one.total_bytes)
