"""Convolution where every group has one channel, which as products of matrices would be too small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.kernels.scratch import DEPTHWISE_ELEMENTS, scratch

if TYPE_CHECKING:
    from netcount.kernels.after import Finish
    from netcount.kernels.run import Array


def depthwise(
    x: Array,
    matrix: Array,
    finish: Finish,
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    outputs: Sequence[int],
) -> Array:
    """`x` (N, C, *S) with `matrix` (C, M, taps), M filters per channel -> (N, C·M, *O).

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
    for image in range(images):
        _lay_out(planes, x[image], used, plane, stride, pad)
        for first in range(0, channels, chunk):
            part = slice(first, min(first + chunk, channels))
            number = part.stop - first
            for index, offset in enumerate(offsets):
                columns[:number, index] = flat[part, offset : offset + length]
            np.matmul(matrix[part], columns[:number], out=sums[:number])
            block = y[image, part]
            np.copyto(block, kept[:number])
            finish(block.reshape(number, many, prod(outputs)), part)
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
        source: list[slice] = []
        target: list[slice] = []
        for number, part, q, s, p, extent in zip(numbers, used, plane, stride, pad, x.shape[1:], strict=True):
            origin = part[number] - p  # the input's position of the plane's first element
            low = max(0, -(origin // s))
            high = max(low, min(q, -((origin - extent) // s)))
            source.append(slice(origin + s * low, max(0, origin + s * (high - 1) + 1), s))
            target.append(slice(low, high))
        place: tuple[int | slice, ...] = (slice(None), *numbers, *target)
        planes[place] = x[(slice(None), *source)]
