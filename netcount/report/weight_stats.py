"""What trained weights hold, a row per blob."""

from __future__ import annotations

from collections.abc import Sequence

from netcount.analysis._support.blob_stats import BlobStats
from netcount.core.units import human, percent, plural
from netcount.report.formats.fit import LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible


def stats_report(stats: Sequence[BlobStats]) -> list[Part]:
    """The table, and what is not a number."""
    spoilt = [row for row in stats if row.nonfinite]
    lines = [
        f"{visible(row.layer)} blob {row.index}: {plural(row.nonfinite, 'value')} not finite" for row in spoilt
    ]
    return [_table(stats), *lines]


def _table(stats: Sequence[BlobStats]) -> Table:
    """The counted densities, numbers of values and ranges, with the sums below."""
    elements, nonzero = sum(row.elements for row in stats), sum(row.nonzero for row in stats)
    return Table(
        ("layer", "blob", "role", "elements", "not 0", "density", "values", "least", "most"),
        (False, True, False, True, True, True, True, True, True),
        tuple(
            (
                visible(row.layer),
                str(row.index),
                row.role,
                human(row.elements),
                human(row.nonzero),
                percent(row.nonzero, row.elements),
                human(row.distinct),
                f"{row.least:.4g}",
                f"{row.most:.4g}",
            )
            for row in stats
        ),
        (
            f"total of {plural(len(stats), 'blob')}",
            "",
            "",
            human(elements),
            human(nonzero),
            percent(nonzero, elements),
            "",
            "",
            "",
        ),
        shrink=((0, 12), (2, LEFT_OUT), (4, LEFT_OUT), (0, 8)),
    )
