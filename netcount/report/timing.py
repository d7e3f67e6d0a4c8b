"""Nets timed in engines: a row each, what layers took, and whether madds predicted it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, cast

from netcount.core.units import human, human_bytes, percent, plural
from netcount.engines.machine import Machine
from netcount.engines.predicted import Prediction, Surprise, predictions
from netcount.engines.timing import Measured, TimedLayer, TimedNet, Timing
from netcount.report.columns import Value
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

DIFFERS = 1e-3
"""From here on outputs are not those of the net."""
_FIELDS = (
    "file", "net", "madds", "engine", "version", "threads", "batch", "rounds", "median_seconds", "minimum_seconds",
    "spread", "gmacs_per_second", "peak_bytes", "difference", "error", "layer", "type", "line", "layer_madds",
    "layer_seconds", "layer_gmacs_per_second", "within",
)  # fmt: skip


def timing_report(timing: Timing, top: int | None = None) -> list[Part]:
    """The whole answer for people.  top: only so many layers of each run, the slowest."""
    labels = labelled(timing.nets)
    parts: list[Part] = [*_machine(timing), "", _table(timing, labels)]
    parts += [
        f"{visible(labels[run.net])} in {run.engine}: {visible('; '.join(run.error.splitlines()))}"
        for run in timing.runs
        if run.error is not None
    ]
    for run in timing.runs:
        if run.layers:
            parts += ["", *_layers(timing, run, labels[run.net], top)]
    told = predictions(timing)
    if told:
        parts += ["", *_predicted(timing, told, labels)]
    return [*parts, "", *_notes(timing)]


def labelled(nets: Sequence[TimedNet]) -> list[str]:
    """Names to tell nets by: the net's own, or its file where that is not its alone.

    >>> net = TimedNet("a", "x/a.prototxt", 1, 0, 0, 0, True)
    >>> labelled([net, net._replace(file="y/a.prototxt"), net._replace(net="b")])
    ['x/a.prototxt', 'y/a.prototxt', 'b']
    """
    names = [net.net for net in nets]
    return [net.net if net.net and names.count(net.net) == 1 else net.file for net in nets]


def machine_line(machine: Machine) -> str:
    """A machine in a line."""
    load = "" if machine.load is None else f", load {machine.load:.2f}"
    return visible(
        f"{machine.processor}, {plural(machine.processors, 'processor')}{load} · {machine.system} · "
        f"Python {machine.python} · netcount {machine.netcount}"
    )


def _machine(timing: Timing) -> list[str]:
    batches = sorted({str(net.batch or 1) for net in timing.nets}, key=int)
    rounds = f"{plural(timing.rounds, 'round')} in turn after {timing.warm_up} of warm-up"
    return [
        machine_line(timing.machine),
        f"{plural(timing.threads, 'thread')} · batch {', '.join(batches)} · {rounds}",
    ]


def _table(timing: Timing, labels: Sequence[str]) -> Table:
    rows = []
    for run in timing.runs:
        net = timing.nets[run.net]
        start = (visible(labels[run.net]), human(net.madds), visible(f"{run.engine} {run.version}".strip()))
        if run.error is not None:
            rows.append((*start, "", "", "", "", "", "does not run"))
            continue
        off = run.difference is not None and not run.difference <= DIFFERS
        rows.append(
            (
                *start,
                f"{run.median * 1e3:.2f}",
                f"{run.minimum * 1e3:.2f}",
                f"{run.spread * 100:.0f}%",
                f"{timing.gmacs_per_second(run):.1f}",
                "" if run.peak_bytes is None else human_bytes(run.peak_bytes),
                "OTHER OUTPUTS" if off else "",
            )
        )
    return Table(
        ("net", "madds", "engine", "median ms", "minimum", "spread", "GMAC/s", "peak memory", ""),
        (False, True, False, True, True, True, True, True, False),
        tuple(rows),
        shrink=((0, 10), (5, LEFT_OUT), (4, LEFT_OUT), (7, BELOW), (8, BELOW)),
        names=(0,),
    )


def _layers(timing: Timing, run: Measured, label: str, top: int | None) -> list[Part]:
    """The layers of a run with time or madds; the slow ones for what they compute are marked."""
    told = [layer for layer in run.layers if layer.seconds]
    whole = sum(layer.seconds or 0 for layer in told) + run.rest
    chosen = sorted(told, key=lambda layer: -(layer.seconds or 0))[:top]
    shown = [layer for layer in run.layers if layer in chosen or (top is None and (layer.within or layer.madds))]
    usual = timing.gmacs_per_second(run)
    rows = tuple(
        (
            visible(layer.name),
            visible(layer.type),
            human(layer.madds) if layer.madds else "",
            "" if layer.seconds is None else f"{layer.seconds * 1e3:.3f}",
            "" if layer.seconds is None else _share(layer.seconds, whole),
            "" if layer.gmacs_per_second is None else f"{layer.gmacs_per_second:.1f}",
            _remark(layer, usual),
        )
        for layer in shown
    )
    footer = (
        f"total of {plural(len(run.layers), 'layer')}",
        "",
        human(timing.nets[run.net].madds),
        f"{whole * 1e3:.3f}",
        "100.00%",
        "",
        f"{run.rest * 1e3:.3f} ms of it in no layer" if run.rest else "",
    )
    table = Table(
        ("layer", "type", "madds", "ms", "share", "GMAC/s", ""),
        (False, False, True, True, True, True, False),
        rows,
        footer,
        shrink=((1, 8), (0, 12), (6, BELOW), (4, LEFT_OUT)),
        heat=tuple((layer.seconds or 0) / whole if whole else 0.0 for layer in shown),
    )
    return [f"{visible(label)} in {run.engine}, layer by layer", "", table]


SLOW = 0.5
"""A layer with less than this share of the net's own GMAC/s is slow for what it computes."""


def _remark(layer: TimedLayer, usual: float) -> str:
    if layer.within:
        return f"with {visible(layer.within)}"
    speed = layer.gmacs_per_second
    return "slow for its madds" if speed is not None and speed < SLOW * usual else ""


def _share(part: float, whole: float) -> str:
    return percent(round(part * 1e12), round(whole * 1e12))


def _predicted(timing: Timing, told: Sequence[Prediction], labels: Sequence[str]) -> list[Part]:
    """Did madds predict it?"""
    parts: list[Part] = ["did madds predict it?", ""]
    rows = tuple(
        (
            one.engine,
            str(one.nets),
            "-" if one.rank_correlation is None else f"{one.rank_correlation:.2f}",
            str(len(one.surprises)),
        )
        for one in told
    )
    titles = ("engine", "nets", "rank correlation", "pairs where fewer madds took longer")
    parts.append(Table(titles, (False, True, True, True), rows))
    for one in told:
        parts += [_surprise(timing, one.engine, pair, labels) for pair in one.surprises]
    shares = tuple(
        (
            visible(labels[index]),
            human(net.madds),
            percent(net.depthwise_madds, net.madds),
            "-" if net.bytes_per_madd is None else f"{net.bytes_per_madd:.2f}",
        )
        for index, net in enumerate(timing.nets)
    )
    return [
        *parts,
        "",
        Table(("net", "madds", "depthwise", "bytes a madd"), (False, True, True, True), shares),
    ]


def _surprise(timing: Timing, engine: str, pair: Surprise, labels: Sequence[str]) -> str:
    fewer, more = timing.nets[pair.fewer], timing.nets[pair.more]
    reasons = []
    if fewer.depthwise_share > more.depthwise_share:
        share = percent(fewer.depthwise_madds, fewer.madds)
        reasons.append(f"depthwise {share} against {percent(more.depthwise_madds, more.madds)}")
    moved, moved_by_more = fewer.bytes_per_madd, more.bytes_per_madd
    if moved is not None and moved_by_more is not None and moved > moved_by_more:
        reasons.append(f"{moved:.2f} against {moved_by_more:.2f} bytes a madd")
    why = f": {', '.join(reasons)}" if reasons else ""
    return (
        f"{engine}: {visible(labels[pair.fewer])} has {pair.madds_ratio:.2f} times the madds of "
        f"{visible(labels[pair.more])} and took {pair.time_ratio:.2f} times as long{why}"
    )


def _notes(timing: Timing) -> list[str]:
    notes = [
        "peak memory is that of a process with one net in one engine; spread, of the middle half of the rounds"
    ]
    if any(net.random_weights for net in timing.nets):
        notes.append("the weights are random")
    if timing.machine.busy:
        notes.append("the machine was busy when it began: compare figures of this run, not of others")
    if any(run.difference is not None and not run.difference <= DIFFERS for run in timing.runs):
        notes.append("OTHER OUTPUTS: the engine does not compute what Caffe does")
    return notes


def timing_csv(timing: Timing) -> Csv:
    """A record a net and engine; and one for each of its layers, where they were asked for."""
    return csv_text(_FIELDS, _records(timing))


def _records(timing: Timing) -> Iterator[list[Value]]:
    for run in timing.runs:
        net = timing.nets[run.net]
        measured: list[Value] = ["", "", "", ""]
        if run.error is None:
            measured = [run.median, run.minimum, run.spread, timing.gmacs_per_second(run)]
        start: list[Value] = [net.file, net.net, net.madds, run.engine, run.version, timing.threads]
        start += [net.batch or 1, timing.rounds, *measured, _or_nothing(run.peak_bytes)]
        start += [_or_nothing(run.difference), run.error or ""]
        yield [*start, *[""] * 7]
        for layer in run.layers:
            yield [
                *start,
                layer.name,
                layer.type,
                layer.line,
                layer.madds,
                _or_nothing(layer.seconds),
                _or_nothing(layer.gmacs_per_second),
                layer.within,
            ]


def _or_nothing(value: float | None) -> Value:
    return "" if value is None else value


def timing_document(timing: Timing) -> types.Timing:
    """The JSON document; `net` of a run and of a pair are indices into `nets`."""
    return {
        "schema": "netcount/time/1",
        "machine": cast("types.Machine", timing.machine._asdict()),
        "threads": timing.threads,
        "rounds": timing.rounds,
        "warm_up": timing.warm_up,
        "complete": timing.complete,
        "nets": [
            {
                **cast("types.TimedNet", net._asdict()),
                "depthwise_share": net.depthwise_share,
                "bytes_per_madd": net.bytes_per_madd,
            }
            for net in timing.nets
        ],
        "runs": [_run(timing, run) for run in timing.runs],
        "predictions": [
            {
                "engine": one.engine,
                "nets": one.nets,
                "rank_correlation": one.rank_correlation,
                "surprises": [cast("types.Surprise", pair._asdict()) for pair in one.surprises],
            }
            for one in predictions(timing)
        ],
    }


def _run(timing: Timing, run: Measured) -> types.TimedRun:
    done = run.error is None
    finite = run.difference is not None and isfinite(run.difference)
    return {
        "net": run.net,
        "engine": run.engine,
        "version": run.version,
        "seconds": list(run.seconds),
        "median": run.median if done else None,
        "minimum": run.minimum if done else None,
        "spread": run.spread if done else None,
        "gmacs_per_second": timing.gmacs_per_second(run) if done else None,
        "peak_bytes": run.peak_bytes,
        "difference": run.difference if finite else None,
        "agrees": None if run.difference is None else run.difference <= DIFFERS,
        "layers": [
            {
                "name": layer.name,
                "type": layer.type,
                "line": layer.line,
                "madds": layer.madds,
                "seconds": layer.seconds,
                "gmacs_per_second": layer.gmacs_per_second,
                "within": layer.within or None,
            }
            for layer in run.layers
        ],
        "rest": run.rest if run.layers else None,
        "error": run.error,
    }
