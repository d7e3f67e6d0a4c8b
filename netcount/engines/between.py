"""Two timings, of two machines or of one at two times, beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import exp, log
from typing import NamedTuple, TypeAlias

from netcount.engines.predicted import rank_correlation
from netcount.engines.recorded import read_timing
from netcount.engines.timing import Measured, TimedNet, Timing

Key: TypeAlias = "tuple[str, int, int, int, str]"
"""Net, madds, batch, which of several that are equal in these, and engine."""


class TimedPair(NamedTuple):
    """One net in one engine, in both timings.

    Attributes:
        net: What it costs, as the first timing that has it says.
        engine: The name of the engine.
        before: In the first timing; None where it is not in it.
        after: In the second.
    """

    net: TimedNet
    engine: str
    before: Measured | None
    after: Measured | None

    @property
    def ratio(self) -> float | None:
        """The second median by the first; None where one is not there."""
        if self.before is None or self.after is None or self.before.error is not None:
            return None
        if self.after.error is not None or not self.before.median:
            return None
        return self.after.median / self.before.median


class EngineBetween(NamedTuple):
    """An engine in both timings.

    Attributes:
        engine: Its name.
        nets: How many nets ran in it in both.
        ratio: The geometric mean of their ratios.
        rank_correlation: Spearman's, of the nets' times in one and in the other: 1 where the order is the same;
            None of fewer than two nets.
    """

    engine: str
    nets: int
    ratio: float
    rank_correlation: float | None


class TimesCompared(NamedTuple):
    """Two timings beside each other.

    Attributes:
        files: Where they were read.
        before: The first.
        after: The second.
        pairs: Each net in each engine that one of them has.
    """

    files: tuple[str, str]
    before: Timing
    after: Timing
    pairs: tuple[TimedPair, ...]

    @property
    def engines(self) -> tuple[EngineBetween, ...]:
        """The engines in which a net ran in both."""
        return tuple(_engines(self.pairs))


def read_and_compare(one: str, other: str) -> TimesCompared:
    """Two files of `netcount time --format json`.

    Raises:
        InputError: One of them is none.
    """
    return compare_timings(read_timing(one), read_timing(other), (one, other))


def compare_timings(before: Timing, after: Timing, files: tuple[str, str] = ("", "")) -> TimesCompared:
    """Nets are the same if they have the same name, madds and batch, wherever their files lie."""
    first, second = _by_key(before), _by_key(after)
    pairs = []
    for key in dict.fromkeys((*first, *second)):
        net = before.nets[first[key].net] if key in first else after.nets[second[key].net]
        pairs.append(TimedPair(net, key[-1], first.get(key), second.get(key)))
    return TimesCompared(files, before, after, tuple(pairs))


def _by_key(timing: Timing) -> dict[Key, Measured]:
    names: Counter[tuple[str, int, int]] = Counter()
    keys = []
    for net in timing.nets:
        key = (net.net, net.madds, net.batch or 1)
        keys.append((*key, names[key]))
        names[key] += 1
    return {(*keys[run.net], run.engine): run for run in timing.runs}


def _engines(pairs: Sequence[TimedPair]) -> Iterator[EngineBetween]:
    for engine in dict.fromkeys(pair.engine for pair in pairs):
        ran = [
            (pair.ratio, pair.before.median, pair.after.median)
            for pair in pairs
            if pair.engine == engine and pair.ratio and pair.before and pair.after
        ]
        if ran:
            mean = exp(sum(log(ratio) for ratio, _, _ in ran) / len(ran))
            order = rank_correlation([a for _, a, _ in ran], [b for _, _, b in ran]) if len(ran) > 1 else None
            yield EngineBetween(engine, len(ran), mean, order)
