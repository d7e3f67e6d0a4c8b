"""The ONNX graph while it grows: constants, and small ops that many rules share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from netcount.core.lazy_numpy import np
from netcount.export.ops import Inexpressible, Ops
from netcount.graph.graph import Graph, Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array

Rule: TypeAlias = "Callable[[OpGraph, Node, list[str]], list[str]]"
"""From a layer and the names of its bottoms to the names of its tops."""


class OpGraph(Ops):
    """An ONNX graph.

    Attributes:
        dynamic: Whether the batch is left open.
    """

    form = "ONNX"
    identity = "Identity"

    def __init__(self, net: Graph, weights: Sequence[Sequence[Array]], dynamic: bool = False) -> None:
        super().__init__(net, weights)
        self.dynamic = dynamic

    def constant(self, value: Any, what: str = "constant") -> str:
        """An array as it is (float32 or int64), under a name of the layer."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        elif array.dtype.kind in "iu":
            array = array.astype(np.int64)
        name = self.fresh(f"{self._layer}/{what}")
        self.constants[name] = array
        return name

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """One op; the name of its (first) output."""
        return self.op_all(kind, *inputs, outputs=outputs, **attributes)[0]

    def op_all(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> list[str]:
        """One op; the names of all its outputs."""
        made = [self.fresh(f"{self._layer}/{kind}") for _ in range(outputs)]
        self.ops.append((kind, list(inputs), made, attributes))
        return made

    def blob(self, node: Node, index: int, shape: Sequence[int] | None = None) -> str:
        """A parameter blob of the layer, in its own shape or another of as many values."""
        array = self.weights[node.index][index]
        return self.constant(array if shape is None else array.reshape(shape), f"blob{index}")

    def fixed(self, why: str) -> None:
        """Say that the layer has the batch built in."""
        if self.dynamic:
            raise Inexpressible(f"{why}: not with an open batch")

    def reshape(self, x: str, before: Sequence[int], after: Sequence[int]) -> str:
        """Other extents for the same values; the batch stays open where it is."""
        if tuple(before) == tuple(after):
            return x
        target = list(after)
        if self.dynamic and before and after:
            if before[0] == after[0]:
                target[0] = 0
            elif -1 not in target:
                target[0] = -1
        if self.dynamic and 0 in after:
            raise Inexpressible("a blob without elements: not with an open batch")
        empty = {"allowzero": 1} if 0 in after else {}
        return self.op("Reshape", x, self.constant(np.array(target, np.int64), "shape"), **empty)

    def slice(self, x: str, axis: int, start: int, stop: int) -> str:
        """The part of an axis from `start` to before `stop`."""
        return self.op("Slice", x, *(self.constant(np.array([v], np.int64), "at") for v in (start, stop, axis)))

    def reduce(self, kind: str, x: str, axes: Sequence[int], keep: bool = True) -> str:
        """ReduceSum and the like over axes, which stay as 1 or go."""
        return self.op(kind, x, self.constant(np.array(axes, np.int64), "axes"), keepdims=int(keep))

    def indices(self, x: str) -> str:
        """Values as whole numbers."""
        return self.op("Cast", x, to=7)

    def floats(self, x: str) -> str:
        """Values as float32."""
        return self.op("Cast", x, to=1)

    def four_axes(self, x: str, shape: Sequence[int]) -> str:
        """The blob with axes of 1 behind, up to four."""
        return self.reshape(x, shape, (*shape, 1, 1, 1, 1)[: max(4, len(shape))])
