"""A drawing as SVG: one file that needs nothing else, in which names from a file are text and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from netcount.report.formats.text import clipped
from netcount.report.picture import LINE, PADDING, Drawing, Label, line_width, text_width

EDGE = 20
"""Around the picture."""
ARROW = 7
_CORNER = 6
_NARROWEST = 360
MOST_TITLE = 100
"""Cells of a longer name or file that are shown."""
HEAT = ("#ffffff", "#fff3e0", "#ffe0b2", "#ffcc80", "#ffb066", "#ff9248", "#f4743b")
"""From no cost to the dearest; dark text is readable on all of them."""
FAMILY = {
    "convolution": "#bbdefb",
    "pooling": "#c8e6c9",
    "normalization": "#e1bee7",
    "activation": "#ffe0b2",
    "shape": "#eceff1",
    "recurrent": "#b2dfdb",
    "detection": "#f8bbd0",
    "loss": "#ffcdd2",
    "data": "#fff9c4",
    "other": "#d7ccc8",
}
CHANGES = {
    "added": "#b7ecc1",
    "removed": "#ffd7d5",
    "changed": "#ffdf8e",
    "resized": "#ddf4ff",
    "renamed": "#ead9fb",
}
"""Of what one net changes of another."""
_STYLE = """
.nc { font-family: "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif; font-size: 11px }
.nc text { fill: #1b1f24 }
.nc .ground { fill: #ffffff }
.nc .title { font-size: 14px; font-weight: bold }
.nc .quiet { fill: #57606a }
.nc .box { stroke: #8c959f }
.nc .plain { fill: #f6f8fa }
.nc .block { stroke-width: 2 }
.nc .broken { fill: #ffebe9; stroke: #cf222e; stroke-width: 2 }
.nc .unknown { fill: #f6f8fa; stroke: #afb8c1; stroke-dasharray: 4 3 }
.nc .lost { fill: #57606a }
.nc .more { fill: #2f363d }
.nc .message { fill: #a40e26 }
.nc .name { font-size: 12px; font-weight: bold }
.nc .line { fill: none; stroke: #6e7781; stroke-width: 1.2 }
.nc .head { fill: #6e7781 }
"""
_DARK = """
@media (prefers-color-scheme: dark) {
.nc .ground { fill: #0d1117 }
.nc .over text, .nc .note { fill: #e6edf3 }
.nc .over .quiet, .nc .note { fill: #9ea7b3 }
.nc .line { stroke: #8b949e }
.nc .head { fill: #8b949e }
}
"""


def svg(found: Drawing) -> str:
    """The drawing as an SVG image."""
    placed = found.placed
    wide = max(placed.width, _NARROWEST)
    over, top, wide = _over(found, wide)
    about = " · ".join((found.title, *found.facts))
    left = EDGE + (wide - placed.width) // 2
    width, height = wide + 2 * EDGE, placed.height + top + EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(about)}" class="nc">',
        f"<title>{escape(about)}</title>",
        f"<style>{_STYLE}{_fills(found)}{_DARK}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
        over,
        f'<g transform="translate({left} {top})">',
    ]
    for arrow, route, note in zip(found.picture.arrows, placed.routes, found.notes, strict=True):
        parts.append(f'<path class="line" d="{path(route)}"/>')
        parts.append(f'<path class="head" d="{head(route[-1])}"/>')
        if note:
            x, y = route[0][0] + 5, placed.floors[arrow.source] + 13
            parts.append(f'<text class="note quiet" x="{x}" y="{y}">{escape(note)}</text>')
    for number, (label, rect) in enumerate(zip(found.labels, placed.boxes, strict=True)):
        box = found.picture.boxes[number]
        parts += _box(label, rect.x, rect.y, rect.width, rect.height, box.is_block)
    parts.append("</g>\n</svg>\n")
    return "\n".join(parts)


def _over(found: Drawing, wide: int) -> tuple[str, int, int]:
    """What stands above the picture, where that begins, and how wide both are."""
    lines = ['<g class="over">']
    y = EDGE + 12
    for parts, kind, size in (([found.title], "title", 14), (found.facts, "quiet", 11)):
        for row in _rows(parts, wide, size):
            lines.append(f'<text class="{kind}" x="{EDGE}" y="{y}">{escape(row)}</text>')
            wide = max(wide, text_width(row, size, kind == "title"))
            y += 18
    x = EDGE
    y += 4
    for tone, text in found.legend:
        room = text_width(text, 11) + (29 if tone else 10)
        if x > EDGE and x + room > EDGE + wide + 10:
            x, y = EDGE, y + 19
        if tone:
            lines.append(f'<rect class="box {_class(tone)}" x="{x}" y="{y - 10}" width="14" height="12" rx="2"/>')
        lines.append(f'<text class="quiet" x="{x + 19 if tone else x}" y="{y}">{escape(text)}</text>')
        x += room
    lines.append("</g>")
    return "\n".join(lines), y + 24, wide


def _rows(parts: Sequence[str], wide: int, size: int) -> list[str]:
    """Parts of a text on as many lines as they need."""
    rows: list[str] = []
    for part in parts:
        longer = f"{rows[-1]} · {part}" if rows else part
        if rows and text_width(longer, size, True) <= wide:
            rows[-1] = longer
        else:
            rows.append(clipped(part, MOST_TITLE))
    return rows


def _box(label: Label, x: int, y: int, width: int, height: int, block: bool) -> list[str]:
    lost = label.tone in ("broken", "unknown")
    kind = f"box {_class(label.tone)}{' block' if block and not lost else ''}"
    parts = [
        f"<g><title>{escape(label.about)}</title>",
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="5"/>',
    ]
    middle = x + width // 2
    for number, line in enumerate(label.lines):
        shown = f"{line.kind} lost" if label.tone == "unknown" else line.kind
        room = width - 2 * PADDING + 2
        squeezed = f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if line_width(line) > room else ""
        parts.append(
            f'<text class="{shown}" text-anchor="middle" x="{middle}" y="{y + PADDING + LINE * number + 11}"'
            f"{squeezed}>{escape(line.text)}</text>"
        )
    parts.append("</g>")
    return parts


def _class(tone: str) -> str:
    if not tone:
        return "plain"
    if tone.isdigit():
        return f"heat{tone}"
    return tone if tone in ("broken", "unknown") else f"of-{tone}"


def _fills(found: Drawing) -> str:
    tones = {label.tone for label in found.labels} | {tone for tone, _ in found.legend}
    heat = [f".nc .heat{tone} {{ fill: {fill} }}" for tone, fill in enumerate(HEAT) if str(tone) in tones]
    families = [f".nc .of-{name} {{ fill: {fill} }}" for name, fill in (FAMILY | CHANGES).items() if name in tones]
    if "removed" in tones:
        families.append(".nc .of-removed { stroke: #cf222e; stroke-dasharray: 4 3 }")
    return "\n".join([*heat, *families])


def path(route: Sequence[tuple[int, int]]) -> str:
    """The line of a route, round at its corners; it ends at the arrow's head.

    >>> path([(0, 0), (0, 20), (30, 20), (30, 50)])
    'M0 0V14Q0 20 6 20H24Q30 20 30 26V44'
    """
    x, y = route[0]
    end_x, end_y = route[-1]
    points = [*route[:-1], (end_x, end_y - ARROW + 1)]
    parts = [f"M{x} {y}"]
    for (x0, y0), (x1, y1), (x2, y2) in zip(points, points[1:], points[2:], strict=False):
        round_by = min(_CORNER, (abs(x1 - x0) + abs(y1 - y0)) // 2, (abs(x2 - x1) + abs(y2 - y1)) // 2)
        parts.append(_piece(x0, y0, x1, y1, round_by))
        away_x, away_y = (_sign(x2 - x1) * round_by, _sign(y2 - y1) * round_by)
        parts.append(f"Q{x1} {y1} {x1 + away_x} {y1 + away_y}")
    (x0, y0), (x1, y1) = points[-2:]
    parts.append(_piece(x0, y0, x1, y1, 0))
    return "".join(parts)


def head(end: tuple[int, int]) -> str:
    """The head of an arrow that ends there."""
    x, y = end
    return f"M{x} {y}L{x - 4} {y - ARROW}H{x + 4}Z"


def _piece(x0: int, y0: int, x1: int, y1: int, short: int) -> str:
    if x0 == x1:
        return f"V{y1 - _sign(y1 - y0) * short}"
    return f"H{x1 - _sign(x1 - x0) * short}"


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
