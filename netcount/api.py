"""netcount in Python: load a net, analyze it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast

from netcount.analysis._support.kernels import KernelShare
from netcount.analysis.conventions import Convention, convention_named
from netcount.analysis.count import Count, count
from netcount.analysis.rows import LayerRow, Totals
from netcount.core.errors import Warned
from netcount.core.files import text_of
from netcount.core.units import human
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadArguments, LoadOptions

if TYPE_CHECKING:
    import pandas as pd

    from netcount.analysis._support.resolutions import Resolution
    from netcount.analysis.blocks import Block
    from netcount.analysis.explain import Explanation
    from netcount.analysis.memory import Memory
    from netcount.analysis.reconcile import Reconciliation
    from netcount.analysis.rescale import Rescaled
    from netcount.analysis.sweep import Sweep
    from netcount.kernels.run import Array


class Net(Graph):
    """A net whose shapes are known, and the questions it can be asked."""

    @classmethod
    def of(cls, net: Graph) -> Net:
        """The same net, ready to be asked."""
        found = cls.__new__(cls)
        vars(found).update(vars(net))
        return found

    def analyze(self, convention: str | Convention = "madds") -> Analysis:
        """What every layer costs.  `convention` names what the column `cost` counts."""
        return Analysis(count(self, convention_named(convention)))

    def reconcile(self, *conventions: str | Convention) -> Reconciliation:
        """What each convention makes of the net, by layer type: where and why they differ."""
        from netcount.analysis.reconcile import reconcile

        return reconcile(self, [convention_named(each) for each in conventions])

    def run(
        self,
        inputs: Mapping[str, Array] | None = None,
        *,
        weights: str | os.PathLike[str] | Mapping[str, Sequence[Array]] | None = None,
        seed: int = 0,
        keep: Collection[str] = (),
    ) -> dict[str, Array]:
        """One forward pass in float32: outputs (and kept blobs) by name.

        inputs: arrays by blob name; an input not given is random.  weights: a .caffemodel, or arrays
        by layer name; without them they are random by the net's own fillers, seeded.
        """
        from netcount.execute.executor import Executor
        from netcount.execute.weights import read_caffemodel

        blobs = read_caffemodel(weights, self).blobs if isinstance(weights, (str, os.PathLike)) else weights
        return Executor(self, blobs, seed=seed, keep=keep).run(inputs)


class Analysis:
    """The cost of a net: `layers` in the order of the file, `totals`, shares by kernel size.

    >>> import netcount
    >>> net = netcount.load('''
    ... layer { name: "data" type: "Input" top: "data"
    ...         input_param { shape { dim: 1 dim: 3 dim: 9 dim: 11 } } }
    ... layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
    ...         convolution_param { num_output: 4 kernel_size: 3 } }
    ... ''')
    >>> net.analyze().totals.madds
    6804
    """

    def __init__(self, counted: Count) -> None:
        self._count = counted

    @property
    def net(self) -> Graph:
        """The net that was analyzed."""
        return self._count.net

    @property
    def convention(self) -> Convention:
        """The rule behind `cost`."""
        return self._count.convention

    @property
    def layers(self) -> tuple[LayerRow, ...]:
        """A row per layer."""
        return self._count.layers

    @property
    def totals(self) -> Totals:
        """The sums of all rows."""
        return self._count.totals

    @property
    def kernels(self) -> tuple[KernelShare, ...]:
        """Shares by kernel size, for the net and for families of named blocks."""
        return self._count.kernels

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What a reader of the figures has to know."""
        return self._count.warnings

    @property
    def complete(self) -> bool:
        """False when the cost of an assumed layer is missing."""
        return self._count.net.complete

    def explain(self, name: str, *, pattern: str | None = None, kind: str | None = None) -> Explanation:
        """Why the layer or block called `name` costs what it costs, and what else could stand there.

        pattern: as for `blocks`.  kind: "layer" or "block" where a name is both.
        InputError where nothing has that name.
        """
        from netcount.analysis.explain import explain

        return explain(self._count, name, pattern=pattern, kind=kind)

    def blocks(self, pattern: str | None = None) -> list[Block]:
        """The blocks of layers (`fire2/…`), each with its ends, totals and plain equivalent.

        pattern: a regular expression that names blocks by its first group, or by what it matches.
        """
        from netcount.analysis.blocks import blocks

        return blocks(self._count, pattern)

    def memory(self, bits: int = 32, weight_bits: int | None = None) -> Memory:
        """What the net needs in memory at these widths: live activations, scratch, weights."""
        from netcount.analysis.memory import memory

        return memory(self._count, bits, weight_bits)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document (docs/json.md)."""
        from netcount.report.document import document

        return cast("dict[str, Any]", document(self._count))

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame, one row per layer, exact integers; shapes as tuples in Caffe's order."""
        import pandas as pd

        from netcount.analysis.figures import NetFigures
        from netcount.report.columns import COLUMNS, CSV_KEYS

        totals = NetFigures(self._count)
        columns: dict[str, Any] = {
            key: [COLUMNS[key].exact(row, totals) for row in self.layers] for key in CSV_KEYS
        }
        columns["bottoms"] = [tuple(tuple(blob.shape) for blob in row.bottoms) for row in self.layers]
        columns["tops"] = [tuple(tuple(blob.shape) for blob in row.tops) for row in self.layers]
        columns["kernel"] = [row.window.kernel if row.window else None for row in self.layers]
        groups = [row.window.group if row.window else None for row in self.layers]
        columns["group"] = pd.array(groups, dtype="Int64")
        return pd.DataFrame(columns)

    def _repr_html_(self) -> str:
        from netcount.report.analysis import report
        from netcount.report.formats.html import html

        return html(report(self._count))

    def __str__(self) -> str:
        from netcount.report.analysis import report
        from netcount.report.formats.layout import plain

        return plain(report(self._count))

    def __repr__(self) -> str:
        net, totals = self.net, self.totals
        return (
            f"<Analysis of {net.name!r}: {len(net.nodes)} layers, "
            f"{human(totals.params)} params, {human(totals.madds)} madds>"
        )

    def __iter__(self) -> Iterator[LayerRow]:
        return iter(self.layers)


def load(source: str | os.PathLike[str], **options: Unpack[LoadArguments]) -> Net:
    """The net of a prototxt: a path, `-` for standard input, or the text itself.

    phase, level, stages: Caffe's NetState.  batch: images to count for, "net" for what the file
    declares.  input_shapes: N×C×H×W by blob name, "" for the only input.  assume: by type or layer
    name of layers netcount does not know: "identity", a shape, or a shape for each top.
    Raises netcount.InputError where Caffe would refuse the net, with file, line and column.
    """
    text, name = text_of(source)
    return Net.of(load_text(text, LoadOptions.of(**options), name))


def rescale(
    source: str | os.PathLike[str],
    *,
    width: float | str = 1,
    resolution: int | tuple[int, int] | None = None,
    multiple: int = 1,
    keep: Sequence[str] = (),
    **options: Unpack[LoadArguments],
) -> Rescaled:
    """A net at another width and resolution: `text` is its prototxt, in which only numbers differ.

    width: a factor for every convolution's num_output but the classifiers'; a text such as "1/3" is
    exact.  resolution: of the images, one number or height and width.  multiple: what channels are
    rounded to.  keep: layers whose channels stay.  options: as for `load`.
    InputError where a constant in the file makes it impossible, with its place.
    """
    from netcount.analysis._support.resolutions import Resolution
    from netcount.analysis.rescale import rescale as rescaled

    size = Resolution(*resolution) if isinstance(resolution, tuple) else resolution
    text, name = text_of(source)
    made = rescaled(
        text, name, LoadOptions.of(**options), width=width, resolution=size, multiple=multiple, keep=keep
    )
    return made._replace(net=Net.of(made.net), before=Net.of(made.before))


def sweep(
    source: str | os.PathLike[str],
    widths: Sequence[str | float] = ("1",),
    resolutions: Sequence[Resolution | int] = (),
    *,
    limits: Mapping[str, int] | None = None,
    multiple: int = 1,
    keep: Sequence[str] = (),
    bits: int = 32,
    **options: Unpack[LoadArguments],
) -> Sweep:
    """What every combination of `widths` and `resolutions` costs."""
    from netcount.analysis.rescale import Rescaler
    from netcount.analysis.sweep import sweep as swept

    text, name = text_of(source)
    rescaler = Rescaler(text, name, LoadOptions.of(**options), keep=keep, both_phases=False)
    return swept(rescaler, widths, resolutions, limits=limits, multiple=multiple, bits=bits)
