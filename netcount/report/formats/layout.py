"""A report before it has a format: tables of cells and lines of text, all safe to print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcount.report.formats.text import clipped, padded, width

GAP = "  "
_WORD = re.compile(r"\s*\S+")
"""A word with the space before it."""


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


class Line(NamedTuple):
    """A line of text.  role: "text", "title", "rule", "row" or "footer"; heat: that of a row."""

    text: str
    role: str
    heat: float | None = None


def column_widths(table: Table, available: int | None) -> list[int]:
    """Cells for each column, shrinkable ones made narrower until the table fits, if it can."""
    lines = [table.titles, *table.rows, *([_narrow(table.footer, table.right)] if table.footer else [])]
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
    return "".join(f"{line.text}\n" for line in lines(parts, available))


def lines(parts: Sequence[Part], available: int | None = None) -> Iterator[Line]:
    """The report line by line.  A number is never clipped: a table may be wider than `available`."""
    for part in parts:
        if isinstance(part, str):
            yield from (Line(text, "text") for text in wrapped(part, available))
            continue
        widths = column_widths(part, available)
        rule = Line("-" * (sum(widths) + len(GAP) * (len(widths) - 1)), "rule")
        yield Line(_line(part.titles, part, widths), "title")
        yield rule
        for index, row in enumerate(part.rows):
            yield Line(_line(row, part, widths), "row", part.heat[index] if part.heat else None)
        if part.footer:
            yield rule
            yield Line(_footer(part.footer, part, widths), "footer")


def _line(cells: Sequence[str], table: Table, widths: Sequence[int]) -> str:
    shown = (
        padded(clipped(cell, cells_wide, middle=not column), cells_wide, right)
        for column, (cell, cells_wide, right) in enumerate(zip(cells, widths, table.right, strict=True))
    )
    return GAP.join(shown).rstrip()


def _narrow(footer: Sequence[str], right: Sequence[bool]) -> list[str]:
    """The footer's cells that need their column's width: not labels with empty cells behind."""
    behind = (*footer[1:], "-")
    return [
        "" if not (after or number) else cell for cell, after, number in zip(footer, behind, right, strict=True)
    ]


def _footer(cells: Sequence[str], table: Table, widths: Sequence[int]) -> str:
    """A footer's line, in which a label may stand over the empty cells behind it."""
    shown: list[str] = []
    start = 0
    while start < len(cells):
        end = start + 1
        while not table.right[start] and end < len(cells) and not cells[end]:
            end += 1
        cells_wide = sum(widths[start:end]) + len(GAP) * (end - start - 1)
        shown.append(padded(clipped(cells[start], cells_wide), cells_wide, table.right[start]))
        start = end
    return GAP.join(shown).rstrip()


def wrapped(text: str, available: int | None) -> list[str]:
    """Lines of a paragraph, broken at spaces where it is wider than `available`."""
    if available is None or width(text) <= available:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    first, *words = _WORD.findall(text)
    lines, line = [], first
    for word in words:
        if width(line) + width(word) > available:
            lines.append(line)
            line = indent + word.lstrip()
        else:
            line += word
    return [*lines, line]
