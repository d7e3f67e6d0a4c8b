"""Padding that lets an engine's windows start where Caffe's do."""

from __future__ import annotations

from collections.abc import Sequence


def needed_behind(
    extents: Sequence[int],
    made: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """How much padding behind each axis lets just so many windows start; negative where some is left over."""
    return [
        (m - 1) * s + d * (k - 1) + 1 - e - p
        for e, m, k, s, p, d in zip(extents, made, kernel, stride, pad, dilation, strict=True)
    ]
