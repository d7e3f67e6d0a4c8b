"""Why a `.caffemodel` does not fit a net: the likely cause of each difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod

from netcount.analysis._support.topology import classifiers
from netcount.caffemodel.read import StoredLayer
from netcount.graph.graph import Graph, Node
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.inner_product import InnerProduct
from netcount.prototxt.upgrade import V1_TYPES

_COLOURS = {1: "grey", 3: "colour"}


def renamed(missing: Iterable[Node], extra: Iterable[StoredLayer]) -> dict[int, str]:
    """For layers that the file has not: which of its further layers have just their blobs, in the order of both.

    Returns:
        The file's names by the index of the node.
    """
    left = [layer for layer in extra if layer.blobs]
    pairs = {}
    for node in missing:
        wanted = [tuple(blob.shape) for blob in node.params]
        for position, layer in enumerate(left):
            shapes = [_squeezed(blob.shape, len(want)) for blob, want in zip(layer.blobs, wanted, strict=False)]
            if shapes == wanted and len(layer.blobs) == len(wanted):
                pairs[node.index] = layer.name
                del left[position]
                break
    return pairs


def _squeezed(shape: Sequence[int], axes: int) -> tuple[int, ...]:
    """A shape without the ones before it that old files add up to four axes."""
    lead = len(shape) - axes
    return tuple(shape[lead:]) if lead > 0 and set(shape[:lead]) == {1} else tuple(shape)


class Causes:
    """What can explain that blobs of a net and of a file differ."""

    def __init__(self, net: Graph, stored: Mapping[int, StoredLayer]) -> None:
        """stored: the file's layers by the index of the node of their name."""
        self._stored = stored
        self._answers = classifiers(net)
        firsts = [node for node in net.nodes if isinstance(node.layer, Convolution)]
        self._first = firsts[0].index if firsts else None

    def of_number(self, node: Node, layer: StoredLayer) -> str:
        """The cause of another number of blobs, or ""."""
        here, there = len(node.params), len(layer.blobs)
        kind = V1_TYPES.get(layer.type, layer.type)
        if kind and kind != node.type:
            return f"the file's layer is of type {kind}"
        if {here, there} == {1, 2}:
            return f"{'the net' if here == 1 else 'the file'} has no bias (bias_term)"
        return ""

    def of_shape(self, node: Node, index: int) -> str:
        """The cause of another shape of a blob, or ""."""
        layer = self._stored[node.index]
        kind = V1_TYPES.get(layer.type, layer.type)
        wanted = tuple(node.params[0].shape)
        stored = _squeezed(layer.blobs[0].shape, len(wanted))
        if index and stored == wanted:
            wanted, stored = tuple(node.params[index].shape), _squeezed(layer.blobs[index].shape, 1)
        dense = {"InnerProduct", "Convolution"}
        if {kind, node.type} == dense:
            same = " of as many values" if prod(stored) == prod(wanted) else ""
            return f"the file's layer is of type {kind}{same}"
        if kind and kind != node.type:
            return f"the file's layer is of type {kind}"
        if len(stored) != len(wanted):
            return "as many values in another form" if prod(stored) == prod(wanted) else ""
        if node.index in self._answers and stored[0] != wanted[0] and stored[1:] == wanted[1:]:
            return f"another number of classes: {stored[0]} in the file, {wanted[0]} in the net"
        return self._of_axes(node, stored, wanted)

    def _of_axes(self, node: Node, stored: tuple[int, ...], wanted: tuple[int, ...]) -> str:
        if len(wanted) >= 2 and stored[1] != wanted[1] and stored[:1] + stored[2:] == wanted[:1] + wanted[2:]:
            if node.index == self._first and {stored[1], wanted[1]} == set(_COLOURS):
                return f"the file is for {_COLOURS[stored[1]]} images, the net for {_COLOURS[wanted[1]]} ones"
            if isinstance(node.layer, InnerProduct):
                return "images of another size, or other layers before it"
            large, small = max(stored[1], wanted[1]), max(1, min(stored[1], wanted[1]))
            if (
                large % small == 0
                and isinstance(node.layer, Convolution)
                and node.layer.group * large // small > 1
            ):
                return f"another group, {large // small} times as many, or other layers before it"
            return "other channels before it"
        if len(wanted) > 2 and stored[:2] == wanted[:2]:
            return "another kernel_size"
        if stored[1:] == wanted[1:]:
            return (
                "another num_output" if isinstance(node.layer, (Convolution, InnerProduct)) else "other channels"
            )
        if sorted(stored) == sorted(wanted) and prod(stored) == prod(wanted):
            return "the same values transposed"
        return "another width of the net" if len(stored) > 1 and stored[2:] == wanted[2:] else ""
