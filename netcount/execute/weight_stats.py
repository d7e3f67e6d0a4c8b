"""What trained weights hold: how many are not 0, how many differ, and between which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.analysis._support.modelsize import Matrix
from netcount.core.lazy_numpy import np
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class BlobStats(NamedTuple):
    """One parameter blob.  distinct: different values, 0 included; least and most: its range.

    nonfinite: infinities and not-a-numbers, which the range leaves out.
    """

    layer: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants of these
    role: str
    elements: int
    nonzero: int
    distinct: int
    least: float
    most: float
    nonfinite: int


def weight_stats(net: Graph, blobs: Mapping[str, Sequence[Array]]) -> list[BlobStats]:
    """A row for every parameter blob that a layer owns, in the order of the net."""
    return [_stats(*owned) for owned in _owned(net, blobs)]


def _stats(layer: str, index: int, role: str, array: Array) -> BlobStats:
    finite = array[np.isfinite(array)]
    return BlobStats(
        layer,
        index,
        role,
        array.size,
        int(np.count_nonzero(array)),
        len(np.unique(array)),
        float(finite.min()) if finite.size else 0.0,
        float(finite.max()) if finite.size else 0.0,
        array.size - finite.size,
    )


def counted_matrices(net: Graph, blobs: Mapping[str, Sequence[Array]]) -> list[Matrix]:
    """The weight blobs with their true gaps and numbers of values, for `model_size`."""
    matrices = []
    for layer, _, role, array in _owned(net, blobs):
        if role != "weight":
            continue
        flat = array.reshape(-1)
        places = np.flatnonzero(flat)
        gaps, times = np.unique(np.diff(places, prepend=-1), return_counts=True)
        matrices.append(
            Matrix(
                layer,
                flat.size,
                len(places),
                dict(zip(gaps.tolist(), times.tolist(), strict=True)),
                len(np.unique(flat[places])),
            )
        )
    return matrices


def _owned(net: Graph, blobs: Mapping[str, Sequence[Array]]) -> Iterator[tuple[str, int, str, Array]]:
    for node in net.nodes:
        for index, (blob, owner) in enumerate(zip(node.params, node.owners, strict=True)):
            if owner is None:
                yield node.name, index, blob.role, np.asarray(blobs[node.name][index])
