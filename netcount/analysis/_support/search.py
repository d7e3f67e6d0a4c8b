"""The largest of a row of candidates that fits, where what is larger costs more."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MOST_IMPOSSIBLE = 2000
"""Candidates that do not exist, after which the search ends."""


class Largest(NamedTuple):
    """What a search found.

    Attributes:
        fits: The largest candidate that fits; None where none does.
        over: The next larger candidate there is, which does not fit; None where the largest of all fits.
        exhausted: Whether so many candidates were impossible that the search ended before it was done.
    """

    fits: int | None
    over: int | None
    exhausted: bool = False


def largest(fits: Callable[[int], bool | None], start: int, most: int) -> Largest:
    """Bisect the candidates 1 to `most`.

    `fits` tells of a candidate whether it does, or None where there is no such thing; smaller ones are then
    tried in its place.  Of the answer both sides have been looked at: `fits` itself, and `over` with every
    candidate between them.

    Args:
        fits: Asked once for each candidate.
        start: The first candidate; where it fits, doubles of it are tried.
        most: The largest candidate.

    >>> largest(lambda i: None if i % 3 == 2 else i * i < 500, 4, 1000)
    Largest(fits=22, over=24, exhausted=False)
    """
    best: int | None = None
    over: int | None = None
    below, at = 0, min(start, most)
    impossible = 0
    while over is None or over - below > 1:
        probe, answer = at, fits(at)
        while answer is None:
            impossible += 1
            if impossible >= MOST_IMPOSSIBLE:
                return Largest(best, over, exhausted=True)
            if probe - 1 == below:
                break
            probe -= 1
            answer = fits(probe)
        if answer is False:
            over = probe
        else:
            best = probe if answer else best
            below = at
        if over is not None:
            at = (below + over) // 2
        elif below == most:
            break
        else:
            at = min(2 * below, most)
    return Largest(best, over)
