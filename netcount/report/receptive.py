"""Receptive fields, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.report.formats.text import visible

if TYPE_CHECKING:  # fractions takes as long to import as a small net to count
    from fractions import Fraction

    from netcount.analysis._support.receptive import Field
    from netcount.report import document_types as types


def by_axis(values: Sequence[int | Fraction | None], sign: str = "x") -> str:
    """A value an axis; halves and other fractions exactly, "-" for an axis without.

    >>> from fractions import Fraction
    >>> by_axis((40, 48)), by_axis((Fraction(1, 2), Fraction(4))), by_axis((None, 1))
    ('40x48', '1/2x4', '-x1')
    """
    return sign.join("-" if value is None else str(value) for value in values)


def field_text(field: Field) -> str:
    """One field in words."""
    words = [f"{by_axis(field.size, '×')} of {by_axis(field.extents, '×')} {visible(field.input.name)}"]
    if field.least != field.size:
        words.append(f"{by_axis(field.least, '×')} by the path that sees least")
    if any(field.stride):
        words.append(f"stride {_briefly(field.stride)}")
    words += [f"first centre at {_briefly(field.offset)}", f"pad {_briefly(field.pad)}"]
    return ", ".join(words)


def _briefly(values: Sequence[int | Fraction | None]) -> str:
    """One value where all axes have it."""
    return by_axis(values[:1] if len(set(values)) == 1 else values, "×")


def field_document(field: Field) -> types.ReceptiveField:
    """One field for programs."""
    return {
        "input": field.input.name,
        "extents": list(field.extents),
        "size": list(field.size),
        "least": list(field.least),
        "stride": [None if one is None else float(one) for one in field.stride],
        "offset": [None if one is None else float(one) for one in field.offset],
        "pad": list(field.pad),
    }
