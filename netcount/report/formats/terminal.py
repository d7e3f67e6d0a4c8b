"""The report on a terminal, by rich: colours, the expensive rows marked.  Imported only there."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from netcount.report.formats.layout import Line, Part, lines

_HOT = ((0.1, "bold red"), (0.04, "yellow"), (0.01, "default"), (0.0, "dim"))
_WORDS = {"FAIL ": "bold red", "warn ": "yellow", "warning:": "yellow", "incomplete:": "yellow"}
_LEAST_WIDTH = 20
"""Cells a line; what is narrower is no terminal that a table can be read on, and figures would be cut."""
_STYLES = {"title": "bold", "footer": "bold", "rule": "dim"}


def show(parts: Sequence[Part], console: Console) -> None:
    """Print the parts, laid out as plain text is.  No text is read as markup, highlighted or cropped."""
    console.width = max(console.width or 80, _LEAST_WIDTH)
    for line in lines(parts, console.width):
        console.print(Text(line.text, style=_style(line)), highlight=False, soft_wrap=True)


def _style(line: Line) -> str:
    if line.role == "text":
        return next((style for word, style in _WORDS.items() if line.text.startswith(word)), "")
    if line.heat is not None:
        return next(style for least, style in _HOT if line.heat >= least)
    return _STYLES.get(line.role, "")
