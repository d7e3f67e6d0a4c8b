"""ncnn for layers whose weights are multiplied: convolutions and inner products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_layers import LayerGraph, Rule, Value, Weight, image, mat
from netcount.export.ops import refuse
from netcount.export.windows import needed_behind
from netcount.graph.graph import Node
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.convolution_depthwise import ConvolutionDepthwise
from netcount.layers.convolution.deconvolution import Deconvolution
from netcount.layers.convolution.depthwise_convolution import DepthwiseConvolution
from netcount.layers.convolution.inner_product import InnerProduct
from netcount.layers.layer import Layer


def _convolution(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Convolution", node.layer)
    channels, height, width = image(node.bottoms[0].shape)
    if node.bottoms[0].shape.axis(layer.axis_given) != 1:
        refuse("its channels are not axis 1")
    outputs, made_height, made_width = image(node.tops[0].shape)
    window = layer.window(node.bottom_shapes)
    transposed = isinstance(layer, Deconvolution)
    weight = g.values(node, 0)
    if transposed:  # Caffe stores by input channel, ncnn by output channel
        group, (kh, kw) = window.group, window.kernel
        parts = weight.reshape(group, channels // group, outputs // group, kh, kw)
        weight = parts.transpose(0, 2, 1, 3, 4)
    params: dict[int, Value] = {0: outputs}
    params |= _pairs(1, 11, window.kernel) | _pairs(2, 12, window.dilation) | _pairs(3, 13, window.stride)
    top, left = window.pad
    behind = [top, left]
    if not transposed:
        geometry = (window.kernel, window.stride, window.pad, window.dilation)
        behind = [max(0, b) for b in needed_behind((height, width), (made_height, made_width), *geometry)]
    params |= {4: left, 14: top, 15: behind[1], 16: behind[0]}
    params |= {5: int(layer.bias), 6: weight.size}
    kind = "Deconvolution" if transposed else "Convolution"
    if window.group > 1:
        kind += "DepthWise"
        params[7] = window.group
    weights = [Weight(np.ascontiguousarray(weight).reshape(-1), tagged=True)]
    if layer.bias:
        weights.append(g.weight(node, 1))
    return [g.op(kind, bottom, weights=weights, params=params) for bottom in bottoms]


def _pairs(width: int, height: int, values: Sequence[int]) -> dict[int, int]:
    h, w = values
    return {width: w, height: h}


def _inner_product(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("InnerProduct", node.layer)
    if layer.given:
        refuse("its weights come from another layer")
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    axis = shape.axis(layer.axis_given)
    rows, inputs, outputs = shape.count(0, axis), shape.count(axis), top[-1]
    matrix = g.values(node, 0).reshape(inputs, outputs).T if layer.transposed else g.values(node, 0)
    if layer.normalized:
        matrix = matrix / np.sqrt(np.square(matrix).sum(axis=1, keepdims=True) + np.float32(1e-6))
    flat = (inputs,) if rows == 1 else (rows, inputs)
    made = (outputs,) if rows == 1 else (rows, outputs)
    x = g.reshape(bottoms[0], mat(shape), flat)
    weights = [Weight(np.ascontiguousarray(matrix).reshape(-1), tagged=True)]
    if layer.bias:
        weights.append(g.weight(node, 1))
    params: dict[int, Value] = {0: outputs, 1: int(layer.bias), 2: inputs * outputs}
    return [g.reshape(g.op("InnerProduct", x, weights=weights, params=params), made, mat(top))]


RULES: Mapping[type[Layer], Rule] = {
    Convolution: _convolution,
    ConvolutionDepthwise: _convolution,
    Deconvolution: _convolution,
    DepthwiseConvolution: _convolution,
    InnerProduct: _inner_product,
}
