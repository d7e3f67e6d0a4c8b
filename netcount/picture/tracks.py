"""The gap between two ranks: at which height each line goes to the side, so that few cross and none coincide."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

MARGIN = 6
"""Lines at one height are at least so far apart."""
_MOST_SORTED = 48
"""Of more lines that go to the side in one gap the heights are only kept apart, not chosen well."""


class Bus(NamedTuple):
    """A line that comes down at x = `top` and goes on down at each of `drops`."""

    top: int
    drops: tuple[int, ...]

    @property
    def left(self) -> int:
        """Where it begins."""
        return min(self.top, *self.drops)

    @property
    def right(self) -> int:
        """Where it ends."""
        return max(self.top, *self.drops)


def heights(buses: Sequence[Bus]) -> tuple[list[int], int]:
    """For each line the number of its track, from 0 at the top, and how many tracks there are.

    A line that only goes straight down has track 0 and needs none.
    """
    tracks = [0] * len(buses)
    sideways = [index for index, bus in enumerate(buses) if bus.left < bus.right]
    if len(sideways) > _MOST_SORTED:
        number = _packed(buses, sideways, tracks)
    else:
        number = _stacked(buses, _sorted(buses, sideways), tracks)
    return tracks, number


def crossings(upper: Bus, lower: Bus) -> int:
    """How often two lines cross when the first goes to the side above the second."""
    left, right = upper.left, upper.right
    crossed = left < lower.top < right
    left, right = lower.left, lower.right
    return crossed + sum([left < drop < right for drop in upper.drops])


def _sorted(buses: Sequence[Bus], sideways: list[int]) -> list[int]:
    """From top to bottom: nearest first, then neighbours change places as long as fewer cross."""

    def nearest(index: int) -> tuple[int, int]:
        bus = buses[index]
        return (-bus.top if 2 * bus.top < bus.left + bus.right else bus.top), index

    order = sorted(sideways, key=nearest)
    for _ in order:
        changed = False
        for at in range(len(order) - 1):
            one, other = buses[order[at]], buses[order[at + 1]]
            if crossings(other, one) < crossings(one, other):
                order[at], order[at + 1] = order[at + 1], order[at]
                changed = True
        if not changed:
            break
    return order


def _stacked(buses: Sequence[Bus], order: Sequence[int], tracks: list[int]) -> int:
    number = 0
    for at, index in enumerate(order):
        bus = buses[index]
        over = [
            tracks[above] + 1
            for above in order[:at]
            if buses[above].left < bus.right + MARGIN and bus.left < buses[above].right + MARGIN
        ]
        tracks[index] = max(over, default=0)
        number = max(number, tracks[index] + 1)
    return number


def _packed(buses: Sequence[Bus], sideways: Sequence[int], tracks: list[int]) -> int:
    """The fewest tracks, from left to right."""
    busy: list[tuple[int, int]] = []
    number = 0
    for index in sorted(sideways, key=lambda index: (buses[index].left, index)):
        if busy and busy[0][0] + MARGIN <= buses[index].left:
            track = heappop(busy)[1]
        else:
            track = number
            number += 1
        tracks[index] = track
        heappush(busy, (buses[index].right, track))
    return number
