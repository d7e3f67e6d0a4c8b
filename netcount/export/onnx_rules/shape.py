"""ONNX for layers that move, join, cut, pick or sum values."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.ops import refuse
from netcount.graph.graph import Node
from netcount.kernels.window_reduce import LOWEST
from netcount.layers.layer import Layer
from netcount.layers.shape.arg_max import ArgMax
from netcount.layers.shape.axpy import Axpy
from netcount.layers.shape.batch_reindex import BatchReindex
from netcount.layers.shape.broadcast_mul import BroadcastMul
from netcount.layers.shape.concat import Concat
from netcount.layers.shape.crop import Crop
from netcount.layers.shape.eltwise import Eltwise
from netcount.layers.shape.filter import Filter
from netcount.layers.shape.flatten import Flatten
from netcount.layers.shape.gather import Gather
from netcount.layers.shape.im_resize import ImResize
from netcount.layers.shape.interp import Interp
from netcount.layers.shape.merge_crop import MergeCrop
from netcount.layers.shape.permute import Permute
from netcount.layers.shape.reduction import Reduction
from netcount.layers.shape.reshape import Reshape
from netcount.layers.shape.shuffle_channel import ShuffleChannel
from netcount.layers.shape.silence import Silence
from netcount.layers.shape.slice import Slice
from netcount.layers.shape.split import Split
from netcount.layers.shape.tile import Tile
from netcount.layers.shape.upsample import Upsample


def _concat(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    axis = node.bottoms[0].shape.axis(cast("Concat", node.layer).axis_given)
    return [g.op("Concat", *bottoms, axis=axis)]


def _slice(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    axis = node.bottoms[0].shape.axis(cast("Slice", node.layer).axis_given)
    if axis == 0:
        g.fixed("cuts the axis of images")
    ends = list(itertools.accumulate((top.shape[axis] for top in node.tops), initial=0))
    return [g.slice(bottoms[0], axis, a, b) for a, b in itertools.pairwise(ends)]


def _crop(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Crop", node.layer)
    data, top = node.bottoms[0].shape, node.tops[0].shape
    first = data.axis(layer.axis_given)
    x = bottoms[0]
    for axis in range(first, len(data)):
        offset = layer._offset(axis - first)
        if (offset, top[axis]) != (0, data[axis]):
            if axis == 0:
                g.fixed("cuts the axis of images")
            x = g.slice(x, axis, offset, offset + top[axis])
    return [g.op("Identity", x)]


def _eltwise(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Eltwise", node.layer)
    if layer.operation == "PROD":
        y = bottoms[0]
        for x in bottoms[1:]:
            y = g.op("Mul", y, x)
        return [y]
    names = list(bottoms)
    if layer.lost:
        value = 0.0 if layer.operation == "SUM" else LOWEST
        names[0] = g.op("Expand", g.constant(value), g.op("Shape", bottoms[1]))
    if layer.operation == "MAX":
        return [g.op("Max", *names)]
    for index, factor in enumerate(layer.coefficients):
        if factor != 1:
            names[index] = g.op("Mul", names[index], g.constant(float(factor)))
    return [g.op("Sum", *names)]


def _reshaped(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    y = g.reshape(bottoms[0], node.bottoms[0].shape, node.tops[0].shape)
    return [g.op("Identity", y) if y == bottoms[0] else y]


def _permute(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Permute", node.layer)
    return [g.op("Transpose", bottoms[0], perm=layer._whole(len(node.bottoms[0].shape)))]


def _reduction(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Reduction", node.layer)
    shape = node.bottoms[0].shape
    axes = list(range(shape.axis(layer.axis_given), len(shape)))
    kinds = {"SUM": "ReduceSum", "ASUM": "ReduceL1", "SUMSQ": "ReduceSumSquare", "MEAN": "ReduceMean"}
    y = g.reduce(kinds[layer.operation], bottoms[0], axes, keep=False)
    return [g.op("Mul", y, g.constant(float(layer.coefficient))) if layer.coefficient != 1 else y]


def _tile(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Tile", node.layer)
    axis = node.bottoms[0].shape.axis(layer.axis_given)
    return [g.op("Concat", *bottoms * layer.tiles, axis=axis)]


def _arg_max(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    """Of equals Caffe puts the larger index first: the axis is turned round."""
    layer = cast("ArgMax", node.layer)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    if layer.axis_given is None:
        flat = (shape[0], shape.count(1))
        x, axis, length = g.reshape(bottoms[0], shape, flat), 1, flat[1]
    else:
        axis = shape.axis(layer.axis_given)
        x, length = bottoms[0], shape[axis]
    turned = g.op("Gather", x, g.constant(np.arange(length)[::-1].copy(), "turned"), axis=axis)
    number = g.constant(np.array([layer.top_k], np.int64), "top_k")
    values, places = g.op_all("TopK", turned, number, outputs=2, axis=axis, largest=1, sorted=1)
    index = g.floats(g.op("Sub", g.constant(np.int64(length - 1), "last"), places))
    if layer.axis_given is not None:
        return [values if layer.values else index]
    before: tuple[int, ...] = (shape[0], layer.top_k)
    if layer.values:
        index = g.op(
            "Concat", *(g.reshape(v, before, (shape[0], 1, layer.top_k)) for v in (index, values)), axis=1
        )
        before = (shape[0], 2, layer.top_k)
    return [g.reshape(index, before, top)]


def _split(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Identity", bottoms[0]) for _ in node.tops]


def _silence(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return []


def _batch_reindex(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Gather", bottoms[0], g.indices(bottoms[1]), axis=0)]


def _filter(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    *data, selector = bottoms
    flat = g.reshape(selector, node.bottoms[-1].shape, (node.bottoms[-1].shape[0],))
    chosen = g.op("Cast", flat, to=9)
    return [g.op("Compress", one, chosen, axis=0) for one in data]


def _axpy(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    factor, x, y = bottoms
    shape = node.bottoms[1].shape
    spread = g.reshape(factor, node.bottoms[0].shape, (*shape[:2], *(1,) * (len(shape) - 2)))
    return [g.op("Add", g.op("Mul", spread, x), y)]


def _interp(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Interp", node.layer)
    shape = (*node.bottoms[0].shape, 1, 1, 1, 1)[:4]
    x = g.four_axes(bottoms[0], node.bottoms[0].shape)
    for axis in (2, 3):
        if layer.before or layer.behind:
            x = g.slice(x, axis, -layer.before, shape[axis] + layer.behind)
    sizes = g.constant(np.array(node.tops[0].shape[2:], np.int64), "sizes")
    return [
        g.op(
            "Resize", x, "", "", sizes, axes=[2, 3], mode="linear", coordinate_transformation_mode="align_corners"
        )
    ]


def _upsample(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Upsample", node.layer)
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    if len(bottoms) == 1:
        if layer.linear:
            refuse("mode BILINEAR is not known well enough")
        x = bottoms[0]
        for axis in (len(shape) - 2, len(shape) - 1):
            places = np.arange(top[axis]) * shape[axis] // max(1, top[axis])
            x = g.op("Gather", x, g.constant(places, "places"), axis=axis)
        return [x]
    if layer._fine(shape, node.bottoms[1].shape):
        refuse("interpolates as Tiny-DSOD does")
    g.fixed("scatters by a mask")
    planes, plane = top.count(0, 2), top.count(2)
    flat = g.reshape(bottoms[0], shape, (planes, shape.count(2)))
    targets = g.indices(g.reshape(bottoms[1], shape, (planes, shape.count(2))))
    zeros = g.constant(np.zeros((planes, plane), np.float32), "zeros")
    return [g.reshape(g.op("ScatterElements", zeros, targets, flat, axis=1), (planes, plane), top)]


def _shuffle(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    group = cast("ShuffleChannel", node.layer).group
    n, c, h, w = node.tops[0].shape
    x = g.reshape(bottoms[0], node.bottoms[0].shape, (n, group, c // group, h * w))
    y = g.op("Transpose", x, perm=[0, 2, 1, 3])
    return [g.reshape(y, (n, c // group, group, h * w), (n, c, h, w))]


def _broadcast_mul(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    first, second = (blob.shape for blob in node.bottoms)
    turn = 1 if first.count() > second.count() else -1
    (whole, factors), (x, y) = (first, second)[::turn], bottoms[::turn]
    n, c = (*whole, 1, 1)[:2]
    if factors.count() != n * c:
        refuse(f"{factors.count()} factors for {n}×{c} channels")
    spread = (n, c, *(1,) * (len(whole) - 2))[: len(whole)]
    return [g.op("Mul", x, g.reshape(y, factors, spread))]


def _merge_crop(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("MergeCrop", node.layer)
    a, b = (blob.shape for blob in node.bottoms)
    x, y = bottoms
    for axis in range(2, len(a)):
        if a[axis] != b[axis]:
            begin = (b[axis] - a[axis]) // 2
            y = g.slice(y, axis, begin, begin + a[axis])
    parts = [
        part if read else g.op("Mul", part, g.constant(0.0))
        for part, read in zip((x, y), layer.reads, strict=True)
    ]
    return [g.op("Add", *parts) if layer.adds else g.op("Concat", *parts, axis=1)]


def _im_resize(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("ImResize", node.layer)
    g.fixed("takes the mean of the images")
    images, *_ = node.bottoms[0].shape
    parts = []
    for scale, (lines, columns) in enumerate(layer.matrices(node.bottoms[0].shape)):
        x = g.slice(bottoms[0], 0, scale, scale + 1)
        rows = g.op("MatMul", g.constant(lines, "lines"), x)
        parts.append(g.op("MatMul", rows, g.constant(np.ascontiguousarray(columns.T), "columns")))
    return [g.op("Div", g.op("Sum", *parts), g.constant(float(images)))]


def _each(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Identity", x) for x in bottoms]


RULES: Mapping[type[Layer], Rule] = {
    ArgMax: _arg_max,
    Axpy: _axpy,
    BatchReindex: _batch_reindex,
    BroadcastMul: _broadcast_mul,
    Concat: _concat,
    Crop: _crop,
    Eltwise: _eltwise,
    Filter: _filter,
    Flatten: _reshaped,
    Gather: _each,
    ImResize: _im_resize,
    Interp: _interp,
    MergeCrop: _merge_crop,
    Permute: _permute,
    Reduction: _reduction,
    Reshape: _reshaped,
    ShuffleChannel: _shuffle,
    Silence: _silence,
    Slice: _slice,
    Split: _split,
    Tile: _tile,
    Upsample: _upsample,
}
