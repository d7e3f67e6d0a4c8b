"""The supported layer types as a table."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from netcount.layers.registry import Catalogue
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types


class TypeRow(NamedTuple):
    """One layer type.  source: "stock" for Caffe's own, else the fork or package it comes from."""

    type: str
    source: str
    bottoms: str
    tops: str
    about: str


def catalogue_rows(catalogue: Catalogue) -> list[TypeRow]:
    """A row per type, by name; stock types first."""
    rows = []
    for key in catalogue:
        found = catalogue.get(key)
        if found is None:
            continue
        about = inspect.getdoc(found) or ""
        rows.append(
            TypeRow(
                key,
                found.source,
                str(found.bottoms),
                str(found.tops),
                about.split("\n\n")[0].replace("\n", " "),
            )
        )
    return sorted(rows, key=lambda row: (row.source != "stock", row.type.lower()))


def catalogue_report(rows: Sequence[TypeRow]) -> list[Part]:
    """The table for people."""
    return [catalogue_table(rows)]


def catalogue_document(rows: Sequence[TypeRow]) -> types.Layers:
    """The JSON document, versioned by its `schema`."""
    return {"schema": "netcount/layers/1", "types": [cast("types.LayerType", row._asdict()) for row in rows]}


def catalogue_csv(rows: Sequence[TypeRow]) -> Csv:
    """A record a type."""
    return csv_text(TypeRow._fields, rows)


def catalogue_table(rows: Sequence[TypeRow]) -> Table:
    """The rows for people."""
    return Table(
        ("type", "source", "bottoms", "tops", "what it does"),
        (False, False, False, False, False),
        tuple((row.type, row.source, _short(row.bottoms), _short(row.tops), row.about) for row in rows),
        shrink=((0, 23), (1, 8), (4, BELOW), (2, LEFT_OUT), (3, LEFT_OUT)),
    )


def _short(arity: str) -> str:
    return arity.replace("at least ", "≥ ")
