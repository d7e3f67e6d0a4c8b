"""Weights for a net that has none: by its own fillers, or by a scale that keeps values finite."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.execute.weights import named
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import ParamBlob

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def random_weights(net: Graph, seed: int = 0) -> dict[str, list[Array]]:
    """Blobs for every layer that has some, by layer name: `random_rows` where every name is its own."""
    rows = random_rows(net, seed)
    return {name: rows[node.index] for name, node in named(net).items()}


def random_rows(net: Graph, seed: int = 0) -> list[list[Array]]:
    """For each layer of the net its blobs, from one seeded generator.

    A blob whose filler the file names is filled by it.  Where it names none (deploy files do not),
    weights are normal with variance 2 / fan-in, scales are 1, biases 0, means 0 and variances 1.
    """
    generator = np.random.default_rng(seed)
    with np.errstate(all="ignore"):  # a filler's numbers can be infinite
        return [
            [_filled(node, index, blob, generator) for index, blob in enumerate(node.params)] for node in net.nodes
        ]


def unfilled(net: Graph) -> bool:
    """Whether some weight has no filler in the file."""
    return any(
        blob.role == "weight" and (blob.filler is None or not blob.filler.given)
        for node in net.nodes
        for blob in node.params
    )


def _filled(node: Node, index: int, blob: ParamBlob, generator: np.random.Generator) -> Array:
    if blob.filler is not None and blob.filler.given:
        return blob.filler.fill(blob.shape, generator)
    if blob.role == "statistic":
        mean = index == (0 if node.type == "BatchNorm" else 2)
        return np.full(blob.shape, 0 if mean else 1, dtype=np.float32)
    if blob.role == "bias":
        return np.zeros(blob.shape, dtype=np.float32)
    if len(blob.shape) < 2 or node.type == "BN":
        value = 0.25 if node.type == "PReLU" else 1.0
        return np.full(blob.shape, value, dtype=np.float32)
    fan_in = max(1, blob.shape.count(1))
    values = generator.standard_normal(blob.shape, dtype=np.float32)
    values *= np.float32(sqrt(2 / fan_in))
    return values
