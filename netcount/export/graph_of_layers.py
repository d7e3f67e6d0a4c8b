"""ncnn's layers while they are joined: numbered parameters, weights, and small steps that many rules share.

A blob of 1×C×H×W is a mat of C×H×W in ncnn, which knows no batch: axis a of Caffe is axis a − 1 there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from netcount.core.lazy_numpy import np
from netcount.export.ops import Ops, refuse
from netcount.graph.graph import Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array

Rule: TypeAlias = "Callable[[LayerGraph, Node, list[str]], list[str]]"
"""From a layer and the names of its bottoms to the names of its tops."""
Value: TypeAlias = "int | float | Sequence[int] | Sequence[float]"
_LONGEST = 200
"""Characters of a name; ncnn reads 255 bytes."""
MOST_AXES = 4
"""Of a mat."""
ADD, MUL, DIV, POW, MIN = 0, 2, 3, 6, 5
"""Operations of BinaryOp."""


class Weight(NamedTuple):
    """An array of the .bin file.

    Attributes:
        values: What it holds.
        tagged: Whether a word before it says how it is stored, so that it may be float16.
    """

    values: Array
    tagged: bool = False


class LayerGraph(Ops):
    """ncnn's layers; `attributes` of an op are its parameters by number, and "weights"."""

    form = "ncnn"
    identity = "Split"

    def spelled(self, name: str) -> str:
        """Without spaces, which part the words of a .param file, and not too long."""
        plain = "".join(c if c.isprintable() and not c.isspace() else "_" for c in name)
        while len(plain.encode("utf-8", "replace")) > _LONGEST:
            plain = plain[:-1]
        return plain.encode("utf-8", "replace").decode() or "_"

    def op(
        self,
        kind: str,
        *inputs: str,
        weights: Sequence[Weight] = (),
        params: Mapping[int, Value] | None = None,
    ) -> str:
        """One layer; the name of its (first) output."""
        return self.op_all(kind, *inputs, weights=weights, params=params)[0]

    def op_all(
        self,
        kind: str,
        *inputs: str,
        outputs: int = 1,
        weights: Sequence[Weight] = (),
        params: Mapping[int, Value] | None = None,
    ) -> list[str]:
        """One layer; the names of all its outputs."""
        made = [self.fresh(f"{self._layer}/{kind}") for _ in range(outputs)]
        self.ops.append((kind, list(inputs), made, {"params": dict(params or {}), "weights": list(weights)}))
        return made

    def weight(self, node: Node, index: int) -> Weight:
        """A parameter blob as it is, without a word before it."""
        return Weight(self.values(node, index).reshape(-1))

    def reshape(self, x: str, before: Sequence[int], after: Sequence[int]) -> str:
        """A mat of as many values with other extents, without Caffe's axis of images."""
        if tuple(before) == tuple(after):
            return x
        if not 1 <= len(after) <= MOST_AXES:
            refuse(f"a blob of {len(after)} axes beside the batch")
        keys = {1: (0,), 2: (1, 0), 3: (2, 1, 0), 4: (2, 11, 1, 0)}[len(after)]
        return self.op("Reshape", x, params=dict(zip(keys, after, strict=True)))

    def crop(self, x: str, before: Sequence[int], axis: int, start: int, stop: int) -> str:
        """The part of an axis from `start` to before `stop`; the axis is the mat's."""
        if (start, stop) == (0, before[axis]):
            return x
        return self.op("Crop", x, params={9: [start], 10: [stop], 11: [axis]})

    def constant(self, values: Array) -> str:
        """A mat that stands in the .bin file."""
        shape = values.shape
        if not 1 <= len(shape) <= 3:
            refuse(f"a constant of {len(shape)} axes")
        keys = {1: (0,), 2: (1, 0), 3: (2, 1, 0)}[len(shape)]
        data = Weight(np.ascontiguousarray(values, np.float32).reshape(-1))
        return self.op("MemoryData", weights=[data], params=dict(zip(keys, shape, strict=True)))

    def linear(self, x: str, scale: float, shift: float) -> str:
        """scale·x + shift."""
        if (scale, shift) == (1, 0):
            return x
        return self.op("Power", x, params={0: 1.0, 1: float(scale), 2: float(shift)})

    def binary(self, operation: int, one: str, other: str) -> str:
        """Of two mats; where an axis of the second is 1, it is repeated."""
        return self.op("BinaryOp", one, other, params={0: operation})


def mat(shape: Sequence[int]) -> tuple[int, ...]:
    """What is left of a shape without the axis of images.

    >>> mat((1, 3, 8, 9)), mat((1,))
    ((3, 8, 9), (1,))
    """
    if not shape:
        refuse("a single number without axes")
    if shape[0] != 1:
        refuse(f"a blob of {'×'.join(map(str, shape))}: it computes one image at a time")
    rest = tuple(shape[1:]) or (1,)
    if len(rest) > MOST_AXES:
        refuse(f"a blob of {len(shape)} axes")
    if 0 in rest:
        refuse("a blob without elements")
    return rest


def image(shape: Sequence[int]) -> tuple[int, int, int]:
    """Channels, height and width."""
    rest = mat(shape)
    if len(rest) != 3:
        refuse(f"it works on 1×C×H×W, not on {'×'.join(map(str, shape))}")
    c, h, w = rest
    return c, h, w


def number(value: int | float) -> str:
    """A value of a .param file: a point or an exponent is what tells a float."""
    return f"{value:d}" if isinstance(value, int) else f"{float(value):.9e}"


def line(kind: str, name: str, inputs: Sequence[str], outputs: Sequence[str], params: Mapping[int, Value]) -> str:
    """A line of a .param file.

    >>> line("Softmax", "prob", ["fc"], ["prob"], {0: 1, 3: [1, 2]})
    'Softmax prob 1 1 fc prob 0=1 -23303=2,1,2'
    """
    words = [kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs]
    for key, value in params.items():
        if isinstance(value, int | float):
            words.append(f"{key}={number(value)}")
        else:
            words.append(f"{-23300 - key}={','.join([str(len(value)), *map(number, value)])}")
    return " ".join(words)
