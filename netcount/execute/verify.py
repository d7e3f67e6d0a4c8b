"""A run held against the analysis: shapes inferred and executed, madds counted and performed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.analysis._support.liveness import RunMemory, alive, run_memory
from netcount.core.errors import InputError, LimitError, Place
from netcount.core.shape import Shape
from netcount.core.units import FLOAT_BYTES, human_bytes
from netcount.execute.executor import Executor, Step
from netcount.execute.init_weights import unfilled
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class BlobCheck(NamedTuple):
    """A top: the inferred shape, the executed one, and what the rules expect it to be.

    `expected` differs from `inferred` behind a blob whose extents the data decide: there it is
    inferred anew from the bottoms that came.  It is None where the layer's own data decide.
    """

    name: str
    inferred: Shape
    executed: Shape
    expected: Shape | None

    @property
    def by_data(self) -> bool:
        """Whether the data have a say in the extents."""
        return self.expected != self.inferred

    @property
    def agrees(self) -> bool:
        """Whether the executed shape is the expected one; where data decide, the number of axes."""
        if self.expected is None:
            return len(self.executed) == len(self.inferred)
        return self.executed == self.expected


class LayerCheck(NamedTuple):
    """A layer: its tops, the madds counted and performed, the seconds it took, the activations alive.

    Behind a blob whose extents the data decide the madds are counted for the extents that came.
    """

    name: str
    type: str
    line: int
    tops: tuple[BlobCheck, ...]
    counted: int
    performed: int
    seconds: float
    live_bytes: int

    @property
    def gmacs_per_second(self) -> float:
        """Performed madds by time, in units of 10⁹."""
        return self.performed / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def agrees(self) -> bool:
        """Whether shapes and madds are as inferred."""
        return all(top.agrees for top in self.tops) and self.counted == self.performed


class AliveBlob(NamedTuple):
    """A blob that is in memory at the peak, in the shape it has there."""

    name: str
    shape: Shape

    @property
    def bytes(self) -> int:
        """Of float32."""
        return FLOAT_BYTES * self.shape.count()


class Verification(NamedTuple):
    """What one run showed."""

    net: Graph
    layers: tuple[LayerCheck, ...]
    outputs: dict[str, Array]
    random_weights: bool
    unfilled: bool
    extra_layers: tuple[str, ...]
    memory: RunMemory

    @property
    def peak(self) -> LayerCheck | None:
        """The layer with most bytes of activations alive, as measured; None for a net without layers."""
        return max(self.layers, key=lambda layer: layer.live_bytes, default=None)

    @property
    def alive(self) -> list[AliveBlob]:
        """The blobs that are in memory at the peak, one a buffer, largest first, as they were executed."""
        if not self.layers:
            return []
        executed = {
            blob.index: top.executed
            for node, layer in zip(self.net.nodes, self.layers, strict=True)
            for blob, top in zip(node.tops, layer.tops, strict=True)
        }
        peak = max(range(len(self.layers)), key=lambda index: self.layers[index].live_bytes)
        held = alive(self.net, in_place=True, node=peak)
        return sorted((AliveBlob(blob.name, executed[blob.index]) for blob in held), key=lambda blob: -blob.bytes)

    @property
    def agrees(self) -> bool:
        """Whether every layer did what was inferred."""
        return all(layer.agrees for layer in self.layers)


def allowed_memory(net: Graph, max_bytes: int | None) -> RunMemory:
    """What a run of `net` will need.  LimitError, with the figure, when that is more than `max_bytes`."""
    memory = run_memory(net)
    if max_bytes is not None and memory.total_bytes > max_bytes:
        raise LimitError(
            f"{net.file}: a run needs {memory}, more than the {human_bytes(max_bytes)} allowed",
            argument="max_memory",
        )
    return memory


def verify(
    net: Graph,
    weights: Mapping[str, Sequence[Array]] | None = None,
    inputs: Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    max_bytes: int | None = None,
    extra_layers: Sequence[str] = (),
    progress: Callable[[Step], None] | None = None,
) -> Verification:
    """Run `net` once and compare.

    Raises:
        LimitError: It would need more than `max_bytes`.
        InputError: There is nothing to run: no layers, or no blob with an element.
    """
    if not any(blob.shape.count() for blob in net.blobs):
        raise InputError("there is nothing to verify: no blob of the net holds anything", Place(net.file))
    memory = allowed_memory(net, max_bytes)
    executor = Executor(net, weights, seed=seed, fuse=False)  # each claim is measured by itself
    outputs = executor.run(inputs, progress)
    return Verification(
        net,
        tuple(_checks(executor.steps)),
        outputs,
        weights is None,
        weights is None and unfilled(net),
        tuple(extra_layers),
        memory,
    )


def _checks(steps: Iterable[Step]) -> Iterator[LayerCheck]:
    """Each layer that ran, held against the rules."""
    executed: dict[int, Shape] = {}
    by_data: set[int] = set()
    for step in steps:
        node = step.node
        own = node.layer.data_dependent(node.bottom_shapes) is not None
        behind = any(blob.index in by_data for blob in node.bottoms)
        bottoms = [executed[blob.index] for blob in node.bottoms] if behind else node.bottom_shapes
        expected: Sequence[Shape | None] = node.layer.infer(bottoms) if behind else node.top_shapes
        if own:
            expected = [None] * len(node.tops)
        counted = node.layer.ops(bottoms, step.shapes if own or behind else node.top_shapes).madds
        executed |= {blob.index: shape for blob, shape in zip(node.tops, step.shapes, strict=True)}
        if own or behind:
            by_data |= {blob.index for blob in node.tops}
        tops = tuple(
            BlobCheck(blob.name, blob.shape, shape, wanted)
            for blob, shape, wanted in zip(node.tops, step.shapes, expected, strict=True)
        )
        yield LayerCheck(
            node.name, node.type, node.place.line, tops, counted, step.madds, step.seconds, step.live_bytes
        )
