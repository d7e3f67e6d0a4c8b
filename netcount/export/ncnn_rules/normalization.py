"""ncnn for normalizations, factors and shifts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.deploy.affine import AFFINE
from netcount.export.graph_of_layers import ADD, MUL, LayerGraph, Rule, Weight, image, mat
from netcount.export.ops import refuse
from netcount.graph.graph import Node
from netcount.layers.layer import Layer
from netcount.layers.normalization.batch_norm import BatchNorm
from netcount.layers.normalization.bias import Bias
from netcount.layers.normalization.bn import BN
from netcount.layers.normalization.channel_scale import ChannelScale
from netcount.layers.normalization.lrn import LRN
from netcount.layers.normalization.mvn import MVN
from netcount.layers.normalization.normalize import Normalize
from netcount.layers.normalization.scale import Scale


def _flat(values: object) -> Weight:
    return Weight(np.asarray(values, np.float32).reshape(-1))


def _batch_norm(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("BatchNorm", node.layer)
    blobs = [g.values(node, index) for index in range(len(node.params))]
    channels = node.bottoms[0].shape[1]
    scale, bias = blobs[3:] if layer.learned else (np.ones(channels), np.zeros(channels))
    if not layer.kept:  # the statistics of a batch of one image
        image(node.bottoms[0].shape)
        weights = [_flat(scale), _flat(bias)]
        return [g.op("InstanceNorm", bottoms[0], weights=weights, params={0: channels, 1: float(layer.eps)})]
    factor = np.float32(0 if blobs[2].reshape(-1)[0] == 0 else 1 / blobs[2].reshape(-1)[0])
    weights = [_flat(v) for v in (scale, blobs[0] * factor, blobs[1] * factor, bias)]
    return [g.op("BatchNorm", bottoms[0], weights=weights, params={0: channels, 1: float(layer.eps)})]


def _bn(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("BN", node.layer)
    if len(node.tops) > 1:
        refuse("also gives the batch's statistics")
    blobs = [g.values(node, index) for index in range(len(node.params))]
    channels = node.bottoms[0].shape[1]
    if layer.kept or layer.folded:
        factor, shift = AFFINE[BN].values(layer, blobs, channels)
        y = g.op("Scale", bottoms[0], weights=[_flat(factor), _flat(shift)], params={0: channels, 1: 1})
    else:
        image(node.bottoms[0].shape)
        weights = [_flat(blob) for blob in blobs[:2]]
        y = g.op("InstanceNorm", bottoms[0], weights=weights, params={0: channels, 1: float(layer.eps)})
    return [g.reshape(y, mat(node.bottoms[0].shape), mat(node.tops[0].shape))]


def _operand(g: LayerGraph, node: Node, name: str | int, start: int) -> str:
    """A blob, or another bottom, with axes of 1 before and behind it, as many as the first bottom has."""
    axes = len(node.bottoms[0].shape)
    given = tuple(node.bottoms[1].shape if isinstance(name, str) else node.params[name].shape)
    whole = (*(1,) * start, *given, *(1,) * (axes - start - len(given)))
    spread = mat(whole)
    if isinstance(name, str):
        return g.reshape(name, mat(given), spread)
    return g.constant(g.values(node, name).reshape(spread))


def _of_channels(node: Node, start: int) -> bool:
    return start == 1 and all(len(blob.shape) == 1 for blob in node.params)


def _scale(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Scale", node.layer)
    start, _ = layer.operand(node.bottom_shapes)
    if len(bottoms) == 1 and _of_channels(node, start):
        weights = [g.weight(node, index) for index in range(len(node.params))]
        params = {0: weights[0].values.size, 1: int(layer.bias)}
        return [g.op("Scale", bottoms[0], weights=weights, params=params)]
    names: list[str | int] = [*bottoms[1:], *range(len(node.params))]
    y = g.binary(MUL, bottoms[0], _operand(g, node, names[0], start))
    return [g.binary(ADD, y, _operand(g, node, names[1], start)) if len(names) > 1 else y]


def _bias(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    start, _ = cast("Bias", node.layer).operand(node.bottom_shapes)
    if len(bottoms) == 1 and _of_channels(node, start):
        weight = g.weight(node, 0)
        return [g.op("Bias", bottoms[0], weights=[weight], params={0: weight.values.size})]
    names: list[str | int] = [*bottoms[1:], *range(len(node.params))]
    return [g.binary(ADD, bottoms[0], _operand(g, node, names[0], start))]


def _lrn(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("LRN", node.layer)
    values = float(layer.alpha), float(layer.beta), 1.0 if layer.within else float(layer.k)
    params = {0: int(layer.within), 1: layer.local_size} | dict(zip((2, 3, 4), values, strict=True))
    return [g.op("LRN", bottoms[0], params=params)]


def _mvn(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("MVN", node.layer)
    image(node.bottoms[0].shape)
    params = {0: int(layer.variance), 1: int(layer.across), 2: float(layer.eps)}
    return [g.op("MVN", bottoms[0], params=params)]


def _normalize(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Normalize", node.layer)
    if layer.norm != "L2":
        refuse("divides by the norm L1")
    if len(node.tops) > 1:
        refuse("also gives the norms")
    image(node.bottoms[0].shape)
    scale = _flat(1.0) if layer.unscaled else g.weight(node, 0)
    size = scale.values.size
    params = {0: int(layer.across), 1: int(size == 1), 2: float(layer.eps), 3: size, 4: 1, 9: 0}
    return [g.op("Normalize", bottoms[0], weights=[scale], params=params)]


def _channel_scale(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("ChannelScale", node.layer)
    if layer.globally:
        refuse("one factor that is learned within bounds")
    if not layer.scales:
        return [bottoms[0]]
    _, *spatial = mat(node.bottoms[0].shape)
    factor = g.reshape(bottoms[1], mat(node.bottoms[1].shape), (1, *spatial))
    return [g.binary(MUL, bottoms[0], factor)]


RULES: Mapping[type[Layer], Rule] = {
    BatchNorm: _batch_norm,
    Bias: _bias,
    BN: _bn,
    ChannelScale: _channel_scale,
    LRN: _lrn,
    MVN: _mvn,
    Normalize: _normalize,
    Scale: _scale,
}
