"""The figures of a net and of its layers: the one table that columns, limits, comparisons, sweeps, surveys,
baselines, documents, schemas and docs go by.

A new figure is one more line of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from netcount.analysis.count import Count
from netcount.analysis.rows import LayerRow
from netcount.core.opcount import OpCount
from netcount.core.units import FLOAT_BYTES

if TYPE_CHECKING:
    from netcount.analysis._support.receptive import Field

Unit: TypeAlias = Literal["values", "operations", "elements", "bytes", "layers"]


class Figure(NamedTuple):
    """One figure.

    Attributes:
        key: Its name in columns, documents, limits and Python.
        unit: What it is a number of.
        about: Its meaning, in the words that follow "the".
        layer: How one layer gives it; None for a figure that only a net has.
        net: How a net gives it; None for the sum over its layers.
        parts: For a figure that only a net has: what each layer has to do with it; None for nothing.
        whole: What a net's figure is of its layers: their sum, the largest, the peak, their number, or all
            its parts together.
        title: The head of its column, where that is not the key.
        label: What a line of totals calls it, where that is not the key.
        share: The key of its share by kernel size, which is a column and a limit too.
        share_title: The head of the column of shares.
        bits: The width in bits that a figure of bytes depends on, by the name of its setting.
        sum_of: The figures of a net that it is the sum of, each at a width of its own.
        main: Whether it is told of nets side by side (compare, survey, sweep).
        brief: Whether it is told there to people too, who do not ask for everything.
        kept: Whether a comparison and a baseline hold it for each layer.
        by_convention: Whether it depends on the convention of counting.
        moved_by: The kept figure of layers that tells best what moved it.
    """

    key: str
    unit: Unit
    about: str
    layer: Callable[[LayerRow], int] | None = None
    net: Callable[[Count], int] | None = None
    parts: Callable[[Count], Sequence[int]] | None = None
    whole: Literal["sum", "largest", "peak", "number", "together"] = "sum"
    title: str = ""
    label: str = ""
    share: str = ""
    share_title: str = ""
    bits: Literal["", "weight_bits", "activation_bits"] = ""
    sum_of: tuple[str, ...] = ()
    main: bool = True
    brief: bool = True
    kept: bool = True
    by_convention: bool = False
    moved_by: str = ""

    @property
    def heading(self) -> str:
        """The head of its column."""
        return self.title or self.key

    @property
    def meaning(self) -> str:
        """What it is, with the width that it depends on."""
        widths = dict.fromkeys(FIGURES[key].bits for key in self.sum_of) or ([self.bits] if self.bits else [])
        return f"{self.about}, at {' and '.join(widths)} a value" if widths else self.about

    @property
    def is_op_class(self) -> bool:
        """Whether it counts operations of a class that is no madds."""
        return self.key in OpCount._fields and self.key != "madds"

    def of(self, count: Count) -> int:
        """The figure of a net; bytes are those of float32."""
        if self.net is not None:
            return self.net(count)
        if self.sum_of:
            return sum(FIGURES[key].of(count) for key in self.sum_of)
        return sum(self.by_layer(count))

    def sized(self, totals: Mapping[str, int], bits: Mapping[str, int]) -> int:
        """A net's figure among its totals, at the widths of a weight and of an activation.

        >>> FIGURES["total_bytes"].sized({"weight_bytes": 40, "working_bytes": 400}, {"weight_bits": 8})
        410
        """
        if self.sum_of:
            return sum(FIGURES[key].sized(totals, bits) for key in self.sum_of)
        return self.at(totals[self.key], bits.get(self.bits, 8 * FLOAT_BYTES)) if self.bits else totals[self.key]

    def by_layer(self, count: Count) -> Sequence[int]:
        """What each layer of a net has of it; empty where layers have nothing to do with it."""
        if self.layer is not None:
            return [self.layer(row) for row in count.layers]
        return self.parts(count) if self.parts is not None else ()

    def at(self, value: int, bits: int) -> int:
        """A value of this figure where one stored value takes `bits`; counts stay as they are.

        >>> FIGURES["weight_bytes"].at(40, 6), FIGURES["params"].at(40, 6)
        (8, 40)
        """
        if self.unit != "bytes" or bits == 8 * FLOAT_BYTES:
            return value
        return -(-value // FLOAT_BYTES * bits // 8)


def _op(name: str, about: str) -> Figure:
    layer: Callable[[LayerRow], int] = attrgetter(f"ops.{name}")
    return Figure(name, "operations", about, layer, main=False, kept=False)


def _live(count: Count) -> list[int]:
    from netcount.analysis._support.liveness import usage

    return [FLOAT_BYTES * live for live in usage(count.net, in_place=True)]


def _working(count: Count) -> list[int]:
    nodes = count.net.nodes
    columns = [node.layer.working_memory(node.bottom_shapes, node.top_shapes).columns for node in nodes]
    return [live + FLOAT_BYTES * column for live, column in zip(_live(count), columns, strict=True)]


def _largest_tops(count: Count) -> list[int]:
    return [max((top.shape.count() for top in row.tops), default=0) for row in count.layers]


def _single(key: str, unit: Unit, of: Callable[[LayerRow], int], moved_by: str) -> Figure:
    """The largest figure of any one layer."""

    def parts(count: Count) -> list[int]:
        return [of(row) for row in count.layers]

    return Figure(
        f"layer_{key}",
        unit,
        f"{key} of any single layer",
        net=lambda count: max(parts(count), default=0),
        parts=parts,
        whole="largest",
        main=False,
        kept=False,
        moved_by=moved_by,
    )


_PARAMS: Callable[[LayerRow], int] = attrgetter("params")
_MADDS: Callable[[LayerRow], int] = attrgetter("ops.madds")

_TABLE = (
    Figure("params", "values", "learned values", _PARAMS, share="share_params", share_title="params %"),
    Figure(
        "statistics",
        "values",
        "values that are kept and not learned, such as BatchNorm's mean and variance",
        attrgetter("statistics"),
        label="statistics, not learned",
        brief=False,
    ),
    Figure("madds", "operations", "multiply-adds with learned matrices", _MADDS, share="share"),
    Figure(
        "cost",
        "operations",
        "number that the chosen convention counts",
        attrgetter("cost"),
        share="share_cost",
        brief=False,
        by_convention=True,
    ),
    _op("adds", "additions and subtractions"),
    _op("muls", "multiplications"),
    _op("divs", "divisions"),
    _op("compares", "comparisons, maxima and sign tests"),
    _op("exps", "exponentials, logarithms, powers and roots"),
    Figure(
        "activations", "elements", "elements of the tops that take memory of their own", attrgetter("activations")
    ),
    Figure(
        "weight_bytes",
        "bytes",
        "bytes of params and statistics",
        attrgetter("weight_bytes"),
        title="weights",
        label="weight bytes, float32",
        bits="weight_bits",
        kept=False,
        moved_by="params",
    ),
    Figure(
        "peak_bytes",
        "bytes",
        "bytes of activations alive at the peak",
        net=lambda count: max(_live(count), default=0),
        parts=_live,
        whole="peak",
        title="peak",
        bits="activation_bits",
        kept=False,
        moved_by="activations",
    ),
    Figure(
        "working_bytes",
        "bytes",
        "bytes of activations and im2col scratch, the most at one moment",
        net=lambda count: max(_working(count), default=0),
        parts=_working,
        whole="peak",
        label="peak with im2col",
        bits="activation_bits",
        main=False,
        kept=False,
        moved_by="activations",
    ),
    Figure(
        "total_bytes",
        "bytes",
        "bytes of weights, activations and im2col scratch together",
        whole="together",
        sum_of=("weight_bytes", "working_bytes"),
        main=False,
        kept=False,
        moved_by="activations",
    ),
    Figure(
        "layers",
        "layers",
        "number of layers",
        net=lambda count: len(count.layers),
        whole="number",
        main=False,
        kept=False,
    ),
    Figure(
        "largest_blob",
        "elements",
        "elements of the largest blob",
        net=lambda count: max((blob.shape.count() for blob in count.net.blobs), default=0),
        parts=_largest_tops,
        whole="largest",
        main=False,
        kept=False,
        moved_by="activations",
    ),
    _single("params", "values", _PARAMS, "params"),
    _single("madds", "operations", _MADDS, "madds"),
)

FIGURES: Mapping[str, Figure] = MappingProxyType({figure.key: figure for figure in _TABLE})
LAYER = tuple(figure for figure in _TABLE if figure.layer is not None)
"""Figures of a layer; their sums are figures of a net."""
MAIN = tuple(figure for figure in _TABLE if figure.main)
"""What is told of nets side by side."""
COMPARED = (*MAIN, *(figure for figure in _TABLE if not figure.main))
"""All figures of a net in the order of comparisons and baselines."""
KEPT = tuple(figure for figure in _TABLE if figure.kept and figure.layer is not None)
"""What comparisons and baselines hold of each layer."""
SWEPT = tuple(figure for figure in MAIN if not figure.by_convention)
"""What a sweep counts of each variant, and limits."""
SHARES: Mapping[str, Figure] = MappingProxyType({figure.share: figure for figure in _TABLE if figure.share})
"""By the key of a share by kernel size the figure that is shared."""


_OF_LAYER = tuple((figure.key, figure.layer) for figure in _TABLE if figure.layer is not None)


def layer_figure(figure: Figure, row: LayerRow) -> int:
    """A figure of one layer; TypeError for one that only a net has."""
    if figure.layer is None:
        raise TypeError(f"a layer has no {figure.key}")
    return figure.layer(row)


def layer_figures(row: LayerRow) -> dict[str, int]:
    """All figures of one layer."""
    return {key: of(row) for key, of in _OF_LAYER}


class NetFigures(dict[str, int]):
    """The figures of a counted net by key, each worked out when it is first asked for."""

    def __init__(self, count: Count) -> None:
        super().__init__()
        self._count = count
        self._fields: dict[int, Sequence[Field]] = {}

    def fields(self, row: LayerRow) -> Sequence[Field]:
        """The receptive fields of a layer's first top, one for each input that it depends on."""
        if not self._fields:
            from netcount.analysis._support.receptive import fields

            nodes, of_blobs = self._count.net.nodes, fields(self._count.net)
            for node, each in zip(nodes, self._count.layers, strict=True):
                self._fields[id(each)] = of_blobs[node.tops[0].index] if node.tops else ()
        return self._fields[id(row)]

    def __missing__(self, key: str) -> int:
        value = self[key] = FIGURES[key].of(self._count)
        return value


class Figured:
    """What has figures of a net: all in `figures` by key, the best known ones by name; 0 where there are none."""

    __slots__ = ()
    figures: Mapping[str, int]

    @property
    def params(self) -> int:
        """Learned values."""
        return self.figures.get("params", 0)

    @property
    def statistics(self) -> int:
        """Values that are kept and not learned."""
        return self.figures.get("statistics", 0)

    @property
    def madds(self) -> int:
        """Multiply-adds with learned matrices."""
        return self.figures.get("madds", 0)

    @property
    def cost(self) -> int:
        """The number that the chosen convention counts."""
        return self.figures.get("cost", 0)

    @property
    def activations(self) -> int:
        """Elements of the tops that take memory of their own."""
        return self.figures.get("activations", 0)

    @property
    def weight_bytes(self) -> int:
        """Bytes of params and statistics."""
        return self.figures.get("weight_bytes", 0)

    @property
    def peak_bytes(self) -> int:
        """Bytes of activations alive at the peak."""
        return self.figures.get("peak_bytes", 0)


def sums_of(rows: Iterable[LayerRow]) -> dict[str, int]:
    """The figures of some layers together: each figure of a layer, summed."""
    members = list(rows)
    return {key: sum(map(of, members)) for key, of in _OF_LAYER}


def in_bytes(key: str) -> bool:
    """Whether a figure is a number of bytes, which takes KiB and MB and is shown so."""
    return key in FIGURES and FIGURES[key].unit == "bytes"


def moved_by(key: str) -> str:
    """The figure of single layers that tells best what moved a figure, or a share, of the net."""
    figure = SHARES.get(key) or FIGURES.get(key)
    if figure is None:
        return "madds"
    return figure.moved_by or (figure.key if figure in KEPT else "madds")
