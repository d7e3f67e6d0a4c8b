"""What else could stand in a layer's place, and what it would cost.  Which apply, the graph tells."""

from __future__ import annotations

from collections.abc import Container, Sequence
from math import prod
from typing import NamedTuple

from netcount.analysis._support.topology import followed, pools_all, sets_channels
from netcount.graph.graph import Graph, Node
from netcount.layers.layer import Factors, Product, Window, madds_of


class Alternative(NamedTuple):
    """Other layers that lead from the same input to an output of the same channels.

    kind: a stable name.  title: what it is.  products: its learned matrices (no biases).
    own: what it is compared with: the products of the layer, or of the layers it would replace.
    note: under which condition it does the same, or what it does not.
    """

    kind: str
    title: str
    products: tuple[Product, ...]
    own: tuple[Product, ...]
    note: str = ""

    @property
    def params(self) -> int:
        """Weights, biases left out."""
        return sum(product.elements for product in self.products)

    @property
    def madds(self) -> int:
        """Multiply-adds."""
        return madds_of(self.products)

    @property
    def own_params(self) -> int:
        """Weights of what is there."""
        return sum(product.elements for product in self.own)

    @property
    def own_madds(self) -> int:
        """Multiply-adds of what is there."""
        return madds_of(self.own)


def alternatives(net: Graph, node: Node, answering: Container[int]) -> list[Alternative]:
    """What the place of `node` in its net offers; empty where nothing does.

    answering: the net's classifiers, as `graph.classifiers` finds them.
    """
    products = tuple(node.layer.products(node.bottom_shapes, node.top_shapes))
    if len(products) != 1 or len(node.bottoms) != len(node.tops) or len(node.bottoms) != 1:
        return []
    window = node.layer.window(node.bottom_shapes)
    if window is None:
        return _of_dense(node, products)
    if len(node.bottoms[0].shape) != 4 or node.type == "Deconvolution":
        return []
    options = [*_without_groups(node, window, products), *_as_separable_pair(net, node, window, products)]
    if node.index in answering:
        options += _of_classifier(net, node, window, products)
    return options or _separable(node, window, products)


def separable_share(kernel: Sequence[int], outputs: int) -> str:
    """The formula of what a depthwise separable convolution costs of a plain one.

    >>> separable_share((3, 3), 512)
    '1/512 + 1/9'
    """
    return f"1/{outputs} + 1/{prod(kernel)}"


def _of_dense(node: Node, own: tuple[Product, ...]) -> list[Alternative]:
    bottom, top = node.bottoms[0].shape, node.tops[0].shape
    if len(bottom) != 4 or bottom[2:] == (1, 1) or len(top) != 2:
        return []
    images, channels, *_ = bottom
    pooled = Product((("C", channels), ("C'", top[1])), (("N", images),))
    note = "it sees the mean of each channel, no longer where a value stood"
    return [Alternative("pooled_first", "pooled to 1×1 first (as GoogLeNet and ResNet do)", (pooled,), own, note)]


def _without_groups(node: Node, window: Window, own: tuple[Product, ...]) -> list[Alternative]:
    if window.group == 1:
        return []
    title = f"as a plain convolution, one group instead of {window.group}"
    return [Alternative("plain", title, (_convolution(node, window.kernel),), own)]


def _as_separable_pair(net: Graph, node: Node, window: Window, own: tuple[Product, ...]) -> list[Alternative]:
    """A depthwise convolution and the pointwise one behind it, against one plain convolution."""
    if not window.depthwise or node.bottoms[0].shape[1] != node.tops[0].shape[1]:
        return []
    _, pointwise = followed(net, node)
    if pointwise is None:
        return []
    behind = pointwise.layer.window(pointwise.bottom_shapes)
    if behind is None or not sets_channels(pointwise) or not _is_pointwise_window(behind):
        return []
    pair = (*own, *pointwise.layer.products(pointwise.bottom_shapes, pointwise.top_shapes))
    outputs = pointwise.tops[0].shape[1]
    plain = _convolution(node, window.kernel, outputs)
    share = separable_share(window.kernel, outputs)
    return [
        Alternative(
            "plain_for_pair",
            f'with "{pointwise.name}", as one plain convolution',
            (plain,),
            pair,
            f"depthwise separable: {share} = {madds_of(pair) / plain.madds:.4f} of the plain one",
        )
    ]


def _of_classifier(net: Graph, node: Node, window: Window, own: tuple[Product, ...]) -> list[Alternative]:
    """A classifier that is averaged over the plane afterwards: as fully connected, or pooled before."""
    between, pool = followed(net, node)
    if pool is None or not pools_all(pool) or getattr(pool.layer, "method", "") != "AVE":
        return []
    images, channels, high, wide = node.bottoms[0].shape
    outputs = node.tops[0].shape[1]
    plane = (("H", high), ("W", wide))
    dense = Product((*plane, ("C", channels), ("C'", outputs)), (("N", images),))
    options = [
        Alternative("fully_connected", f"as a fully connected layer on {high}×{wide}×{channels}", (dense,), own)
    ]
    if _is_pointwise_window(window) and window.group == 1:
        first = Product((("C", channels), ("C'", outputs)), (("N", images),))
        bent = [layer.name for layer in between if layer.layer.type not in ("Dropout", "BatchNorm", "Scale")]
        note = "the mean and a 1×1 convolution can change places"
        if bent:
            note = f'not the same function: "{bent[0]}" stands between it and the pooling'
        options.append(Alternative("pooled_first", "pooled first (as MobileNet does)", (first,), own, note))
    return options


def _separable(node: Node, window: Window, own: tuple[Product, ...]) -> list[Alternative]:
    """A plain k×k convolution as a depthwise one and a pointwise one."""
    channels, outputs = node.bottoms[0].shape[1], node.tops[0].shape[1]
    if prod(window.kernel) == 1 or channels == 1:
        return []
    plain = _convolution(node, window.kernel)
    taps, plane = plain.weights[:-2], plain.uses
    depthwise = Product((*taps, ("C", channels)), plane)
    pointwise = Product((("C", channels), ("C'", outputs)), plane)
    note = f"{separable_share(window.kernel, outputs)} of it; not the same function: fewer weights"
    return [Alternative("separable", "as a depthwise separable convolution", (depthwise, pointwise), own, note)]


def _is_pointwise_window(window: Window) -> bool:
    return {*window.kernel, *window.stride} == {1} and not any(window.pad)


def _convolution(node: Node, kernel: Sequence[int], outputs: int | None = None) -> Product:
    """The plain convolution from a layer's input to its output extents."""
    (own,) = node.layer.products(node.bottom_shapes, node.top_shapes)
    taps: Factors = own.weights[: len(kernel)]
    made = node.tops[0].shape[1] if outputs is None else outputs
    return Product((*taps, ("C", node.bottoms[0].shape[1]), ("C'", made)), own.uses)
