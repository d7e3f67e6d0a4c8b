"""ONNX for layers whose weights are multiplied: convolutions, inner products, look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.ops import refuse
from netcount.export.windows import needed_behind
from netcount.graph.graph import Node
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.convolution3d import Convolution3D
from netcount.layers.convolution.convolution_depthwise import ConvolutionDepthwise
from netcount.layers.convolution.deconvolution import Deconvolution
from netcount.layers.convolution.deconvolution3d import Deconvolution3D
from netcount.layers.convolution.depthwise_convolution import DepthwiseConvolution
from netcount.layers.convolution.embed import Embed
from netcount.layers.convolution.inner_product import InnerProduct
from netcount.layers.layer import Layer


def _convolution(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Convolution", node.layer)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    axis = shape.axis(layer.axis_given)
    window = layer.window(node.bottom_shapes)
    spatial = shape[axis + 1 :]
    if not spatial:
        return _without_space(g, node, bottoms, window.group)
    weight = g.blob(node, 0)
    bias = [g.blob(node, 1)] if layer.bias else []
    attributes: dict[str, Any] = {
        "kernel_shape": list(window.kernel),
        "strides": list(window.stride),
        "dilations": list(window.dilation),
        "group": window.group,
    }
    transposed = isinstance(layer, Deconvolution)
    if transposed:
        behind = list(window.pad)
    else:
        geometry = (window.kernel, window.stride, window.pad, window.dilation)
        behind = [max(0, b) for b in needed_behind(spatial, top[axis + 1 :], *geometry)]
    attributes["pads"] = [*window.pad, *behind]
    flat = (prod(shape[:axis]), *shape[axis:])
    made = (prod(top[:axis]), *top[axis:])
    tops = []
    for bottom in bottoms:
        x = g.reshape(bottom, shape, flat)
        y = g.op("ConvTranspose" if transposed else "Conv", x, weight, *bias, **attributes)
        tops.append(g.reshape(y, made, top))
    return tops


def _without_space(g: OpGraph, node: Node, bottoms: list[str], group: int) -> list[str]:
    """A convolution of N×C is a product with its matrix."""
    if group > 1:
        refuse("groups without a spatial axis")
    layer = cast("Convolution", node.layer)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    bias = [g.blob(node, 1)] if layer.bias else []
    flat = (shape.count(0, len(shape) - 1), shape[-1])
    weight, made = g.blob(node, 0), (flat[0], top[-1])
    turned = int(not isinstance(layer, Deconvolution))
    rows = [g.reshape(bottom, shape, flat) for bottom in bottoms]
    return [g.reshape(g.op("Gemm", row, weight, *bias, transB=turned), made, top) for row in rows]


def _inner_product(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("InnerProduct", node.layer)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    axis = shape.axis(layer.axis_given)
    inputs, outputs = shape.count(axis), top[-1]
    x = g.reshape(bottoms[0], shape, (shape.count(0, axis), inputs))
    if layer.given:
        weight = g.reshape(bottoms[1], node.bottoms[1].shape, (outputs, inputs))
        rest = [g.reshape(bottoms[2], node.bottoms[2].shape, (outputs,))] if len(bottoms) > 2 else []
        bias = rest or ([g.blob(node, 0)] if layer.bias else [])
    else:
        matrix = g.values(node, 0)
        matrix = matrix.T if layer.transposed else matrix
        if layer.normalized:
            matrix = matrix / np.sqrt(np.square(matrix).sum(axis=1, keepdims=True) + np.float32(1e-6))
        weight = g.constant(np.ascontiguousarray(matrix), "blob0")
        bias = [g.blob(node, 1)] if layer.bias else []
    y = g.op("Gemm", x, weight, *(bias if layer.bias else []), transB=1)
    return [g.reshape(y, (shape.count(0, axis), outputs), top)]


def _embed(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    y = g.op("Gather", g.blob(node, 0), g.indices(bottoms[0]), axis=0)
    return [g.op("Add", y, g.blob(node, 1)) if cast("Embed", node.layer).bias else y]


RULES: Mapping[type[Layer], Rule] = {
    Convolution: _convolution,
    Convolution3D: _convolution,
    ConvolutionDepthwise: _convolution,
    Deconvolution: _convolution,
    Deconvolution3D: _convolution,
    DepthwiseConvolution: _convolution,
    Embed: _embed,
    InnerProduct: _inner_product,
}
