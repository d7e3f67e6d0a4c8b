"""The report of one counted net for people: layers, totals, kernel sizes, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netcount.analysis.count import Count, LayerRow
from netcount.analysis.kernels import WHOLE_NET
from netcount.report.columns import arranged, columns_for
from netcount.report.layout import Part, Table
from netcount.report.text import kernel_text, tally, visible
from netcount.units import human, human_bytes, percent

DEEP = 100
"""A net with more layers than this is shown folded unless the caller says otherwise."""


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
        *totals_lines(count),
        "",
        *kernel_parts(count),
        *warning_lines(count),
    ]


def headline(count: Count) -> str:
    """What was analyzed: net, file, phase, input, batch."""
    net = count.net
    inputs = ", ".join(f"{visible(net.blobs[i].name)} {net.blobs[i].shape}" for i in net.inputs[:4])
    more = ", …" if len(net.inputs) > 4 else ""
    name = visible(net.name) or "(unnamed net)"
    return (
        f"{name}  {visible(net.file)}  phase {net.phase}  input {inputs or 'none'}{more}  {_batch_text(net.batch)}"
    )


def _batch_text(batch: int | None) -> str:
    if batch is None or batch == 1:
        return "counts for one image"
    return f"counts for a batch of {batch}"


def layer_parts(count: Count, view: View) -> list[Part]:
    """The table of layers, and what was left out of it."""
    rows = arranged(count, view.sort, view.top)
    fold = view.fold if view.fold is not None else len(rows) > DEEP
    hidden = [row for row in rows if _costs_nothing(row)] if fold else []
    if hidden:
        rows = [row for row in rows if not _costs_nothing(row)]
    parts: list[Part] = [layer_table(count, rows, view.columns)]
    if hidden:
        parts.append(
            f"{len(hidden)} layers without params or madds are folded: "
            f"{tally(row.type for row in hidden)} (--no-fold shows them)"
        )
    if view.top is not None and view.top < len(count.layers):
        parts.append(f"{view.top} of {len(count.layers)} layers are shown; the totals are of all")
    if any(row.note for row in rows):
        parts.append("* depends on the data; see the warnings below")
    return parts


def _costs_nothing(row: LayerRow) -> bool:
    return not (row.params or row.statistics or row.madds or row.cost or row.note)


def layer_table(count: Count, rows: Sequence[LayerRow], keys: Sequence[str] | None) -> Table:
    """A row a layer, with the totals of the whole net below."""
    columns = columns_for(count, keys)
    totals = count.totals
    footer = [column.total(totals) for column in columns]
    label = next((i for i, column in enumerate(columns) if not column.right), None)
    if label is not None:
        footer[label] = f"total of {len(count.layers)} layers"
    return Table(
        tuple(column.title for column in columns),
        tuple(column.right for column in columns),
        tuple(tuple(column.shown(row, totals) for column in columns) for row in rows),
        tuple(footer),
        tuple(
            (i, least)
            for key, least in (("type", 6), ("name", 14), ("window", 6))
            for i, column in enumerate(columns)
            if column.key == key
        ),
        tuple(row.cost / totals.cost if totals.cost else 0.0 for row in rows),
    )


def totals_lines(count: Count) -> list[str]:
    """The net's sums in words."""
    totals = count.totals
    lines = [
        f"params       {human(totals.params):>9}  {totals.params:,}",
        f"madds        {human(totals.madds):>9}  {totals.madds:,}",
        f"activations  {human(totals.activations):>9}  {totals.activations:,}",
        f"weights      {human_bytes(totals.weight_bytes):>9}  in float32",
    ]
    if totals.statistics:
        lines.insert(
            1,
            f"statistics   {human(totals.statistics):>9}  {totals.statistics:,}, not learned",
        )
    if count.convention.name != "madds":
        title = visible(count.convention.unit)
        lines.append(f"{title:<12} {human(totals.cost):>9}  {totals.cost:,} ({count.convention.about})")
    others = ", ".join(
        f"{human(number)} {name}"
        for name, number in zip(totals.ops._fields, totals.ops, strict=True)
        if name != "madds"
    )
    lines.append(f"besides      {others}")
    return lines


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
    lines = [f"warning: {visible(str(warning))}" for warning in count.warnings]
    if not count.net.complete:
        lines.append("incomplete: the cost of layers with assumed shapes is not counted")
    return lines
