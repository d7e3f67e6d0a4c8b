"""ONNX for functions of each element, and softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.graph.graph import Node
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


def _plain(kind: str) -> Rule:
    def rule(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
        return [g.op(kind, bottoms[0])]

    return rule


def _same(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Identity", bottoms[0])]


def _relu(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    slope = cast("ReLU", node.layer).slope
    return [g.op("LeakyRelu", bottoms[0], alpha=slope) if slope else g.op("Relu", bottoms[0])]


def _relu6(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    (y,) = _relu(g, node, bottoms)
    return [g.op("Min", y, g.constant(6.0))]


def _neg_relu(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    slope, zero = cast("NegReLU", node.layer).slope, g.constant(0.0)
    low = g.op("Min", bottoms[0], zero)
    high = g.op("Mul", g.op("Max", bottoms[0], zero), g.constant(slope))
    return [g.op("Add", low, high)]


def linear(g: OpGraph, x: str, scale: float, shift: float) -> str:
    """scale·x + shift."""
    if scale != 1:
        x = g.op("Mul", x, g.constant(float(scale)))
    return g.op("Add", x, g.constant(float(shift))) if shift != 0 else x


def _power(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Power", node.layer)
    if layer.constant:
        try:
            value = float(layer.shift**layer.power)
        except (ZeroDivisionError, OverflowError):
            value = float("inf")
        shape = g.op("Shape", bottoms[0])
        return [g.op("Expand", g.constant(value), shape)]
    y = linear(g, bottoms[0], layer.scale, layer.shift)
    return [y if y != bottoms[0] and layer.power == 1 else g.op("Pow", y, g.constant(float(layer.power)))]


def _exp(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Exp", node.layer)
    return [g.op("Mul", g.op("Exp", linear(g, bottoms[0], layer.inner, 0)), g.constant(float(layer.outer)))]


def _log(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Log", node.layer)
    inner = linear(g, bottoms[0], layer.scale, layer.shift)
    return [g.op("Mul", g.op("Log", inner), g.constant(float(layer.outer)))]


def _prelu(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    axes = len(node.bottoms[0].shape)
    slope = g.constant(g.values(node, 0).reshape(-1, *(1,) * (axes - 2)), "slope")
    return [g.op("PRelu", bottoms[0], slope)]


def _elu(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Elu", bottoms[0], alpha=float(cast("ELU", node.layer).alpha))]


def _selu(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("Selu", bottoms[0], alpha=SeLU.ALPHA, gamma=SeLU.LAMBDA)]


def _clip(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Clip", node.layer)
    return [g.op("Max", g.op("Min", bottoms[0], g.constant(layer.most)), g.constant(layer.least))]


def _hard_sigmoid(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    return [g.op("HardSigmoid", bottoms[0], alpha=0.2, beta=0.5)]


def _swish(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    beta = cast("Swish", node.layer).beta
    return [g.op("Mul", bottoms[0], g.op("Sigmoid", linear(g, bottoms[0], beta, 0)))]


def _threshold(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    limit = cast("Threshold", node.layer).threshold
    return [g.floats(g.op("Greater", bottoms[0], g.constant(float(limit))))]


def _softmax(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    axis = node.bottoms[0].shape.axis(cast("Softmax", node.layer).axis_given)
    return [g.op("Softmax", bottoms[0], axis=axis)]


def _scaled(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("SpatialDropoutLayer", node.layer)
    return [g.op("Mul", bottoms[0], g.constant(1.0 if layer.trains else 1 / (1 - layer.share)))]


RULES: Mapping[type[Layer], Rule] = {
    AbsVal: _plain("Abs"),
    BNLL: _plain("Softplus"),
    Clip: _clip,
    Dropout: _same,
    ELU: _elu,
    Exp: _exp,
    HardSigmoid: _hard_sigmoid,
    Log: _log,
    Mish: _plain("Mish"),
    MultiSoftmax: _softmax,
    NegReLU: _neg_relu,
    Power: _power,
    PReLU: _prelu,
    ReLU: _relu,
    ReLU6: _relu6,
    SeLU: _selu,
    Sigmoid: _plain("Sigmoid"),
    Softmax: _softmax,
    SpatialDropout: _same,
    SpatialDropoutLayer: _scaled,
    Swish: _swish,
    TanH: _plain("Tanh"),
    Threshold: _threshold,
}
