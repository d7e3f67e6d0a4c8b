"""The plain convolution that a block of layers stands for."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from netcount.analysis._support.topology import pools_all
from netcount.graph.graph import Blob, Node
from netcount.layers.layer import Window

MOST_SPAN = 1 << 14
"""Positions along an axis, from the first to the last, beyond which nothing is likened to one convolution."""


class Plain(NamedTuple):
    """One convolution from a block's input to its output, without bias, beside what the block has.

    kernel: how many positions of the input one value of the block's output sees, by axis.
    params: kh·kw·C·C' of the plain one.  madds: those, at each of the block's output positions.
    own_params, own_madds: of the block's learned matrices (biases, scales and shifts left out).
    """

    kernel: tuple[int, ...]
    channels: int
    outputs: int
    positions: tuple[int, ...]
    images: int
    own_params: int
    own_madds: int

    @property
    def params(self) -> int:
        """Weights of the plain convolution."""
        return prod(self.kernel) * self.channels * self.outputs

    @property
    def madds(self) -> int:
        """Multiply-adds of the plain convolution."""
        return self.params * prod(self.positions) * self.images


class Sight(NamedTuple):
    """What one value of a blob sees of the block's input, along one axis.

    first: the first position, counted from the one it lies over.  seen: a bit for each position from
    there on.  distance: between what neighbours lie over.
    """

    first: int
    seen: int
    distance: int


def plain_equivalent(nodes: Sequence[Node], inputs: Sequence[Blob], outputs: Sequence[Blob]) -> Plain | str:
    """The plain convolution in place of `nodes`; a string says why there is none."""
    if len(inputs) != 1 or len(outputs) != 1:
        return f"it has {len(inputs)} inputs and {len(outputs)} outputs, not one of each"
    (given,), (made,) = inputs, outputs
    if len(given.shape) < 3 or len(given.shape) != len(made.shape):
        return f"a convolution cannot lead from {given.shape} to {made.shape}"
    products = [p for node in nodes for p in node.layer.products(node.bottom_shapes, node.top_shapes)]
    if len(products) < 2:
        return "it holds no more than one learned matrix"
    seen = _seen(nodes, given, made)
    if isinstance(seen, str):
        return seen
    images, channels, *_ = given.shape
    _, made_channels, *positions = made.shape
    return Plain(
        tuple(sight.seen.bit_count() for sight in seen),
        channels,
        made_channels,
        tuple(positions),
        images,
        sum(product.elements for product in products),
        sum(product.madds for product in products),
    )


def _seen(nodes: Sequence[Node], given: Blob, made: Blob) -> tuple[Sight, ...] | str:
    """What a value of `made` sees of `given`; a string where that is no window."""
    axes = len(given.shape) - 2
    known = {given.index: (Sight(0, 1, 1),) * axes}
    for node in nodes:
        sights = [known[blob.index] for blob in node.bottoms if blob.index in known]
        if not sights:
            return f'"{node.name}" does not read from the input'
        window = node.layer.window(node.bottom_shapes)
        if node.type == "Deconvolution" or pools_all(node) or (window and len(window.kernel) != axes):
            return f'"{node.name}" sees more than a window of the input'
        by_axis = list(zip(*sights, strict=True))
        if any(len({sight.distance for sight in axis}) > 1 for axis in by_axis):
            return f'"{node.name}" joins what was sampled at different strides'
        if window is None and any(top.shape[2:] != node.bottoms[0].shape[2:] for top in node.tops):
            return f'"{node.name}" does not slide a window'
        joined = [_joined(axis) for axis in by_axis]
        through = [_through(window, axis, sight) for axis, sight in enumerate(joined)] if window else joined
        seen = tuple(sight for sight in through if sight is not None)
        if len(seen) < axes:
            return f'"{node.name}" sees too large a window of the input'
        known |= {top.index: seen for top in node.tops}
    return known[made.index]


def _joined(sights: Sequence[Sight]) -> Sight | None:
    """What is seen by one or the other; None beyond MOST_SPAN."""
    first = min(sight.first for sight in sights)
    if max(sight.first - first + sight.seen.bit_length() for sight in sights) > MOST_SPAN:
        return None
    seen = 0
    for sight in sights:
        seen |= sight.seen << sight.first - first
    return Sight(first, seen, sights[0].distance)


def _through(window: Window, axis: int, sight: Sight | None) -> Sight | None:
    """What is seen through one more window; None beyond MOST_SPAN."""
    if sight is None:
        return None
    step = sight.distance * window.dilation[axis]
    if sight.seen.bit_length() + step * (window.kernel[axis] - 1) > MOST_SPAN:
        return None
    seen = 0
    for tap in range(window.kernel[axis]):
        seen |= sight.seen << step * tap
    first = sight.first - sight.distance * window.pad[axis]
    return Sight(first, seen, sight.distance * window.stride[axis])
