"""A drawing for Graphviz: boxes, arrows and colours; where they stand is left to it."""

from __future__ import annotations

from netcount.report.formats.svg import CHANGES, FAMILY, HEAT
from netcount.report.picture import Drawing

_LOST = {"broken": "#ffebe9", "unknown": "#f6f8fa"}


def dot(drawing: Drawing) -> str:
    """The drawing in Graphviz's language; names from a file are quoted text."""
    title = _quoted("\n".join((drawing.title, " · ".join(drawing.facts))))
    lines = [
        "digraph net {",
        f"  label={title};",
        "  labelloc=t;",
        '  node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10];',
        '  edge [fontname="Helvetica", fontsize=9];',
    ]
    for number, label in enumerate(drawing.labels):
        text = "\n".join(line.text for line in label.lines)
        more = ', color="#cf222e"' if label.tone == "broken" else ""
        lines.append(
            f"  n{number} [label={_quoted(text)}, tooltip={_quoted(label.about)}, "
            f'fillcolor="{fill_of(label.tone)}"{more}];'
        )
    for arrow, note in zip(drawing.picture.arrows, drawing.notes, strict=True):
        shown = f" [label={_quoted(note)}]" if note else ""
        lines.append(f"  n{arrow.source} -> n{arrow.target}{shown};")
    return "\n".join([*lines, "}", ""])


TONES: tuple[str, ...] = (*map(str, range(len(HEAT))), *FAMILY, *CHANGES, *_LOST, "")
"""All tones that a box can have."""


def fill_of(tone: str) -> str:
    """The colour of a box."""
    if tone.isdigit():
        return HEAT[int(tone)]
    return _LOST.get(tone) or (FAMILY | CHANGES).get(tone, "#f6f8fa")


def _quoted(text: str) -> str:
    """A text between quotes, in which nothing is an escape or an entity of Graphviz's.

    >>> print(_quoted('a"b' + chr(10) + chr(92) + "N"))
    "a\\"b\\n\\\\N"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("\n", "\\n") + '"'
