"""The report on a terminal, by rich: colours, the expensive rows marked.  Imported only there."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from netcount.report.layout import GAP, Part, Table, column_widths
from netcount.report.text import clipped

_HOT = ((0.1, "bold red"), (0.04, "yellow"), (0.01, "default"), (0.0, "dim"))


def show(parts: Sequence[Part], console: Console) -> None:
    """Print the parts.  No text is read as markup, highlighted, or allowed to wrap inside a cell.

    A table that cannot be made narrow enough is wider than the terminal: a figure is never cut.
    """
    available = console.width or 80
    for part in parts:
        if isinstance(part, str):
            style = "yellow" if part.startswith(("warning:", "incomplete:")) else ""
            console.width = available
            console.print(Text(part, style=style), soft_wrap=False, highlight=False)
        else:
            widths = column_widths(part, available)
            console.width = max(available, sum(widths) + len(GAP) * len(widths))
            console.print(_table(part, widths), highlight=False)


def _table(table: Table, widths: Sequence[int]) -> RichTable:
    """A rich table of Text cells, laid out by `column_widths` so that every format agrees."""
    found = RichTable(box=None, padding=(0, len(GAP), 0, 0), pad_edge=False, show_footer=bool(table.footer))
    footer = table.footer or ("",) * len(table.titles)
    for column, (title, right, width, end) in enumerate(
        zip(table.titles, table.right, widths, footer, strict=True)
    ):
        found.add_column(
            Text(clipped(title, width, not column), style="bold"),
            Text(clipped(end, width, not column), style="bold"),
            justify="right" if right else "left",
            no_wrap=True,
            width=width,
            overflow="crop",
        )
    for index, row in enumerate(table.rows):
        heat = table.heat[index] if table.heat else 1.0
        style = next(style for least, style in _HOT if heat >= least) if table.heat else ""
        found.add_row(
            *(
                Text(clipped(cell, width, not column))
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ),
            style=style,
        )
    return found
