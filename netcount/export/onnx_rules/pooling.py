"""ONNX for pooling, with Caffe's rounding, clipping and divisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.ops import refuse
from netcount.export.windows import needed_behind
from netcount.graph.graph import Node
from netcount.kernels.window_reduce import LOWEST
from netcount.layers.layer import Layer
from netcount.layers.pooling._volume import Volume
from netcount.layers.pooling.pooling import Pooling
from netcount.layers.pooling.pooling3d import Pooling3D
from netcount.layers.pooling.pooling_nd import PoolingND
from netcount.layers.pooling.roi_pooling import ROIPooling
from netcount.layers.pooling.spp import SPP


def _padded(g: OpGraph, x: str, pad: Sequence[int], behind: Sequence[int], value: float) -> str:
    pads = np.array([0, 0, *pad, 0, 0, *behind], np.int64)
    return g.op("Pad", x, g.constant(pads, "pads"), g.constant(np.float32(value), "fill"))


def divisors(
    extents: Sequence[int], made: Sequence[int], kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int]
) -> list[list[int]]:
    """Caffe's size of each window along each axis: cut at the padded input's end, nowhere else."""
    return [
        [min(start + k, e + p) - start for start in range(-p, -p + m * s, s)]
        for e, m, k, s, p in zip(extents, made, kernel, stride, pad, strict=True)
    ]


def pooled(
    g: OpGraph,
    x: str,
    method: str,
    extents: Sequence[int],
    made: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
) -> str:
    """One pooling of any number of spatial axes."""
    ones = [1] * len(kernel)
    behind = [max(0, b) for b in needed_behind(extents, made, kernel, stride, pad, ones)]
    if any(b >= k or p >= k for b, p, k in zip(behind, pad, kernel, strict=True)):
        x = _padded(g, x, pad, behind, LOWEST if method == "MAX" else 0)
        pads = [0] * (2 * len(kernel))
    else:
        pads = [*pad, *behind]
    window: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(stride), "pads": pads}
    if method == "MAX":
        return g.op("MaxPool", x, **window)
    if method == "STOCHASTIC":
        sums, squares = (g.op("AveragePool", v, count_include_pad=1, **window) for v in (x, g.op("Mul", x, x)))
        zero = g.constant(0.0)
        positive = g.op("Greater", sums, zero)
        return g.op("Where", positive, g.op("Div", squares, sums), zero)
    y = g.op("AveragePool", x, count_include_pad=1, **window)
    sizes = divisors(extents, made, kernel, stride, pad)
    if min((min(line, default=1) for line in sizes), default=1) <= 0:
        refuse("a window of an average lies wholly behind the input")
    factor = np.ones((1,) * len(sizes))
    for axis, line in enumerate(sizes):
        shape = [1] * len(sizes)
        shape[axis] = len(line)
        factor = factor * np.array(line, np.float64).reshape(shape)
    if (factor == prod(kernel)).all():
        return y
    return g.op("Mul", y, g.constant((prod(kernel) / factor)[None, None].astype(np.float32), "divisor"))


def _pooling(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Pooling", node.layer)
    window = layer.window(node.bottom_shapes)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    extents, made = shape[2:], top[2:]
    if not top.count():
        refuse("a pooling without outputs")
    if layer.top_count == 1:
        return [pooled(g, bottoms[0], layer.method, extents, made, window.kernel, window.stride, window.pad)]
    ones = (1,) * len(window.kernel)
    behind = [max(0, b) for b in needed_behind(extents, made, window.kernel, window.stride, window.pad, ones)]
    y, places = g.op_all(
        "MaxPool",
        bottoms[0],
        outputs=2,
        kernel_shape=list(window.kernel),
        strides=list(window.stride),
        pads=[*window.pad, *behind],
    )
    mask = g.op("Mod", places, g.constant(np.int64(prod(extents)), "plane"))
    return [y, g.floats(mask)]


def _spp(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("SPP", node.layer)
    shape = node.bottoms[0].shape
    levels = []
    for kernel, pad, made in layer._checked(shape):
        y = pooled(g, bottoms[0], layer.method, shape[2:], made, kernel, kernel, pad)
        level = (*shape[:2], *made)
        if layer.height > 1:
            y = g.reshape(y, level, (shape[0], prod(level[1:])))
        levels.append(y)
    return [g.op("Concat", *levels, axis=1) if layer.height > 1 else levels[0]]


def _roi_pooling(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("ROIPooling", node.layer)
    if layer.padding:
        refuse("boxes with a pad_ratio")
    boxes = g.reshape(bottoms[1], node.bottoms[1].shape, (node.bottoms[1].shape.count() // 5, 5))
    bins = list(node.tops[0].shape[2:])
    return [g.op("MaxRoiPool", bottoms[0], boxes, pooled_shape=bins, spatial_scale=float(layer.scale))]


_MOST_AXES = 3
"""Spatial axes that ONNX Runtime pools over."""


def _volume(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Volume", node.layer)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    window = layer.window(node.bottom_shapes)
    if len(node.tops) > 1:
        refuse("also gives a mask")
    if shape.axis(layer.axis_given) != 1 or not 1 <= len(shape) - 2 <= _MOST_AXES:
        refuse(f"pools {shape} over axes that ONNX Runtime does not")
    if any(one != 1 for one in window.dilation):
        refuse("its window has gaps")
    if not top.count():
        refuse("a pooling without outputs")
    return [pooled(g, bottoms[0], layer.method, shape[2:], top[2:], window.kernel, window.stride, window.pad)]


RULES: Mapping[type[Layer], Rule] = {
    Pooling: _pooling,
    Pooling3D: _volume,
    PoolingND: _volume,
    ROIPooling: _roi_pooling,
    SPP: _spp,
}
