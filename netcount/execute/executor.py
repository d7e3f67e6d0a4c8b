"""Runs a net layer by layer, and measures shapes, products and time of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import InputError, reason
from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.execute.blob_store import BlobStore, buffer_of
from netcount.execute.fusion import groups
from netcount.execute.init_weights import random_rows
from netcount.execute.weights import by_node, form_of
from netcount.graph.graph import Blob, Graph, Node
from netcount.layers.bases import Source
from netcount.layers.data.dummy_data import DummyData

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Step(NamedTuple):
    """What one layer did: the shapes of its tops, the products it performed, and its seconds.

    live_bytes: measured when it was done: the buffers of all blobs that this or a later layer reads, its
    own tops and the net's outputs; what a top overwrites in place is left out, as it is read no more.
    done_with: the layer that did this one's work along with its own, and whose seconds have it.
    """

    node: Node
    shapes: tuple[Shape, ...]
    madds: int
    seconds: float
    live_bytes: int
    done_with: Node | None = None


class Executor:
    """A net with its weights, ready to run (phase and batch are the net's).

    weights: arrays by layer name, in Caffe's order of blobs; without them they are random, seeded.
    keep: names of blobs to return besides the outputs; of a blob that is overwritten in place the
    last version is kept.
    fuse: whether a convolution does the work of the BatchNorm, Scale, Bias and element-wise layers behind it
    while its values are in the cache.  Each layer keeps its own step; rounding can differ in the last digits.
    """

    keep: frozenset[str]
    weights: list[list[Array]]

    def __init__(
        self,
        net: Graph,
        weights: Mapping[str, Sequence[Array]] | None = None,
        *,
        seed: int = 0,
        keep: Collection[str] = (),
        fuse: bool = True,
    ) -> None:
        if seed < 0:
            raise InputError(f"it is a whole number from 0, not {seed}", argument="seed")
        self.net = net
        self.seed = seed
        self.keep = frozenset(keep)
        known = {blob.name for blob in net.blobs}
        for name in self.keep - known:
            raise InputError(f'the net has no blob "{name}"', argument="keep")
        self.weights = self._checked(random_rows(net, seed) if weights is None else by_node(net, weights))
        self.steps: list[Step] = []
        self._groups = groups(net, self.weights, self.keep) if fuse else {}

    def _checked(self, weights: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """The blobs of every node, shared ones taken from their owner, shapes checked."""
        rows: list[list[Array]] = []
        for node, given in zip(self.net.nodes, weights, strict=True):
            row: list[Array] = []
            for index, (blob, owner) in enumerate(zip(node.params, node.owners, strict=True)):
                if owner is not None:
                    array = rows[owner.node][owner.index]
                    row.append(array if array.shape in blob.forms else array.reshape(blob.shape))
                    continue
                if index >= len(given):
                    raise InputError(
                        f'{node.type} "{node.name}" needs {len(node.params)} blobs, the weights have '
                        f"{len(given)}; blob {index} is {blob.shape}",
                        node.place,
                    )
                array = _floats(given[index], f'{node.type} "{node.name}": blob {index} of the weights')
                shape = form_of(array.shape, blob, legacy=array.ndim == 4)
                if shape is None:
                    raise InputError(
                        f'{node.type} "{node.name}": blob {index} is {blob.shape}, the weights have '
                        f"{Shape(array.shape)}",
                        node.place,
                    )
                row.append(array.reshape(shape))
            rows.append(row)
        return rows

    def run(
        self,
        inputs: Mapping[str, Array] | None = None,
        progress: Callable[[Step], None] | None = None,
        *,
        until: int | None = None,
    ) -> dict[str, Array]:
        """One forward pass.  inputs: arrays by blob name; an input that is not given is random.

        until: the index of the last layer to run.
        Returns outputs and kept blobs by name; `steps` then tells what every layer did.
        """
        from netcount.kernels.run import Run

        given = self._given(inputs or {})
        run = Run(self.seed, self.net.phase)
        store = self._store()
        self.steps = []
        last = len(self.net.nodes) - 1 if until is None else until
        leaders: dict[int, Node] = {}
        for node in self.net.nodes[: last + 1]:
            group = self._groups.get(node.index)
            if group is not None and group.followers[-1] <= last:
                run.after = group.passes
                leaders |= dict.fromkeys(group.followers, node)
            step = self._step(node, store, given, run, leaders.get(node.index))
            run.after = ()
            self.steps.append(step)
            if progress is not None:
                progress(step)
        return store.results

    def _store(self) -> BlobStore:
        """What keeps the arrays of one run."""
        return BlobStore(self.net, self.keep)

    def _step(
        self, node: Node, store: BlobStore, given: Mapping[str, Array], run: Run, leader: Node | None
    ) -> Step:
        """Run one layer and measure it; its tops live in the store as long as a layer will read them."""
        before, start = run.madds, perf_counter()
        if leader is not None:
            (top,) = store.bottoms(node)
            return Step(node, (Shape(top.shape),), 0, 0.0, store.replace(node, [top]), leader)
        with np.errstate(all="ignore"):  # as in Caffe, what overflows is infinite
            tops = self._forward(node, store, given, run)
        seconds = perf_counter() - start
        shapes = tuple(Shape(top.shape) for top in tops)
        return Step(node, shapes, run.madds - before, seconds, store.replace(node, tops))

    def _forward(self, node: Node, store: BlobStore, given: Mapping[str, Array], run: Run) -> list[Array]:
        names = [blob.name for blob in node.tops]
        if names and all(name in given for name in names) and node.layer.replaceable:
            return [given[name] for name in names]
        if isinstance(node.layer, Source) and not node.layer.computes:
            return [given[n] if n in given else self._random(node, n, run) for n in names]
        if isinstance(node.layer, DummyData):  # its shape may be the caller's, or of another batch
            return node.layer.filled(node.top_shapes, run)
        bottoms = store.bottoms(node)
        try:
            tops = node.layer.forward(bottoms, self.weights[node.index], run)
        except (ValueError, IndexError, TypeError, ArithmeticError, MemoryError) as failure:
            shapes = ", ".join(str(Shape(bottom.shape)) for bottom in bottoms) or "nothing"
            raise InputError(
                f'{node.type} "{node.name}" cannot be run on {shapes}: {reason(failure)}', node.place
            ) from failure
        return [_own(top, bottoms, node) for top in tops]

    def _random(self, node: Node, name: str, run: Run) -> Array:
        """Stand-in data for a declared input, labels where they are read as such; a database's are
        asked for by name."""
        blob = next(top for top in node.tops if top.name == name)
        if node.type != "Input":
            node.layer.forward([], [], run)  # says that it has no data, and how to give them
        limit = min(index_limits(self.net, blob), default=None)
        if limit is not None:
            return run.generator.integers(0, max(1, limit), blob.shape, np.int32).astype(np.float32)
        return run.generator.standard_normal(blob.shape, dtype=np.float32)

    def _given(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The caller's arrays in float32; each must name a blob and have its shape."""
        blobs = {blob.name: blob for blob in reversed(self.net.blobs)}
        arrays = {}
        for name, value in inputs.items():
            if name not in blobs:
                known = ", ".join(self.net.blobs[index].name for index in self.net.inputs)
                raise InputError(f'input "{name}": the net has no such blob; its inputs are {known}')
            array = _floats(value, f'input "{name}"')
            node = self.net.nodes[blobs[name].producer]
            dependent = node.layer.data_dependent(node.bottom_shapes) is not None
            if array.shape != blobs[name].shape and not dependent:
                raise InputError(f'input "{name}" is {Shape(array.shape)}, the net expects {blobs[name].shape}')
            if not node.layer.replaceable:
                raise InputError(f'input "{name}": "{node.name}" computes that blob')
            arrays[name] = array
        return arrays

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)


def _own(top: Array, bottoms: Sequence[Array], node: Node) -> Array:
    """A top that is its bottom only where the layer's type says so; a view of anything else is copied.

    So a buffer lives as long as the analysis says, and is as large.
    """
    buffer = buffer_of(top)
    if buffer is top:
        shown = any(top is bottom for bottom in bottoms)
    else:
        shown = buffer.nbytes != top.nbytes or any(buffer is buffer_of(bottom) for bottom in bottoms)
    return top.copy() if shown and not node.layer.passes_bottom else top


def index_limits(net: Graph, blob: Blob) -> Iterator[int]:
    """Below which whole number a blob's values must lie, for each layer that takes them for indices."""
    same = [blob]
    while same:
        blob = same.pop()
        for index in dict.fromkeys(net.readers[blob.index]):
            node = net.nodes[index]
            limits = node.layer.indices(node.bottom_shapes)
            for position, limit in limits.items():
                if position < len(node.bottoms) and node.bottoms[position] is blob:
                    yield limit
            if node.layer.shares_bottom:
                same += node.tops


def _floats(value: object, what: str) -> Array:
    """The caller's numbers in float32."""
    try:
        with np.errstate(over="ignore"):
            # a file's values may lie at any byte, and would be copied in every product
            return np.require(value, np.float32, ["ALIGNED"])
    except (ValueError, TypeError, OverflowError) as failure:
        raise InputError(f"{what} is not an array of numbers: {reason(failure)}") from None
