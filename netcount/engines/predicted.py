"""Whether madds told beforehand which net is faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from math import sqrt
from typing import NamedTuple

from netcount.engines.timing import Measured, Timing


class Surprise(NamedTuple):
    """Two nets of which the one with fewer madds took longer.

    Attributes:
        fewer: The index of the net with fewer madds.
        more: The index of the other one.
        madds_ratio: Madds of the first by those of the other, below 1.
        time_ratio: Time of the first by that of the other, above 1.
    """

    fewer: int
    more: int
    madds_ratio: float
    time_ratio: float


class Prediction(NamedTuple):
    """What madds were worth in one engine.

    Attributes:
        engine: The name of the engine.
        nets: How many nets ran in it.
        rank_correlation: Spearman's, of madds and time: 1 where the order is the same, -1 where it is reversed;
            None of fewer than two nets, or where all are equal.
        surprises: Pairs in which madds mislead.
    """

    engine: str
    nets: int
    rank_correlation: float | None
    surprises: tuple[Surprise, ...]


def predictions(timing: Timing) -> list[Prediction]:
    """One for each engine in which two nets or more ran."""
    by_engine: dict[str, list[Measured]] = {}
    for run in timing.runs:
        if run.error is None:
            by_engine.setdefault(run.engine, []).append(run)
    return [
        Prediction(
            engine,
            len(runs),
            rank_correlation([timing.nets[run.net].madds for run in runs], [run.median for run in runs]),
            tuple(_surprises(timing, runs)),
        )
        for engine, runs in by_engine.items()
        if len(runs) > 1
    ]


def _surprises(timing: Timing, runs: Sequence[Measured]) -> Iterator[Surprise]:
    for first, other in permutations(runs, 2):
        fewer, more = timing.nets[first.net].madds, timing.nets[other.net].madds
        if fewer < more and first.median > other.median > 0:
            yield Surprise(first.net, other.net, fewer / more, first.median / other.median)


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation; equal values share the mean of their ranks.

    >>> rank_correlation([1, 2, 3], [10.0, 30.0, 20.0])
    0.5
    >>> rank_correlation([1, 1], [1.0, 2.0]) is None
    True
    """
    first, second = _ranks(one), _ranks(other)
    mean = (len(first) + 1) / 2
    products = sum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
    squares = [sum((rank - mean) ** 2 for rank in ranks) for ranks in (first, second)]
    return products / sqrt(squares[0] * squares[1]) if all(squares) else None


def _ranks(values: Sequence[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]
