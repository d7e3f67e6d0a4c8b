"""A rescaled net: which layers changed, and what that does to the totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from netcount.analysis.count import count
from netcount.analysis.figures import sums_of
from netcount.analysis.rescale import Rescaled
from netcount.core.units import human, plural, times
from netcount.report import document
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, listed, visible
from netcount.report.tabular import csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_MOST_KEPT = 20
_FIELDS = ("layer", "line", "num_output_was", "num_output")


def rescaled_report(made: Rescaled) -> list[Part]:
    """The changed convolutions, then the totals before and after."""
    net = made.net
    parts: list[Part] = [heading(net.name, net.file, f"{plural(len(made.changes), 'layer')} changed")]
    if made.changes:
        rows = tuple((visible(c.layer), str(c.line), f"{c.was:,}", f"{c.now:,}") for c in made.changes)
        parts += ["", Table(("layer", "line", "num_output was", "num_output"), (False, True, True, True), rows)]
    kept = listed([visible(name) for name in made.classifiers], _MOST_KEPT)
    parts += ["", f"classifiers, whose channels stay: {kept}"] if kept else []
    return [*parts, "", *change_lines(made)]


def change_lines(made: Rescaled) -> list[str]:
    """The totals before and after, and what a reader of the text has to know."""
    before, after = count(made.before).totals, count(made.net).totals
    return [
        f"params  {human(before.params)} -> {human(after.params)}, {times(after.params, before.params)}",
        f"madds   {human(before.madds)} -> {human(after.madds)}, {times(after.madds, before.madds)}",
        *(f"note: {visible(str(note))}" for note in made.notes),
    ]


def rescaled_csv(made: Rescaled) -> str:
    """A record a changed convolution."""
    return csv_text(_FIELDS, (tuple(change) for change in made.changes))


def rescaled_document(made: Rescaled) -> types.Rescaled:
    """The JSON document, versioned by its `schema`."""
    return {
        "schema": "netcount/rescale/1",
        **document.subject(made.net),
        "complete": made.net.complete,
        "text": made.text,
        "changes": [
            cast("types.ChannelChange", dict(zip(_FIELDS, change, strict=True))) for change in made.changes
        ],
        "classifiers": list(made.classifiers),
        "notes": [document.warning(note) for note in made.notes],
        "totals_was": document.totals(sums_of(count(made.before).layers)),
        "totals": document.totals(sums_of(count(made.net).layers)),
    }
