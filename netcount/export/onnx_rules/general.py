"""ONNX for whole kinds of layers: sources, constants, and what only moves values."""

from __future__ import annotations

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.kinds import constant_values, kind_of
from netcount.graph.graph import Node
from netcount.layers.bases import Moving, Source
from netcount.layers.layer import Layer

_EXACT = 2**24
"""Up to here float32 tells whole numbers apart."""


def general_rule(node: Node) -> Rule | None:
    """The rule for a layer's kind, where its type has none of its own."""
    kind = kind_of(node)
    if kind is not None:
        return {"constant": _constant, "source": _source, "nothing": _nothing}[kind]
    if moves(node.layer) and len(node.bottoms) == 1:
        return _moved
    return None


def _grows(g: OpGraph, node: Node) -> bool:
    """Whether a constant has other extents for another number of images."""
    if not node.bottoms:
        return any(blob.shape[:1] == (g.net.batch,) for blob in node.tops)
    more = [Shape((shape[0] + 1, *shape[1:])) if shape else shape for shape in node.bottom_shapes]
    return list(node.layer.infer(more)) != list(node.top_shapes)


def moves(layer: Layer | type[Layer]) -> bool:
    """Whether each value of its tops is one of its bottom's, or 0, wherever it stands."""
    kind = layer if isinstance(layer, type) else type(layer)
    return issubclass(kind, Moving) and not issubclass(kind, Source)


def _source(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.names[blob.index] for blob in node.tops]


def _nothing(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return []


def _constant(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    """What depends on no value, written out."""
    if _grows(g, node):
        g.fixed("is a constant of as many images")
    return [g.op("Identity", g.constant(array, "value")) for array in constant_values(g, node)]


def _moved(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    """Where each value came from is seen by sending the positions through the layer."""
    from netcount.export.ops import refuse
    from netcount.kernels.run import Run

    shape = node.bottoms[0].shape
    count = shape.count()
    if not 0 < count < _EXACT:
        refuse(f"moves {count:,} values, more than can be followed")
    g.fixed("moves values in a way that is followed for one batch")
    positions = np.arange(1, count + 1, dtype=np.float32).reshape(shape)
    moved = node.layer.forward([positions], [], Run(0, g.net.phase))
    flat = g.reshape(bottoms[0], shape, (count,))
    if any((np.asarray(array) == 0).any() for array in moved):
        flat = g.op("Concat", flat, g.constant(np.zeros(1, np.float32), "zero"), axis=0)
    tops = []
    for array in moved:
        places = np.asarray(array).astype(np.int64) - 1
        tops.append(g.op("Gather", flat, g.constant(np.where(places < 0, count, places), "places"), axis=0))
    return tops
