"""Values along an axis taken anew, each a weighted sum of a few old ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from netcount.core.lazy_numpy import np

if TYPE_CHECKING:
    from netcount.kernels.run import Array

Taps: TypeAlias = "Sequence[tuple[Array, Array]]"
"""For each share of a new value the old values' positions and their weights."""


def weighted(x: Array, axis: int, taps: Taps) -> Array:
    """`x` with new values along one axis.

    Args:
        x: Values, any number of axes.
        axis: The axis, from the front.
        taps: (positions, weights) for each share; positions outside the axis have no weight.
    """
    behind = (1,) * (x.ndim - axis - 1)
    total: Array | None = None
    for positions, weights in taps:
        inside = (positions >= 0) & (positions < x.shape[axis])
        share = x.take(np.clip(positions, 0, x.shape[axis] - 1), axis)
        share *= np.where(inside, weights, 0).astype(np.float32).reshape(-1, *behind)
        total = share if total is None else np.add(total, share, out=total)
    assert total is not None
    return total


def resampling(top: Sequence[int], wide: int, shares: int) -> int:
    """Elements that `weighted` along axis 2, and then along axis 3, needs beside its first values and its last.

    Args:
        top: The last values' shape, N×C×H'×W'.
        wide: The first values' width.
        shares: How many each new value has.
    """
    last, rows = prod(top), prod(top[:3]) * wide
    alive = min(shares, 3)  # the sum, the last share and the next one
    return max(alive * rows - last, rows + (alive - 1) * last)


def linear(at: Array) -> Taps:
    """The two neighbours of each (fractional) position, by their distance."""
    low = np.floor(at).astype(np.int64)
    far = at - low
    return [(low, 1 - far), (low + 1, far)]


def nearest(at: Array) -> Taps:
    """The value at or before each (fractional) position."""
    low = np.floor(at).astype(np.int64)
    return [(low, np.ones(len(low)))]
