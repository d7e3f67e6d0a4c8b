"""A comparison of nets: totals side by side, then the layers that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from netcount.analysis._support.record import RECORD, beside, field_text, record
from netcount.analysis.compare import Comparison, LayerChange, LayerFacts, NetFacts
from netcount.analysis.figures import COMPARED, FIGURES, MAIN
from netcount.analysis.strangers import groups
from netcount.core.shape import Shape
from netcount.core.units import human, percent, plural
from netcount.report.formats.amounts import amount, signed
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_FIRST = 8
"""Changed layers that a comment shows without being asked."""
_SIGNS = {"added": "+", "removed": "-", "renamed": "=", "changed": "~", "resized": "~"}


def report(comparison: Comparison, top: int | None = None) -> list[Part]:
    """The whole comparison; at most `top` layers of each net."""
    first, *others = comparison.nets
    parts: list[Part] = [_totals(comparison.nets), ""]
    for net, changes, version in zip(others, comparison.changes, comparison.versions, strict=True):
        if version:
            parts += _difference(first, net, changes, top)
        else:
            parts += [
                f"{visible(first.label)} and {visible(net.label)} are different nets; their layers are not paired",
                "",
            ]
    if not all(comparison.versions):
        parts += _side_by_side(comparison.nets)
    for net in others:
        for what in ("phase", "batch", "convention"):
            was, now = getattr(first, what), getattr(net, what)
            if was != now:
                parts.append(f"warning: {what} is {was} in the first net and {now} in {visible(net.label)}")
    return parts


def _figures(nets: Sequence[NetFacts]) -> list[str]:
    """The totals worth a line: those that all have and not all have none of, `cost` where it is its own."""
    own = any(net.convention != "madds" for net in nets)
    return [
        figure.key
        for figure in (*MAIN, FIGURES["layers"])
        if all(figure.key in net.totals for net in nets)
        and any(net.totals[figure.key] for net in nets)
        and (own or not figure.by_convention)
    ]


def _totals(nets: Sequence[NetFacts]) -> Table:
    """A column a net; of two their difference, of more how many percent each differs from the first."""
    pair = len(nets) == 2
    behind = ["difference", "percent", "factor"] if pair else ["percent"]
    titles, right = ["", visible(nets[0].label)], [False, True]
    labels = [(1, 10)]
    for net in nets[1:]:
        labels.append((len(titles), 10))
        titles += [visible(net.label), *behind]
        right += [True] * (1 + len(behind))
    less = (
        [(4, LEFT_OUT), (3, BELOW), (2, BELOW)] if pair else [(column + 1, BELOW) for column, _ in labels[:0:-1]]
    )
    rows = []
    for figure in _figures(nets):
        base = nets[0].totals[figure]
        row = [figure, amount(figure, base)]
        for net in nets[1:]:
            value = net.totals[figure]
            share = ("+" if value > base else "") + percent(value - base, base) if base else "-"
            row += [amount(figure, value)]
            row += [signed(figure, value - base), share, _factor(value, base)] if pair else [share]
        rows.append(tuple(row))
    return Table(tuple(titles), tuple(right), tuple(rows), shrink=(*labels, *less))


_TITLES = {"kind": "by kind of operation", "stage": "by plane, of the input's"}


def _side_by_side(nets: Sequence[NetFacts]) -> list[Part]:
    """Where the nets spend their madds and params: by kind, then by stage."""
    parts: list[Part] = []
    all_groups = groups(nets)
    for by, title in _TITLES.items():
        rows = []
        for group in (group for group in all_groups if group.by == by):
            row = [visible(group.name)]
            for sums in group.sums:
                row += [str(sums.layers) if sums.layers else "", *(human(n) if n else "" for n in sums[1:])]
            rows.append(tuple(row))
        titles = [title]
        for net in nets:
            titles += ["layers", "params", f"{visible(net.label)} madds"]
        least = tuple((3 * place + 3, 12) for place in range(len(nets)))
        parts += [Table(tuple(titles), (False, *(True,) * (3 * len(nets))), tuple(rows), shrink=least), ""]
    return parts


def _difference(first: NetFacts, net: NetFacts, changes: Sequence[LayerChange], top: int | None) -> list[Part]:
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
         signed("madds", whole), signed("params", params), ""),
        shrink=((1, 14), (8, BELOW), (2, 6), (3, LEFT_OUT), (1, 8), (2, LEFT_OUT), (4, LEFT_OUT)),
        names=(1,),
        first=_FIRST if top is None else None,
    )  # fmt: skip
    parts: list[Part] = [f"{visible(first.label)} -> {visible(net.label)}: {summary}", table]
    if len(shown) < len(worth):
        parts.append(f"{len(shown)} of {plural(len(worth), 'layer')} shown")
    if len(worth) < len(changes):
        parts.append(f"other shapes only: {plural(len(changes) - len(worth), 'layer')} without madds or params")
    return [*parts, ""]


def _idle(change: LayerChange) -> bool:
    """Whether a layer only passes other shapes on, at no cost that the table shows."""
    figures = ("madds", "params")
    return change.kind == "resized" and not any(change.delta(figure) for figure in figures)


def _row(change: LayerChange) -> tuple[str, ...]:
    before, after, layer = change.before, change.after, change.layer
    told = [f'was "{before.name}"'] if before and layer.name != before.name else []
    told += [text for text in (field_text(change), shape_text(change)) if text]
    return (
        _SIGNS[change.kind],
        visible(layer.name),
        visible(layer.type),
        str(layer.line) if layer.line else "",
        _madds(before),
        _madds(after),
        signed("madds", change.delta("madds")) if change.delta("madds") else "",
        signed("params", change.delta("params")) if change.delta("params") else "",
        visible("; ".join(told)) or ("other input" if change.kind == "resized" else change.kind),
    )


def _madds(layer: LayerFacts | None) -> str:
    return human(layer.figures["madds"]) if layer and layer.figures["madds"] else ""


def shape_text(change: LayerChange) -> str:
    """What a layer makes, before and after, where that is another: `55×55×256 -> 28×28×256`."""
    shapes = change.reshaped or ()
    return " -> ".join((shape if isinstance(shape, Shape) else Shape(shape)).hwc() for shape in shapes)


def _factor(value: int, base: int) -> str:
    """How many times as much, or as little; both to the same precision.

    >>> _factor(832_667_936, 387_747_520), _factor(387_747_520, 832_667_936), _factor(7, 7), _factor(7, 0)
    ('×2.15', '÷2.15', '×1.00', '-')
    """
    if not base or not value:
        return "-"
    return f"×{value / base:.2f}" if value >= base else f"÷{base / value:.2f}"


def comparison_csv(comparison: Comparison) -> Csv:
    """A record a changed layer, of every net against the first; the totals are records too."""
    first, *others = comparison.nets
    header = ("net", *RECORD)
    records: list[list[Any]] = []
    for net, changes in zip(others, comparison.changes, strict=True):
        for change in changes:
            values = record(change)
            records.append([net.label, *(values[key] for key in RECORD)])
        total: dict[str, Any] = {"change": "total", **beside(first.totals, net.totals)}
        records.append([net.label, *(total.get(key, "") for key in RECORD)])
    return csv_text(header, records)


def _totals_document(net: NetFacts) -> types.NetTotals:
    return cast("types.NetTotals", {figure.key: net.totals.get(figure.key) for figure in COMPARED})


def _difference_document(
    first: NetFacts, net: NetFacts, changes: Sequence[LayerChange], version: bool
) -> types.Difference:
    values = {
        "from": first.label,
        "to": net.label,
        "version": version,
        "totals": {key: net.totals[key] - first.totals[key] for key in first.totals if key in net.totals},
        "changes": [_change_document(change) for change in changes],
    }
    return cast("types.Difference", values)


def _change_document(change: LayerChange) -> types.LayerChange:
    values = {
        **record(change),
        "tops_was": [list(shape) for shape in change.before.tops] if change.before else [],
        "tops": [list(shape) for shape in change.after.tops] if change.after else [],
        "fields": {path: {"was": old, "is": new} for path, (old, new) in change.fields.items()},
    }
    return cast("types.LayerChange", values)


def comparison_document(comparison: Comparison) -> types.Comparison:
    """The JSON document: exact integers; percent and factor are left to the reader."""
    first, *others = comparison.nets
    return {
        "schema": "netcount/compare/1",
        "nets": [
            {
                "net": net.label,
                "file": net.file,
                "phase": net.phase,
                "batch": net.batch,
                "convention": net.convention,
                "totals": _totals_document(net),
            }
            for net in comparison.nets
        ],
        "differences": [
            _difference_document(first, net, changes, version)
            for net, changes, version in zip(others, comparison.changes, comparison.versions, strict=True)
        ],
        "groups": [
            {
                "by": group.by,
                "name": group.name,
                "nets": [cast("types.GroupSums", one._asdict()) for one in group.sums],
            }
            for group in groups(comparison.nets)
        ],
    }
