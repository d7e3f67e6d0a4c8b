"""The supported layer types as a table."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from netcount.core.errors import InputError
from netcount.core.suggest import unknown
from netcount.layers.layer import Layer
from netcount.layers.reads import fields_read
from netcount.layers.registry import Catalogue
from netcount.prototxt.schema import fields_of
from netcount.report.formats.fit import BELOW, LEFT_OUT
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
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


class FieldRow(NamedTuple):
    """A field that a type reads.  default: None where the schema has none (repeated fields, messages)."""

    path: str
    kind: str
    repeated: bool
    default: str | None


class TypeDetail(NamedTuple):
    """All that is known of one layer type.

    Attributes:
        row: Its row in the list of all.
        text: What it does, in full.
        fields: What it reads.
        weights: Its parameter blobs, in words.
        counts: How its arithmetic is counted, in words.
    """

    row: TypeRow
    text: str
    fields: tuple[FieldRow, ...]
    weights: str
    counts: str


def type_detail(catalogue: Catalogue, key: str) -> TypeDetail:
    """What a type of the catalogue is, reads and counts.

    Raises:
        InputError: There is no such type; the nearest is named.
    """
    layer = catalogue.get(key)
    if layer is None:
        raise InputError(unknown("layer type", visible(key), [*catalogue]))
    return TypeDetail(
        _row(key, layer),
        inspect.getdoc(layer) or "",
        tuple(_field(path) for path in fields_read(layer)),
        _sentences(layer.blobs),
        _sentences(layer.ops),
    )


def _sentences(method: object) -> str:
    """The first paragraph of a docstring that is the method's own or inherited, but not the contract's."""
    text = inspect.getdoc(method) or ""
    contract = (inspect.getdoc(Layer.blobs), inspect.getdoc(Layer.ops))
    return "" if text in contract else " ".join(text.split("\n\n")[0].split())


def _field(path: str) -> FieldRow:
    """What the schema says of a field; one that it lacks is a package's own."""
    message = "LayerParameter"
    *parents, name = path.split(".")
    for parent in parents:
        message = fields_of(message)[parent][2] if parent in fields_of(message) else ""
    if not message or name not in fields_of(message):
        return FieldRow(path, "own", False, None)
    _, kind, type_name, repeated, default = fields_of(message)[name]
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return FieldRow(path, type_name.rpartition(".")[2] or kind, repeated, None if default is None else shown)


def catalogue_rows(catalogue: Catalogue) -> list[TypeRow]:
    """A row per type, by name; stock types first."""
    rows = []
    for key in catalogue:
        layer = catalogue.get(key)
        if layer is None:
            continue
        rows.append(_row(key, layer))
    return sorted(rows, key=lambda row: (row.source != "stock", row.type.lower()))


def _row(key: str, layer: type[Layer]) -> TypeRow:
    about = inspect.getdoc(layer) or ""
    first = about.split("\n\n")[0].replace("\n", " ")
    return TypeRow(key, layer.source, str(layer.bottoms), str(layer.tops), first)


def catalogue_report(rows: Sequence[TypeRow], detail: TypeDetail | None = None) -> list[Part]:
    """The table for people, or all that is known of one type."""
    return [catalogue_table(rows)] if detail is None else _about(detail)


def _about(detail: TypeDetail) -> list[Part]:
    row = detail.row
    paragraphs = [" ".join(paragraph.split()) for paragraph in detail.text.split("\n\n")]
    parts: list[Part] = [
        f"{visible(row.type)} · {visible(row.source)} · bottoms: {row.bottoms} · tops: {row.tops}",
        "",
        *map(visible, paragraphs),
        "",
    ]
    if detail.fields:
        rows = [
            (visible(field.path), visible(_kind(field)), visible(field.default or "")) for field in detail.fields
        ]
        parts += [Table(("reads", "type", "default"), (False, False, False), tuple(rows), shrink=((0, 20),)), ""]
    else:
        parts.append("reads    no field that decides a shape or a figure")
    parts.append(f"weights  {visible(detail.weights) or 'none, or as the file says'}")
    parts.append(f"counts   {visible(detail.counts) or 'no arithmetic, or as the file says'}")
    return parts


def _kind(field: FieldRow) -> str:
    return f"{field.kind}, repeated" if field.repeated else field.kind


def catalogue_document(rows: Sequence[TypeRow], detail: TypeDetail | None = None) -> types.Layers:
    """The JSON document, versioned by its `schema`; of one type with what it reads and counts."""
    told = [cast("types.LayerType", row._asdict()) for row in rows]
    if detail is not None:
        told[0]["text"] = detail.text
        told[0]["fields"] = [cast("types.TypeField", field._asdict()) for field in detail.fields]
        told[0]["weights"], told[0]["counts"] = detail.weights, detail.counts
    return {"schema": "netcount/layers/1", "types": told}


def catalogue_csv(rows: Sequence[TypeRow], detail: TypeDetail | None = None) -> Csv:
    """A record a type; of one type a record a field that it reads."""
    if detail is None:
        return csv_text(TypeRow._fields, rows)
    header = ("type", *FieldRow._fields)
    return csv_text(
        header, ((detail.row.type, f.path, f.kind, int(f.repeated), f.default or "") for f in detail.fields)
    )


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
