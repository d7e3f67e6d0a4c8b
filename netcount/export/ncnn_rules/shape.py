"""ncnn for layers that move, join, cut or sum values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.export.graph_of_layers import ADD, MUL, LayerGraph, Rule, image, mat
from netcount.export.ops import refuse
from netcount.graph.graph import Node
from netcount.layers.layer import Layer
from netcount.layers.shape.axpy import Axpy
from netcount.layers.shape.broadcast_mul import BroadcastMul
from netcount.layers.shape.concat import Concat
from netcount.layers.shape.crop import Crop
from netcount.layers.shape.eltwise import Eltwise
from netcount.layers.shape.flatten import Flatten
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

_ORDERS = (
    "WH HW".split(),
    "WHC HWC WCH CWH HCW CHW".split(),
    "WHDC HWDC WDHC DWHC HDWC DHWC WHCD HWCD WCHD CWHD HCWD CHWD "
    "WDCH DWCH WCDH CWDH DCWH CDWH HDCW DHCW HCDW CHDW DCHW CDHW".split(),
)
"""The numbers of Permute's orders, for two to four axes, innermost first."""
_NEAREST, _LINEAR = 1, 2


def _concat(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    axis = node.bottoms[0].shape.axis(cast("Concat", node.layer).axis_given)
    if axis == 0 and len(bottoms) > 1:
        refuse("joins images")
    return [g.op("Concat", *bottoms, params={0: max(0, axis - 1)}) if len(bottoms) > 1 else bottoms[0]]


def _slice(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    axis = node.bottoms[0].shape.axis(cast("Slice", node.layer).axis_given)
    sizes = [top.shape[axis] for top in node.tops]
    if len(sizes) == 1:
        return [bottoms[0]]
    if axis == 0:
        refuse("cuts the axis of images")
    return g.op_all("Slice", bottoms[0], outputs=len(sizes), params={0: sizes, 1: axis - 1})


def _crop(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Crop", node.layer)
    data, top = node.bottoms[0].shape, node.tops[0].shape
    first = data.axis(layer.axis_given)
    x, extents = bottoms[0], list(mat(data))
    for axis in range(max(1, first), len(data)):
        offset = layer._offset(axis - first)
        x = g.crop(x, extents, axis - 1, offset, offset + top[axis])
        extents[axis - 1] = top[axis]
    return [x]


def _eltwise(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Eltwise", node.layer)
    if layer.lost:
        refuse("loses its first bottom, as its top has that name")
    params = {0: {"PROD": 0, "SUM": 1, "MAX": 2}[layer.operation]}
    if layer.operation != "SUM" or all(factor == 1 for factor in layer.coefficients):
        return [g.op("Eltwise", *bottoms, params=params)]
    return [g.op("Eltwise", *bottoms, params=params | {1: [float(factor) for factor in layer.coefficients]})]


def _reshaped(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.reshape(bottoms[0], mat(node.bottoms[0].shape), mat(node.tops[0].shape))]


def _permute(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    whole = cast("Permute", node.layer)._whole(len(node.bottoms[0].shape))
    if whole[0] != 0:
        refuse("moves the axis of images")
    order = [axis - 1 for axis in whole[1:]]
    if order == sorted(order):
        return [bottoms[0]]
    letters = {2: "HW", 3: "CHW", 4: "CDHW"}[len(order)]
    name = "".join(letters[axis] for axis in reversed(order))
    return [g.op("Permute", bottoms[0], params={0: _ORDERS[len(order) - 2].index(name)})]


def _reduction(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Reduction", node.layer)
    shape = node.bottoms[0].shape
    extents = mat(shape)
    first = max(1, shape.axis(layer.axis_given)) - 1
    params = {0: {"SUM": 0, "ASUM": 1, "SUMSQ": 2, "MEAN": 3}[layer.operation], 1: 0, 2: 1.0, 4: 0, 5: 1}
    y = g.op("Reduction", bottoms[0], params=params | {3: list(range(first, len(extents)))})
    return [g.linear(y, layer.coefficient, 0)]


def _tile(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Tile", node.layer)
    axis = node.bottoms[0].shape.axis(layer.axis_given)
    if layer.tiles == 1:
        return [bottoms[0]]
    return [g.op("Tile", bottoms[0], params={0: axis - 1, 1: layer.tiles})]


def _split(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [bottoms[0] for _ in node.tops]


def _silence(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return []


def _axpy(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    factor, x, y = bottoms
    channels, *spatial = mat(node.bottoms[1].shape)
    spread = g.reshape(factor, mat(node.bottoms[0].shape), (channels, *(1,) * len(spatial)))
    return [g.binary(ADD, g.binary(MUL, x, spread), y)]


def _broadcast_mul(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    first, second = (blob.shape for blob in node.bottoms)
    turn = 1 if first.count() > second.count() else -1
    (whole, factors), (x, y) = (first, second)[::turn], bottoms[::turn]
    channels, *spatial = mat(whole)
    if factors.count() != channels:
        refuse(f"{factors.count()} factors for {channels} channels")
    return [g.binary(MUL, x, g.reshape(y, mat(factors), (channels, *(1,) * len(spatial))))]


def _merge_crop(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("MergeCrop", node.layer)
    if not all(layer.reads):
        refuse("one of its bottoms is switched off")
    made, extents = mat(node.bottoms[0].shape), list(mat(node.bottoms[1].shape))
    x, y = bottoms
    for axis in range(1, len(made)):
        begin = (extents[axis] - made[axis]) // 2
        y = g.crop(y, extents, axis, begin, begin + made[axis])
        extents[axis] = made[axis]
    return [g.binary(ADD, x, y) if layer.adds else g.op("Concat", x, y, params={0: 0})]


def _resized(g: LayerGraph, x: str, kind: int, height: int, width: int) -> str:
    return g.op("Interp", x, params={0: kind, 3: height, 4: width, 6: int(kind == _LINEAR)})


def _interp(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Interp", node.layer)
    extents = list(image(node.bottoms[0].shape))
    x = bottoms[0]
    for axis in (1, 2):
        stop = extents[axis] + layer.behind
        x = g.crop(x, extents, axis, -layer.before, stop)
        extents[axis] = stop + layer.before
    _, height, width = image(node.tops[0].shape)
    return [_resized(g, x, _LINEAR, height, width)]


def _upsample(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Upsample", node.layer)
    if len(bottoms) > 1:
        refuse("scatters by a mask")
    if layer.linear:
        refuse("mode BILINEAR is not known well enough")
    image(node.bottoms[0].shape)
    _, height, width = image(node.tops[0].shape)
    return [_resized(g, bottoms[0], _NEAREST, height, width)]


def _shuffle(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    image(node.bottoms[0].shape)
    return [g.op("ShuffleChannel", bottoms[0], params={0: cast("ShuffleChannel", node.layer).group})]


RULES: Mapping[type[Layer], Rule] = {
    Axpy: _axpy,
    BroadcastMul: _broadcast_mul,
    Concat: _concat,
    Crop: _crop,
    Eltwise: _eltwise,
    Flatten: _reshaped,
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
