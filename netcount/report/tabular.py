"""CSV for spreadsheets and programs: one header, exact values, one line per record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from csv import writer
from io import StringIO

from netcount.analysis.count import Count
from netcount.analysis.figures import NetFigures
from netcount.report.analysis import View
from netcount.report.columns import CSV_KEYS, Value, arranged, columns_for
from netcount.report.formats.text import visible

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫")
"""What a formula begins with, in any width: spreadsheets of East Asia take all of them."""


def csv_cell(value: Value) -> Value:
    """A value that no spreadsheet takes for a formula: text that could be one gets a leading '.

    >>> csv_cell("=1+1"), csv_cell(-3), csv_cell("conv1"), csv_cell("  @x")
    ("'=1+1", -3, 'conv1', "'  @x")
    """
    if not isinstance(value, str):
        return value
    safe = visible(value)
    return f"'{safe}" if safe.lstrip().startswith(_FORMULA) else safe


class Csv(str):
    """CSV text that knows its records, for formats that keep numbers apart from text.

    Attributes:
        header: The names of the columns.
        records: The exact values.
    """

    __slots__ = ("header", "records")
    header: Sequence[str]
    records: Sequence[Sequence[Value]]


def csv_text(header: Sequence[str], records: Iterable[Sequence[Value]]) -> Csv:
    """CSV with a header; lines end in a newline."""
    rows = list(records)
    stream = StringIO()
    out = writer(stream, lineterminator="\n")
    out.writerow(header)
    out.writerows([csv_cell(value) for value in record] for record in rows)
    text = Csv(stream.getvalue())
    text.header, text.records = header, rows
    return text


def analysis_csv(counts: Sequence[Count], view: View) -> Csv:
    """One record a layer; there is no totals row that a spreadsheet would add up again.

    Several nets are told apart by a first column, `file`.
    """
    keys = view.columns or CSV_KEYS
    several = len(counts) > 1
    return csv_text(
        ["file", *keys] if several else keys,
        (
            [*([count.net.file] if several else []), *record]
            for count in counts
            for record in analysis_records(count, keys, view)
        ),
    )


def analysis_records(count: Count, keys: Sequence[str], view: View) -> Iterator[list[Value]]:
    """The exact values of the wanted rows."""
    columns = columns_for(count, keys)
    totals = NetFigures(count)
    for row in arranged(count, view.sort, view.top):
        yield [column.exact(row, totals) for column in columns]
