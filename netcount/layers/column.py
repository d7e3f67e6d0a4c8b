"""Windows of arrays: column matrices, strided taps, and their sums.  Knows nothing of `window.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from netcount.lazy import np

if TYPE_CHECKING:
    from netcount.layers.run import Array

CACHE_ELEMENTS = 1 << 16
"""Elements that a chunk of channels may have, so that partial sums stay in the cache."""


def padded(x: Array, pad: Sequence[int], value: float = 0.0, behind: Sequence[int] = ()) -> Array:
    """`x` (N, C, *S) with `pad` values before and behind each spatial axis, and `behind` more."""
    more = behind or (0,) * len(pad)
    if not any(pad) and not any(more):
        return x
    spatial = [s + 2 * p + b for s, p, b in zip(x.shape[2:], pad, more, strict=True)]
    out = np.full((*x.shape[:2], *spatial), value, dtype=np.float32)
    inner = tuple(slice(p, p + s) for p, s in zip(pad, x.shape[2:], strict=True))
    out[(slice(None), slice(None), *inner)] = x
    return out


def starts(extent: int, reach: int, stride: int) -> int:
    """How many windows that reach over `reach` elements start within a padded `extent`.

    A window larger than the input by less than the stride still counts: Caffe's division rounds
    toward zero.
    """
    found = len(range(0, extent - reach + 1, stride))
    return 1 if not found and 0 < reach - extent < stride else found


def windows(
    x: Array, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int]
) -> Array:
    """A view (N, C, *K, *O) of all windows of `x` (N, C, *S)."""
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    whole = [s + 2 * p for s, p in zip(x.shape[2:], pad, strict=True)]
    outputs = [starts(e, r, s) for e, r, s in zip(whole, reach, stride, strict=True)]
    short = [max(0, r - e) for e, r in zip(whole, reach, strict=True)]
    x = padded(x, pad, behind=short)
    n, c, *steps = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *kernel, *outputs),
        (
            n,
            c,
            *(step * d for step, d in zip(steps, dilation, strict=True)),
            *(step * s for step, s in zip(steps, stride, strict=True)),
        ),
        writeable=False,
    )


def taps(
    x: Array, kernel: Sequence[int], stride: Sequence[int], outputs: Sequence[int], dilation: Sequence[int]
) -> Iterator[tuple[int, Array]]:
    """For each element of the kernel, in row-major order, the strided view it meets: (N, C, *O)."""
    for number, offsets in enumerate(product(*map(range, kernel))):
        index = tuple(
            slice(o * d, o * d + s * (n - 1) + 1, s)
            for o, d, s, n in zip(offsets, dilation, stride, outputs, strict=True)
        )
        yield number, x[(slice(None), slice(None), *index)]


def depthwise(x: Array, weight: Array, view: Array, stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """Each channel of `x` (N, C, *S), padded, with its own kernel of `weight` (C, *K) -> (N, C, *O).

    The sum runs over the taps of the kernel, a chunk of channels at a time.
    """
    kernel = weight.shape[1:]
    outputs = view.shape[2 + len(kernel) :]
    images, channels = x.shape[:2]
    out = np.zeros((images, channels, *outputs), dtype=np.float32)
    per_channel = max(1, images * int(np.prod(outputs)))
    chunk = max(1, CACHE_ELEMENTS // per_channel)
    flat = weight.reshape(channels, -1)
    shape = (-1,) + (1,) * len(outputs)
    for first in range(0, channels, chunk):
        part = slice(first, first + chunk)
        sums = out[:, part]
        scratch = np.empty_like(sums)
        for number, seen in taps(x[:, part], kernel, stride, outputs, dilation):
            np.multiply(seen, flat[part, number].reshape(shape), out=scratch)
            sums += scratch
    return out


def scattered(
    columns: Array, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int]
) -> Array:
    """The sum of windows `columns` (N, C, *K, *S) laid over each other: (N, C, *O), padding cut."""
    axes = len(kernel)
    extents = columns.shape[2 + axes :]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    whole = [s * (e - 1) + r for s, e, r in zip(stride, extents, reach, strict=True)]
    out = np.zeros((*columns.shape[:2], *whole), dtype=np.float32)
    for offsets in product(*map(range, kernel)):
        index = tuple(
            slice(o * d, o * d + s * (e - 1) + 1, s)
            for o, d, s, e in zip(offsets, dilation, stride, extents, strict=True)
        )
        out[(slice(None), slice(None), *index)] += columns[(slice(None), slice(None), *offsets)]
    cut = tuple(slice(p, w - p) for p, w in zip(pad, whole, strict=True))
    return out[(slice(None), slice(None), *cut)]
