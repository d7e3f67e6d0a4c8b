"""Convolution of arrays: column matrices and their products.  Knows nothing of `window.py`.

Arrays are (images, channels, *spatial); K are the kernel's axes, O the output's, S the input's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from threading import local
from typing import TYPE_CHECKING

from netcount.lazy import np

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run

COLUMN_ELEMENTS = 1 << 21
"""How large a column matrix may grow before it is made in parts, so that it stays in the cache."""
DEPTHWISE_ELEMENTS = 1 << 18
"""The same where each channel has a column matrix of its own."""


_KEPT = local()


def scratch(name: str, shape: Sequence[int]) -> Array:
    """An array of `shape` for values that nobody keeps; the next one of the name uses it again.

    A thread has its own.  Fresh memory costs more than the copy into it: the system hands it out
    page by page.
    """
    elements = prod(shape)
    kept: Array | None = getattr(_KEPT, name, None)
    if kept is None or kept.size < elements:
        kept = np.empty(elements, dtype=np.float32)
        if elements <= COLUMN_ELEMENTS:
            setattr(_KEPT, name, kept)
    return kept[:elements].reshape(shape)


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


def starts(extent: int, reach: int, stride: int) -> int:
    """How many windows that reach over `reach` elements start within a padded `extent`.

    A window larger than the input by less than the stride still counts: Caffe's division rounds
    toward zero.
    """
    found = len(range(0, extent - reach + 1, stride))
    return 1 if not found and 0 < reach - extent < stride else found


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
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    whole = [s + 2 * p for s, p in zip(x.shape[2:], pad, strict=True)]
    outputs = [starts(e, r, s) for e, r, s in zip(whole, reach, stride, strict=True)]
    x = padded(x, pad, [p + max(0, r - e) for p, r, e in zip(pad, reach, whole, strict=True)])
    n, c, *steps = x.strides
    shape = (*x.shape[:2], *kernel, *outputs)
    strides = (
        n,
        c,
        *(step * d for step, d in zip(steps, dilation, strict=True)),
        *(step * s for step, s in zip(steps, stride, strict=True)),
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
    added = None if bias is None else bias.reshape(group, made // group, 1)
    if {*kernel, *stride} <= {1} and not any(pad):
        columns = x.reshape(images, group, each, prod(x.shape[2:]))
        y = run.gemm(matrix, columns)
        if added is not None:
            y += added
        return y.reshape(images, made, *x.shape[2:])
    view = windows(x, kernel, stride, pad, dilation)
    outputs = view.shape[2 + len(kernel) :]
    if each == 1 and group > 1:
        y = _depthwise(x, matrix, added, kernel, stride, pad, dilation, outputs)
        run.performed(int(y.size) * matrix.shape[2])
        return y
    y = np.empty((images, group, made // group, prod(outputs)), dtype=np.float32)
    line = prod(outputs[1:])
    height = channels * prod(kernel)
    rows = min(max(1, COLUMN_ELEMENTS // max(1, height * line)), outputs[0])
    columns = scratch("columns", (height * rows * line,))
    before = (slice(None),) * (1 + len(kernel))
    for image in range(images):
        for first in range(0, outputs[0], max(1, rows)):
            part = view[image][(*before, slice(first, first + rows))]
            used = columns[: part.size]
            np.copyto(used.reshape(part.shape), part)
            wide = part.shape[1 + len(kernel)] * line
            out = y[image, :, :, first * line : first * line + wide]
            run.gemm(matrix, used.reshape(group, each * prod(kernel), wide), out=out)
            if added is not None:
                out += added
    return y.reshape(images, made, *outputs)


def _depthwise(
    x: Array,
    matrix: Array,
    added: Array | None,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    outputs: Sequence[int],
) -> Array:
    """`x` (N, C, *S) with `matrix` (C, M, taps), M filters a channel -> (N, C·M, *O).

    The input is laid out in planes, one for each remainder of a position by the stride; in a plane
    the values that one element of the kernel meets lie one stretch of memory apart, so a column
    matrix is copied in few long runs.  Between the rows of a result lie lanes that are dropped.
    """
    images, channels = x.shape[:2]
    many = matrix.shape[1]
    y = np.empty((images, channels, many, *outputs), dtype=np.float32)
    if not y.size:
        return y.reshape(images, channels * many, *outputs)
    used = [sorted({o * d % s for o in range(k)}) for k, d, s in zip(kernel, dilation, stride, strict=True)]
    plane = [n + (k - 1) * d // s for n, k, d, s in zip(outputs, kernel, dilation, stride, strict=True)]
    planes = scratch("padded", (channels, *map(len, used), *plane))
    planes.fill(0)
    flat = planes.reshape(channels, -1)
    steps = [step // x.itemsize for step in planes.strides[1:]]
    outer, inner = steps[: len(kernel)], steps[len(kernel) :]
    offsets = [
        sum(
            part.index(o * d % s) * a + o * d // s * b
            for o, d, s, part, a, b in zip(tap, dilation, stride, used, outer, inner, strict=True)
        )
        for tap in product(*map(range, kernel))
    ]
    length = 1 + sum((n - 1) * step for n, step in zip(outputs, inner, strict=True))
    chunk = min(channels, max(1, DEPTHWISE_ELEMENTS // (len(offsets) * length)))
    columns = scratch("columns", (chunk, len(offsets), length))
    sums = scratch("sums", (chunk, many, length))
    shape = (chunk, many, *outputs)
    strides = (*sums.strides[:2], *(x.itemsize * step for step in inner))
    kept = np.lib.stride_tricks.as_strided(sums, shape, strides)
    shift = 0.0 if added is None else added.reshape(channels, many, *(1,) * len(kernel))
    for image in range(images):
        _lay_out(planes, x[image], used, plane, stride, pad)
        for first in range(0, channels, chunk):
            part = slice(first, min(first + chunk, channels))
            number = part.stop - first
            for index, offset in enumerate(offsets):
                columns[:number, index] = flat[part, offset : offset + length]
            np.matmul(matrix[part], columns[:number], out=sums[:number])
            if isinstance(shift, float):
                y[image, part] = kept[:number]
            else:
                np.add(kept[:number], shift[part], out=y[image, part])
    return y.reshape(images, channels * many, *outputs)


def _lay_out(
    planes: Array,
    x: Array,
    used: Sequence[Sequence[int]],
    plane: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
) -> None:
    """Write `x` (C, *S) into its planes (C, *remainders, *plane); what is padding stays as it is."""
    for numbers in product(*map(range, map(len, used))):
        source, target = [], []
        for number, part, q, s, p, extent in zip(numbers, used, plane, stride, pad, x.shape[1:], strict=True):
            origin = part[number] - p  # the input's position of the plane's first element
            low = max(0, -(origin // s))
            high = max(low, min(q, -((origin - extent) // s)))
            source.append(slice(origin + s * low, max(0, origin + s * (high - 1) + 1), s))
            target.append(slice(low, high))
        planes[(slice(None), *numbers, *target)] = x[(slice(None), *source)]


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
        for image in range(images):
            columns = run.gemm(matrix, lines[image]).reshape(made, *kernel, *x.shape[2:])
            _scatter(y[image], columns, kernel, stride, pad, dilation)
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
        source, target = [], []
        for o, s, p, d, extent, outputs in zip(
            tap, stride, pad, dilation, columns.shape[1 + len(kernel) :], y.shape[1:], strict=True
        ):
            origin = o * d - p
            low = max(0, -(origin // s))
            high = max(low, min(extent, -((origin - outputs) // s)))
            source.append(slice(low, high))
            target.append(slice(origin + s * low, max(0, origin + s * (high - 1) + 1), s))
        y[(slice(None), *target)] += columns[(slice(None), *tap, *source)]
