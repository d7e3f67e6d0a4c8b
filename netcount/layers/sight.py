"""Which positions of a bottom's axis a position of a top depends on: what receptive fields are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

Span: TypeAlias = "tuple[int, int] | None"
"""The first and the last position; None where nothing is seen."""


class Sight(NamedTuple):
    """Along one axis of a bottom: what each position of the top sees of it.

    Position `o` of the top's axis sees `spans[o % len(spans)]`, moved by `advance` for each whole turn.
    Positions outside of the bottom are its padding.

    Attributes:
        axis: The top's axis along which the view moves; None where every value sees the one span.
        advance: Positions of the bottom a turn; 0 where the view does not move, or `spans` are listed one
            for each position of the top.
        spans: Of each position of a turn.

    >>> convolution = windowed(2, kernel=3, stride=2, pad=1, dilation=1)
    >>> convolution.at(0), convolution.at(5)
    ((-1, 1), (9, 11))
    """

    axis: int | None
    advance: int
    spans: tuple[Span, ...]

    def at(self, position: int) -> Span:
        """What one position of the top sees."""
        if not self.advance:
            return self.spans[min(max(position, 0), len(self.spans) - 1)]
        turn, phase = divmod(position, len(self.spans))
        span = self.spans[phase]
        return None if span is None else (span[0] + turn * self.advance, span[1] + turn * self.advance)


def same(axis: int) -> Sight:
    """Each position sees the one it comes from."""
    return Sight(axis, 1, ((0, 0),))


def shifted(axis: int, offset: int) -> Sight:
    """Each position sees the one that many further on: a cut (or, negative, a part of what is joined)."""
    return Sight(axis, 1, ((offset, offset),))


def whole(extent: int) -> Sight:
    """Every value sees all of the axis."""
    return Sight(None, 0, ((0, extent - 1) if extent else None,))


def windowed(axis: int, kernel: int, stride: int, pad: int, dilation: int) -> Sight:
    """A window that gathers: convolution and pooling."""
    return Sight(axis, stride, ((-pad, dilation * (kernel - 1) - pad),) if kernel else (None,))


def scattered(axis: int, kernel: int, stride: int, pad: int, dilation: int) -> Sight:
    """A window that scatters: deconvolution.

    >>> scattered(2, kernel=3, stride=2, pad=0, dilation=1).spans
    ((-1, 0), (0, 0))
    """
    spans: list[Span] = []
    for phase in range(stride):
        reached = [
            (phase + pad - dilation * tap) // stride
            for tap in range(kernel)
            if (phase + pad - dilation * tap) % stride == 0
        ]
        spans.append((min(reached), max(reached)) if reached else None)
    return Sight(axis, 1, tuple(spans))


def repeated(axis: int, factor: int) -> Sight:
    """Each position of the bottom becomes so many: what enlarges by whole factors."""
    return Sight(axis, 1, ((0, 0),) * factor)


def interpolated(axis: int, old: int, new: int) -> Sight:
    """Linear interpolation of `old` positions to `new`, the first and the last kept.

    >>> interpolated(2, 3, 5).spans
    ((0, 0), (0, 1), (1, 1), (1, 2))
    """
    if new < 2 or old < 2:
        return Sight(None, 0, ((0, 0),))
    steps = new - 1
    spans = tuple((at * (old - 1) // steps, -(-at * (old - 1) // steps)) for at in range(steps))
    return Sight(axis, old - 1, spans)


def each(shape: Sequence[int]) -> list[Sight]:
    """Every value sees the one that stands where it does."""
    return [same(axis) for axis in range(len(shape))]


def all_of(shape: Sequence[int]) -> list[Sight]:
    """Every value sees everything."""
    return [whole(extent) for extent in shape]


def kept(bottom: Sequence[int], top: Sequence[int]) -> list[Sight]:
    """What a reshaping keeps: an axis of the same extent, with as many values before it; the others as a whole.

    >>> [sight.axis for sight in kept((2, 6, 9, 11), (2, 54, 11))]
    [0, None, None, 2]
    """
    places: dict[tuple[int, int], int] = {}
    before = 1
    for axis, extent in enumerate(top):
        places.setdefault((before, extent), axis)
        before *= extent
    sights, before = [], 1
    for extent in bottom:
        axis_of_top = places.get((before, extent))
        sights.append(whole(extent) if axis_of_top is None else same(axis_of_top))
        before *= extent
    return sights
