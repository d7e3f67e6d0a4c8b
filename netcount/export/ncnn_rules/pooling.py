"""ncnn for pooling, with Caffe's rounding, clipping and divisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from netcount.export.graph_of_layers import LayerGraph, Rule, Value, image, mat
from netcount.export.ops import refuse
from netcount.export.windows import needed_behind
from netcount.graph.graph import Node
from netcount.layers.layer import Layer
from netcount.layers.pooling.pooling import Pooling
from netcount.layers.pooling.spp import SPP

_METHODS = {"MAX": 0, "AVE": 1}
_AS_PADDED = 1
"""The pad mode in which nothing is rounded."""


def pooled(
    g: LayerGraph,
    x: str,
    method: str,
    extents: Sequence[int],
    made: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
) -> str:
    """One pooling of an image.

    An average counts what Caffe pads and nothing behind it: that padding is a layer of its own, and Pooling does
    not count the rest.
    """
    if method not in _METHODS:
        refuse(f"pools by {method}")
    behind = [max(0, b) for b in needed_behind(extents, made, kernel, stride, pad, (1, 1))]
    top, left = pad
    if method == "AVE" and any(pad):
        x = g.op("Padding", x, params={0: top, 1: top, 2: left, 3: left, 4: 0, 5: 0.0})
        behind = [max(0, b - p) for b, p in zip(behind, pad, strict=True)]
        top = left = 0
    params: dict[int, Value] = {0: _METHODS[method], 1: kernel[1], 11: kernel[0], 2: stride[1], 12: stride[0]}
    params |= {3: left, 13: top, 14: behind[1], 15: behind[0], 5: _AS_PADDED}
    return g.op("Pooling", x, params=params)


def _pooling(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Pooling", node.layer)
    if layer.top_count > 1:
        refuse("also gives a mask")
    _, *extents = image(node.bottoms[0].shape)
    _, *made = image(node.tops[0].shape)
    window = layer.window(node.bottom_shapes)
    return [pooled(g, bottoms[0], layer.method, extents, made, window.kernel, window.stride, window.pad)]


def _spp(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("SPP", node.layer)
    channels, *extents = image(node.bottoms[0].shape)
    levels = []
    for kernel, pad, made in layer._checked(node.bottoms[0].shape):
        y = pooled(g, bottoms[0], layer.method, extents, made, kernel, kernel, pad)
        flat = (channels * made[0] * made[1],)
        levels.append(g.reshape(y, (channels, *made), flat if layer.height > 1 else mat(node.tops[0].shape)))
    return [g.op("Concat", *levels, params={0: 0}) if layer.height > 1 else levels[0]]


RULES: Mapping[type[Layer], Rule] = {Pooling: _pooling, SPP: _spp}
