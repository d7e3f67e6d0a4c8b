"""A net as ncnn's .param and .bin: the rules of `ncnn_rules` applied layer by layer.

Source of the form: docs/developer-guide/param-and-model-file-structure.md and operators.md of ncnn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from netcount.core.errors import InputError
from netcount.core.lazy_numpy import np
from netcount.execute.executor import Executor
from netcount.execute.weights import named
from netcount.export.graph_of_layers import LayerGraph, Rule, Value, Weight, line, mat
from netcount.export.kinds import constant_values, kind_of
from netcount.export.ncnn_rules.convolution import RULES as CONVOLUTIONS
from netcount.export.part import applied, is_source, named_outputs, part_until
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import Layer

if TYPE_CHECKING:
    from netcount.kernels.run import Array

FAMILIES = ("activation", "convolution", "normalization", "pooling", "shape")
_MAGIC = 7767517
_TAG_FLOAT16 = 0x01306B47
_LARGEST_FLOAT16 = 65504.0


Line: TypeAlias = "tuple[str, str, Sequence[str], Sequence[str], Mapping[int, Value]]"
"""Type, name, inputs, outputs and parameters of a layer."""


class NcnnModel(NamedTuple):
    """A model with what is needed to hold it against the net.

    Attributes:
        ops: The lines of the .param file.
        weights: The .bin file.
        net: The net.
        names: By blob version the name of its mat, for those that are exported.
        inputs: By the name of an input in the file its name in the net.
        outputs: By the name of an output in the file its name in the net.
        makers: By mat the index of the layer that its op belongs to.
    """

    ops: Sequence[Line]
    weights: bytes
    net: Graph
    names: Mapping[int, str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    makers: Mapping[str, int]

    def param(self, checked: str) -> str:
        """The .param file; how it was checked is the name of a layer that does nothing."""
        said = "_".join(f"netcount.checked: {checked}".split())
        ops = [*self.ops, ("Noop", said, (), (), {})]
        blobs = sum(len(outputs) for _, _, _, outputs, _ in ops)
        lines = [str(_MAGIC), f"{len(ops)} {blobs}", *(line(*op) for op in ops)]
        return "\n".join(lines) + "\n"


def rules() -> dict[type[Layer], Rule]:
    """All rules of all families, by class."""
    by_class: dict[type[Layer], Rule] = {}
    for family in FAMILIES:
        by_class |= import_module(f"netcount.export.ncnn_rules.{family}").RULES
    return by_class


def to_ncnn(
    net: Graph,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    until: str | None = None,
    half: bool = False,
    seed: int = 0,
) -> NcnnModel:
    """The ncnn model of a net, for one image.

    Args:
        net: In phase TEST, as a rule.
        weights: Arrays by layer name; without them they are random by the net's fillers.
        until: The last blob that is exported; without it all outputs are.
        half: Store the weights of convolutions and inner products as float16.
        seed: For random weights.

    Raises:
        InputError: ncnn has no words for some layers; all of them are named.
    """
    nodes, ends = part_until(net, until)
    graph = LayerGraph(net, Executor(net, weights, seed=seed).weights)
    known = rules()

    def rule_of(node: Node) -> Rule | None:
        kind = kind_of(node)
        rule = known.get(type(node.layer)) or (None if kind is None else _KINDS[kind])
        if rule is not None:
            for blob in (*(() if kind == "constant" else node.bottoms), *node.tops):
                mat(blob.shape)
        return rule

    tensors = applied(graph, nodes, rule_of, lambda node: "it has no layer like it")
    outputs = named_outputs(graph, tensors, ends)
    makers = graph.makers()
    lines, stored = _joined(graph, half)
    inputs = [blob for node in nodes for blob in node.tops if is_source(node)]
    return NcnnModel(
        lines,
        stored,
        net,
        tensors,
        {graph.names[blob.index]: blob.name for blob in inputs},
        {name: net.blobs[index].name for index, name in outputs},
        makers,
    )


def _source(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    for blob in node.tops:
        extents = mat(blob.shape)
        keys = {1: (0,), 2: (1, 0), 3: (2, 1, 0), 4: (2, 11, 1, 0)}[len(extents)]
        params = dict(zip(keys, extents, strict=True))
        g.ops.append(("Input", [], [g.names[blob.index]], {"params": params, "weights": []}))
    return [g.names[blob.index] for blob in node.tops]


def _nothing(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return []


def _constant(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.constant(array.reshape(mat(array.shape))) for array in constant_values(g, node)]


_KINDS: Mapping[str, Rule] = {"constant": _constant, "source": _source, "nothing": _nothing}


def _joined(graph: LayerGraph, half: bool) -> tuple[list[Line], bytes]:
    """The lines of the .param file and the whole .bin file.

    A mat is read once: where several layers read it, a Split stands behind it.
    """
    reads = Counter(name for _, inputs, _, _ in graph.ops for name in inputs)
    copies: dict[str, list[str]] = {}
    lines: list[Line] = []
    data: list[bytes] = []
    taken: set[str] = set()
    owner = graph.makers()
    alone = Counter(owner.values())
    for kind, inputs, outputs, attributes in graph.ops:
        layer = graph.net.nodes[owner[outputs[0]]].name if outputs else ""
        name = layer if outputs and alone[owner[outputs[0]]] == len(outputs) else outputs[0]
        read = [copies[one].pop() if one in copies else one for one in inputs]
        lines.append((kind, _unique(graph.spelled(name), taken), read, outputs, attributes.get("params", {})))
        data += [_stored(weight, half, layer) for weight in attributes.get("weights", ())]
        for made in outputs:
            if reads[made] > 1:
                copies[made] = [graph.fresh(f"{made}@{number}") for number in reversed(range(reads[made]))]
                split = _unique(graph.spelled(f"{made}@"), taken)
                lines.append(("Split", split, [made], copies[made][::-1], {}))
    return lines, b"".join(data)


def _unique(name: str, taken: set[str]) -> str:
    base, number = name, 1
    while name in taken:
        number += 1
        name = f"{base}#{number}"
    taken.add(name)
    return name


def _stored(weight: Weight, half: bool, layer: str) -> bytes:
    values = np.ascontiguousarray(weight.values, "<f4")
    if not weight.tagged:
        return values.tobytes()
    if not half:
        return bytes(4) + values.tobytes()
    if np.abs(values).max(initial=0) > _LARGEST_FLOAT16:
        raise InputError(f'"{layer}" has weights beyond {_LARGEST_FLOAT16:g}, the largest number of float16')
    data = values.astype("<f2").tobytes()
    return _TAG_FLOAT16.to_bytes(4, "little") + data + bytes(-len(data) % 4)


def halved(net: Graph, weights: Mapping[str, Sequence[Array]]) -> dict[str, list[Array]]:
    """Weights as they are when those of convolutions and inner products have been float16."""
    kinds = tuple(CONVOLUTIONS)
    rounded = {name: list(blobs) for name, blobs in weights.items()}
    for name, node in named(net).items():
        if isinstance(node.layer, kinds) and rounded.get(name):
            first = np.asarray(rounded[name][0], np.float32)
            with np.errstate(over="ignore"):  # to_ncnn refuses what is too large
                rounded[name][0] = first.astype(np.float16).astype(np.float32)
    return rounded
