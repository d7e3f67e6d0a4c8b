"""A report as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible


def html(parts: Sequence[Part]) -> str:
    """The parts as a fragment; names from a file are escaped, never markup."""
    blocks = [
        _table(part) if isinstance(part, Table) else f"<p>{escape(visible(part))}</p>" for part in parts if part
    ]
    return f'<div class="netcount">{"".join(blocks)}</div>'


def _table(table: Table) -> str:
    head = _row(table.titles, table, "th")
    body = "".join(_row(row, table, "td") for row in table.rows)
    foot = f"<tfoot>{_row(table.footer, table, 'th')}</tfoot>" if table.footer else ""
    return f"<table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table>"


def _row(cells: Sequence[str], table: Table, tag: str) -> str:
    return "<tr>{}</tr>".format(
        "".join(
            f'<{tag} style="text-align: {"right" if right else "left"}">{escape(visible(cell))}</{tag}>'
            for cell, right in zip(cells, table.right, strict=True)
        )
    )
