"""What of a net would fit a target: the edits it needs, and the largest width and resolution."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from netcount.analysis._support.resolutions import Resolution, image_inputs
from netcount.analysis.count import Count
from netcount.analysis.rescale import Rescaler
from netcount.core.errors import InputError, NetcountError
from netcount.targets.edits import edits
from netcount.targets.fit import Fit, Smaller, Target, WhatFits, fit

STEP = Fraction(1, 20)
"""Widths are tried in these steps, from the net's own down."""
PIXELS = 16
MOST_SIZES = 64


def what_fits(rescaler: Rescaler, answer: Fit) -> WhatFits:
    """What of a net would fit a target, by its own counts at smaller widths and resolutions."""
    known = edits(answer)
    edited = {edit.layer for edit in known}
    rest = [finding.layer or "" for finding in answer.findings if finding.stops and finding.layer not in edited]
    remaining = tuple(dict.fromkeys(rest))
    if not remaining:
        return WhatFits(tuple(known), (), None, None)
    return WhatFits(
        tuple(known),
        remaining,
        _largest(_widths(), rescaler, answer.target, edited),
        _largest(_sizes(rescaler), rescaler, answer.target, edited),
    )


def _largest(
    tries: Iterator[tuple[Fraction, Resolution | None]], rescaler: Rescaler, target: Target, edited: set[str]
) -> Smaller | None:
    for width, size in tries:
        try:
            counted = rescaler.counted(width, size)
        except NetcountError:
            continue
        if _fits(counted, target, edited):
            return Smaller(width, size, counted.totals.params, counted.totals.madds)
    return None


def _fits(counted: Count, target: Target, edited: set[str]) -> bool:
    """Whether nothing stops it but layers that are edited."""
    return not any(one.stops and one.layer not in edited for one in fit(counted, target).findings)


def _widths() -> Iterator[tuple[Fraction, Resolution | None]]:
    width = 1 - STEP
    while width > 0:
        yield width, None
        width -= STEP


def _sizes(rescaler: Rescaler) -> Iterator[tuple[Fraction, Resolution | None]]:
    try:
        high, wide = image_inputs(rescaler.net)[0].shape[2:]
    except InputError:
        return
    step = PIXELS * max(1, -(-high // (PIXELS * MOST_SIZES)))
    for size in range((high - 1) // step * step, 0, -step):
        yield Fraction(1), Resolution(size, max(1, round(Fraction(wide * size, high))))
