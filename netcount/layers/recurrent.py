"""Recurrent layers: the same step for every instant of a sequence.

Shapes: x is T×N×*I, cont T×N (0 where a sequence begins anew), a static input N×*S.
Sources: recurrent_layer.cpp, lstm_layer.cpp, lstm_unit_layer.cpp, rnn_layer.cpp.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.layers.base import NoBlobs, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import THREE, TWO, Arity, Layer, ParamBlob, Product, madds_of
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class Recurrent(Layer):
    """What LSTM and RNN share: bottoms, tops, and the products with the input."""

    bottoms = Arity(2, 5)
    tops = Arity(1, 3)
    time_major = True
    states: ClassVar[int]
    """Hidden blobs that go from step to step."""
    gates: ClassVar[int]
    """Values that the input is multiplied into, in units of num_output."""

    def read(self, message: Message) -> None:
        """num_output, and whether the hidden states are bottoms and tops too."""
        param = message.child("recurrent_param")
        self.num_output = param.integer("num_output")
        self.exposed = param.flag("expose_hidden")
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler")
        if not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", "recurrent_param.num_output")
        hidden = self.states if self.exposed else 0
        number = len(message.texts("bottom"))
        if not 2 + hidden <= number <= 3 + hidden:
            self.refuse(f"takes {2 + hidden} or {3 + hidden} bottoms, not {number}", "bottom")
        if self.top_count != 1 + hidden:
            self.refuse(f"makes {1 + hidden} tops, not {self.top_count}", "top")
        self.static = number > 2 + hidden

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """T×N×H, and 1×N×H for each exposed state."""
        x, cont, *rest = bottoms
        if len(x) < 3:
            self.refuse(f"{self.named(0)} {x} needs at least 3 axes T×N×I", "bottom")
        touch(self, x.count(0, 2), f"{self.named(0)} {x}")
        steps, streams = x[:2]
        if cont != (steps, streams):
            self.refuse(f"{self.named(1)} {cont} must be T×N = {steps}×{streams}", "bottom", 1)
        if self.static and (len(rest[0]) < 2 or rest[0][0] != streams):
            self.refuse(f"{self.named(2)} {rest[0]} must be N×S with N = {streams}", "bottom", 2)
        state = Shape((1, streams, self.num_output))
        hidden = rest[1:] if self.static else rest
        for index, shape in enumerate(hidden, 2 + self.static):
            if shape != state:
                self.refuse(f"{self.named(index)} {shape} must be {state}", "bottom", index)
        return [Shape((steps, streams, self.num_output)), *[state] * (self.top_count - 1)]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Input weights and bias, static weights, then those of the hidden state."""
        x, _, *rest = bottoms
        wide, h = self.gates * self.num_output, self.num_output
        found = [
            ParamBlob(Shape((wide, x.count(2))), "weight", self.weight_filler),
            ParamBlob(Shape((wide,)), "bias", self.bias_filler),
        ]
        if self.static:
            found.append(ParamBlob(Shape((wide, rest[0].count(1))), "weight", self.weight_filler))
        found.append(ParamBlob(Shape((wide, h)), "weight", self.weight_filler))
        return found

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Products of every step with x and the hidden state, of the static input once."""
        instants = bottoms[0].count(0, 2)
        sums = instants * self.gates * self.num_output * (2 + self.static)
        restarts = instants * self.num_output
        madds = madds_of(self.products(bottoms, tops))
        return OpCount(madds, adds=sums, muls=restarts) + self.step_ops(restarts)

    def workspace_elements(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """The gates of every step, and the steps' outputs before they are joined."""
        return (self.gates + 1) * tops[0].count()

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """With x and with the hidden state at every instant, with the static input once."""
        x, _, *rest = bottoms
        steps, streams = ("T", x[0]), ("N", x[1])
        wide = (("gates", self.gates), ("H", self.num_output))
        found = [
            Product((*wide, ("I", x.count(2))), (steps, streams)),
            Product((*wide, ("H", self.num_output)), (steps, streams)),
        ]
        if self.static:
            found.insert(1, Product((*wide, ("S", rest[0].count(1))), (streams,)))
        return found

    @abstractmethod
    def step_ops(self, values: int) -> OpCount:
        """What the step itself does for `values` hidden values (of all instants)."""

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All input products in one GEMM, then step by step."""
        x, cont, *rest = bottoms
        weight, bias, *others = blobs
        steps, streams = x.shape[:2]
        gates = run.gemm(x.reshape(steps * streams, -1), weight.T)
        gates += bias
        gates = gates.reshape(steps, streams, -1)
        if self.static:
            gates += run.gemm(rest.pop(0).reshape(streams, -1), others.pop(0).T)
        zero = np.zeros((streams, blobs[-1].shape[-1]))
        states = [state[0] for state in rest] or [zero.astype(np.float32)] * self.states
        outputs = []
        for step in range(steps):
            output, states = self.step(gates[step], cont[step][:, None], states, others, run)
            outputs.append(output)
        exposed = [state[None] for state in states] if self.exposed else []
        return [np.stack(outputs), *exposed]

    @abstractmethod
    def step(
        self, gates: Array, cont: Array, states: list[Array], weights: list[Array], run: Run
    ) -> tuple[Array, list[Array]]:
        """One instant: what the input gives, whether the sequence goes on, and the last states."""


class LSTM(Recurrent):
    """Long short-term memory.  (T×N×*I, T×N[, N×*S][, h, c]) -> T×N×H[, h, c].

    Blobs: 4H×I, 4H, [4H×S,] 4H×H, in the order input, forget, output gate, candidate.
    """

    type = "LSTM"
    states = 2
    gates = 4

    def step_ops(self, values: int) -> OpCount:
        """Five exps for three sigmoids and two tanhs, and the cell's update."""
        return OpCount(adds=8 * values, muls=8 * values, divs=5 * values, exps=5 * values)

    def step(
        self, gates: Array, cont: Array, states: list[Array], weights: list[Array], run: Run
    ) -> tuple[Array, list[Array]]:
        """The gates with the hidden state's share, then the cell."""
        hidden, cell = states
        gates = gates + run.gemm(cont * hidden, weights[-1].T)
        hidden, cell = lstm_cell(cell, gates, cont)
        return hidden, [hidden, cell]


class RNN(Recurrent):
    """A plain recurrent net with two tanhs a step.  (T×N×*I, T×N[, N×*S][, h]) -> T×N×H[, h].

    Blobs: H×I, H, [H×S,] H×H, and for the output H×H, H.
    """

    type = "RNN"
    states = 1
    gates = 1

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The output's weights besides."""
        h = self.num_output
        return [
            *super().blobs(bottoms),
            ParamBlob(Shape((h, h)), "weight", self.weight_filler),
            ParamBlob(Shape((h,)), "bias", self.bias_filler),
        ]

    def step_ops(self, values: int) -> OpCount:
        """The output's bias, and two tanhs."""
        return OpCount(adds=values, exps=2 * values)

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """With the output's matrix besides."""
        steps, streams = bottoms[0][:2]
        h = ("H", self.num_output)
        return [*super().products(bottoms, tops), Product((h, h), (("T", steps), ("N", streams)))]

    def step(
        self, gates: Array, cont: Array, states: list[Array], weights: list[Array], run: Run
    ) -> tuple[Array, list[Array]]:
        """tanh of the sum, and of its products with the output's weights."""
        (hidden,) = states
        own, out, bias = weights
        hidden = np.tanh(gates + run.gemm(cont * hidden, own.T))
        return np.tanh(run.gemm(hidden, out.T) + bias), [hidden]


class LSTMUnit(NoBlobs):
    """One LSTM step without its products.  (1×N×H cell, 1×N×4H gates, 1×N cont) -> cell, hidden."""

    type = "LSTMUnit"
    bottoms = THREE
    tops = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The cell's shape twice."""
        cell, gates, cont = bottoms
        if len(cell) != 3 or len(gates) != 3 or len(cont) != 2:
            self.refuse(f"needs 1×N×H, 1×N×4H and 1×N, not {cell}, {gates} and {cont}", "bottom")
        if {cell[:2], gates[:2], tuple(cont)} != {(1, cell[1])}:
            self.refuse(f"{cell}, {gates} and {cont} must agree in 1×N", "bottom")
        if gates[2] != 4 * cell[2]:
            self.refuse(f"{self.named(1)} {gates} must be four times as wide as {cell}", "bottom", 1)
        return [cell, cell]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """As a step of LSTM."""
        values = tops[0].count()
        return OpCount(adds=8 * values, muls=8 * values, divs=5 * values, exps=5 * values)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The cell's update."""
        cell, gates, cont = bottoms
        hidden, cell = lstm_cell(cell, gates, cont[..., None])
        return [cell, hidden]


def lstm_cell(cell: Array, gates: Array, cont: Array) -> tuple[Array, Array]:
    """(hidden, cell) from the last cell and the four gates, side by side in the last axis."""
    half = np.float32(0.5)
    entry, forget, output, candidate = np.split(gates, 4, axis=-1)
    entry, forget, output = (half * np.tanh(half * g) + half for g in (entry, forget, output))
    cell = cont * forget * cell + entry * np.tanh(candidate)
    return output * np.tanh(cell), cell
