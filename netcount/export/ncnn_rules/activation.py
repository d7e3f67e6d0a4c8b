"""ncnn for functions of each element, and softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.export.graph_of_layers import ADD, MUL, LayerGraph, Rule, Value
from netcount.graph.graph import Node
from netcount.kernels.window_reduce import LOWEST
from netcount.layers.activation.abs_val import AbsVal
from netcount.layers.activation.bnll import BNLL
from netcount.layers.activation.clip import Clip
from netcount.layers.activation.dropout import Dropout
from netcount.layers.activation.elu import ELU
from netcount.layers.activation.exp import Exp
from netcount.layers.activation.hard_sigmoid import HardSigmoid
from netcount.layers.activation.log import Log
from netcount.layers.activation.mish import Mish
from netcount.layers.activation.multi_softmax import MultiSoftmax
from netcount.layers.activation.neg_relu import NegReLU
from netcount.layers.activation.power import Power
from netcount.layers.activation.prelu import PReLU
from netcount.layers.activation.relu import ReLU
from netcount.layers.activation.relu6 import ReLU6
from netcount.layers.activation.selu import SeLU
from netcount.layers.activation.sigmoid import Sigmoid
from netcount.layers.activation.softmax import Softmax
from netcount.layers.activation.spatial_dropout import SpatialDropout
from netcount.layers.activation.spatial_dropout_layer import SpatialDropoutLayer
from netcount.layers.activation.swish import Swish
from netcount.layers.activation.tanh import TanH
from netcount.layers.activation.threshold import Threshold
from netcount.layers.layer import Layer

_HIGHEST = -LOWEST


def _plain(kind: str, params: Mapping[int, Value] | None = None) -> Rule:
    def rule(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
        return [g.op(kind, bottoms[0], params=params)]

    return rule


def _relu(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("ReLU", bottoms[0], params={0: float(cast("ReLU", node.layer).slope)})]


def _relu6(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    (y,) = _relu(g, node, bottoms)
    return [g.op("Clip", y, params={0: LOWEST, 1: 6.0})]


def _neg_relu(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    low = g.op("Clip", bottoms[0], params={0: LOWEST, 1: 0.0})
    high = g.op("Clip", bottoms[0], params={0: 0.0, 1: _HIGHEST})
    return [g.binary(ADD, low, g.linear(high, cast("NegReLU", node.layer).slope, 0))]


def _power(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Power", node.layer)
    if layer.constant:
        return [g.op("Power", bottoms[0], params={0: float(layer.power), 1: 0.0, 2: float(layer.shift)})]
    values = float(layer.power), float(layer.scale), float(layer.shift)
    return [g.op("Power", bottoms[0], params=dict(enumerate(values)))]


def _exp(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Exp", node.layer)
    y = g.op("Exp", bottoms[0], params={0: -1.0, 1: float(layer.inner), 2: 0.0})
    return [g.linear(y, layer.outer, 0)]


def _log(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Log", node.layer)
    y = g.op("Log", bottoms[0], params={0: -1.0, 1: float(layer.scale), 2: float(layer.shift)})
    return [g.linear(y, layer.outer, 0)]


def _prelu(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    slopes = g.weight(node, 0)
    return [g.op("PReLU", bottoms[0], weights=[slopes], params={0: slopes.values.size})]


def _elu(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("ELU", bottoms[0], params={0: float(cast("ELU", node.layer).alpha)})]


def _clip(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Clip", node.layer)
    return [g.op("Clip", bottoms[0], params={0: float(layer.least), 1: float(layer.most)})]


def _swish(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    beta = cast("Swish", node.layer).beta
    if beta == 1:
        return [g.op("Swish", bottoms[0])]
    return [g.binary(MUL, bottoms[0], g.op("Sigmoid", g.linear(bottoms[0], beta, 0)))]


def _threshold(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Threshold", bottoms[0], params={0: float(cast("Threshold", node.layer).threshold)})]


def _softmax(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    shape = node.bottoms[0].shape
    axis = shape.axis(cast("Softmax", node.layer).axis_given) - 1
    if axis < 0:  # over one image: 1 everywhere
        return [g.op("Power", bottoms[0], params={0: 1.0, 1: 0.0, 2: 1.0})]
    return [g.op("Softmax", bottoms[0], params={0: axis, 1: 1})]


def _scaled(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("SpatialDropoutLayer", node.layer)
    return [g.linear(bottoms[0], 1.0 if layer.trains else 1 / (1 - layer.share), 0)]


def _same(g: LayerGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [bottoms[0]]


RULES: Mapping[type[Layer], Rule] = {
    AbsVal: _plain("AbsVal"),
    BNLL: _plain("BNLL"),
    Clip: _clip,
    Dropout: _same,
    ELU: _elu,
    Exp: _exp,
    HardSigmoid: _plain("HardSigmoid", {0: 0.2, 1: 0.5}),
    Log: _log,
    Mish: _plain("Mish"),
    MultiSoftmax: _softmax,
    NegReLU: _neg_relu,
    Power: _power,
    PReLU: _prelu,
    ReLU: _relu,
    ReLU6: _relu6,
    SeLU: _plain("SELU", {0: SeLU.ALPHA, 1: SeLU.LAMBDA}),
    Sigmoid: _plain("Sigmoid"),
    Softmax: _softmax,
    SpatialDropout: _same,
    SpatialDropoutLayer: _scaled,
    Swish: _swish,
    TanH: _plain("TanH"),
    Threshold: _threshold,
}
