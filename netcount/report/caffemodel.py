"""What a `.caffemodel` holds: layers, blobs, and the net."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netcount.caffemodel.read import CaffeModel
from netcount.core.shape import Shape
from netcount.core.units import human, human_bytes, plural
from netcount.prototxt.upgrade import V1_TYPES
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types


class StoredRow(NamedTuple):
    """A layer of the file: its type in today's spelling, the shapes of its blobs, and their elements."""

    name: str
    type: str
    shapes: tuple[tuple[int, ...], ...]
    elements: int


class Stored(NamedTuple):
    """A file's layers; prototxt: the net that it holds with its weights, or None."""

    net: str
    file: str
    layers: tuple[StoredRow, ...]
    prototxt: str | None
    unknown_fields: int


def stored(model: CaffeModel, file: str) -> Stored:
    """What an open file holds."""
    rows = [
        StoredRow(
            layer.name,
            V1_TYPES.get(layer.type, layer.type),
            tuple(blob.shape for blob in layer.blobs),
            sum(blob.count for blob in layer.blobs),
        )
        for layer in model.layers
    ]
    net = model.net_text()
    return Stored(model.net_name, file, tuple(rows), net.text if net.connected else None, net.unknown)


def stored_report(stored: Stored) -> list[Part]:
    """The table for people."""
    rows = [row for row in stored.layers if row.shapes]
    elements = sum(row.elements for row in rows)
    facts = (
        plural(len(stored.layers), "layer"),
        f"{human(elements)} values, {human_bytes(4 * elements)} in float32",
    )
    said = (
        "The file holds the net too: netcount from-caffemodel --format prototxt writes it."
        if stored.prototxt is not None
        else "The file holds weights alone: its layers do not say what they read."
    )
    table = Table(
        ("layer", "type", "blobs", "values"),
        (False, False, False, True),
        tuple(
            (
                visible(row.name),
                visible(row.type),
                "  ".join(str(Shape(shape)) or "1" for shape in row.shapes),
                f"{row.elements:,}",
            )
            for row in rows
        ),
        ("total", "", "", f"{elements:,}"),
    )
    return [heading(stored.net, stored.file, *facts), table, said]


def stored_document(stored: Stored) -> types.Caffemodel:
    """The JSON document, versioned by its `schema`."""
    return {
        "schema": "netcount/caffemodel/1",
        "net": stored.net,
        "file": stored.file,
        "layers": [
            {"name": row.name, "type": row.type, "blobs": [list(shape) for shape in row.shapes]}
            for row in stored.layers
        ],
        "prototxt": stored.prototxt,
        "unknown_fields": stored.unknown_fields,
    }


def stored_csv(stored: Stored) -> Csv:
    """A record a blob."""
    return csv_text(
        ("layer", "type", "blob", "shape", "elements"),
        (
            (row.name, row.type, index, str(Shape(shape)), Shape(shape).count())
            for row in stored.layers
            for index, shape in enumerate(row.shapes)
        ),
    )
