"""A report as HTML: a fragment for notebooks, or a page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible

_STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
p { margin: .3rem 0; white-space: pre-wrap; }
p.columns { font-family: ui-monospace, monospace; font-size: 13px; margin: 0; }
p:first-child { font-size: 1.2rem; font-weight: 600; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
th, td { padding: .15rem .7rem; white-space: nowrap; }
thead th { background: Canvas; border-bottom: 2px solid #8884; position: sticky; top: 0; }
tbody tr { border-bottom: 1px solid #8884; }
tfoot th { border-top: 2px solid #8884; }
tr[data-heat] { background: linear-gradient(#e8590c33, #e8590c33) no-repeat left; }
"""
"""A bar behind a row is as long as the row's share; colours follow the reader's."""


def html(parts: Sequence[Part]) -> str:
    """The parts as a fragment; names from a file are escaped, never markup."""
    return _block(parts, heated=False)


def page(parts: Sequence[Part]) -> str:
    """The parts as a page of its own: no script, nothing that is loaded, names from a file escaped."""
    title = next((part for part in parts if part and isinstance(part, str)), "netcount")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(visible(title))}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{_block(parts, heated=True)}\n</body>\n</html>\n"
    )


def _block(parts: Sequence[Part], heated: bool) -> str:
    blocks = [_part(part, heated) for part in parts if part]
    return f'<div class="netcount">{"".join(blocks)}</div>'


def _part(part: Part, heated: bool) -> str:
    if isinstance(part, Table):
        return _table(part, heated)
    if isinstance(part, str):
        return _line(part)
    inside = "".join(map(_line, part.lines))
    return f"<details><summary>{escape(visible(part.title))}</summary>{inside}</details>"


def _line(text: str) -> str:
    """A paragraph; one whose words stand in columns is set in equal widths."""
    kind = ' class="columns"' if "  " in text else ""
    return f"<p{kind}>{escape(visible(text))}</p>"


def _table(table: Table, heated: bool) -> str:
    head = _row(table.titles, table, "th")
    heats = table.heat if heated and table.heat else [None] * len(table.rows)
    body = "".join(_row(row, table, "td", heat) for row, heat in zip(table.rows, heats, strict=True))
    foot = f"<tfoot>{_row(table.footer, table, 'th')}</tfoot>" if table.footer else ""
    return f"<table><thead>{head}</thead><tbody>{body}</tbody>{foot}</table>"


def _row(cells: Sequence[str], table: Table, tag: str, heat: float | None = None) -> str:
    warm = f' data-heat style="background-size: {heat:.2%} 100%"' if heat else ""
    return f"<tr{warm}>{{}}</tr>".format(
        "".join(
            f'<{tag} style="text-align: {"right" if right else "left"}">{escape(visible(cell))}</{tag}>'
            for cell, right in zip(cells, table.right, strict=True)
        )
    )
