"""ONNX for normalizations, factors and shifts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.deploy.affine import AFFINE
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.onnx_rules.activation import linear
from netcount.export.ops import refuse
from netcount.graph.graph import Node
from netcount.layers.layer import Layer
from netcount.layers.normalization.batch_norm import BatchNorm
from netcount.layers.normalization.bias import Bias
from netcount.layers.normalization.bn import BN
from netcount.layers.normalization.channel_norm import ChannelNorm
from netcount.layers.normalization.channel_scale import ChannelScale
from netcount.layers.normalization.grn import GRN
from netcount.layers.normalization.lrn import LRN
from netcount.layers.normalization.mean import Mean
from netcount.layers.normalization.mvn import MVN
from netcount.layers.normalization.normalize import Normalize
from netcount.layers.normalization.scale import Scale
from netcount.layers.normalization.simple_normalize import SimpleNormalize


def _centred(g: OpGraph, x: str, axes: list[int]) -> str:
    return g.op("Sub", x, g.reduce("ReduceMean", x, axes))


def _by_batch(g: OpGraph, node: Node, x: str, eps: float) -> str:
    """Mean 0 and variance 1 by the batch's own statistics."""
    axes = [0, *range(2, len(node.bottoms[0].shape))]
    y = _centred(g, x, axes)
    variance = g.reduce("ReduceMean", g.op("Mul", y, y), axes)
    return g.op("Div", y, g.op("Sqrt", linear(g, variance, 1, eps)))


def _channels(g: OpGraph, node: Node, values: object) -> str:
    array = np.asarray(values).reshape(-1)
    return g.constant(array.reshape(-1, *(1,) * (len(node.bottoms[0].shape) - 2)), "channels")


def _batch_norm(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("BatchNorm", node.layer)
    blobs = [g.values(node, index) for index in range(len(node.params))]
    channels = node.bottoms[0].shape[1]
    scale, bias = blobs[3:] if layer.learned else (np.ones(channels), np.zeros(channels))
    if not layer.kept:
        y = _by_batch(g, node, bottoms[0], layer.eps)
        if layer.learned:
            y = g.op("Add", g.op("Mul", y, _channels(g, node, scale)), _channels(g, node, bias))
        return [y]
    factor = np.float32(0 if blobs[2].reshape(-1)[0] == 0 else 1 / blobs[2].reshape(-1)[0])
    values = (scale, bias, blobs[0] * factor, blobs[1] * factor)
    constants = [g.constant(np.asarray(v, np.float32).reshape(-1), "statistic") for v in values]
    return [g.op("BatchNormalization", bottoms[0], *constants, epsilon=float(layer.eps))]


def _bn(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("BN", node.layer)
    if len(node.tops) > 1:
        refuse("also gives the batch's statistics")
    blobs = [g.values(node, index) for index in range(len(node.params))]
    if layer.kept or layer.folded:
        factor, shift = AFFINE[BN].values(layer, blobs, node.bottoms[0].shape[1])
        y = bottoms[0]
    else:
        factor, shift = blobs[:2]
        y = _by_batch(g, node, bottoms[0], layer.eps)
    y = g.op("Add", g.op("Mul", y, _channels(g, node, factor)), _channels(g, node, shift))
    return [g.four_axes(y, node.bottoms[0].shape) if layer.segnet else y]


def _operand(g: OpGraph, node: Node, name: str | int, start: int) -> str:
    """A blob, or another bottom, with axes of 1 behind it."""
    shape = node.bottoms[1].shape if isinstance(name, str) else node.params[name].shape
    behind = len(node.bottoms[0].shape) - start - len(shape)
    spread = (*shape, *(1,) * behind) if shape else ()
    if isinstance(name, str):
        return g.reshape(name, shape, spread)
    return g.blob(node, name, spread)


def _scale(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Scale", node.layer)
    start, _ = layer.operand(node.bottom_shapes)
    names: list[str | int] = [*bottoms[1:], *range(len(node.params))]
    y = g.op("Mul", bottoms[0], _operand(g, node, names[0], start))
    return [g.op("Add", y, _operand(g, node, names[1], start)) if len(names) > 1 else y]


def _bias(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    start, _ = cast("Bias", node.layer).operand(node.bottom_shapes)
    names: list[str | int] = [*bottoms[1:], *range(len(node.params))]
    return [g.op("Add", bottoms[0], _operand(g, node, names[0], start))]


def _lrn(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("LRN", node.layer)
    (x,) = bottoms
    size = layer.local_size
    if not layer.within:
        return [g.op("LRN", x, size=size, alpha=layer.alpha, beta=layer.beta, bias=layer.k)]
    mean = g.op(
        "AveragePool",
        g.op("Mul", x, x),
        kernel_shape=[size, size],
        pads=[size // 2] * 4,
        strides=[1, 1],
        count_include_pad=1,
    )
    scale = g.op("Pow", linear(g, mean, layer.alpha, 1), g.constant(-float(layer.beta)))
    return [g.op("Mul", x, scale)]


def _mvn(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("MVN", node.layer)
    x = g.four_axes(bottoms[0], node.bottoms[0].shape)
    axes = [1, 2, 3] if layer.across else [2, 3]
    y = _centred(g, x, axes)
    if layer.variance:
        deviation = g.op("Sqrt", g.reduce("ReduceMean", g.op("Mul", y, y), axes))
        y = g.op("Div", y, linear(g, deviation, 1, layer.eps))
    return [y]


def _normalize(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Normalize", node.layer)
    x, shape = bottoms[0], node.bottoms[0].shape
    if layer.unscaled:
        x = g.four_axes(x, shape)
    axes = list(range(1, max(4, len(shape)) if layer.unscaled else len(shape))) if layer.across else [1]
    sizes = g.op("Mul", x, x) if layer.norm == "L2" else g.op("Abs", x)
    norm = linear(g, g.reduce("ReduceSum", sizes, axes), 1, layer.eps)
    if layer.norm == "L2":
        norm = g.op("Sqrt", norm)
    y = g.op("Div", x, norm)
    if layer.unscaled:
        return [y, norm][: layer.top_count]
    return [g.op("Mul", y, _channels(g, node, g.values(node, 0)))]


def _channel_norm(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    x = g.four_axes(bottoms[0], node.bottoms[0].shape)
    return [g.op("Sqrt", g.reduce("ReduceSum", g.op("Mul", x, x), [1]))]


def _grn(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    (x,) = bottoms
    if len(node.bottoms[0].shape) < 2:
        refuse("needs channels")
    norm = linear(g, g.reduce("ReduceSum", g.op("Mul", x, x), [1]), 1, cast("GRN", node.layer).bias)
    return [g.op("Div", x, g.op("Sqrt", norm))]


def _simple_normalize(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    x = g.four_axes(bottoms[0], node.bottoms[0].shape)
    return [g.op("Div", x, g.op("Sqrt", g.reduce("ReduceSum", g.op("Mul", x, x), [1, 2, 3])))]


def _channel_scale(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("ChannelScale", node.layer)
    if layer.globally:
        refuse("one factor that is learned within bounds")
    if not layer.scales:
        return [g.op("Identity", bottoms[0])]
    shape = node.bottoms[0].shape
    return [g.op("Mul", bottoms[0], g.reshape(bottoms[1], node.bottoms[1].shape, (shape[0], 1, *shape[2:])))]


def _mean(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Mean", node.layer)
    if layer.filed:
        refuse("its mean lies in another file")
    output, given, mean = layer.scales
    tops = []
    for name, blob in zip(bottoms, node.bottoms, strict=True):
        shape = (*blob.shape, 1, 1, 1, 1)[:4]
        values = np.resize(np.asarray(layer.values, np.float32), shape[1]).reshape(-1, 1, 1)
        x = linear(g, g.four_axes(name, blob.shape), given, 0)
        tops.append(linear(g, g.op("Add", x, g.constant(layer.sign * mean * values)), output, 0))
    return tops


RULES: Mapping[type[Layer], Rule] = {
    BatchNorm: _batch_norm,
    Bias: _bias,
    BN: _bn,
    ChannelNorm: _channel_norm,
    ChannelScale: _channel_scale,
    GRN: _grn,
    LRN: _lrn,
    Mean: _mean,
    MVN: _mvn,
    Normalize: _normalize,
    Scale: _scale,
    SimpleNormalize: _simple_normalize,
}
