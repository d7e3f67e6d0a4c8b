"""What trained weights hold: how many are not 0, how many differ, and between which bounds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.analysis._support.blob_stats import BlobStats
from netcount.analysis._support.modelsize import Matrix, ModelSize, matrices_of, model_size
from netcount.core.errors import InputError
from netcount.core.lazy_numpy import np
from netcount.execute.weights import checked_blobs, read_caffemodel
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def stored_size(
    net: Graph,
    bits: int,
    weights: str | os.PathLike[str] | Mapping[str, Sequence[Array]] | None,
    density: float | None,
) -> tuple[ModelSize | None, tuple[BlobStats, ...]]:
    """The estimated size of the model and what its weights hold.

    Args:
        net: The net.
        bits: Of a value.
        weights: Of a .caffemodel, or arrays by layer name.
        density: The share of values that are not 0, where there are no weights to count it in.

    Raises:
        InputError: Both are given, the density is no share, or the weights are not those of the net.
    """
    if weights is None:
        return None if density is None else model_size(net, matrices_of(net, density), bits), ()
    if density is not None:
        raise InputError("it is counted in the weights where these are given", argument="density")
    if isinstance(weights, Mapping):
        blobs: Mapping[str, Sequence[Array]] = {name: arrays for name, _, arrays in checked_blobs(net, weights)}
    else:
        blobs = read_caffemodel(weights, net).blobs
    return model_size(net, counted_matrices(net, blobs), bits), tuple(weight_stats(net, blobs))


def weight_stats(net: Graph, blobs: Mapping[str, Sequence[Array]]) -> list[BlobStats]:
    """A row for every parameter blob that a layer owns, in the order of the net."""
    return [_stats(*owned) for owned in _owned(net, blobs)]


def _stats(layer: str, index: int, role: str, array: Array) -> BlobStats:
    least, most, finite = float("inf"), float("-inf"), 0
    for part in _parts(array):
        known = part[np.isfinite(part)]
        finite += known.size
        if known.size:
            least, most = min(least, float(known.min())), max(most, float(known.max()))
    return BlobStats(
        layer,
        index,
        role,
        array.size,
        int(np.count_nonzero(array)),
        _distinct(array),
        least if finite else 0.0,
        most if finite else 0.0,
        array.size - finite,
    )


_AT_ONCE = 2**20
"""Values that are looked at together: a blob can be most of the memory there is."""


def _parts(array: Array) -> Iterator[Array]:
    flat = array.reshape(-1)
    for start in range(0, flat.size, _AT_ONCE):
        yield flat[start : start + _AT_ONCE]


def _distinct(array: Array) -> int:
    """How many different values there are; both zeros are one, and all that is not a number is one.

    Of a large blob a flag for each pattern of the lower 26 bits, once for each of the upper 6 that occurs
    (sign and exponent: few): 64 MiB, where sorting takes two copies.
    """
    if array.size <= _AT_ONCE:
        return len(np.unique(array))
    highs = np.zeros(64, np.bool_)
    nan = False
    for part in _parts(array):
        nan = nan or bool(np.isnan(part).any())
        highs[np.unique(_bits(part) >> 26)] = True
    seen = np.empty(2**26, np.bool_)
    number = int(nan)
    for high in np.flatnonzero(highs):
        seen[:] = False
        for part in _parts(array):
            bits = _bits(part)
            seen[bits[bits >> 26 == high] & (2**26 - 1)] = True
        number += int(np.count_nonzero(seen))
    return number


def _bits(part: Array) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """The patterns of the values that are numbers, both zeros alike."""
    return (part[~np.isnan(part)] + np.float32(0)).view(np.uint32)


def counted_matrices(net: Graph, blobs: Mapping[str, Sequence[Array]]) -> list[Matrix]:
    """The weight blobs with their true gaps and numbers of values, for `model_size`."""
    matrices = []
    for layer, _, role, array in _owned(net, blobs):
        if role != "weight":
            continue
        nonzero = int(np.count_nonzero(array))
        distinct = _distinct(array) - (nonzero < array.size)
        matrices.append(Matrix(layer, array.size, nonzero, _gaps(array), distinct))
    return matrices


def _gaps(array: Array) -> dict[int, int]:
    """How often each distance from one value that is not 0 to the next occurs, the first from before the blob."""
    counts: Counter[int] = Counter()
    before, start = -1, 0
    for part in _parts(array):
        places = np.flatnonzero(part) + start
        start += part.size
        if places.size:
            gaps, times = np.unique(np.diff(places, prepend=before), return_counts=True)
            counts.update(dict(zip(gaps.tolist(), times.tolist(), strict=True)))
            before = int(places[-1])
    return dict(sorted(counts.items()))


def _owned(net: Graph, blobs: Mapping[str, Sequence[Array]]) -> Iterator[tuple[str, int, str, Array]]:
    for node in net.nodes:
        for index, (blob, owner) in enumerate(zip(node.params, node.owners, strict=True)):
            if owner is None:
                yield node.name, index, blob.role, np.asarray(blobs[node.name][index])
