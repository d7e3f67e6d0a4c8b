"""The arrays of a run: kept as long as a layer will read them, and counted while they are alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
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
        self._output_names = {net.blobs[index].name for index in net.outputs}
        self._arrays: dict[int, Array] = {}
        self._outlines: dict[int, Array] = {}
        self._outlined = {b.index for node in net.nodes if node.layer.extents_only for b in node.bottoms}
        self._readers_left = Counter(blob.index for node in net.nodes for blob in node.value_bottoms)

    def bottoms(self, node: Node) -> list[Array]:
        """What a layer reads, in the order of its bottoms."""
        arrays, outlines = self._arrays, self._outlines
        return [arrays[blob.index] if blob.index in arrays else outlines[blob.index] for blob in node.bottoms]

    def live_bytes(self, node: Node, tops: Sequence[Array]) -> int:
        """Bytes in memory when a layer has made its tops and has not yet released its bottoms.

        What a top overwrites in place is left out, as nothing reads it any more.
        """
        overwritten = {top.overwrites for top in node.tops}
        alive = [array for index, array in self._arrays.items() if index not in overwritten]
        ended = [array for name, array in self.results.items() if name in self._output_names]
        return _bytes_behind([*alive, *ended, *tops])

    def replace(self, node: Node, tops: Sequence[Array]) -> None:
        """Release the bottoms that no later layer reads, and keep the tops that one does."""
        for blob in node.value_bottoms:
            self._readers_left[blob.index] -= 1
            if not self._readers_left[blob.index]:
                self._arrays.pop(blob.index, None)
        for blob, top in zip(node.tops, tops, strict=True):
            self._add(blob, top)

    def _add(self, blob: Blob, array: Array) -> None:
        if self._readers_left[blob.index]:
            self._arrays[blob.index] = array
        if blob.index in self._outlined:
            self._outlines[blob.index] = np.broadcast_to(np.float32(0), array.shape)
        if blob.index in self._outputs or blob.name in self._keep:
            self.results[blob.name] = array


def _bytes_behind(arrays: Iterable[Array]) -> int:
    """Bytes of the distinct buffers that these arrays are, or are views of."""
    buffers = {}
    for array in arrays:
        while isinstance(array.base, np.ndarray):
            array = array.base
        buffers[id(array)] = array.nbytes
    return sum(buffers.values())
