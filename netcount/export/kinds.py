"""Whole kinds of layers that need no rule of their own: sources, constants, and what nothing comes out of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from netcount.core.lazy_numpy import np
from netcount.export.ops import Ops, refuse
from netcount.graph.graph import Node
from netcount.layers.bases import Source
from netcount.layers.data.dummy_data import DummyData
from netcount.layers.data.parameter import Parameter

if TYPE_CHECKING:
    from netcount.kernels.run import Array


def kind_of(node: Node) -> Literal["constant", "source", "nothing"] | None:
    """The kind of a layer, where it is one of these."""
    layer = node.layer
    if isinstance(layer, (DummyData, Parameter)):
        return "constant"
    if isinstance(layer, Source) and not layer.computes:
        return "source"
    if not node.tops:
        return "nothing"
    reads_no_value = layer.extents_only >= frozenset(range(len(node.bottoms)))
    return "constant" if reads_no_value and not isinstance(layer, Source) else None


def constant_values(graph: Ops, node: Node) -> list[Array]:
    """The tops of a layer that depend on no value, as the executor makes them."""
    from netcount.kernels.run import Run

    layer, run = node.layer, Run(0, graph.net.phase)
    if isinstance(layer, DummyData):
        if any(filler.type != "constant" for filler in layer.fillers):
            refuse("its values are drawn at random")
        arrays = layer.filled(node.top_shapes, run)
    else:
        given = [np.broadcast_to(np.float32(0), blob.shape) for blob in node.bottoms]
        arrays = layer.forward(given, [graph.values(node, index) for index in range(len(node.params))], run)
    return [np.asarray(array, np.float32) for array in arrays]
