"""A report before it has a format: tables of cells and lines of text, all safe to print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netcount.report.text import clipped, padded, width

GAP = "  "


class Table(NamedTuple):
    """Cells for people.

    right: which columns are set to the right.  shrink: which columns may be clipped, first ones first,
    and to how many cells.  heat: a share from 0 to 1 for each row, or None.
    """

    titles: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...] | None = None
    shrink: tuple[tuple[int, int], ...] = ((0, 12),)
    heat: tuple[float, ...] | None = None


Part = Table | str


def column_widths(table: Table, available: int | None) -> list[int]:
    """Cells for each column, shrinkable ones made narrower until the table fits, if it can."""
    lines = [table.titles, *table.rows, *([table.footer] if table.footer else [])]
    widths = [max(width(line[i]) for line in lines) for i in range(len(table.titles))]
    if available is None:
        return widths
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - available
    for column, least in table.shrink:
        if excess > 0:
            taken = min(excess, max(0, widths[column] - least))
            widths[column] -= taken
            excess -= taken
    return widths


def plain(parts: Sequence[Part], available: int | None = None) -> str:
    """The report as text without colours; lines end without trailing spaces."""
    lines: list[str] = []
    for part in parts:
        if isinstance(part, str):
            lines.extend(wrapped(part, available))
            continue
        widths = column_widths(part, available)
        rule = "-" * min(sum(widths) + len(GAP) * (len(widths) - 1), available or 10_000)
        lines.append(_line(part.titles, part, widths))
        lines.append(rule)
        lines.extend(_line(row, part, widths) for row in part.rows)
        if part.footer:
            lines.append(rule)
            lines.append(_line(part.footer, part, widths))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], table: Table, widths: Sequence[int]) -> str:
    shown = (
        padded(clipped(cell, cells_wide, middle=not column), cells_wide, right)
        for column, (cell, cells_wide, right) in enumerate(zip(cells, widths, table.right, strict=True))
    )
    return GAP.join(shown).rstrip()


def wrapped(text: str, available: int | None) -> list[str]:
    """Lines of a paragraph, broken at spaces where it is wider than `available`."""
    if available is None or width(text) <= available:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    lines, line = [], ""
    for word in text.split(" "):
        if line.strip() and width(line) + 1 + width(word) > available:
            lines.append(line)
            line = indent + word
        else:
            line = f"{line} {word}" if line or lines else word
    return [*lines, line]
