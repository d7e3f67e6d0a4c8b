"""A comparison of nets: totals side by side, then the layers that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netcount.analysis._support.record import RECORD, field_text, record
from netcount.analysis.compare import (
    FIGURES,
    Change,
    Comparison,
    NetFacts,
)
from netcount.budget.limits import in_bytes
from netcount.core.shape import Shape
from netcount.core.units import human, human_bytes, percent, plural
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import csv_text

SCHEMA = "netcount/compare/1"
_SIGNS = {"added": "+", "removed": "-", "renamed": "=", "changed": "~", "resized": "~"}


def report(comparison: Comparison, top: int | None = None) -> list[Part]:
    """The whole comparison; at most `top` layers of each net."""
    first, *others = comparison.nets
    parts: list[Part] = [_totals(comparison.nets), ""]
    for net, changes in zip(others, comparison.changes, strict=True):
        parts += _difference(first, net, changes, top)
    for net in others:
        for what in ("phase", "batch", "convention"):
            was, now = getattr(first, what), getattr(net, what)
            if was != now:
                parts.append(f"warning: {what} is {was} in the first net and {now} in {visible(net.label)}")
    return parts


def _figures(nets: Sequence[NetFacts]) -> list[str]:
    """The totals worth a line: those that are not 0 everywhere, `cost` where it is its own."""
    return [
        figure
        for figure in (*FIGURES, "layers")
        if any(net.totals[figure] for net in nets)
        and (figure != "cost" or any(net.convention != "madds" for net in nets))
    ]


def _totals(nets: Sequence[NetFacts]) -> Table:
    titles, right = ["", visible(nets[0].label)], [False, True]
    for net in nets[1:]:
        titles += [visible(net.label), "difference", "percent", "factor"]
        right += [True] * 4
    rows = []
    for figure in _figures(nets):
        base = nets[0].totals[figure]
        row = [figure, _shown(figure, base)]
        for net in nets[1:]:
            value = net.totals[figure]
            row += [
                _shown(figure, value),
                _signed(figure, value - base),
                _plus(value - base) + percent(value - base, base) if base else "-",
                _factor(value, base),
            ]
        rows.append(tuple(row))
    return Table(tuple(titles), tuple(right), tuple(rows), shrink=())


def _difference(first: NetFacts, net: NetFacts, changes: Sequence[Change], top: int | None) -> list[Part]:
    if not changes:
        return [f"{visible(net.label)}: the same layers as {visible(first.label)}", ""]
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.kind] = counts.get(change.kind, 0) + 1
    summary = ", ".join(f"{number} {kind}" for kind, number in counts.items())
    worth = [c for c in changes if not _idle(c)]
    shown = worth[:top]
    params = net.totals["params"] - first.totals["params"]
    whole = net.totals["madds"] - first.totals["madds"]
    table = Table(
        ("", "layer", "type", "line", "madds was", "madds", "difference", "params", "what"),
        (False, False, False, True, True, True, True, True, False),
        tuple(_row(change) for change in shown),
        ("", "all layers", "", "", human(first.totals["madds"]), human(net.totals["madds"]),
         _signed("madds", whole), _signed("params", params), ""),
        shrink=((8, 14), (1, 8)),
    )  # fmt: skip
    parts: list[Part] = [f"{visible(first.label)} -> {visible(net.label)}: {summary}", table]
    if len(shown) < len(worth):
        parts.append(f"{len(shown)} of {plural(len(worth), 'layer')} shown")
    if len(worth) < len(changes):
        parts.append(f"other shapes only: {plural(len(changes) - len(worth), 'layer')} without madds or params")
    return [*parts, ""]


def _idle(change: Change) -> bool:
    """Whether a layer only passes other shapes on, at no cost that the table shows."""
    figures = ("madds", "params")
    return change.kind == "resized" and not any(change.delta(figure) for figure in figures)


def _row(change: Change) -> tuple[str, ...]:
    before, after, layer = change.before, change.after, change.layer
    told = [f'was "{before.name}"'] if before and layer.name != before.name else []
    told += [text for text in (field_text(change), shape_text(change)) if text]
    return (
        _SIGNS[change.kind],
        visible(layer.name),
        visible(layer.type),
        str(layer.line) if layer.line else "",
        human(before.madds) if before and before.madds else "",
        human(after.madds) if after and after.madds else "",
        _signed("madds", change.delta("madds")) if change.delta("madds") else "",
        _signed("params", change.delta("params")) if change.delta("params") else "",
        visible("; ".join(told)) or ("other input" if change.kind == "resized" else change.kind),
    )


def shape_text(change: Change) -> str:
    """What a layer makes, before and after, where that is another: `55×55×256 -> 28×28×256`."""
    return " -> ".join(Shape(shape).hwc() for shape in change.reshaped or ())


def _factor(value: int, base: int) -> str:
    """How many times as much, or as little; both to the same precision.

    >>> _factor(832_667_936, 387_747_520), _factor(387_747_520, 832_667_936), _factor(7, 7), _factor(7, 0)
    ('×2.15', '÷2.15', '×1.00', '-')
    """
    if not base or not value:
        return "-"
    return f"×{value / base:.2f}" if value >= base else f"÷{base / value:.2f}"


def _shown(figure: str, value: int) -> str:
    return human_bytes(value) if in_bytes(figure) else human(value)


def _plus(value: int) -> str:
    return "+" if value > 0 else ""


def _signed(figure: str, value: int) -> str:
    return _plus(value) + _shown(figure, value)


def comparison_csv(comparison: Comparison) -> str:
    """A record a changed layer, of every net against the first; the totals are records too."""
    first, *others = comparison.nets
    header = ("net", *RECORD)
    records: list[list[Any]] = []
    for net, changes in zip(others, comparison.changes, strict=True):
        for change in changes:
            values = record(change)
            records.append([net.label, *(values[key] for key in RECORD)])
        total: dict[str, Any] = {"change": "total"}
        for figure in ("params", "madds", "activations"):
            total[f"{figure}_was"] = first.totals[figure]
            total[figure] = net.totals[figure]
            total[f"{figure}_delta"] = net.totals[figure] - first.totals[figure]
        records.append([net.label, *(total.get(key, "") for key in RECORD)])
    return csv_text(header, records)


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """The JSON document: exact integers; percent and factor are left to the reader."""
    first, *others = comparison.nets
    return {
        "schema": SCHEMA,
        "nets": [
            {
                "net": net.label,
                "file": net.file,
                "phase": net.phase,
                "batch": net.batch,
                "convention": net.convention,
                "totals": dict(net.totals),
            }
            for net in comparison.nets
        ],
        "differences": [
            {
                "from": first.label,
                "to": net.label,
                "totals": {key: net.totals[key] - first.totals[key] for key in first.totals if key in net.totals},
                "changes": [
                    {
                        **record(change),
                        "tops_was": [list(shape) for shape in change.before.tops] if change.before else [],
                        "tops": [list(shape) for shape in change.after.tops] if change.after else [],
                        "fields": {path: {"was": old, "is": new} for path, (old, new) in change.fields.items()},
                    }
                    for change in changes
                ],
            }
            for net, changes in zip(others, comparison.changes, strict=True)
        ],
    }
