"""What a net needs in memory: in Caffe, and in an engine that reuses buffers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Self

from netcount.analysis._support.blob_stats import BlobStats
from netcount.analysis._support.liveness import alive, buffers, usage
from netcount.analysis._support.modelsize import ModelSize
from netcount.analysis._support.tiling import chain_tilings, layer_tiling
from netcount.analysis._support.verdict import MemoryPart, MemoryVerdict, OverBlob, OverLayer, verdict_of
from netcount.analysis.count import Count
from netcount.analysis.rows import LayerRow
from netcount.core.units import bytes_of
from netcount.graph.graph import Blob, Graph

CAFFE_BITS = 32
"""Caffe keeps blobs and weights in float32."""


class LayerMemory(NamedTuple):
    """What is in memory while one layer runs, in elements.

    live: every buffer that holds a blob which this or a later layer reads, its own tops included.
    scratch: the column matrix of one image (im2col; none for 1×1).  weights: the layer's own blobs.
    """

    row: LayerRow
    live: int
    scratch: int
    weights: int


class CaffeMemory(NamedTuple):
    """What Caffe keeps in phase TEST, in bytes of float32.

    blobs: one buffer per blob, from the first forward pass on; in-place tops and those of layers that
    share their bottom's memory (Reshape, Flatten, Split) have none of their own.  columns: one
    column matrix for each layer that needs one.  weights: all parameter blobs.  The buffers inside
    other layers (LRN, Softmax …) are not counted.  Sources: net.cpp, blob.cpp, base_conv_layer.cpp.
    """

    blobs: int
    columns: int
    weights: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


class Memory(NamedTuple):
    """The memory of a counted net at some width of values.

    bits: of an activation; weight_bits: of a parameter.  peak: the index of the layer at which most
    activations are alive, and `alive` the blobs that are, one per buffer, largest first.  with_scratch:
    the index of the layer at which activations and scratch together are largest.  model, stats: the size
    of the model and what its weights hold, where it was estimated or they were given.  verdict: whether it
    fits, where that was asked.
    """

    counted: Count
    bits: int
    weight_bits: int
    layers: tuple[LayerMemory, ...]
    peak: int
    alive: tuple[Blob, ...]
    with_scratch: int
    caffe: CaffeMemory
    model: ModelSize | None = None
    stats: tuple[BlobStats, ...] = ()
    verdict: MemoryVerdict | None = None

    @property
    def peak_bytes(self) -> int:
        """Activations alive at the peak."""
        return self.bytes_of(self.layers[self.peak].live) if self.layers else 0

    @property
    def working_bytes(self) -> int:
        """The most that activations and scratch take together."""
        if not self.layers:
            return 0
        layer = self.layers[self.with_scratch]
        return self.bytes_of(layer.live + layer.scratch)

    @property
    def weight_bytes(self) -> int:
        """All parameters and statistics."""
        totals = self.counted.totals
        return bytes_of(totals.params + totals.statistics, self.weight_bits)

    @property
    def total_bytes(self) -> int:
        """What an engine needs: weights, activations and scratch."""
        return self.weight_bytes + self.working_bytes

    def bytes_of(self, elements: int) -> int:
        """Bytes of that many activations."""
        return bytes_of(elements, self.bits)

    def weight_bytes_of(self, layer: LayerMemory) -> int:
        """Bytes of a layer's own parameters and statistics."""
        return bytes_of(layer.weights, self.weight_bits)

    def stored(self, model: ModelSize | None, stats: tuple[BlobStats, ...]) -> Self:
        """The same with the size of the model, and what its weights hold."""
        return self._replace(model=model, stats=stats)

    def fitting(self, limit_bytes: int, what: MemoryPart = "all") -> Self:
        """The same with the verdict whether it fits into so many bytes.

        Args:
            limit_bytes: What there is.
            what: What has to fit; the others are held against it too.
        """
        layers: dict[MemoryPart, list[OverLayer]] = {
            "activations": [self._over(layer, self.bytes_of(layer.live)) for layer in self.layers],
            "scratch": [self._over(layer, self.bytes_of(layer.scratch)) for layer in self.layers],
            "weights": [self._over(layer, self.weight_bytes_of(layer)) for layer in self.layers],
            "all": [
                self._over(layer, self.weight_bytes + self.bytes_of(layer.live + layer.scratch))
                for layer in self.layers
            ],
        }
        verdict = verdict_of(limit_bytes, what, layers, self.weight_bytes, list(self._blobs()))
        tilings = tuple(
            layer_tiling(node, layer.row.line, self.bits, limit_bytes)
            for layer, node in zip(self.layers, self.counted.net.nodes, strict=True)
            if self.bytes_of(layer.live) > limit_bytes
        )
        over_it = {
            node.index
            for layer, node in zip(self.layers, self.counted.net.nodes, strict=True)
            if self.bytes_of(layer.live) > limit_bytes
        }
        madds = [layer.row.madds for layer in self.layers]
        chains = chain_tilings(self.counted.net, over_it, madds, self.bits, limit_bytes)
        return self._replace(verdict=verdict._replace(tilings=tilings, chains=tuple(chains)))

    def _over(self, layer: LayerMemory, needed: int) -> OverLayer:
        return OverLayer(layer.row.name, layer.row.line, needed)

    def _blobs(self) -> Iterator[OverBlob]:
        """Every blob and parameter blob, with its size."""
        for blob in self.counted.net.blobs:
            yield OverBlob(blob.name, "activation", blob.shape, self.bytes_of(blob.shape.count()))
        for node in self.counted.net.nodes:
            for param, owner in zip(node.params, node.owners, strict=True):
                if owner is None:
                    size = bytes_of(param.shape.count(), self.weight_bits)
                    yield OverBlob(node.name, param.role, param.shape, size)


def memory(counted: Count, bits: int = 32, weight_bits: int | None = None) -> Memory:
    """The memory that a counted net needs.  weight_bits: as `bits` when not told.

    By liveness: a buffer lives from the layer that makes it to the last one that reads it; in-place
    tops, and tops that are their bottom (Reshape, Flatten, Split, Dropout at test time), share one.
    Inputs live like any blob, outputs to the end.
    """
    net = counted.net
    layers = tuple(
        LayerMemory(row, live, node.layer.working_memory(node.bottom_shapes, node.top_shapes).columns, _own(row))
        for row, live, node in zip(counted.layers, usage(net, in_place=True), net.nodes, strict=True)
    )
    peak = max(range(len(layers)), key=lambda i: layers[i].live, default=0)
    with_scratch = max(range(len(layers)), key=lambda i: layers[i].live + layers[i].scratch, default=0)
    return Memory(
        counted,
        bits,
        bits if weight_bits is None else weight_bits,
        layers,
        peak,
        tuple(sorted(alive(net, in_place=True, node=peak), key=lambda blob: -blob.shape.count())),
        with_scratch,
        _caffe(net, layers),
    )


def _own(row: LayerRow) -> int:
    return row.params + row.statistics


def _caffe(net: Graph, layers: tuple[LayerMemory, ...]) -> CaffeMemory:
    sizes: dict[int, int] = {}
    for blob, home in zip(net.blobs, buffers(net, in_place=True, passing=False), strict=True):
        sizes[home] = max(sizes.get(home, 0), blob.shape.count())
    return CaffeMemory(
        bytes_of(sum(sizes.values()), CAFFE_BITS),
        bytes_of(sum(layer.scratch for layer in layers), CAFFE_BITS),
        bytes_of(net.learnable(), CAFFE_BITS),
    )
