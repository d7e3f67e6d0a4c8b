"""A report before it has a format: tables of cells and lines of text, all safe to print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcount.report.formats.fit import GAP, Fitted, Yields, fitted
from netcount.report.formats.text import clipped, listed, padded, width

_INDENT = "    "
"""What stands before cells below their row."""


class Table(NamedTuple):
    """Cells for people.

    right: which columns are set to the right; their cells are figures and shapes, which are never cut.
    shrink: which columns give way on a narrow terminal (see `fit.Yields`).  heat: a share from 0 to 1 for
    each row, or None.  names: the columns that are shortened in the middle.  first: how many rows a comment in
    Markdown shows before it folds the rest.
    """

    titles: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    footer: tuple[str, ...] | None = None
    shrink: Yields = ((0, 12),)
    heat: tuple[float, ...] | None = None
    names: tuple[int, ...] = (0,)
    first: int | None = None


class Folded(NamedTuple):
    """Lines that a page shows when somebody asks for them; elsewhere they stand below their title."""

    title: str
    lines: tuple[str, ...]


Part = Table | Folded | str


class Line(NamedTuple):
    """A line of text.  role: "text", "title", "rule", "row" or "footer"; heat: that of a row."""

    text: str
    role: str
    heat: float | None = None


def plain(parts: Sequence[Part], available: int | None = None) -> str:
    """The report as text without colours; lines end without trailing spaces."""
    return "".join(f"{line.text}\n" for line in lines(parts, available))


def lines(parts: Sequence[Part], available: int | None = None) -> Iterator[Line]:
    """The report line by line, none wider than `available` where a figure is not wider by itself."""
    for part in parts:
        if isinstance(part, Table):
            yield from _table_lines(part, available)
            continue
        for text in (part,) if isinstance(part, str) else (part.title, *part.lines):
            yield from (Line(line, "text") for line in wrapped(text, available))


def _table_lines(table: Table, available: int | None) -> Iterator[Line]:
    fit = _fitted(table, available)
    titles, rows = _shown(table, fit)
    rule = Line("-" * (sum(fit.widths.values()) + len(GAP) * (len(fit.widths) - 1)), "rule")
    yield Line(_line(titles, table, fit), "title")
    yield rule
    for index, row in enumerate(rows):
        heat = table.heat[index] if table.heat else None
        yield Line(_line(row, table, fit), "row", heat)
        yield from (Line(text, "row", heat) for text in _below(row, table, fit, available))
    if table.footer:
        yield rule
        yield Line(_footer(table.footer, table, fit), "footer")
        yield from (Line(text, "footer") for text in _below(table.footer, table, fit, available))
    if fit.left_out:
        names = [table.titles[column] for column in fit.left_out]
        yield from (Line(text, "text") for text in wrapped(f"no room for: {listed(names, len(names))}", available))


def _fitted(table: Table, available: int | None) -> Fitted:
    body = [*table.rows, *([_narrow(table.footer, table.right)] if table.footer else [])]
    cells = [max((width(row[column]) for row in body), default=0) for column in range(len(table.titles))]
    titles = [width(title) for title in table.titles]
    labelled = [max(cells[0], _label(table, [*map(max, titles, cells)])), *cells[1:]]
    room = sum(map(max, titles, labelled)) + len(GAP) * (len(titles) - 1)
    wanted = labelled if available is None or room <= available else cells
    return fitted(titles, wanted, table.right, table.shrink, available)


def _label(table: Table, widths: Sequence[int]) -> int:
    """How wide the first column is for the footer's label, which stands over the empty cells behind it too."""
    if not table.footer or table.right[0]:
        return 0
    behind = 1
    while behind < len(widths) and not table.footer[behind]:
        behind += 1
    return width(table.footer[0]) - sum(widths[1:behind]) - len(GAP) * (behind - 1)


def _shown(table: Table, fit: Fitted) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The titles and the rows, texts that are too wide for their column shortened."""
    titles, rows = list(table.titles), [list(row) for row in table.rows]
    for column, cells in fit.widths.items():
        if not table.right[column] and any(width(row[column]) > cells for row in rows):
            from netcount.report.formats.shorten import shortened  # only a narrow terminal pays for it

            short = shortened([row[column] for row in rows], cells, middle=column in table.names)
            for row, text in zip(rows, short, strict=True):
                row[column] = text
    for column, cells in fit.widths.items():
        if width(table.titles[column]) > cells:
            from netcount.report.formats.shorten import shortened

            titles[column] = shortened(table.titles, cells)[column]
    return titles, rows


def _line(cells: Sequence[str], table: Table, fit: Fitted) -> str:
    return GAP.join(
        padded(cells[column], wide, table.right[column]) for column, wide in fit.widths.items()
    ).rstrip()


def _below(cells: Sequence[str], table: Table, fit: Fitted, available: int | None) -> list[str]:
    """The cells that stand below their row: a figure with its title, a text as it is."""
    told = []
    for column in fit.below:
        if cells[column]:
            title = f"{table.titles[column]} " if table.right[column] and table.titles[column] else ""
            told.append(title + cells[column])
    rows: list[str] = []
    for text in told:
        if rows and available is not None and width(rows[-1]) + len(GAP) + width(text) <= available:
            rows[-1] += GAP + text
        else:
            rows.append(_INDENT + text)
    return [line for text in rows for line in wrapped(text, available)]


def _narrow(footer: Sequence[str], right: Sequence[bool]) -> list[str]:
    """The footer's cells that need their column's width: not labels with empty cells behind."""
    behind = (*footer[1:], "-")
    return [
        "" if not (after or number) else cell for cell, after, number in zip(footer, behind, right, strict=True)
    ]


def _footer(cells: Sequence[str], table: Table, fit: Fitted) -> str:
    """A footer's line, in which a label may stand over the empty cells behind it."""
    columns = list(fit.widths)
    shown: list[str] = []
    start = 0
    while start < len(columns):
        end = start + 1
        column = columns[start]
        while not table.right[column] and end < len(columns) and not cells[columns[end]]:
            end += 1
        wide = sum(fit.widths[place] for place in columns[start:end]) + len(GAP) * (end - start - 1)
        text = cells[column] if table.right[column] else clipped(cells[column], wide)
        shown.append(padded(text, wide, table.right[column]))
        start = end
    return GAP.join(shown).rstrip()


def wrapped(text: str, available: int | None) -> list[str]:
    """Lines of a paragraph, broken at spaces where it is wider than `available`, and inside a longer word."""
    if available is None or width(text) <= available:
        return [text]
    indent = " " * min(len(text) - len(text.lstrip()) + 2, available // 2)
    lines: list[str] = []
    line = ""
    for word in re.findall(r"\s*\S+", text):
        if line and width(line) + width(word) > available:
            lines.append(line)
            line = indent + word.lstrip()
        else:
            line += word
        while width(line) > available:  # a word that no line holds, such as a path
            end = _end(line, len(indent) + 1, available)
            lines.append(line[:end])
            line = indent + line[end:]
    return [*lines, line]


def _end(line: str, least: int, available: int) -> int:
    """How many characters of the line `available` cells hold, at least `least`."""
    end = min(available, len(line))
    while end > least and width(line[:end]) > available:
        end -= 1
    return end
