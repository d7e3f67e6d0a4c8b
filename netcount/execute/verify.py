"""A run held against the analysis: shapes inferred and executed, madds counted and performed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.analysis.liveness import run_bytes
from netcount.errors import LimitError
from netcount.execute.executor import Executor, Step
from netcount.execute.fill import unfilled
from netcount.net import Net
from netcount.shape import Shape
from netcount.units import human_bytes

if TYPE_CHECKING:
    from netcount.layers.run import Array


class BlobCheck(NamedTuple):
    """A top: the inferred shape and the executed one.  `bound`: the extents depend on data."""

    name: str
    inferred: Shape
    executed: Shape
    bound: bool

    @property
    def agrees(self) -> bool:
        """Whether they are the same, or differ only where the data decide."""
        return self.inferred == self.executed or self.bound


class LayerCheck(NamedTuple):
    """A layer: its tops, the madds counted and performed, and the seconds it took."""

    name: str
    type: str
    line: int
    tops: tuple[BlobCheck, ...]
    counted: int
    performed: int
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether shapes and madds are as inferred; where data decide, madds may be fewer."""
        shapes = all(top.agrees for top in self.tops)
        return shapes and self.counted == self.performed


class Verification(NamedTuple):
    """What one run showed."""

    net: Net
    layers: tuple[LayerCheck, ...]
    outputs: dict[str, Array]
    random_weights: bool
    unfilled: bool
    extra_layers: tuple[str, ...]
    needed_bytes: int

    @property
    def agrees(self) -> bool:
        """Whether every layer did what was inferred."""
        return all(layer.agrees for layer in self.layers)


def verify(
    net: Net,
    weights: Mapping[str, Sequence[Array]] | None = None,
    inputs: Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    max_bytes: int | None = None,
    extra_layers: Sequence[str] = (),
    progress: Callable[[Step], None] | None = None,
) -> Verification:
    """Run `net` once and compare.  LimitError when it would need more than `max_bytes`."""
    needed = run_bytes(net)
    if max_bytes is not None and needed > max_bytes:
        raise LimitError(
            f"a run needs {human_bytes(needed)} (weights, live blobs and column buffers), more than the "
            f"{human_bytes(max_bytes)} allowed; --max-memory raises the limit"
        )
    executor = Executor(net, weights, seed=seed)
    outputs = executor.run(inputs, progress)
    rows = []
    moved = False
    for step in executor.steps:
        node = step.node
        moved = moved or node.layer.data_dependent(node.bottom_shapes) is not None
        ops = node.layer.ops(node.bottom_shapes, node.top_shapes)
        if moved:  # behind a data-dependent blob the counts are for what was inferred there
            ops = ops._replace(madds=step.madds) if step.madds <= ops.madds else ops
        tops = tuple(
            BlobCheck(top.name, top.shape, shape, moved) for top, shape in zip(node.tops, step.shapes, strict=True)
        )
        rows.append(LayerCheck(node.name, node.type, node.place.line, tops, ops.madds, step.madds, step.seconds))
    return Verification(
        net,
        tuple(rows),
        outputs,
        weights is None,
        weights is None and unfilled(net),
        tuple(extra_layers),
        needed,
    )
