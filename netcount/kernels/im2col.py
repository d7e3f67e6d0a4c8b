"""Convolution of arrays: column matrices and their products.  Knows nothing of `window.py`.

Arrays are (images, channels, *spatial); K are the kernel's axes, O the output's, S the input's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.kernels.after import BLOCK_ELEMENTS, Finish
from netcount.kernels.depthwise import depthwise
from netcount.kernels.scratch import COLUMN_ELEMENTS, scratch

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


def spread(extents: Sequence[int], axes: int) -> tuple[int, ...]:
    """One extent an axis, where a file may have given one for all."""
    return tuple(extents) * axes if len(extents) == 1 else tuple(extents)


def padded(x: Array, before: Sequence[int], behind: Sequence[int]) -> Array:
    """`x` in scratch memory with zeros before and behind each spatial axis; itself without any."""
    if not any(before) and not any(behind):
        return x
    spatial = [s + p + b for s, p, b in zip(x.shape[2:], before, behind, strict=True)]
    out = scratch("padded", (*x.shape[:2], *spatial))
    out.fill(0)
    inner = tuple([slice(p, p + s) for p, s in zip(before, x.shape[2:], strict=True)])
    out[(slice(None), slice(None), *inner)] = x
    return out


def positions(
    extents: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """How many windows start on each axis.

    A window larger than the input by less than the stride still counts: Caffe's division rounds
    toward zero.
    """
    slices = []
    for e, k, s, p, d in zip(extents, kernel, stride, pad, dilation, strict=True):
        starts = range(0, e + 2 * p - d * (k - 1), s)
        larger = 1 + d * (k - 1) - e - 2 * p
        slices.append(1 if 0 < larger < s else len(starts))
    return tuple(slices)


def windows(
    x: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> Array:
    """A view (N, C, *K, *O) of all windows of `x`, zeros where they hang over its edge.

    It is to be copied before the next call.
    """
    outputs = positions(x.shape[2:], kernel, stride, pad, dilation)
    larger = [
        max(0, 1 + d * (k - 1) - e - 2 * p) for e, k, p, d in zip(x.shape[2:], kernel, pad, dilation, strict=True)
    ]
    x = padded(x, pad, [p + more for p, more in zip(pad, larger, strict=True)])
    n, c, *steps = x.strides
    shape = (*x.shape[:2], *kernel, *outputs)
    strides = (
        n,
        c,
        *[step * d for step, d in zip(steps, dilation, strict=True)],
        *[step * s for step, s in zip(steps, stride, strict=True)],
    )
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def convolve(
    x: Array,
    weight: Array,
    bias: Array | None,
    group: int,
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    run: Run,
) -> Array:
    """`x` (N, C, *S) with `weight` (C', C/g, *K) and `bias` (C') -> (N, C', *O).

    One product of matrices a group and image, the columns of large images in parts.  A kernel of
    one element with stride 1 needs no columns; a group of one channel has a way of its own.
    """
    images, channels = x.shape[:2]
    made, each, *kernel = weight.shape
    matrix = weight.reshape(group, made // group, each * prod(kernel))
    finish = Finish(bias, run.after, (group, made // group))
    if {*kernel, *stride} <= {1} and not any(pad):
        return _pointwise(x, matrix, finish, run).reshape(images, made, *x.shape[2:])
    outputs = positions(x.shape[2:], kernel, stride, pad, dilation)
    if each == 1 and group > 1:
        y = depthwise(x, matrix, finish, kernel, stride, pad, dilation, outputs)
        run.performed(int(y.size) * matrix.shape[2])
        return y
    y = np.empty((images, group, made // group, prod(outputs)), dtype=np.float32)
    line = prod(outputs[1:])
    height = channels * prod(kernel)
    rows = min(max(1, COLUMN_ELEMENTS // max(1, height * line)), outputs[0])
    columns = scratch("columns", (height * rows * line,))
    before = (slice(None),) * (1 + len(kernel))
    for image in range(images):
        view = windows(x[image : image + 1], kernel, stride, pad, dilation)[0]
        for first in range(0, outputs[0], max(1, rows)):
            part = view[(*before, slice(first, first + rows))]
            used = columns[: part.size]
            np.copyto(used.reshape(part.shape), part)
            wide = part.shape[1 + len(kernel)] * line
            out = y[image, :, :, first * line : first * line + wide]
            run.gemm(matrix, used.reshape(group, each * prod(kernel), wide), out=out)
            finish(out)
    return y.reshape(images, made, *outputs)


def _pointwise(x: Array, matrix: Array, finish: Finish, run: Run) -> Array:
    """The input is the column matrix; positions are taken in parts, so that a part is finished in the cache."""
    images = x.shape[0]
    group, made, each = matrix.shape
    columns = x.reshape(images, group, each, prod(x.shape[2:]))
    number = columns.shape[3]
    wide = max(64, BLOCK_ELEMENTS // max(1, group * made)) if finish else number
    if number <= 2 * wide:
        y = run.gemm(matrix, columns)
        for image in y:
            finish(image)
        return y
    y = np.empty((images, group, made, number), dtype=np.float32)
    for image in range(images):
        for first in range(0, number, wide):
            part = y[image, :, :, first : first + wide]
            run.gemm(matrix, columns[image, :, :, first : first + wide], out=part)
            finish(part)
    return y


def deconvolve(
    x: Array,
    weight: Array,
    bias: Array | None,
    group: int,
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    run: Run,
) -> Array:
    """`x` (N, C, *S) with `weight` (C, C'/g, *K) and `bias` (C') -> (N, C', *O).

    One product of matrices a group and image; then every element of the kernel adds its share to
    the positions it reaches.
    """
    images, channels = x.shape[:2]
    _, each, *kernel = weight.shape
    made = group * each
    matrix = weight.reshape(group, channels // group, each * prod(kernel)).transpose(0, 2, 1)
    lines = x.reshape(images, group, channels // group, prod(x.shape[2:]))
    if {*kernel, *stride} <= {1} and not any(pad):
        y = run.gemm(matrix, lines).reshape(images, made, *x.shape[2:])
    else:
        y = np.zeros((images, made, *_reached(x.shape[2:], kernel, stride, pad, dilation)), np.float32)
        columns = scratch("columns", (group, matrix.shape[1], lines.shape[3]))
        for image in range(images):
            run.gemm(matrix, lines[image], out=columns)
            shares = columns.reshape(made, *kernel, *x.shape[2:])
            _scatter(y[image], shares, kernel, stride, pad, dilation)
    if bias is not None:
        y += bias.reshape(made, *(1,) * len(kernel))
    return y


def _reached(
    extents: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """The positions from the first window's first element to the last one's last, padding cut."""
    return [
        len(range(p, s * (e - 1) + d * (k - 1) + 1 - p))
        for e, k, s, p, d in zip(extents, kernel, stride, pad, dilation, strict=True)
    ]


def _scatter(
    y: Array,
    columns: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> None:
    """Add windows `columns` (C', *K, *S) to `y` (C', *O), each where it lies."""
    for tap in product(*map(range, kernel)):
        source: list[slice] = []
        target: list[slice] = []
        for o, s, p, d, extent, outputs in zip(
            tap, stride, pad, dilation, columns.shape[1 + len(kernel) :], y.shape[1:], strict=True
        ):
            origin = o * d - p
            low = max(0, -(origin // s))
            high = max(low, min(extent, -((origin - outputs) // s)))
            source.append(slice(low, high))
            target.append(slice(origin + s * low, max(0, origin + s * (high - 1) + 1), s))
        share: tuple[int | slice, ...] = (slice(None), *tap, *source)
        y[(slice(None), *target)] += columns[share]
