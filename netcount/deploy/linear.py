"""Layers with weights that take a factor and a shift a channel into them, behind or before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from netcount.core.lazy_numpy import np
from netcount.deploy.affine import Values
from netcount.graph.graph import Node
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.convolution_depthwise import ConvolutionDepthwise
from netcount.layers.convolution.deconvolution import Deconvolution
from netcount.layers.convolution.depthwise_convolution import DepthwiseConvolution
from netcount.layers.convolution.inner_product import InnerProduct
from netcount.layers.layer import Layer, Window
from netcount.layers.normalization.scale import Scale

if TYPE_CHECKING:
    from netcount.kernels.run import Array

Blobs = list["Array"]


class Linear(NamedTuple):
    """How one layer type takes factors and shifts.

    Attributes:
        param: The message in which its `bias_term` stands.
        obstacle: Why a layer of it cannot take any; None where it can.
        pads: Why it cannot take a shift before it; None where it can.
        behind: Its blobs when its outputs are multiplied and shifted.
        before: Its blobs when its inputs were.
    """

    param: str
    obstacle: Callable[[Node], str | None]
    pads: Callable[[Node], str | None]
    behind: Callable[[Node, Sequence[Array], Values], Blobs]
    before: Callable[[Node, Sequence[Array], Values], Blobs]


def has_bias(node: Node) -> bool:
    """Whether a layer that can take a shift has a place for it already."""
    return bool(getattr(node.layer, "bias", False))


def _bias(node: Node, blobs: Sequence[Array], made: int) -> Array:
    return np.asarray(blobs[1], np.float64).reshape(-1) if has_bias(node) else np.zeros(made)


def _single(arrays: Sequence[Array]) -> Blobs:
    return [np.ascontiguousarray(array, np.float32) for array in arrays]


def _convolution_obstacle(node: Node) -> str | None:
    layer = cast("Convolution", node.layer)
    if len(node.bottoms) > 1:
        return f'"{node.name}" has several bottoms'
    return None if node.bottoms[0].shape.axis(layer.axis_given) == 1 else f'"{node.name}" has another axis'


def _convolution_pads(node: Node) -> str | None:
    window = cast("Window", node.layer.window(node.bottom_shapes))
    return f'"{node.name}" pads with zeros, which the shift would not reach' if any(window.pad) else None


def _deconvolution_pads(node: Node) -> str | None:
    return f'"{node.name}" adds up windows, so a shift before it is not the same everywhere'


def _groups(node: Node) -> int:
    window = cast("Window", node.layer.window(node.bottom_shapes))
    return window.group


def _behind_convolution(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    weight = np.asarray(blobs[0], np.float64)
    factor, shift = values
    made = len(weight)
    return _single(
        [weight * factor.reshape(-1, *(1,) * (weight.ndim - 1)), _bias(node, blobs, made) * factor + shift]
    )


def _before_convolution(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    weight = np.asarray(blobs[0], np.float64)
    group = _groups(node)
    factor, shift = (np.repeat(v.reshape(group, -1), len(weight) // group, axis=0) for v in values)
    spread = (*factor.shape, *(1,) * (weight.ndim - 2))
    added = (weight * shift.reshape(spread)).reshape(len(weight), -1).sum(axis=1)
    return _single([weight * factor.reshape(spread), _bias(node, blobs, len(weight)) + added])


def _behind_deconvolution(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    weight = np.asarray(blobs[0], np.float64)
    factor, shift = values
    group = _groups(node)
    rows = np.repeat(factor.reshape(group, -1), len(weight) // group, axis=0)
    bias = _bias(node, blobs, weight.shape[1] * group) * factor + shift
    return _single([weight * rows.reshape(*rows.shape, *(1,) * (weight.ndim - 2)), bias])


def _before_deconvolution(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    weight = np.asarray(blobs[0], np.float64)
    made = weight.shape[1] * _groups(node)
    return _single([weight * values[0].reshape(-1, *(1,) * (weight.ndim - 1)), _bias(node, blobs, made)])


def _inner_product_obstacle(node: Node) -> str | None:
    layer = cast("InnerProduct", node.layer)
    if layer.given or layer.normalized:
        return f'"{node.name}" has no weights that could be changed'
    return None if node.bottoms[0].shape.axis(layer.axis_given) == 1 else f'"{node.name}" has another axis'


def _never(node: Node) -> str | None:
    return None


def _rows(node: Node, blobs: Sequence[Array]) -> Array:
    """The weights as C'×K, whichever way they are stored."""
    weight = np.asarray(blobs[0], np.float64)
    return weight.T if cast("InnerProduct", node.layer).transposed else weight


def _stored(node: Node, weight: Array, bias: Array) -> Blobs:
    return _single([weight.T if cast("InnerProduct", node.layer).transposed else weight, bias])


def _behind_inner_product(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    weight = _rows(node, blobs)
    factor, shift = values
    return _stored(node, weight * factor[:, None], _bias(node, blobs, len(weight)) * factor + shift)


def _before_inner_product(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    weight = _rows(node, blobs)
    each = weight.shape[1] // max(1, len(values[0]))
    factor, shift = (np.repeat(v, each) for v in values)
    return _stored(node, weight * factor, _bias(node, blobs, len(weight)) + weight @ shift)


def _scale_obstacle(node: Node) -> str | None:
    layer = cast("Scale", node.layer)
    if len(node.bottoms) > 1:
        return f'"{node.name}" gets its factor from another layer'
    axis, shape = layer.operand(node.bottom_shapes)
    return None if axis == 1 and len(shape) == 1 else f'"{node.name}" has values for more than one axis'


def _behind_scale(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    gamma = np.asarray(blobs[0], np.float64)
    return _single([gamma * values[0], _bias(node, blobs, len(gamma)) * values[0] + values[1]])


def _before_scale(node: Node, blobs: Sequence[Array], values: Values) -> Blobs:
    gamma = np.asarray(blobs[0], np.float64)
    return _single([gamma * values[0], _bias(node, blobs, len(gamma)) + gamma * values[1]])


_CONVOLUTION = Linear(
    "convolution_param", _convolution_obstacle, _convolution_pads, _behind_convolution, _before_convolution
)
LINEAR: Mapping[type[Layer], Linear] = {
    Convolution: _CONVOLUTION,
    DepthwiseConvolution: _CONVOLUTION,
    ConvolutionDepthwise: _CONVOLUTION,
    Deconvolution: Linear(
        "convolution_param",
        _convolution_obstacle,
        _deconvolution_pads,
        _behind_deconvolution,
        _before_deconvolution,
    ),
    InnerProduct: Linear(
        "inner_product_param", _inner_product_obstacle, _never, _behind_inner_product, _before_inner_product
    ),
    Scale: Linear("scale_param", _scale_obstacle, _never, _behind_scale, _before_scale),
}
"""By class, exactly."""
