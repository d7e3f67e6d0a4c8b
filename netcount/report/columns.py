"""The columns a report of layers can have: a title for people, a key for machines, two renderings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from netcount.analysis.count import Count
from netcount.analysis.rows import LayerRow, Totals
from netcount.core.errors import InputError
from netcount.core.suggest import unknown
from netcount.core.units import human, human_bytes, percent
from netcount.graph.graph import Blob
from netcount.report.formats.text import visible, window_text

Value: TypeAlias = "int | float | str"


class Column(NamedTuple):
    """One column.

    exact: the value for machines (a whole number, a fraction, or raw text).  shown: what people
    read.  total: what people read in the totals row, empty where a sum has no meaning.
    """

    key: str
    title: str
    right: bool
    exact: Callable[[LayerRow, Totals], Value]
    shown: Callable[[LayerRow, Totals], str]
    total: Callable[[Totals], str]
    about: str


def _blank(totals: Totals) -> str:
    return ""


def _number(key: str, title: str, get: Callable[[LayerRow | Totals], int], about: str) -> Column:
    return Column(
        key,
        title,
        True,
        lambda row, totals: get(row),
        lambda row, totals: human(get(row)) if get(row) else "",
        lambda totals: human(get(totals)),
        about,
    )


def _share(key: str, title: str, get: Callable[[LayerRow | Totals], int], about: str) -> Column:
    return Column(
        key,
        title,
        True,
        lambda row, totals: get(row) / get(totals) if get(totals) else 0.0,
        lambda row, totals: percent(get(row), get(totals)) if get(row) else "",
        lambda totals: percent(get(totals), get(totals)),
        about,
    )


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


def _axes(shapes: Sequence[Blob]) -> str:
    return " ".join("x".join(map(str, named.shape)) or "scalar" for named in shapes)


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


def _owners(row: LayerRow) -> list[str]:
    return [blob.shared_with for blob in row.blobs if blob.shared_with]


def _op(name: str, about: str) -> Column:
    return _number(name, name, lambda row: int(getattr(row.ops, name)), about)


_ALL = (
    _text("name", "layer", lambda row: row.name, "the layer's name"),
    _text("type", "type", lambda row: row.type, "the layer's type"),
    Column(
        "line", "line", True, lambda row, _: row.line, lambda row, _: str(row.line), _blank,
        "line of the file",
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
    _text("group", "group", lambda row: str(row.window.group) if row.window else "", "groups", True),
    _text("bottoms", "input", lambda row: _axes(row.bottoms), "shapes of the bottoms", True),
    _text("tops", "output", lambda row: _axes(row.tops), "shapes of the tops", True),
    _number("params", "params", lambda row: row.params, "learned values the layer owns"),
    _number("statistics", "statistics", lambda row: row.statistics, "BatchNorm's kept values"),
    _number("madds", "madds", lambda row: row.ops.madds, "multiply-adds with learned matrices"),
    _share("share", "share", lambda row: row.ops.madds, "share of the net's madds"),
    _share("share_params", "params %", lambda row: row.params, "share of the net's params"),
    _number("cost", "cost", lambda row: row.cost, "the number of the chosen convention"),
    _share("share_cost", "share", lambda row: row.cost, "share of the net's cost"),
    _op("adds", "additions and subtractions"),
    _op("muls", "multiplications"),
    _op("divs", "divisions"),
    _op("compares", "comparisons, maxima, sign tests"),
    _op("exps", "exponentials, logarithms, powers, roots"),
    _number("activations", "activations", lambda row: row.activations, "elements of the tops"),
    Column(
        "weight_bytes", "weights", True,
        lambda row, _: 4 * (row.params + row.statistics),
        lambda row, _: human_bytes(4 * (row.params + row.statistics)) if row.blobs else "",
        lambda totals: human_bytes(totals.weight_bytes),
        "bytes of the layer's own blobs in float32",
    ),
    _text(
        "shared_with", "shared with",
        lambda row: " ".join(_owners(row)),
        "owners of blobs the layer borrows",
        shown=lambda row: ", ".join(dict.fromkeys(visible(o.rpartition("/")[0]) for o in _owners(row))),
    ),
    _text("note", "note", lambda row: row.note or "", "what a shape that depends on data stands for"),
)  # fmt: skip

COLUMNS: Mapping[str, Column] = MappingProxyType({column.key: column for column in _ALL})
CSV_KEYS = tuple(key for key in COLUMNS if key not in ("window",))
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
    found = []
    for key in keys or default_keys(count):
        if key not in COLUMNS:
            raise InputError(unknown("column", visible(key), COLUMNS, show_all=True))
        column = _in_images(COLUMNS[key], count.net.batch)
        if key == "cost":
            column = column._replace(title=visible(count.convention.unit))
        found.append(column)
    return found


def arranged(count: Count, sort: str | None = None, top: int | None = None) -> list[LayerRow]:
    """The rows in the wanted order (numbers: largest first), and no more than `top` of them.

    `top` without `sort` means the most expensive layers.
    """
    rows = list(count.layers)
    if sort is None and top is not None:
        sort = "cost"
    if sort is not None:
        (column,) = columns_for(count, [sort])
        values = {id(row): column.exact(row, count.totals) for row in rows}
        numeric = all(not isinstance(value, str) for value in values.values())
        rows.sort(key=lambda row: values[id(row)], reverse=numeric)
    return rows[:top]
