"""ONNX for recurrent layers: the steps one after the other, so that continuation marks keep their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.graph.graph import Node
from netcount.layers.layer import Layer
from netcount.layers.recurrent._recurrent import Recurrent
from netcount.layers.recurrent.lstm import LSTM, Lstm
from netcount.layers.recurrent.lstm_unit import LSTMUnit
from netcount.layers.recurrent.rnn import RNN


def _cell(g: OpGraph, cell: str, gates: str, cont: str, axis: int, hidden: int) -> tuple[str, str]:
    """(hidden, cell) from the last cell and the four gates side by side."""
    parts = [g.slice(gates, axis, number * hidden, (number + 1) * hidden) for number in range(4)]
    entry, forget, output = (g.op("Sigmoid", part) for part in parts[:3])
    candidate = g.op("Tanh", parts[3])
    kept = g.op("Mul", cont, g.op("Mul", forget, cell))
    cell = g.op("Add", kept, g.op("Mul", entry, candidate))
    return g.op("Mul", output, g.op("Tanh", cell)), cell


def _recurrent(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Recurrent", node.layer)
    g.fixed("has its sequences built in")
    x, cont, *rest = bottoms
    shape = node.bottoms[0].shape
    steps, streams, inputs = shape[0], shape[1], shape.count(2)
    wide, hidden = layer.gates * layer.num_output, layer.num_output
    rows = g.reshape(x, shape, (steps * streams, inputs))
    gates = g.op("Gemm", rows, g.blob(node, 0), g.blob(node, 1), transB=1)
    gates = g.reshape(gates, (steps * streams, wide), (steps, streams, wide))
    own = 2
    if layer.static:
        still = node.bottoms[2].shape
        flat = g.reshape(rest.pop(0), still, (streams, still.count(1)))
        gates = g.op("Add", gates, g.op("Gemm", flat, g.blob(node, 2), transB=1))
        own = 3
    recurrent = g.constant(np.ascontiguousarray(g.values(node, own).T), "recurrent")
    if isinstance(layer, RNN):
        out = g.constant(np.ascontiguousarray(g.values(node, own + 1).T), "output")
        bias = g.blob(node, own + 2)
    state = (1, streams, hidden)
    states = [g.reshape(name, state, state[1:]) for name in rest]
    if not states:
        states = [g.constant(np.zeros(state[1:], np.float32), "zero")] * layer.states
    outputs = []
    for step in range(steps):
        now = g.reshape(g.slice(gates, 0, step, step + 1), (1, streams, wide), (streams, wide))
        goes = g.reshape(g.slice(cont, 0, step, step + 1), (1, streams), (streams, 1))
        both = g.op("Add", now, g.op("MatMul", g.op("Mul", goes, states[0]), recurrent))
        if isinstance(layer, RNN):
            states = [g.op("Tanh", both)]
            output = g.op("Tanh", g.op("Add", g.op("MatMul", states[0], out), bias))
        else:
            output, cell = _cell(g, states[1], both, goes, 1, hidden)
            states = [output, cell]
        outputs.append(g.reshape(output, state[1:], state))
    exposed = [g.reshape(name, state[1:], state) for name in states] if layer.exposed else []
    return [g.op("Concat", *outputs, axis=0), *exposed]


def _lstm_of_forks(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("Lstm", node.layer)
    g.fixed("has its sequences built in")
    shape, top = node.bottoms[0].shape, node.tops[0].shape
    hidden, count = layer.num_output, top.count() // layer.num_output
    streams = layer._sequence(shape)[1]
    steps = count // streams
    rows = g.reshape(bottoms[0], shape, (count, shape.count() // count))
    gates = g.op("Gemm", rows, g.blob(node, 0), g.blob(node, 2), transB=1)
    recurrent = g.constant(np.ascontiguousarray(g.values(node, 1).T), "recurrent")
    marks = ""
    if len(bottoms) > 1:
        given = node.bottoms[1].shape.count()
        marks = g.reshape(bottoms[1], node.bottoms[1].shape, (given, 1))
        zero = g.constant(0.0)
        marks = g.floats(g.op("Not", g.op("Equal", marks, zero)))
    state = cell = g.constant(np.zeros((streams, hidden), np.float32), "zero")
    outputs = []
    for step in range(steps):
        here = (step * streams, (step + 1) * streams)
        goes = g.slice(marks, 0, *here) if marks else g.constant(np.float32(step > 0), "goes")
        both = g.op("Add", g.slice(gates, 0, *here), g.op("MatMul", g.op("Mul", goes, state), recurrent))
        state, cell = _cell(g, cell, both, goes, 1, hidden)
        outputs.append(state)
    return [g.reshape(g.op("Concat", *outputs, axis=0), (count, hidden), top)]


def _lstm_unit(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    cell, gates, cont = bottoms
    shape = node.bottoms[2].shape
    axis = len(node.bottoms[1].shape) - 1
    hidden, cell = _cell(g, cell, gates, g.reshape(cont, shape, (*shape, 1)), axis, node.bottoms[0].shape[-1])
    return [cell, hidden]


RULES: Mapping[type[Layer], Rule] = {
    LSTM: _recurrent,
    Lstm: _lstm_of_forks,
    LSTMUnit: _lstm_unit,
    RNN: _recurrent,
}
