"""Weights and inputs that stand in for true ones where two ways to compute a net are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.execute.blob_store import BlobStore
from netcount.execute.executor import Executor, index_limits
from netcount.execute.init_weights import random_rows
from netcount.execute.weights import named
from netcount.graph.graph import Graph, Node
from netcount.layers.bases import Source

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


def lively_weights(net: Graph, seed: int = 0) -> dict[str, list[Array]]:
    """Random blobs by layer name in which no bias is 0 and no scale or variance is 1.

    What `random_weights` gives hides mistakes: with biases of 0 and variances of 1 a batch normalization
    changes nothing.
    """
    rows = random_rows(net, seed)
    generator = np.random.default_rng(seed + 1)
    lively: dict[str, list[Array]] = {}
    for name, node in named(net).items():
        blobs = []
        for index, (blob, array) in enumerate(zip(node.params, rows[node.index], strict=True)):
            flat = blob.shape.count() == max(blob.shape, default=1)
            if blob.role == "bias" or (blob.role == "statistic" and not np.any(array)):
                array = generator.normal(0, 0.1, array.shape).astype(np.float32)
            elif (
                flat
                and blob.role in ("weight", "statistic")
                and (len(blob.shape) < 2 or index > 0 or node.type == "BN")
            ):
                array = generator.uniform(0.6, 1.4, array.shape).astype(np.float32)
            blobs.append(array)
        lively[name] = blobs
    return lively


class _Tempering(Executor):
    """An executor that scales the weights of each layer it comes to, so that what comes out stays near 1."""

    def _forward(self, node: Node, store: BlobStore, given: Mapping[str, Array], run: Run) -> list[Array]:
        tops = super()._forward(node, store, given, run)
        owned = node.params and node.params[0].role == "weight" and node.owners[0] is None
        if owned and tops and tops[0].size:
            size = float(np.sqrt(np.mean(np.square(tops[0], dtype=np.float64))))
            if np.isfinite(size) and size and not _USUAL[0] <= size <= _USUAL[1]:
                self.weights[node.index][0] *= np.float32(1 / size)
                tops = super()._forward(node, store, given, run)
        return tops


_USUAL = (0.5, 2.0)
"""A root mean square that is left as it is."""


def stand_in_weights(net: Graph, seed: int = 0) -> dict[str, list[Array]]:
    """`lively_weights` with which a blob's values neither grow nor vanish from layer to layer.

    Else two ways to compute a deep net differ by what rounding becomes, and not by what is wrong.  That takes a
    forward pass.
    """
    weights = lively_weights(net, seed)
    _Tempering(net, weights, seed=seed, fuse=False).run(stand_ins(net, seed))
    return weights


def stand_ins(net: Graph, seed: int = 0) -> dict[str, Array]:
    """Seeded data for all inputs, a database's too: labels where they are read as such."""
    generator = np.random.default_rng(seed + 2)
    arrays = {}
    for index in net.inputs:
        blob = net.blobs[index]
        layer = net.nodes[blob.producer].layer
        if isinstance(layer, Source) and not layer.computes:
            limit = min(index_limits(net, blob), default=None)
            if limit is not None:
                drawn = generator.integers(0, max(1, limit), blob.shape, np.int32).astype(np.float32)
            else:
                drawn = generator.standard_normal(blob.shape, dtype=np.float32)
            arrays[blob.name] = drawn
    return arrays


def distance(mine: Array, theirs: Array) -> float:
    """The largest difference of two arrays of one shape, by the largest absolute value of the first.

    What is infinite or no number must be so in both; inf where shapes or such values differ.

    >>> import numpy
    >>> distance(numpy.array([1.0, -4.0]), numpy.array([1.0, -3.75]))
    0.0625
    """
    if mine.shape != theirs.shape:
        return float("inf")
    if not mine.size:
        return 0.0
    one, other = np.asarray(mine, np.float64), np.asarray(theirs, np.float64)
    finite = np.isfinite(one)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True) or not np.isfinite(other[finite]).all():
        return float("inf")
    if not finite.any():
        return 0.0
    largest = float(np.abs(one[finite]).max())
    off = float(np.abs(one[finite] - other[finite]).max())
    return off / largest if largest else off and float("inf")
