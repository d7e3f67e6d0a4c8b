"""Two timings beside each other: a row a net and engine, and what each engine is worth on either machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from netcount.core.units import human, plural
from netcount.engines.between import TimedPair, TimesCompared
from netcount.engines.timing import Measured
from netcount.report.columns import Value
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import Csv, csv_text
from netcount.report.timing import machine_line

if TYPE_CHECKING:
    from netcount.report import document_types as types

_FIELDS = (
    "net", "file", "madds", "engine", "version_a", "version_b", "median_seconds_a", "median_seconds_b", "ratio",
    "error_a", "error_b",
)  # fmt: skip


def times_report(compared: TimesCompared) -> list[Part]:
    """The whole answer for people."""
    timings = (compared.before, compared.after)
    parts: list[Part] = []
    for letter, file, timing in zip("AB", compared.files, timings, strict=True):
        how = f"{plural(timing.threads, 'thread')}, {plural(timing.rounds, 'round')}"
        parts.append(f"{letter}: {visible(file)} · {machine_line(timing.machine)} · {how}")
    parts += ["", _table(compared)]
    parts += [
        f"{letter}: {visible(pair.net.net or pair.net.file)} in {pair.engine}: {visible(run.error)}"
        for pair in compared.pairs
        for letter, run in (("A", pair.before), ("B", pair.after))
        if run is not None and run.error is not None
    ]
    rows = tuple(
        (
            visible(one.engine),
            str(one.nets),
            f"{one.ratio:.2f}",
            "-" if one.rank_correlation is None else f"{one.rank_correlation:.2f}",
        )
        for one in compared.engines
    )
    if rows:
        titles = ("engine", "nets", "B by A", "rank correlation of A and B")
        parts += ["", Table(titles, (False, True, True, True), rows)]
    if timings[0].threads != timings[1].threads:
        parts += ["", "A and B had not the same number of threads"]
    if any(timing.machine.busy for timing in timings):
        parts += ["", "a machine was busy when it began: its times are longer than they need to be"]
    return parts


def _table(compared: TimesCompared) -> Table:
    rows = tuple(
        (
            visible(pair.net.net or pair.net.file),
            human(pair.net.madds),
            visible(pair.engine),
            _milliseconds(pair.before),
            _milliseconds(pair.after),
            "" if pair.ratio is None else f"{pair.ratio:.2f}",
            _versions(pair),
        )
        for pair in compared.pairs
    )
    return Table(
        ("net", "madds", "engine", "A, ms", "B, ms", "B by A", ""),
        (False, True, False, True, True, True, False),
        rows,
        shrink=((0, 10), (1, LEFT_OUT), (6, BELOW)),
        names=(0,),
    )


def _milliseconds(run: Measured | None) -> str:
    if run is None:
        return ""
    return "does not run" if run.error is not None else f"{run.median * 1e3:.2f}"


def _versions(pair: TimedPair) -> str:
    if pair.before is None or pair.after is None:
        return "only in A" if pair.after is None else "only in B"
    one, other = pair.before.version, pair.after.version
    return "" if one == other else visible(f"{one or '-'} against {other or '-'}")


def times_csv(compared: TimesCompared) -> Csv:
    """A record a net and engine."""
    return csv_text(_FIELDS, (_record(pair) for pair in compared.pairs))


def _record(pair: TimedPair) -> list[Value]:
    runs = (pair.before, pair.after)
    return [
        pair.net.net,
        pair.net.file,
        pair.net.madds,
        pair.engine,
        *("" if run is None else run.version for run in runs),
        *("" if run is None or run.error is not None else run.median for run in runs),
        "" if pair.ratio is None else pair.ratio,
        *("" if run is None else run.error or "" for run in runs),
    ]


def times_document(compared: TimesCompared) -> types.Times:
    """The JSON document."""
    sides = zip(compared.files, (compared.before, compared.after), strict=True)
    return {
        "schema": "netcount/times/1",
        "timings": [
            {
                "file": file,
                "machine": cast("types.Machine", timing.machine._asdict()),
                "threads": timing.threads,
                "rounds": timing.rounds,
            }
            for file, timing in sides
        ],
        "pairs": [
            {
                "net": pair.net.net,
                "file": pair.net.file,
                "batch": pair.net.batch,
                "madds": pair.net.madds,
                "engine": pair.engine,
                "a": _side(pair.before),
                "b": _side(pair.after),
                "ratio": pair.ratio,
            }
            for pair in compared.pairs
        ],
        "engines": [cast("types.EngineBetween", one._asdict()) for one in compared.engines],
    }


def _side(run: Measured | None) -> types.TimedSide | None:
    if run is None:
        return None
    done = run.error is None
    return {"version": run.version, "median": run.median if done else None, "error": run.error}
