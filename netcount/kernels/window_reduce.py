"""Windows of arrays reduced to one value each.  Knows nothing of `window.py`.

Arrays are (images, channels, H, W).  Where the windows of an axis start is a range of positions in
the input; padding, before the input and behind it, has positions too but no values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.kernels.scratch import scratch

if TYPE_CHECKING:
    from netcount.kernels.run import Array

LOWEST = -3.4028234663852886e38
"""-FLT_MAX, what Caffe's maximum starts from."""


def places(
    extents: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    floor: bool,
) -> list[range]:
    """Where the windows of each axis start.

    Rounding down, windows start as long as they end within the padded input; rounding up, as long
    as the one before did not reach its end, but with padding never behind the input itself.
    """
    pieces = []
    for e, k, s, p in zip(extents, kernel, stride, pad, strict=True):
        last = e + p - k
        end = last + (1 if floor else s)
        pieces.append(range(-p, min(end, e) if any(pad) else end, s))
    return pieces


def largest(x: Array, starts: Sequence[range], kernel: Sequence[int]) -> Array:
    """The largest value of each window; as in Caffe, not-a-numbers are passed over."""
    y = _merged(x, starts, kernel, np.fmax, LOWEST)
    np.fmax(y, np.float32(LOWEST), out=y)
    return y


def mean(x: Array, starts: Sequence[range], kernel: Sequence[int], pad: Sequence[int]) -> Array:
    """The sum of each window, divided by its size with the padding but nothing beyond it."""
    sizes = []
    for begins, extent, k, p in zip(starts, x.shape[2:], kernel, pad, strict=True):
        begin = np.arange(begins.start, begins.stop, begins.step)
        sizes.append((np.minimum(begin + k, extent + p) - begin).astype(np.float32))
    with np.errstate(invalid="ignore"):  # a window behind the input has size 0 in Caffe too
        sums = _summed(x, starts, kernel)
        sums /= np.outer(*sizes)
        return sums


def quadratic_mean(x: Array, starts: Sequence[range], kernel: Sequence[int]) -> Array:
    """The sum of squares by the sum; 0 where the sum is not positive."""
    sums = _summed(x, starts, kernel)
    squares = _summed(x * x, starts, kernel)
    return np.divide(squares, sums, out=np.zeros_like(sums), where=sums > 0)


def where_largest(
    x: Array, starts: Sequence[range], kernel: Sequence[int], dilation: Sequence[int] | None = None
) -> tuple[Array, Array]:
    """The largest value of each window, and where it stands in its plane (the first of equals).

    Any number of spatial axes.  A window without a value above the lowest has position -1.
    """
    shape = (*x.shape[:2], *map(len, starts))
    top = np.full(shape, LOWEST, dtype=np.float32)
    mask = np.full(shape, -1, dtype=np.float32)
    positions = np.arange(prod(x.shape[2:])).reshape(x.shape[2:])
    for target, source in _taps(x, starts, kernel, dilation):
        seen = x[(slice(None), slice(None), *source)]
        index = (slice(None), slice(None), *target)
        larger = seen > top[index]
        np.copyto(mask[index], positions[source].astype(np.float32), where=larger)
        np.copyto(top[index], seen, where=larger)
    return top, mask


def summed(x: Array, starts: Sequence[range], kernel: Sequence[int], dilation: Sequence[int]) -> Array:
    """The sum of each window, of any number of spatial axes."""
    total = np.zeros((*x.shape[:2], *map(len, starts)), dtype=np.float32)
    for target, source in _taps(x, starts, kernel, dilation):
        total[(slice(None), slice(None), *target)] += x[(slice(None), slice(None), *source)]
    return total


def _taps(
    x: Array, starts: Sequence[range], kernel: Sequence[int], dilation: Sequence[int] | None
) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """For each element of the kernel the windows that have a value there, and where those values are."""
    steps = dilation or (1,) * len(kernel)
    for tap in product(*map(range, kernel)):
        seen = [_seen(b, o * d, e) for b, o, d, e in zip(starts, tap, steps, x.shape[2:], strict=True)]
        yield tuple([target for target, _ in seen]), tuple([source for _, source in seen])


def _summed(x: Array, starts: Sequence[range], kernel: Sequence[int]) -> Array:
    ends = [tuple(begin + k for begin in begins) for begins, k in zip(starts, kernel, strict=True)]
    if ends == [(x.shape[2],), (x.shape[3],)] and starts[0][0] == starts[1][0] == 0:
        total: Array = x.sum(axis=(2, 3), keepdims=True, dtype=np.float32)
        return total
    return _merged(x, starts, kernel, np.add, 0.0)


def _merged(x: Array, starts: Sequence[range], kernel: Sequence[int], merge: np.ufunc, initial: float) -> Array:
    """One value for each window: rows are merged first, then the columns of what they gave."""
    lines = scratch("rows", (*x.shape[:2], len(starts[0]), x.shape[3]))
    _along(x, 2, starts[0], kernel[0], merge, initial, lines)
    y = np.empty((*lines.shape[:3], len(starts[1])), dtype=np.float32)
    _along(lines, 3, starts[1], kernel[1], merge, initial, y)
    return y


def _along(x: Array, axis: int, starts: range, kernel: int, merge: np.ufunc, initial: float, out: Array) -> None:
    """The windows along one axis, each merged into one value of `out`."""
    index: list[slice] = [slice(None)] * x.ndim
    whole, clipped = [], []
    last = starts[-1] if starts else 0
    for offset in range(max(0, -last), min(kernel, x.shape[axis] - starts.start)):
        target, source = _seen(starts, offset, x.shape[axis])
        index[axis] = source
        seen = x[tuple(index)]
        if target == slice(0, len(starts)):
            whole.append(seen)
        elif target.start < target.stop:
            index[axis] = target
            clipped.append((out[tuple(index)], seen))
    if len(whole) > 1:
        merge(whole[0], whole[1], out=out)
    elif whole:
        np.copyto(out, whole[0])
    else:
        out.fill(initial)
    for part, seen in [*[(out, seen) for seen in whole[2:]], *clipped]:
        merge(part, seen, out=part)


def _seen(starts: range, offset: int, extent: int) -> tuple[slice, slice]:
    """Which windows have a value at `offset` from their start, and where those values are."""
    first = starts.start + offset
    low = max(0, -(first // starts.step))
    high = max(low, min(len(starts), -((first - extent) // starts.step)))
    begin = first + starts.step * low
    return slice(low, high), slice(begin, max(0, begin + starts.step * (high - low - 1) + 1), starts.step)
