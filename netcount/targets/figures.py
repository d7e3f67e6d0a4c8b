"""What the rules of a profile may speak of: the figures of a layer, of the whole net, and of the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, TypeAlias

from netcount.analysis.memory import Memory
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import Window
from netcount.prototxt.message import Message
from netcount.prototxt.reader import read
from netcount.prototxt.schema import fields_of
from netcount.targets.expressions import BOOL, LIST, NUMBER, TEXT, Function, Value, Vocabulary

PAIRS: Mapping[str, tuple[str, ...]] = {
    name: (f"{name}_h", f"{name}_w") for name in ("kernel", "stride", "pad", "dilation", "in", "out")
}
"""Names that a rule in short form has for two figures at once."""

_TEXTS = {"method": "pooling_param.pool", "op": "eltwise_param.operation"}
_FIELDS = {**_TEXTS, "negative_slope": "relu_param.negative_slope", "global_pool": "pooling_param.global_pooling"}
"""Figures that are a field under another name."""

LAYER: Mapping[str, tuple[str, str]] = {
    **{
        f"{name}_{axis}": (NUMBER, f"{what}, {'height' if axis == 'h' else 'width'}")
        for name, what in (
            ("kernel", "window"),
            ("stride", "stride"),
            ("pad", "padding"),
            ("dilation", "dilation"),
            ("in", "first bottom"),
            ("out", "first top"),
        )
        for axis in "hw"
    },
    "group": (NUMBER, "groups of a convolution"),
    "channels_in": (NUMBER, "channels of the first bottom"),
    "channels_out": (NUMBER, "channels of the first top"),
    "batch": (NUMBER, "images counted for"),
    "inputs": (NUMBER, "bottoms"),
    "outputs": (NUMBER, "tops"),
    "rank": (NUMBER, "axes of the first bottom"),
    "in_elements": (NUMBER, "elements of all bottoms"),
    "out_elements": (NUMBER, "elements of all tops"),
    "weights": (NUMBER, "elements of its parameter blobs"),
    "axis": (NUMBER, "the axis its parameters name, from the front"),
    "negative_slope": (NUMBER, "of a ReLU"),
    "method": (TEXT, "of a Pooling: MAX, AVE, STOCHASTIC"),
    "op": (TEXT, "of an Eltwise: SUM, PROD, MAX"),
    "type": (TEXT, "the layer's type, as the file writes it"),
    "precision": (TEXT, "number format the net is computed in"),
    "depthwise": (BOOL, "whether each group sees one channel"),
    "global_pool": (BOOL, "whether the window is the whole plane"),
    "first_layer": (BOOL, "whether it reads an input of the net"),
    "in_place": (BOOL, "whether its top overwrites its bottom"),
    "after_convolution": (BOOL, "whether it stands straight after a convolution"),
    "after_depthwise": (BOOL, "whether it stands straight after a depthwise convolution"),
    "before_eltwise": (BOOL, "whether an Eltwise reads its top"),
}
"""Name -> kind and meaning.  "Straight" passes over layers that the profile calls fused or ignored."""

NET: Mapping[str, tuple[str, str]] = {
    "layers": (NUMBER, "layers of the net"),
    "batch": (NUMBER, "images counted for"),
    "inputs": (NUMBER, "inputs of the net"),
    "outputs": (NUMBER, "outputs of the net"),
    "weights": (NUMBER, "elements of all parameter blobs"),
    "peak": (NUMBER, "elements of activations alive at the peak"),
    "largest_blob": (NUMBER, "elements of the largest blob"),
    "precision": (TEXT, "number format the net is computed in"),
    "v1_form": (BOOL, "whether the file has layers in V0's or V1's form"),
    "header_inputs": (BOOL, "whether the file declares inputs in its header"),
}
"""Of the whole net and its file."""

ASKS = {"has": BOOL, "count": NUMBER, "after": BOOL, "before": BOOL}
"""Functions over fields and types: whether a field is written, how often; whether a layer of one of these
types stands straight before or after."""

_Wanted: TypeAlias = "Callable[[Node], bool]"

_KINDS = {"bool": BOOL, "enum": TEXT, "string": TEXT, "bytes": TEXT}


class Setting(NamedTuple):
    """What a profile and a command line give to every expression.

    constants: by name.  precision: what the net is computed in.  passed: the types that neighbours are
    looked for across.
    """

    constants: Mapping[str, int | Fraction] = {}
    precision: str = ""
    passed: Collection[str] = ()


def layer_vocabulary(constants: Collection[str], functions: Mapping[str, Function]) -> Vocabulary:
    """For rules about layers."""

    def kind_of(name: str) -> str | None:
        if name in constants:
            return NUMBER
        return LAYER[name][0] if name in LAYER else field_kind(name)

    return Vocabulary(kind_of, (*LAYER, *constants), functions, ASKS)


def net_vocabulary(constants: Collection[str], functions: Mapping[str, Function]) -> Vocabulary:
    """For rules about the whole net."""

    def kind_of(name: str) -> str | None:
        return NUMBER if name in constants else NET[name][0] if name in NET else None

    return Vocabulary(kind_of, (*NET, *constants), functions)


def field_kind(path: str) -> str | None:
    """The kind of a field's value, `pooling_param.pool`; None where a layer has no such field."""
    message = "LayerParameter"
    *parents, name = path.split(".")
    for parent in parents:
        row = fields_of(message).get(parent)
        if row is None or row[1] != "message" or row[3]:
            return None
        message = row[2]
    row = fields_of(message).get(name)
    if not parents or row is None or row[1] == "message":
        return None
    return LIST if row[3] else _KINDS.get(row[1], NUMBER)


class NetScope:
    """The figures of a net and its file."""

    memory: Memory
    setting: Setting

    def __init__(self, memory: Memory, setting: Setting) -> None:
        self.memory, self.setting = memory, setting
        self.net: Graph = memory.counted.net

    def __call__(self, name: str, given: tuple[str, ...]) -> Value | None:
        """The value of a name."""
        if name in self.setting.constants:
            return self.setting.constants[name]
        net, memory = self.net, self.memory
        if name in ("v1_form", "header_inputs"):
            return self._written & {"v1_form": {"layers"}, "header_inputs": {"input"}}[name] != frozenset()
        totals = memory.counted.totals
        values: dict[str, Value] = {
            "layers": len(net.nodes),
            "batch": net.batch or 1,
            "inputs": len(net.inputs),
            "outputs": len(net.outputs),
            "weights": totals.params + totals.statistics,
            "peak": memory.layers[memory.peak].live if memory.layers else 0,
            "largest_blob": max((blob.shape.count() for blob in net.blobs), default=0),
            "precision": self.setting.precision,
        }
        return values.get(name)

    @cached_property
    def _written(self) -> frozenset[str]:
        """The names of the fields at the top of the file, where it is a net itself."""
        if not self.net.nodes:
            return frozenset()
        source = self.net.nodes[0].message.tree.source
        return frozenset(name for name, _, _ in read(source.text, source.file).fields)


class LayerScope:
    """The figures of one layer; None for those it does not have."""

    net: Graph
    node: Node
    setting: Setting

    def __init__(self, net: Graph, node: Node, setting: Setting) -> None:
        self.net, self.node, self.setting = net, node, setting

    def __call__(self, name: str, given: tuple[str, ...]) -> Value | None:
        """The value of a name, or of a question about fields and neighbours."""
        if name in self.setting.constants:
            return self.setting.constants[name]
        if name in ASKS:
            return self._asked(name, given)
        path = _FIELDS.get(name, name)
        if "." in path:
            return self._field(path)
        stem, _, axis = name.rpartition("_")
        if stem in PAIRS and axis in ("h", "w"):
            return self._extent(stem, axis == "w")
        return self._plain(name)

    @cached_property
    def window(self) -> Window | None:
        """The layer's sliding window."""
        return self.node.layer.window(self.node.bottom_shapes) if self.node.bottoms else None

    def _extent(self, stem: str, wide: bool) -> int | None:
        if stem in ("in", "out"):
            return self._plane(stem)[wide]
        window = self.window
        extents = getattr(window, stem) if window else ()
        return int(extents[wide]) if len(extents) == 2 else None

    def _plane(self, side: str) -> tuple[int | None, int | None]:
        blobs = self.node.bottoms if side == "in" else self.node.tops
        if not blobs or len(blobs[0].shape) > 4:
            return None, None
        _, _, high, wide = (*blobs[0].shape, 1, 1, 1, 1)[:4]
        return high, wide

    def _plain(self, name: str) -> Value | None:
        node = self.node
        if name in ("channels_in", "channels_out"):
            blobs = node.bottoms if name == "channels_in" else node.tops
            return blobs[0].shape[1] if blobs and len(blobs[0].shape) > 1 else None
        if name == "group":
            return self.window.group if self.window else None
        if name == "depthwise":
            return self.window is not None and self.window.depthwise
        if name == "axis":
            return self._axis()
        if name == "rank":
            return len(node.bottoms[0].shape) if node.bottoms else None
        if name == "first_layer":
            return self._neighbour(back=True, wanted=lambda other: not other.bottoms)
        if name in ("after_convolution", "after_depthwise"):
            return self._neighbour(back=True, wanted=lambda other: self._convolves(other, name))
        if name == "before_eltwise":
            return self._neighbour(back=False, wanted=lambda other: other.type == "Eltwise")
        values: dict[str, Value] = {
            "batch": self._batch(),
            "inputs": len(node.bottoms),
            "outputs": len(node.tops),
            "in_elements": sum(blob.shape.count() for blob in node.bottoms),
            "out_elements": sum(blob.shape.count() for blob in node.tops),
            "weights": sum(blob.shape.count() for blob in node.params),
            "type": node.type,
            "precision": self.setting.precision,
            "in_place": any(top.overwrites is not None for top in node.tops),
        }
        return values.get(name)

    def _batch(self) -> int:
        if self.node.layer.time_major and self.node.bottoms and len(self.node.bottoms[0].shape) > 1:
            return self.node.bottoms[0].shape[1]
        return self.net.batch or 1

    def _convolves(self, other: Node, name: str) -> bool:
        window = other.layer.window(other.bottom_shapes) if other.bottoms else None
        if window is None or not other.params:
            return False
        return name == "after_convolution" or window.depthwise

    def _axis(self) -> int | None:
        wanted = f"{self.node.type.lower()}param"
        names = fields_of("LayerParameter")
        param = next((name for name in names if name.replace("_", "") == wanted), "")
        if field_kind(f"{param}.axis") != NUMBER or not self.node.bottoms:
            return None
        message = self.node.message.child(param)
        old = {"concat_param": "concat_dim", "slice_param": "slice_dim"}.get(param)
        axis: int | None = message.get(old if old and message.has(old) else "axis")
        if axis is None:
            return None
        return axis + len(self.node.bottoms[0].shape) if axis < 0 else axis

    def _field(self, path: str) -> Value | None:
        message, name = self._message(path)
        value = message.get(name)
        if isinstance(value, list):
            return tuple(_exact(one) for one in value)
        return None if value is None else _exact(value)

    def _message(self, path: str) -> tuple[Message, str]:
        *parents, name = path.split(".")
        message = self.node.message
        for parent in parents:
            message = message.child(parent)
        return message, name

    def _asked(self, name: str, given: tuple[str, ...]) -> Value:
        if name == "has":
            return all(message.has(field) for message, field in map(self._message, given))
        if name == "count":
            return sum(
                len(value) if isinstance(value, list) else 1
                for message, field in map(self._message, given)
                for value in [message.values.get(field, [])]
            )
        return self._neighbour(back=name == "after", wanted=lambda other: other.type in given)

    def _neighbour(self, back: bool, wanted: _Wanted) -> bool:
        """Whether a wanted layer stands straight before (or after) this one, at its first bottom or any top."""
        seen = {self.node.index}
        waiting = [self.node]
        while waiting:
            node = waiting.pop()
            if back:
                near = [self.net.nodes[blob.producer] for blob in node.bottoms[:1]]
            else:
                near = [self.net.nodes[reader] for top in node.tops for reader in self.net.readers[top.index]]
            for other in near:
                if wanted(other):
                    return True
                if other.type in self.setting.passed and other.index not in seen:
                    seen.add(other.index)
                    waiting.append(other)
        return False


def _exact(value: object) -> int | Fraction | bool | str:
    """A field's value without rounding."""
    if isinstance(value, float):
        return Fraction(str(value)) if value == value and abs(value) != float("inf") else str(value)
    return value if isinstance(value, (bool, int, str)) else str(value)
