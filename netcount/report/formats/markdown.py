"""Markdown tables as GitHub renders them, for pull requests and READMEs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import accumulate

from netcount.report.formats.layout import Folded, Part, Table
from netcount.report.formats.text import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&]|:(?=[\w+-]+:|//)|(?<=www)\.)")
"""Besides markup: what GitHub makes an emoji, or a link without being asked."""

_MOST_FOLDED = 40_000
"""Characters of rows that are folded, of the 65,536 that a comment on GitHub may have."""


def escaped(text: str) -> str:
    """Text that Markdown and HTML take literally, on one line.

    >>> print(escaped("a|b <img> *c*"))
    a\\|b &lt;img&gt; \\*c\\*
    >>> print(escaped("https://a www.b"))
    https\\://a www\\.b
    """
    plain = visible(text)
    if "www." not in plain and plain.replace("/", "").replace("-", "").replace(".", "").replace(" ", "").isalnum():
        return plain
    return _SPECIAL.sub(
        lambda m: {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"}.get(m[1], "\\" + m[1]),
        plain,
    )


def markdown(parts: Sequence[Part]) -> str:
    """The parts of a report, tables as Markdown tables and lines as paragraphs."""
    blocks: list[str] = []
    lines: list[str] = []
    for part in parts:
        if isinstance(part, str):
            if part:
                lines.append(escaped(" ".join(part.split())))
            continue
        if lines:
            blocks.append("  \n".join(lines))
            lines = []
        blocks.append(table(part) if isinstance(part, Table) else _folded(part))
    if lines:
        blocks.append("  \n".join(lines))
    return "\n\n".join(blocks) + "\n"


def table(part: Table) -> str:
    """One table; the footer is its last row, in bold.  Of a long one the first rows; the next are folded.

    >>> print(table(Table(("a",), (False,), tuple((str(number),) for number in range(5)), first=2)))
    | a |
    | --- |
    | 0 |
    | 1 |
    <BLANKLINE>
    <details><summary>3 more</summary>
    <BLANKLINE>
    | a |
    | --- |
    | 2 |
    | 3 |
    | 4 |
    <BLANKLINE>
    </details>
    """
    head = [
        _row([escaped(title) for title in part.titles]),
        _row(["---:" if right else "---" for right in part.right]),
    ]
    rows = [_row([escaped(cell) for cell in row]) for row in part.rows]
    foot = [_row([f"**{escaped(cell)}**" if cell else "" for cell in part.footer])] if part.footer else []
    if part.first is None or len(rows) <= part.first:
        return "\n".join([*head, *rows, *foot])
    rest = rows[part.first :]
    shown = [row for row, end in zip(rest, accumulate(map(len, rest)), strict=True) if end <= _MOST_FOLDED]
    title = f"{len(rest)} more" + (f", the first {len(shown)} of them" if len(shown) < len(rest) else "")
    below = "\n".join([*head, *shown])
    return "\n".join(
        [*head, *rows[: part.first], *foot, f"\n<details><summary>{title}</summary>\n\n{below}\n\n</details>"]
    )


def _folded(part: Folded) -> str:
    lines = "\n".join(f"- {escaped(' '.join(line.split()))}" for line in part.lines)
    return f"<details><summary>{_summary(part.title)}</summary>\n\n{lines}\n\n</details>"


def _summary(text: str) -> str:
    """Inside a tag GitHub reads HTML, and no Markdown."""
    return escape(visible(text), quote=False).replace("@", "&#64;")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
