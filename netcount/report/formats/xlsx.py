"""Excel workbooks, by pandas and openpyxl (the extra `excel`).  Imported only when one is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from io import BytesIO

from netcount.core.errors import InputError
from netcount.report.formats.text import visible

_EXACT = 10**15
"""A spreadsheet computes in float64 and shows 15 digits: a larger whole number is written as text."""
_MOST_ROWS = 2**20 - 1
_MOST_CHARACTERS = 32_767


def workbook(header: Sequence[str], records: Iterable[Sequence[int | float | str]]) -> bytes:
    """A workbook of one sheet: the records as CSV has them, numbers as numbers, every text as text.

    Nothing in a name is a formula, an error value or a link.

    Raises:
        InputError: openpyxl is not installed, or a sheet has no room for so many records or for a text.
    """
    rows = [[_cell(value) for value in record] for record in records]
    if len(rows) > _MOST_ROWS:
        raise InputError(f"a sheet of .xlsx has room for {_MOST_ROWS:,} records, not for {len(rows):,}")
    if find_spec("openpyxl") is None:
        raise InputError(
            "a .xlsx file needs openpyxl, of the extra netcount[excel]; in a clone: "
            "python -m pip install '.[excel]'"
        )
    import pandas as pd

    stream = BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as writer:
        pd.DataFrame(rows, columns=list(header), dtype=object).to_excel(
            writer, sheet_name="netcount", index=False, freeze_panes=(1, 0)
        )
        for row in writer.sheets["netcount"].iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # "=1+1" would be a formula, "#N/A" an error
                    cell.quotePrefix = True
    return stream.getvalue()


def _cell(value: int | float | str) -> int | float | str | None:
    if isinstance(value, int) and abs(value) >= _EXACT:
        return str(value)
    if not isinstance(value, str):
        return value
    text = visible(value)
    if len(text) > _MOST_CHARACTERS:
        raise InputError(f"a cell of .xlsx has room for {_MOST_CHARACTERS:,} characters, not for {len(text):,}")
    return text or None
