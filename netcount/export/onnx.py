"""A net as an ONNX model: the rules of `onnx_rules` applied layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from netcount.core.errors import InputError
from netcount.core.lazy_numpy import np
from netcount.execute.executor import Executor
from netcount.export.agreement import extra
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.onnx_rules.general import general_rule
from netcount.export.part import applied, is_source, named_outputs, part_until
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import Layer

if TYPE_CHECKING:
    from netcount.kernels.run import Array

OPSET = 21
"""The opset of the models: what ONNX Runtime, OpenVINO and others of the last two years read."""
IR_VERSION = 10
FAMILIES = ("activation", "convolution", "detection", "loss", "normalization", "pooling", "recurrent", "shape")
_MOST_BYTES = 2**31 - 1
_BATCH = "N"


class Exported(NamedTuple):
    """A model with what is needed to hold it against the net.

    Attributes:
        model: The onnx.ModelProto.
        net: The part of the net that was exported.
        names: By blob version the name of its tensor, for those that are exported.
        inputs: The names of the inputs.
        outputs: The names of the outputs.
        makers: By tensor the index of the layer that its op belongs to.
    """

    model: Any
    net: Graph
    names: Mapping[int, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    makers: Mapping[str, int] = {}


def rules() -> dict[type[Layer], Rule]:
    """All rules of all families, by class."""
    by_class: dict[type[Layer], Rule] = {}
    for family in FAMILIES:
        by_class |= import_module(f"netcount.export.onnx_rules.{family}").RULES
    return by_class


def to_onnx(
    net: Graph,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    until: str | None = None,
    dynamic: bool = False,
    seed: int = 0,
) -> Exported:
    """The ONNX model of a net.

    Args:
        net: In phase TEST, as a rule.
        weights: Arrays by layer name; without them they are random by the net's fillers.
        until: The last blob that is exported; without it all outputs are.
        dynamic: Leave the batch open, as axis 0 of every input.
        seed: For random weights.

    Raises:
        InputError: ONNX is not installed, or has no words for some layers; all of them are named.
    """
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise extra("onnx", "onnx") from None
    from netcount.export.onnx_reasons import reason_of

    nodes, ends = part_until(net, until)
    rows = Executor(net, weights, seed=seed).weights
    graph = OpGraph(net, rows, dynamic)
    known = rules()
    tensors = applied(
        graph,
        nodes,
        lambda node: known.get(type(node.layer)) or general_rule(node),
        lambda node: reason_of(type(node.layer)),
    )
    outputs = named_outputs(graph, tensors, ends)
    if sum(array.nbytes for array in graph.constants.values()) > _MOST_BYTES:
        raise InputError(f"{net.file}: its weights exceed the 2 GiB that one ONNX file holds")
    inputs = [blob.index for node in nodes for blob in node.tops if is_source(node)]
    model = _model(graph, nodes, inputs, outputs, tensors)
    return Exported(
        model,
        net,
        {index: name for index, name in tensors.items() if name},
        tuple(graph.names[index] for index in inputs),
        tuple(name for _, name in outputs),
        graph.makers(),
    )


def _model(
    graph: OpGraph,
    nodes: Sequence[Node],
    inputs: Sequence[int],
    outputs: Sequence[tuple[int, str]],
    tensors: Mapping[int, str],
) -> Any:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    net = graph.net

    def value(index: int, name: str) -> Any:
        blob = net.blobs[index]
        shape: list[int | str | None] = list(blob.shape)
        if graph.dynamic and shape:
            shape[0] = _BATCH if index in inputs else None
        node = net.nodes[blob.producer]
        if node.layer.data_dependent(node.bottom_shapes) is not None:
            shape = [None] * len(shape)
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    used = {name for _, names, _, _ in graph.ops for name in names} | {name for _, name in outputs}
    between = (
        []
        if graph.dynamic
        else [
            value(index, name)
            for index, name in tensors.items()
            if index not in inputs and name not in {output for _, output in outputs} and name in used
        ]
    )
    made = helper.make_graph(
        [helper.make_node(kind, names, tops, name=tops[0], **more) for kind, names, tops, more in graph.ops],
        net.name or "net",
        [value(index, graph.names[index]) for index in inputs],
        [value(index, name) for index, name in outputs],
        [
            numpy_helper.from_array(np.array(array, order="C"), name)
            for name, array in graph.constants.items()
            if name in used
        ],
        value_info=between,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "netcount"
    helper.set_model_props(model, {"netcount.file": net.file, "netcount.checked": "no"})
    onnx.checker.check_model(model)
    return model
