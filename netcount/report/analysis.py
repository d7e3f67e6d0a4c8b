"""The report of one counted net for people: layers, totals, kernel sizes, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netcount.analysis._support.kernels import WHOLE_NET
from netcount.analysis.count import Count
from netcount.analysis.figures import LAYER, NetFigures
from netcount.analysis.rows import LayerRow
from netcount.core.errors import Warned
from netcount.core.units import human, percent, plural
from netcount.report.columns import NUMBERS, arranged, columns_for
from netcount.report.formats.amounts import amount
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, kernel_text, tally, visible

DEEP = 100
"""A net with more layers than this is shown folded unless the caller says otherwise."""


_SHRINK = (
    ("type", 6),
    ("name", 14),
    ("shared_with", 11),
    ("type", LEFT_OUT),
    ("name", 11),
    ("window", LEFT_OUT),
    ("name", 8),
    ("shared_with", LEFT_OUT),
    ("share", LEFT_OUT),
    ("share_cost", LEFT_OUT),
)
"""Columns that give way on a narrow terminal, in this order (see `fit.Yields`); none that was asked for is
left out."""


class View(NamedTuple):
    """What a reader asked to see."""

    columns: tuple[str, ...] | None = None
    sort: str | None = None
    top: int | None = None
    fold: bool | None = None


def report(count: Count, view: View | None = None) -> list[Part]:
    """The whole report, part by part."""
    view = view or View()
    return [
        headline(count),
        "",
        *layer_parts(count, view),
        "",
        *totals_parts(count),
        "",
        *kernel_parts(count),
        *warning_lines(count),
    ]


def reports(counts: Sequence[Count], view: View | None = None) -> list[Part]:
    """Several reports one below the other."""
    parts: list[Part] = []
    for count in counts:
        parts += ["", *report(count, view)] if parts else report(count, view)
    return parts


def headline(count: Count) -> str:
    """What was analyzed: net, file, phase, input, batch."""
    net = count.net
    blobs = [net.blobs[i] for i in net.inputs]
    inputs = ", ".join(f"{visible(blob.name)} {blob.shape.hwc(net.batch)}" for blob in blobs[:4])
    more = ", …" if len(blobs) > 4 else ""
    return heading(
        net.name, net.file, f"phase {net.phase}", f"input {inputs or 'none'}{more}", _batch_text(net.batch)
    )


def _batch_text(batch: int | None) -> str:
    if batch is None or batch == 1:
        return "counts for one image"
    return f"counts for a batch of {batch}"


def layer_parts(count: Count, view: View) -> list[Part]:
    """The table of layers, and what was left out of it."""
    rows = arranged(count, view.sort, view.top)
    fold = view.fold if view.fold is not None else len(rows) > DEEP
    hidden = _without_numbers(count, rows, view.columns) if fold else []
    if hidden:
        folded = {id(row) for row in hidden}
        rows = [row for row in rows if id(row) not in folded]
    parts: list[Part] = [layer_table(count, rows, view.columns)]
    if hidden:
        parts.append(
            f"{plural(len(hidden), 'layer')} hidden, no value in any shown column: "
            f"{tally(row.type for row in hidden)} (--no-fold shows them)"
        )
    if view.top is not None and view.top < len(count.layers):
        parts.append(f"{view.top} of {len(count.layers)} layers shown; the totals are of all")
    if any(row.note for row in rows):
        parts.append("* depends on the data; see the warnings below")
    return parts


def _without_numbers(count: Count, rows: Sequence[LayerRow], keys: Sequence[str] | None) -> list[LayerRow]:
    """The rows that say nothing in any column that sums up."""
    told = [column for column in columns_for(count, keys) if column.key in NUMBERS]
    told = told or [column for column in columns_for(count, None) if column.key in NUMBERS]
    totals = NetFigures(count)
    return [row for row in rows if not row.note and not any(c.shown(row, totals) for c in told)]


def layer_table(count: Count, rows: Sequence[LayerRow], keys: Sequence[str] | None) -> Table:
    """A row per layer, with the totals of the whole net below."""
    columns = columns_for(count, keys)
    totals = NetFigures(count)
    footer = [column.total(totals) for column in columns]
    label = next((i for i, column in enumerate(columns) if not column.right), None)
    if label is not None:
        footer[label] = f"total of {plural(len(count.layers), 'layer')}"
    return Table(
        tuple(column.title for column in columns),
        tuple(column.right for column in columns),
        tuple(tuple(column.shown(row, totals) for column in columns) for row in rows),
        tuple(footer),
        tuple(
            (i, BELOW if keys and least == LEFT_OUT else least)
            for key, least in _SHRINK
            for i, column in enumerate(columns)
            if column.key == key
        ),
        tuple(row.cost / totals["cost"] if totals["cost"] else 0.0 for row in rows),
    )


def totals_parts(count: Count) -> list[Part]:
    """The net's sums, rounded and exact, and its other operations."""
    totals, convention = NetFigures(count), count.convention
    rows = []
    for figure in sorted(LAYER, key=lambda figure: (figure.unit == "bytes", figure.by_convention)):
        value = totals[figure.key]
        worth = convention.name != "madds" if figure.by_convention else value or figure.brief
        if not figure.is_op_class and worth:
            label = visible(convention.unit) if figure.by_convention else figure.label or figure.key
            rows.append((label, amount(figure.key, value), f"{value:,}"))
    others = ", ".join(f"{human(totals[figure.key])} {figure.key}" for figure in LAYER if figure.is_op_class)
    parts: list[Part] = [
        Table(("totals", "", "exactly"), (False, True, True), tuple(rows)),
        f"other ops: {others}",
    ]
    if convention.name != "madds":
        parts.append(f"{visible(convention.unit)}: {convention.about}")
    return parts


def kernel_parts(count: Count) -> list[Part]:
    """The shares by kernel size, for the net and for each family of blocks."""
    if not count.kernels:
        return []
    scopes = list(dict.fromkeys(share.scope for share in count.kernels))
    parts: list[Part] = []
    for scope in scopes:
        shares = [share for share in count.kernels if share.scope == scope]
        madds = sum(share.madds for share in shares)
        title = "madds by kernel, whole net" if scope == WHOLE_NET else f"inside {visible(scope)}"
        parts.append(
            Table(
                (title, "layers", "params", "madds", "share"),
                (False, True, True, True, True),
                tuple(
                    (
                        kernel_text(share),
                        str(share.layers),
                        human(share.params),
                        human(share.madds),
                        percent(share.madds, madds),
                    )
                    for share in shares
                ),
            )
        )
        parts.append("")
    return parts


def warning_lines(count: Count) -> list[str]:
    """One line a warning, and whether the report is incomplete."""
    return caveats(count.warnings, count.net.complete)


def caveats(warnings: Sequence[Warned], complete: bool) -> list[str]:
    """The same of figures that have no `Count`."""
    lines = [f"warning: {visible(str(warning))}" for warning in warnings]
    if not complete:
        lines.append("incomplete: the cost of layers with assumed shapes is not counted")
    return lines
