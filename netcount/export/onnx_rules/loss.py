"""ONNX for stock Caffe's losses and its accuracy, for whoever exports a net with its truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.onnx_rules.activation import linear
from netcount.export.ops import refuse
from netcount.graph.graph import Node
from netcount.layers.layer import Layer
from netcount.layers.loss._loss import LOG_THRESHOLD, SMALLEST, Loss
from netcount.layers.loss.accuracy import Accuracy
from netcount.layers.loss.contrastive_loss import ContrastiveLoss
from netcount.layers.loss.euclidean_loss import EuclideanLoss
from netcount.layers.loss.hinge_loss import HingeLoss
from netcount.layers.loss.infogain_loss import InfogainLoss
from netcount.layers.loss.l1_loss import L1Loss
from netcount.layers.loss.multinomial_logistic_loss import MultinomialLogisticLoss
from netcount.layers.loss.sigmoid_cross_entropy_loss import SigmoidCrossEntropyLoss
from netcount.layers.loss.softmax_with_loss import SoftmaxWithLoss


def _rows(g: OpGraph, node: Node, x: str, axis: int) -> str:
    """N×C×*S -> (N·S)×C."""
    shape = node.bottoms[0].shape
    if axis != len(shape) - 1:
        order = [a for a in range(len(shape)) if a != axis] + [axis]
        x = g.op("Transpose", x, perm=order)
        shape = type(shape)([shape[a] for a in order])
    return g.reshape(x, shape, (shape.count(0, len(shape) - 1), shape[-1]))


def _total(g: OpGraph, x: str, axes: int) -> str:
    return g.reduce("ReduceSum", x, list(range(axes)), keep=False)


def _labels(g: OpGraph, node: Node, name: str, ignored: int | None) -> tuple[str, str | None, str]:
    """Labels as R×1 whole numbers, ignored ones as 0; which count, R, as floats; and how many do."""
    shape = node.bottoms[1].shape
    labels = g.reshape(g.indices(name), shape, (shape.count(), 1))
    if ignored is None:
        return labels, None, g.constant(float(shape.count()))
    other = g.op("Not", g.op("Equal", labels, g.constant(np.int64(ignored))))
    kept = g.reshape(g.floats(other), (shape.count(), 1), (shape.count(),))
    return g.op("Mul", labels, g.op("Cast", other, to=7)), kept, _total(g, kept, 1)


def _divided(g: OpGraph, layer: Loss, total: str, outer: int, inner: int, valid: str) -> str:
    if layer.normalization == "VALID":
        return g.op("Div", total, g.op("Max", valid, g.constant(1.0)))
    return g.op("Div", total, g.constant(layer.divisor(outer, inner, 0)))


def _softmax_loss(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("SoftmaxWithLoss", node.layer)
    g.fixed("divides by the number of labels")
    shape, label = node.bottoms[0].shape, node.bottoms[1].shape
    axis = shape.axis(layer.axis_given)
    probabilities = g.op("Softmax", bottoms[0], axis=axis)
    labels, kept, valid = _labels(g, node, bottoms[1], layer.ignored)
    rows = _rows(g, node, probabilities, axis)
    picked = g.op("Max", g.op("GatherElements", rows, labels, axis=1), g.constant(SMALLEST))
    count = label.count()
    each = g.reshape(g.op("Neg", g.op("Log", picked)), (count, 1), (count,))
    if kept is not None:
        each = g.op("Mul", each, kept)
    if layer.weights is not None:
        weights = g.constant(np.array(layer.weights, np.float32))
        each = g.op("Mul", each, g.op("Gather", weights, g.reshape(labels, (count, 1), (count,))))
    outer = shape.count(0, axis)
    loss = _divided(g, layer, _total(g, each, 1), outer, count // max(1, outer), valid)
    return [loss, probabilities, g.reshape(each, (count,), label)][: len(node.tops)]


def _infogain(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("InfogainLoss", node.layer)
    g.fixed("divides by the number of labels")
    if len(bottoms) < 3:
        refuse("its matrix lies in another file")
    shape, count = node.bottoms[0].shape, node.bottoms[1].shape.count()
    axis = shape.axis(layer.axis_given)
    probabilities = g.op("Softmax", bottoms[0], axis=axis)
    labels, kept, valid = _labels(g, node, bottoms[1], layer.ignored)
    rows = g.op("Max", _rows(g, node, probabilities, axis), g.constant(LOG_THRESHOLD))
    matrix = g.reshape(bottoms[2], node.bottoms[2].shape, (shape[axis], shape[axis]))
    weights = g.op("Gather", matrix, g.reshape(labels, (count, 1), (count,)), axis=0)
    each = g.reduce("ReduceSum", g.op("Mul", weights, g.op("Neg", g.op("Log", rows))), [1], keep=False)
    if kept is not None:
        each = g.op("Mul", each, kept)
    outer = shape.count(0, axis)
    loss = _divided(g, layer, _total(g, each, 1), outer, count // max(1, outer), valid)
    return [loss, probabilities][: len(node.tops)]


def _multinomial(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    g.fixed("divides by the number of images")
    shape = node.bottoms[0].shape
    rows = g.reshape(bottoms[0], shape, (shape[0], shape.count(1)))
    labels, _, _ = _labels(g, node, bottoms[1], None)
    picked = g.op("Max", g.op("GatherElements", rows, labels, axis=1), g.constant(LOG_THRESHOLD))
    total = _total(g, g.op("Neg", g.op("Log", picked)), 2)
    return [g.op("Div", total, g.constant(float(shape[0])))]


def _euclidean(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    g.fixed("divides by the number of images")
    a, b = (blob.shape for blob in node.bottoms)
    difference = g.op("Sub", bottoms[0], g.reshape(bottoms[1], b, a))
    total = _total(g, g.op("Mul", difference, difference), len(a))
    return [g.op("Div", total, g.constant(2.0 * a[0]))]


def _l1(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("L1Loss", node.layer)
    if layer.measured:
        refuse("FlowNet2's losses are for training")
    g.fixed("divides by the number of images")
    a, b = (blob.shape for blob in node.bottoms)
    difference = g.op("Abs", g.op("Sub", bottoms[0], g.reshape(bottoms[1], b, a)))
    return [g.op("Div", _total(g, difference, len(a)), g.constant(float(a[0])))]


def _hinge(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("HingeLoss", node.layer)
    g.fixed("divides by the number of images")
    shape = node.bottoms[0].shape
    classes = shape.count(1)
    x = g.reshape(bottoms[0], shape, (shape[0], classes))
    labels = g.reshape(g.indices(bottoms[1]), node.bottoms[1].shape, (node.bottoms[1].shape.count(),))
    if node.bottoms[1].shape.count() != shape[0]:
        refuse("more labels than images")
    signs = g.constant(np.array([1, -1], np.float32))
    hot = g.op("OneHot", labels, g.constant(np.array([classes], np.int64)), signs)
    margins = g.op("Relu", linear(g, g.op("Mul", x, hot), 1, 1))
    if layer.norm == "L2":
        margins = g.op("Mul", margins, margins)
    return [g.op("Div", _total(g, margins, 2), g.constant(float(shape[0])))]


def _sigmoid_cross_entropy(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    """max(x, 0) − x·t + log(1 + exp(−|x|))."""
    layer = cast("SigmoidCrossEntropyLoss", node.layer)
    g.fixed("divides by the number of images")
    shape = node.bottoms[0].shape
    target = g.reshape(bottoms[1], node.bottoms[1].shape, shape)
    x = bottoms[0]
    rest = g.op("Softplus", g.op("Neg", g.op("Abs", x)))
    each = g.op("Add", g.op("Sub", g.op("Relu", x), g.op("Mul", x, target)), rest)
    valid = g.constant(float(shape.count()))
    if layer.ignored is not None:
        whole = g.op("Cast", target, to=7)
        kept = g.floats(g.op("Not", g.op("Equal", whole, g.constant(np.int64(layer.ignored)))))
        each, valid = g.op("Mul", each, kept), _total(g, kept, len(shape))
    inner = shape.count() // max(1, shape[0])
    return [_divided(g, layer, _total(g, each, len(shape)), shape[0], inner, valid)]


def _contrastive(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("ContrastiveLoss", node.layer)
    g.fixed("divides by the number of pairs")
    shape = node.bottoms[0].shape
    pairs = shape[0]
    if node.bottoms[2].shape.count() != pairs:
        refuse("more labels than pairs")
    difference = g.op("Sub", bottoms[0], g.reshape(bottoms[1], node.bottoms[1].shape, shape))
    square = g.reshape(g.op("Mul", difference, difference), shape, (pairs, shape.count(1)))
    squared = g.reduce("ReduceSum", square, [1], keep=False)
    distance = squared if layer.legacy else g.op("Sqrt", squared)
    apart = g.op("Relu", linear(g, g.op("Neg", distance), 1, layer.margin))
    if not layer.legacy:
        apart = g.op("Mul", apart, apart)
    labels = g.reshape(g.indices(bottoms[2]), node.bottoms[2].shape, (pairs,))
    total = _total(g, g.op("Where", g.op("Cast", labels, to=9), squared, apart), 1)
    return [g.op("Div", total, g.constant(2.0 * pairs))]


def _accuracy(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Accuracy", node.layer)
    g.fixed("divides by the number of labels")
    shape, count = node.bottoms[0].shape, node.bottoms[1].shape.count()
    axis = shape.axis(layer.axis_given)
    rows = _rows(g, node, bottoms[0], axis)
    labels, kept, valid = _labels(g, node, bottoms[1], layer.ignored)
    own = g.op("GatherElements", rows, labels, axis=1)
    better = g.floats(g.op("GreaterOrEqual", rows, own))
    rank = g.reduce("ReduceSum", better, [1], keep=False)
    right = g.floats(g.op("LessOrEqual", rank, g.constant(float(layer.top_k))))
    if kept is not None:
        right = g.op("Mul", right, kept)
    top = g.op("Div", _total(g, right, 1), g.op("Max", valid, g.constant(1.0)))
    if len(node.tops) == 1:
        return [top]
    flat = g.reshape(labels, (count, 1), (count,))
    signs = g.constant(np.array([0, 1], np.float32))
    hot = g.op("OneHot", flat, g.constant(np.array([shape[axis]], np.int64)), signs)
    if kept is not None:
        hot = g.op("Mul", hot, g.reshape(kept, (count,), (count, 1)))
    totals = g.op("Max", g.reduce("ReduceSum", hot, [0], keep=False), g.constant(1.0))
    hits = g.reduce("ReduceSum", g.op("Mul", hot, g.reshape(right, (count,), (count, 1))), [0], keep=False)
    return [top, g.op("Div", hits, totals)]


RULES: Mapping[type[Layer], Rule] = {
    Accuracy: _accuracy,
    ContrastiveLoss: _contrastive,
    EuclideanLoss: _euclidean,
    HingeLoss: _hinge,
    InfogainLoss: _infogain,
    L1Loss: _l1,
    MultinomialLogisticLoss: _multinomial,
    SigmoidCrossEntropyLoss: _sigmoid_cross_entropy,
    SoftmaxWithLoss: _softmax_loss,
}
