"""A drawing for Mermaid, which GitHub shows in Markdown."""

from __future__ import annotations

import re

from netcount.report.formats.dot import fill_of
from netcount.report.picture import Drawing

_TOLD = re.compile(r"[^A-Za-z0-9 .,/×·÷%()_-]")


def mermaid(drawing: Drawing) -> str:
    """The drawing as a flowchart; in names from a file every sign that could mean something is a number."""
    lines = ["flowchart TB"]
    for number, label in enumerate(drawing.labels):
        lines.append(f'  n{number}["{"<br/>".join(_inert(line.text) for line in label.lines)}"]')
    for arrow, note in zip(drawing.picture.arrows, drawing.notes, strict=True):
        shown = f'|"{_inert(note)}"|' if note else ""
        lines.append(f"  n{arrow.source} -->{shown} n{arrow.target}")
    tones: dict[str, list[str]] = {}
    for number, label in enumerate(drawing.labels):
        tones.setdefault(label.tone, []).append(f"n{number}")
    for tone, nodes in tones.items():
        kind = f"tone{tone or 'none'}"
        stroke = "#cf222e" if tone == "broken" else "#8c959f"
        lines.append(f"  classDef {kind} fill:{fill_of(tone)},stroke:{stroke},color:#1b1f24")
        lines.append(f"  class {','.join(nodes)} {kind}")
    return "\n".join([*lines, ""])


def _inert(text: str) -> str:
    """A text in which Mermaid and Markdown find no mark of theirs.

    >>> _inert('a"b`<c>'), _inert("fire2/expand3x3")
    ('a#34;b#96;#60;c#62;', 'fire2/expand3x3')
    """
    return _TOLD.sub(lambda match: f"#{ord(match[0])};", text)
