"""What a net costs while it is trained: a forward pass and a backward one, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

from netcount.analysis._support.gradients import NO_LOSS, Gradients, gradients
from netcount.analysis.count import Count
from netcount.analysis.rows import LayerRow
from netcount.core.errors import Warned
from netcount.core.opcount import NOTHING, OpCount
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import Layer, Wanted


class LayerBackward(NamedTuple):
    """What a layer costs in a forward and a backward pass.

    Attributes:
        row: The layer and its forward pass.
        learned: Its own params whose gradient is computed.
        frozen: Its other params: lr_mult is 0, or nothing leads from them to a loss.
        needed: Whether Caffe computes its backward pass.
        ops: That pass, and the gradients added up where several layers read a top; None where its rule is not
            written down.
    """

    row: LayerRow
    learned: int
    frozen: int
    needed: bool
    ops: OpCount | None


class Backward(NamedTuple):
    """A counted net, and what training it costs an iteration: `layers` in the order of the file."""

    counted: Count
    layers: tuple[LayerBackward, ...]
    warnings: tuple[Warned, ...]

    @property
    def forward(self) -> OpCount:
        """The forward pass."""
        return self.counted.totals.ops

    @property
    def ops(self) -> OpCount:
        """The backward pass, but for layers whose rule is not written down."""
        return sum((layer.ops for layer in self.layers if layer.ops is not None), NOTHING)

    @property
    def learned(self) -> int:
        """Params that learn."""
        return sum(layer.learned for layer in self.layers)

    @property
    def frozen(self) -> int:
        """Params that do not."""
        return sum(layer.frozen for layer in self.layers)

    @property
    def unknown(self) -> tuple[LayerBackward, ...]:
        """Layers whose backward pass is computed, and whose rule is not written down."""
        return tuple(layer for layer in self.layers if layer.ops is None)

    @property
    def complete(self) -> bool:
        """Whether every layer is counted, forward and backward."""
        return self.counted.net.complete and not self.unknown


def backward(counted: Count) -> Backward:
    """The backward pass of a counted net, as Caffe computes it: what needs no gradient costs nothing."""
    net = counted.net
    passes = gradients(net)
    rows = zip(net.nodes, counted.layers, strict=True)
    layers = tuple(_layer(net, node, row, passes) for node, row in rows)
    answer = Backward(counted, layers, counted.warnings)
    return answer._replace(warnings=(*counted.warnings, *_warnings(answer, passes)))


def _layer(net: Graph, node: Node, row: LayerRow, passes: Gradients) -> LayerBackward:
    wants = Wanted(passes.bottoms[node.index], passes.params[node.index])
    learned = frozen = 0
    for blob, owner, learns in zip(node.params, node.owners, wants.params, strict=True):
        if owner is None and blob.role != "statistic":
            learned += blob.shape.count() if learns else 0
            frozen += 0 if learns else blob.shape.count()
    needed = passes.layers[node.index]
    ops: OpCount | None = NOTHING
    if needed:
        ops = node.layer.backward(node.bottom_shapes, node.top_shapes, wants) if has_rule(node.layer) else None
    if ops is not None:
        ops += OpCount(adds=passes.joins[node.index])
    return LayerBackward(row, learned, frozen, needed, ops)


def has_rule(layer: Layer) -> bool:
    """Whether the rule of the backward pass is of the class that has the rule of the forward pass, or of one
    that is made from it: another forward pass has another backward one."""
    line = type(layer).__mro__
    back = next(index for index, kind in enumerate(line) if "backward" in vars(kind))
    forward = next(index for index, kind in enumerate(line) if "ops" in vars(kind))
    return back <= forward and line[back] is not Layer


def _warnings(answer: Backward, passes: Gradients) -> list[Warned]:
    warnings = []
    if not any(passes.layers):
        warnings.append(NO_LOSS)
    if answer.unknown:
        kinds = dict.fromkeys(layer.row.type for layer in answer.unknown)
        text = ", ".join(kinds)
        warnings.append(Warned(f"the backward pass of these types is not written down, and not counted: {text}"))
    return warnings
