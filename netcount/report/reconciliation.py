"""Where conventions differ, a row per layer type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.analysis.reconcile import Reconciliation, TypeCosts
from netcount.core.units import human
from netcount.report.document import subject
from netcount.report.formats.fit import BELOW
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, listed, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_NAMED = 3


def reconciliation_report(answer: Reconciliation) -> list[Part]:
    """The table, and what each convention counts."""
    net = answer.net
    names = [visible(convention.name) for convention in answer.conventions]
    table = Table(
        ("type", "layers", *names, *_differences(names), "which"),
        (False, True, *(True for _ in names), *(True for _ in names[1:]), False),
        tuple(_row(row) for row in answer.rows),
        ("whole net", str(len(net.nodes)), *_cells(answer.totals), ""),
        shrink=((2 * len(names) + 1, BELOW), (0, 8)),
    )
    lines: list[Part] = [
        heading(net.name, net.file, f"{' and '.join(names)} reconciled"),
        "",
        table,
        "",
    ]
    lines += [f"{visible(c.name)}: {visible(c.about)} (used by: {visible(c.used_by)})" for c in answer.conventions]
    return lines + [_sentence(answer, index) for index in range(1, len(names))]


def _sentence(answer: Reconciliation, index: int) -> str:
    """By how much one convention's number differs from the first one's, and in which types."""
    first, other = answer.totals[0], answer.totals[index]
    names = [visible(convention.name) for convention in answer.conventions]
    kinds = [visible(row.type) for row in answer.rows if row.costs[index] != row.costs[0]]
    where = f"they differ in {', '.join(kinds)}" if kinds else "they agree in every type"
    return f"{other:,} {names[index]} − {first:,} {names[0]} = {other - first:,}; {where}"


def _differences(names: Sequence[str]) -> list[str]:
    return ["difference"] if len(names) == 2 else [f"{name} −{names[0]}" for name in names[1:]]


def _cells(costs: Sequence[int]) -> list[str]:
    first, *others = costs
    return [*(human(cost) for cost in costs), *(f"{cost - first:+,}" if cost != first else "" for cost in others)]


def _row(row: TypeCosts) -> tuple[str, ...]:
    which = ""
    if row.differing and len(row.differing) < row.layers:
        which = listed([visible(name) for name in row.differing], _NAMED)
    elif row.differing:
        which = "all" if row.layers > 1 else visible(row.differing[0])
    return (visible(row.type), str(row.layers), *_cells(row.costs), which)


def reconciliation_csv(answer: Reconciliation) -> Csv:
    """A record a layer type, exact integers."""
    names = [convention.name for convention in answer.conventions]
    header = ("type", "layers", *names, *(f"{name}_minus_{names[0]}" for name in names[1:]), "differing")
    return csv_text(
        header,
        (
            (
                row.type,
                row.layers,
                *row.costs,
                *(cost - row.costs[0] for cost in row.costs[1:]),
                " ".join(row.differing),
            )
            for row in answer.rows
        ),
    )


def reconciliation_document(answer: Reconciliation) -> types.Reconciliation:
    """The JSON document, versioned by its `schema`."""
    names = [convention.name for convention in answer.conventions]
    return {
        "schema": "netcount/reconcile/1",
        **subject(answer.net),
        "complete": answer.net.complete,
        "conventions": [
            {"name": convention.name, "about": convention.about, "used_by": convention.used_by}
            for convention in answer.conventions
        ],
        "types": [
            {
                "type": row.type,
                "layers": row.layers,
                "costs": dict(zip(names, row.costs, strict=True)),
                "differing": list(row.differing),
            }
            for row in answer.rows
        ],
        "totals": dict(zip(names, answer.totals, strict=True)),
    }
