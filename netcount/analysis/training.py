"""What Caffe keeps in memory while it trains a net, and the largest batch for which that fits."""

from __future__ import annotations

from typing import NamedTuple

from netcount.analysis._support.gradients import NO_LOSS, gradients
from netcount.analysis._support.liveness import buffers
from netcount.analysis.count import Count, count
from netcount.analysis.rows import LayerRow
from netcount.core.errors import NetcountError
from netcount.core.shape import INT_MAX
from netcount.core.units import FLOAT_BYTES
from netcount.graph.draft import Draft
from netcount.graph.graph import Graph
from netcount.graph.solver_kind import SolverKind


class LayerTraining(NamedTuple):
    """What Caffe keeps for a layer while it trains, in elements.

    Attributes:
        row: The layer, counted.
        data: Of the tops that have memory of their own.
        diffs: Gradients of the tops, and of their copies where several layers read one.
        weights: Its own parameter blobs; each has a diff too, and the solver's history.
        columns: The column matrix of one image (im2col; none for 1×1).
    """

    row: LayerRow
    data: int
    diffs: int
    weights: int
    columns: int


class TrainingBatch(NamedTuple):
    """A batch, and what training with it keeps.

    Attributes:
        images: How many.
        bytes: What is kept.
    """

    images: int
    bytes: int


class TrainingFits(NamedTuple):
    """Whether training fits into a size.

    Attributes:
        limit_bytes: What there is.
        fits: Whether it does at the net's batch.
        largest: The largest batch that fits; None where one image does not, or the batch cannot be changed.
        over: The next one, which does not fit; None where the largest that Caffe can have fits, or the batch
            cannot be changed.
    """

    limit_bytes: int
    fits: bool
    largest: TrainingBatch | None
    over: TrainingBatch | None


class Training(NamedTuple):
    """What Caffe keeps in memory while it trains a net, in bytes of float32.

    counted: the net.  solver: what it is trained by.  layers: what each layer needs, in elements.  logged:
    elements of all tops, in-place ones and those of Splits again.  fit: whether it fits, where that was asked.
    """

    counted: Count
    solver: SolverKind
    layers: tuple[LayerTraining, ...]
    logged: int
    fit: TrainingFits | None = None

    @property
    def data_bytes(self) -> int:
        """A buffer for each blob."""
        return FLOAT_BYTES * sum(layer.data for layer in self.layers)

    @property
    def diff_bytes(self) -> int:
        """Gradients of the blobs."""
        return FLOAT_BYTES * sum(layer.diffs for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """All parameter blobs, statistics included."""
        return FLOAT_BYTES * sum(layer.weights for layer in self.layers)

    @property
    def weight_diff_bytes(self) -> int:
        """A gradient of each, also where it does not learn: Net::ClearParamDiffs sets all to 0."""
        return self.weight_bytes

    @property
    def history_bytes(self) -> int:
        """What the solver keeps from one iteration to the next."""
        return self.solver.history * self.weight_bytes

    @property
    def update_bytes(self) -> int:
        """What the solver computes an update in."""
        return self.solver.update * self.weight_bytes

    @property
    def column_bytes(self) -> int:
        """A column matrix for each layer that needs one."""
        return FLOAT_BYTES * sum(layer.columns for layer in self.layers)

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return (
            self.data_bytes
            + self.diff_bytes
            + self.weight_bytes
            + self.weight_diff_bytes
            + self.history_bytes
            + self.update_bytes
            + self.column_bytes
        )

    @property
    def log_bytes(self) -> int:
        """What Caffe's log calls "Memory required for data": every top, in-place ones and copies again."""
        return FLOAT_BYTES * self.logged


def training(draft: Draft, solver: SolverKind, limit_bytes: int | None = None) -> Training:
    """What Caffe keeps while it trains a net.

    Memory is taken when it is first used (syncedmem.cpp): a blob has data, and a diff where Backward writes or
    reads one; every parameter blob has a diff, and the solver's history, whether it learns or not.

    Args:
        draft: The net in the phase and for the batch that are wanted.
        solver: What it is trained by.
        limit_bytes: Look whether it fits into so much, and for the largest batch that does.
    """
    net = draft.graph()
    counted = count(net)
    needs = _of(net)
    if not needs.learns:
        counted = counted._replace(warnings=(*counted.warnings, NO_LOSS))
    layers = tuple(LayerTraining(row, *need) for row, need in zip(counted.layers, needs.layers, strict=True))
    answer = Training(counted, solver, layers, needs.logged)
    if limit_bytes is None:
        return answer
    return answer._replace(fit=_Batches(draft, solver, limit_bytes, answer).fits())


class _Needs(NamedTuple):
    layers: list[tuple[int, int, int, int]]
    logged: int
    learns: bool

    def bytes(self, solver: SolverKind) -> int:
        """All of it."""
        values = 2 + solver.history + solver.update  # a weight, its diff and what the solver has
        return FLOAT_BYTES * sum(
            data + diffs + values * weights + columns for data, diffs, weights, columns in self.layers
        )


def _of(net: Graph) -> _Needs:
    backward = gradients(net)
    data = [0] * len(net.nodes)
    largest: dict[int, int] = {}
    for blob, home in zip(net.blobs, buffers(net, in_place=True, passing=False), strict=True):
        largest[home] = max(largest.get(home, 0), blob.shape.count())
    for home, elements in largest.items():
        data[net.blobs[home].producer] += elements
    layers = []
    for node in net.nodes:
        weights = sum(
            blob.shape.count() for blob, owner in zip(node.params, node.owners, strict=True) if owner is None
        )
        columns = node.layer.working_memory(node.bottom_shapes, node.top_shapes).columns
        layers.append((data[node.index], backward.diffs[node.index], weights, columns))
    return _Needs(layers, backward.logged, any(backward.layers))


class _Batches:
    """The search for the largest batch."""

    def __init__(self, draft: Draft, solver: SolverKind, limit_bytes: int, own: Training) -> None:
        self._draft = draft
        self._solver = solver
        self._limit = limit_bytes
        self._own = own
        self._known: dict[int, int | None] = {}
        if own.counted.net.batch is not None:
            self._known[own.counted.net.batch] = own.total_bytes

    def fits(self) -> TrainingFits:
        """The verdict, and the two batches between which the limit lies."""
        fits = self._own.total_bytes <= self._limit
        own = self._own.counted.net.batch
        others = [] if own is None else [images for images in (2 * own, own - 1) if 0 < images <= INT_MAX]
        other = next((images for images in others if self._bytes(images) is not None), None)
        more = None if other is None else self._bytes(other)
        if own is None or other is None or more is None:
            return TrainingFits(self._limit, fits, None, None)
        each = max(1, (more - self._own.total_bytes) // (other - own))
        # what is kept grows in proportion to the batch but for rounding, so that the guess is nearly always right
        best, over = self._between(max(0, own + (self._limit - self._own.total_bytes) // each))
        return TrainingFits(self._limit, fits, self._batch(best), self._batch(over))

    def _between(self, guess: int) -> tuple[int, int]:
        """The largest batch that fits (0: none), and the smallest that does not, from a guess on."""
        low, high = 0, INT_MAX + 1
        guesses = [guess, guess + 1]
        while high - low > 1:
            probe = guesses.pop(0) if guesses else (low + high) // 2
            if not low < probe < high:
                continue
            if self._fits(probe):
                low = probe
            else:
                high = probe
        return low, high

    def _fits(self, images: int) -> bool:
        size = self._bytes(images)
        return size is not None and size <= self._limit

    def _bytes(self, images: int) -> int | None:
        """None where the net cannot be had for that batch."""
        if images not in self._known:
            options = self._draft.options._replace(batch=images)
            try:
                net = self._draft._replace(options=options).graph()
            except NetcountError:
                self._known[images] = None
            else:
                self._known[images] = _of(net).bytes(self._solver) if net.batch == images else None
        return self._known[images]

    def _batch(self, images: int) -> TrainingBatch | None:
        size = self._bytes(images) if 0 < images <= INT_MAX else None
        return None if size is None else TrainingBatch(images, size)
