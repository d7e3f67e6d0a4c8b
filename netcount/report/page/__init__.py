"""The page that shows a net: one file, which opens from a disk and loads nothing.

Its parts are written by hand: `page.html`, `page.css` and the modules of `SCRIPTS`, which Python joins.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, NamedTuple

from netcount.analysis._support.kernels import KernelShare
from netcount.analysis._support.liveness import lives
from netcount.analysis.compare import compared, facts, told_apart
from netcount.analysis.conventions import CONVENTIONS
from netcount.analysis.count import Count
from netcount.analysis.explain import every_reason
from netcount.analysis.reconcile import totals
from netcount.core.units import FLOAT_BYTES
from netcount.picture.picture import Picture
from netcount.report.changes import changes
from netcount.report.comparison import report
from netcount.report.explanation import madds_formula, params_formula, rule
from netcount.report.formats.dot import TONES, fill_of
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import kernel_text, visible
from netcount.report.picture import (
    COLOURS,
    PEAKS,
    SHARES,
    Colour,
    arrow_shape,
    block_lines,
    box_lines,
    drawing,
    legend,
    picture_document,
    unplaced,
)
from netcount.report.receptive import field_text

SCRIPTS = (
    "layout.js",
    "format.js",
    "model.js",
    "graph.js",
    "table.js",
    "text.js",
    "memory.js",
    "main.js",
    "start.js",
)
"""The page's modules, each behind those it imports."""
_EDITING = (*SCRIPTS[:-1], "editor.js", "assist.js", "live.js")
LIVE_SCRIPTS = (*_EDITING, "serve.js")
"""The same of the page that edits, which a server of netcount's gives."""
SITE_SCRIPTS = (*_EDITING, "links.js", "site.js")
"""The same of the public page, in which netcount itself runs (`engine_script`)."""
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:(?:async )?function|const|class) (\w+))", re.MULTILINE)


def net_page(
    picture: Picture, folded: Picture, text: str, colour: Colour = "madds", closed: Sequence[str] = ()
) -> str:
    """The page of a net.

    Args:
        picture: All of its layers, no block folded.
        folded: The same, every block folded.
        text: The file.
        colour: What the colours tell at first.
        closed: The blocks that are folded at first.
    """
    view = picture_document(drawing(picture, colour), text)
    data = {**_data(view, picture, folded, colour, closed), **page_reasons(picture.counted)}
    title = f"{visible(data['view']['analysis']['net']) or '(unnamed net)'} · netcount"
    return _page(title, _part("page.css"), data, script_text(SCRIPTS), "").text


def changes_page(before: Sides, after: Sides, text: str, closed: Sequence[str] = ()) -> str:
    """The page of what a net changes of another; both of them are whole.

    Args:
        before, after: The nets, with no block folded and with every one.
        text: The file of the second one.
        closed: The blocks that are folded at first.
    """
    opened, folded = changes(before.open, after.open), changes(before.folded, after.folded).drawing
    drawn = opened.drawing
    nets = told_apart([facts(side.open.counted) for side in (before, after)])
    labels = zip(folded.picture.boxes, folded.labels, strict=True)
    data = {
        **_data(picture_document(drawn, text), drawn.picture, after.folded, "changes", closed),
        **page_reasons(after.open.counted),
        "changes": {
            "facts": list(drawn.facts[:2]),
            "plain": [[line._asdict() for line in lines] for lines in opened.plain],
            "blocks": {
                box.name: {"tone": label.tone, "lines": [line._asdict() for line in label.lines]}
                for box, label in labels
                if box.is_block
            },
            "layers": opened.layers,
            "report": [cells(part) for part in report(compared(nets)) if part],
        },
    }
    legends = {name: [list(entry) for entry in entries] for name, entries in data["colors"].items()}
    every = [list(entry) for entry in drawn.legend]
    gone = [entry for entry in every if entry[0] == "removed"]  # its boxes stand there in every colour
    data["colors"] = {"changes": every, **{name: [*entries, *gone] for name, entries in legends.items()}}
    return _page(f"{drawn.facts[0]} · netcount", _part("page.css"), data, script_text(SCRIPTS), "").text


class Sides(NamedTuple):
    """The pictures of a net, with no block folded and with every one."""

    open: Picture
    folded: Picture


def cells(part: Part) -> str | dict[str, Any]:
    """A part of a report: a text, or a table's cells.

    `right`: which columns are set to the right.  `lines`: the column of the layers' lines, if it has one.
    """
    if isinstance(part, Table):
        lines = part.titles.index("line") if "line" in part.titles else None
        rows = [list(row) for row in part.rows]
        return {"head": list(part.titles), "rows": rows, "right": list(part.right), "lines": lines}
    return part if isinstance(part, str) else "\n".join((part.title, *part.lines))


def live_page(boot: Mapping[str, Any]) -> Policed:
    """The page that edits.  boot: what it is told at first (`serve.server`)."""
    style = _part("page.css") + _part("live.css")
    return _page("netcount", style, boot, script_text(LIVE_SCRIPTS), "; connect-src 'self'")


def site_page(boot: Mapping[str, Any]) -> Policed:
    """The public page, which edits without a server.  boot: what it is told at first (`tools/build_site.py`)."""
    style = _part("page.css") + _part("live.css") + _part("site.css")
    more = "; connect-src 'self' https:; worker-src 'self'"  # https: for the texts of ?url=
    return _page("netcount", style, boot, script_text(SITE_SCRIPTS), more)


def engine_script() -> str:
    """The worker of the public page."""
    return _part("engine.js")


class Policed(NamedTuple):
    """A page, and what it may do, as a Content-Security-Policy."""

    text: str
    policy: str


def _page(title: str, style: str, data: object, script: str, more: str) -> Policed:
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src blob: data:; "
        f"base-uri 'none'; form-action 'none'{more}"
    )
    page = _part("page.html")
    for name, value in (
        ("POLICY", policy),
        ("TITLE", escape(title)),
        ("STYLE", style),
        ("DATA", _inert(data)),
        ("SCRIPT", script),
    ):
        before, mark, after = page.partition(f"<!--{name}-->")
        if mark:
            page = before + value + after
        else:
            page = page.replace(f"%{name}%", value, 1)
    return Policed(page, policy)


def script_text(names: Sequence[str] = SCRIPTS) -> str:
    """The page's modules as one: each a function of its own, that gives what it exports."""
    joined = []
    for name in names:
        body = _IMPORT.sub("", _part(name))
        exported = ", ".join([match[2] for match in _EXPORT.finditer(body)])
        plain = _EXPORT.sub(r"\1", body)
        joined.append(f"const {{ {exported} }} = (() => {{\n{plain}return {{ {exported} }};\n}})();")
    return "\n".join(joined)


def page_reasons(counted: Count) -> dict[str, Any]:
    """What the page says of how a layer's figures come about; a third of the work, and wanted of one at a time."""
    rules: dict[str, int] = {}
    formulas, fields = [], []
    for reasons in every_reason(counted):
        number = rules.setdefault(rule(reasons), len(rules))
        formulas.append([number, params_formula(reasons), madds_formula(reasons.products)])
        fields.append([field_text(field) for field in reasons.fields])
    return {"rules": list(rules), "formulas": formulas, "fields": fields}


def page_data(picture: Picture, folded: Picture) -> dict[str, Any]:
    """What the page that edits shows, but for its text, which it has itself, and `page_reasons`.

    Args:
        picture: All layers of the net, no block folded.
        folded: The same, every block folded.
    """
    view = unplaced(picture, [box_lines(picture, box, "none") for box in picture.boxes])
    return _data(view, picture, folded, "madds", ())


def _data(
    view: Mapping[str, Any], picture: Picture, folded: Picture, colour: str, closed: Sequence[str]
) -> dict[str, Any]:
    """A picture's document, of which the page reads nothing that it places itself, and what else it shows."""
    counted = picture.counted
    net = counted.net
    conventions = list(CONVENTIONS.values())
    return {
        "view": view,
        "color": colour,
        "colors": {name: [list(entry) for entry in legend(picture, name)] for name in COLOURS},
        "fills": {tone: fill_of(tone) for tone in TONES},
        "shares": SHARES,
        "peaks": PEAKS,
        "folded": list(closed),
        "blocks": {name: [list(line) for line in lines] for name, lines in block_lines(folded).items()},
        "shapes": [
            [[blob.shape.hwc(net.batch) for blob in blobs] for blobs in (row.bottoms, row.tops)]
            for row in counted.layers
        ],
        "edges": [arrow_shape(picture, arrow) for arrow in picture.arrows],
        "families": [box.family for box in picture.boxes],
        "live": list(picture.live),
        "lives": [
            [life.blob.name, life.first, life.last, FLOAT_BYTES * life.elements]
            for life in lives(net, in_place=True)
        ],
        "kernels": [kernel_text(KernelShare(**share)) for share in view["analysis"]["kernels"]],
        "conventions": [
            [convention.name, convention.about, total]
            for convention, total in zip(conventions, totals(counted, conventions), strict=True)
        ],
    }


def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _inert(data: object) -> str:
    """JSON in which nothing ends the element it stands in; surrogates are escapes, as all else beyond ASCII."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
