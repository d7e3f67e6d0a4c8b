"""The arrays of a run: kept as long as a layer will read them, and counted while they are alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.graph.graph import Blob, Graph, Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class BlobStore:
    """The arrays of a run by blob version.

    A blob lives from the layer that makes it to the last one that reads its values; where a later
    layer reads only its shape, an outline without memory stands for it.  `results` holds the net's
    outputs and the blobs to keep, by name: of a blob that is overwritten in place the last version.

    Args:
        net: The graph that is run.
        keep: Names of blobs that `results` gets in addition to the outputs.
    """

    def __init__(self, net: Graph, keep: Collection[str] = ()) -> None:
        self.results: dict[str, Array] = {}
        self._keep = keep
        self._outputs = frozenset(net.outputs)
        self._arrays: dict[int, Array] = {}
        self._memory = _Memory()
        self._outlines: dict[int, Array] = {}
        self._outlined = {b.index for node in net.nodes if node.layer.extents_only for b in node.bottoms}
        self._readers_left = Counter(blob.index for node in net.nodes for blob in node.value_bottoms)

    def bottoms(self, node: Node) -> list[Array]:
        """What a layer reads, in the order of its bottoms."""
        arrays, outlines = self._arrays, self._outlines
        return [arrays[blob.index] if blob.index in arrays else outlines[blob.index] for blob in node.bottoms]

    def replace(self, node: Node, tops: Sequence[Array]) -> int:
        """Keep the tops that a later layer reads, release the bottoms that none does.

        Returns:
            The bytes in memory between the two, when the layer has made its tops and has not yet
            released its bottoms.  Of what a top overwrites in place and of the top only the larger counts:
            nothing reads the other one any more.
        """
        overwritten = 0
        for blob, top in zip(node.tops, tops, strict=True):
            if blob.overwrites is not None:
                before = self._memory.bytes
                self._release(blob.overwrites)
                overwritten += max(0, before - self._memory.bytes - top.nbytes)
        for blob, top in zip(node.tops, tops, strict=True):
            self._add(blob, top)
        live_bytes = self._memory.bytes + overwritten
        for blob in node.value_bottoms:
            self._readers_left[blob.index] -= 1
            if not self._readers_left[blob.index] and blob.index not in self._outputs:
                self._release(blob.index)
        for blob in node.tops:
            if not self._readers_left[blob.index] and blob.index not in self._outputs:
                self._release(blob.index)
        return live_bytes

    def _add(self, blob: Blob, array: Array) -> None:
        self._arrays[blob.index] = array
        self._memory.hold(array)
        if blob.index in self._outlined:
            self._outlines[blob.index] = np.broadcast_to(np.float32(0), array.shape)
        if blob.index in self._outputs or blob.name in self._keep:
            self.results[blob.name] = array

    def _release(self, index: int) -> None:
        array = self._arrays.pop(index, None)
        if array is not None:
            self._memory.release(array)


class _Memory:
    """The bytes of the distinct buffers that some arrays are, or are views of."""

    def __init__(self) -> None:
        self.bytes = 0
        self._users: dict[int, int] = {}
        self._sizes: dict[int, int] = {}

    def hold(self, array: Array) -> None:
        """One more array; of two views of a buffer the larger counts."""
        buffer = id(buffer_of(array))
        self._users[buffer] = self._users.get(buffer, 0) + 1
        before = self._sizes.get(buffer, 0)
        self._sizes[buffer] = max(before, array.nbytes)
        self.bytes += self._sizes[buffer] - before

    def release(self, array: Array) -> None:
        """One array less."""
        buffer = id(buffer_of(array))
        self._users[buffer] -= 1
        if not self._users[buffer]:
            del self._users[buffer]
            self.bytes -= self._sizes.pop(buffer)


def buffer_of(array: Array) -> Array:
    """The array whose memory this one is, or shows a part of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
