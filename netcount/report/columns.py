"""The columns a report of layers can have: a title for people, a key for machines, two renderings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from netcount.analysis.count import Count
from netcount.analysis.figures import LAYER, Figure, NetFigures, layer_figure
from netcount.analysis.rows import LayerRow
from netcount.core.errors import InputError
from netcount.core.suggest import unknown
from netcount.core.units import percent
from netcount.graph.graph import Blob
from netcount.report.formats.amounts import amount
from netcount.report.formats.text import visible, window_text
from netcount.report.receptive import by_axis

Value: TypeAlias = "int | float | str"


class Column(NamedTuple):
    """One column.

    exact: the value for machines (a whole number, a fraction, or raw text), of a row of the net with
    these figures.  shown: what people read.  total: what people read in the totals row, empty where a
    sum has no meaning.
    """

    key: str
    title: str
    right: bool
    exact: Callable[[LayerRow, NetFigures], Value]
    shown: Callable[[LayerRow, NetFigures], str]
    total: Callable[[NetFigures], str]
    about: str


def _blank(totals: NetFigures) -> str:
    return ""


def _number(figure: Figure) -> Column:
    """The column of a figure of layers."""

    def shown(row: LayerRow, totals: NetFigures) -> str:
        value = layer_figure(figure, row)
        return amount(figure.key, value) if value else ""

    return Column(
        figure.key,
        figure.heading,
        True,
        lambda row, totals: layer_figure(figure, row),
        shown,
        lambda totals: amount(figure.key, totals[figure.key]),
        figure.meaning,
    )


def _share(figure: Figure) -> Column:
    """The column of a figure's shares."""

    def exact(row: LayerRow, totals: NetFigures) -> Value:
        whole = totals[figure.key]
        return layer_figure(figure, row) / whole if whole else 0.0

    def shown(row: LayerRow, totals: NetFigures) -> str:
        value = layer_figure(figure, row)
        return percent(value, totals[figure.key]) if value else ""

    return Column(
        figure.share,
        figure.share_title or "share",
        True,
        exact,
        shown,
        lambda totals: percent(totals[figure.key], totals[figure.key]),
        f"share of the net's {figure.key}",
    )


def _of_figures() -> Iterator[Column]:
    for figure in LAYER:
        yield _number(figure)
        if figure.share:
            yield _share(figure)


def _text(
    key: str,
    title: str,
    get: Callable[[LayerRow], str],
    about: str,
    right: bool = False,
    shown: Callable[[LayerRow], str] | None = None,
) -> Column:
    show = shown or (lambda row: visible(get(row)))
    return Column(
        key,
        title,
        right,
        lambda row, totals: get(row),
        lambda row, totals: show(row),
        _blank,
        about,
    )


def _extents(name: str) -> Column:
    """A column of a window's stride, pad or dilation."""
    return _text(name, name, lambda row: "x".join(map(str, getattr(row.window, name, ()))), f"{name} by axis")


def _axes(shapes: Sequence[Blob]) -> str:
    return " ".join("x".join(map(str, named.shape)) or "scalar" for named in shapes)


def _blobs(blobs: Sequence[Blob]) -> str:
    return " ".join(blob.name for blob in blobs)


def _hwc(shapes: Sequence[Blob], images: int | None) -> str:
    if not shapes:
        return ""
    first = shapes[0].shape.hwc(images)
    return first if len(shapes) == 1 else f"{first} (+{len(shapes) - 1})"


def _in_images(column: Column, images: int | None) -> Column:
    """A column of shapes that shows them for one image of a batch of `images`."""
    if column.key == "bottoms":
        return column._replace(shown=lambda row, _: _hwc(row.bottoms, images))
    if column.key == "tops":
        return column._replace(shown=lambda row, _: _hwc(row.tops, images) + ("*" if row.note else ""))
    return column


def _field(key: str, title: str, of: str, about: str) -> Column:
    """A column of the receptive field: of the input that a layer sees most of."""

    def exact(row: LayerRow, totals: NetFigures) -> str:
        fields = totals.fields(row)
        return by_axis(getattr(max(fields, key=lambda field: prod(field.size)), of)) if fields else ""

    return Column(key, title, True, exact, exact, _blank, about)


def _owners(row: LayerRow) -> list[str]:
    return [blob.shared_with for blob in row.blobs if blob.shared_with]


_ALL = (
    _text("name", "layer", lambda row: row.name, "the layer's name"),
    _text("type", "type", lambda row: row.type, "the layer's type"),
    Column(
        "line", "line", True, lambda row, _: row.line, lambda row, _: str(row.line), _blank,
        "line of the file",
    ),
    Column(
        "end_line", "last line", True, lambda row, _: row.end_line, lambda row, _: str(row.end_line), _blank,
        "last line of the layer in the file",
    ),
    _text(
        "window", "kernel", lambda row: window_text(row.window, "x"),
        "kernel/stride, pad p, dilation d, group g or dw for depthwise",
        shown=lambda row: window_text(row.window),
    ),
    _text(
        "kernel", "kernel size",
        lambda row: "x".join(map(str, row.window.kernel)) if row.window else "",
        "kernel extents",
    ),
    _extents("stride"),
    _extents("pad"),
    _extents("dilation"),
    _text("group", "group", lambda row: str(row.window.group) if row.window else "", "groups", True),
    _text("bottom_blobs", "bottoms", lambda row: _blobs(row.bottoms), "names of the bottoms"),
    _text("top_blobs", "tops", lambda row: _blobs(row.tops), "names of the tops"),
    _text("bottoms", "input", lambda row: _axes(row.bottoms), "shapes of the bottoms", True),
    _text("tops", "output", lambda row: _axes(row.tops), "shapes of the tops", True),
    *_of_figures(),
    _text(
        "shared_with", "shared with",
        lambda row: " ".join(_owners(row)),
        "owners of blobs the layer borrows",
        shown=lambda row: ", ".join(dict.fromkeys(visible(o.rpartition("/")[0]) for o in _owners(row))),
    ),
    _text("note", "note", lambda row: row.note or "", "what a shape that depends on data stands for"),
    _field("receptive", "sees", "size", "pixels of the input that a value depends on, along all paths"),
    _field("receptive_least", "sees least", "least", "the same along the path that sees least"),
    _field("receptive_stride", "moves by", "stride", "pixels from one value's field to the next one's"),
    _field("receptive_offset", "centre", "offset", "centre of the first value's field, from the first pixel's"),
    _field("receptive_pad", "sees before", "pad", "pixels of padding that the first value's field begins with"),
)  # fmt: skip

COLUMNS: Mapping[str, Column] = MappingProxyType({column.key: column for column in _ALL})
_BY_TITLE = {column.title: column.key for column in reversed(_ALL)}
CSV_KEYS = tuple(key for key in COLUMNS if key != "window" and not key.startswith("receptive"))
"""All but what says another column's anew, and receptive fields, which take a walk over the net."""
NUMBERS = frozenset(column.key for column in _ALL if column.total is not _blank)
"""The columns that sum up."""


def default_keys(count: Count) -> tuple[str, ...]:
    """The columns of a table for people, which name the convention's number, and whose params are shared."""
    keys = ("name", "type", "window", "tops", "params", "madds")
    cost = ("share",) if count.convention.name == "madds" else ("cost", "share_cost")
    shared = ("shared_with",) if any(_owners(row) for row in count.layers) else ()
    return (*keys, *cost, *shared)


def columns_for(count: Count, keys: Sequence[str] | None) -> list[Column]:
    """The wanted columns, or the default ones; InputError names the known keys."""
    columns = []
    for key in keys or default_keys(count):
        if key not in COLUMNS:
            raise InputError(unknown("column", visible(key), COLUMNS, show_all=True, also=_BY_TITLE))
        column = _in_images(COLUMNS[key], count.net.batch)
        if key == "cost":
            column = column._replace(title=visible(count.convention.unit))
        columns.append(column)
    return columns


def arranged(count: Count, sort: str | None = None, top: int | None = None) -> list[LayerRow]:
    """The rows in the wanted order (numbers: largest first), and no more than `top` of them.

    `sort` names columns with commas between, the first of which decides first.  `top` without `sort`
    means the most expensive layers.
    """
    rows = list(count.layers)
    if sort is None and top is not None:
        sort = "cost"
    totals = NetFigures(count)
    for key in reversed(sort.split(",") if sort is not None else []):
        (column,) = columns_for(count, [key.strip()])
        values = {id(row): column.exact(row, totals) for row in rows}
        numeric = all(not isinstance(value, str) for value in values.values())
        rows.sort(key=lambda row: values[id(row)], reverse=numeric)
    return rows[:top]
