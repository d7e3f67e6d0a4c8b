"""Recurrent layers: the same step for every instant of a sequence.

Shapes: x is T×N×*I, cont T×N (0 where a sequence begins anew), a static input N×*S.
Sources: recurrent_layer.cpp, lstm_layer.cpp, lstm_unit_layer.cpp, rnn_layer.cpp.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Product, Wanted, WorkingMemory, madds_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Recurrent(Layer):
    """What LSTM and RNN share: bottoms, tops, and the products with the input."""

    bottoms: ClassVar[Arity] = Arity(2, 5)
    never_backward: ClassVar[frozenset[int]] = frozenset({1})
    tops: ClassVar[Arity] = Arity(1, 3)
    time_major = True
    states: ClassVar[int]
    """Hidden blobs that go from step to step."""
    gates: ClassVar[int]
    """Values that the input is multiplied into, in units of num_output."""

    num_output: int
    exposed: bool
    weight_filler: Filler
    bias_filler: Filler
    static: bool

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
        params = [
            ParamBlob(Shape((wide, x.count(2))), "weight", self.weight_filler),
            ParamBlob(Shape((wide,)), "bias", self.bias_filler),
        ]
        if self.static:
            params.append(ParamBlob(Shape((wide, rest[0].count(1))), "weight", self.weight_filler))
        params.append(ParamBlob(Shape((wide, h)), "weight", self.weight_filler))
        return params

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Products of every step with x and the hidden state, of the static input once."""
        instants = bottoms[0].count(0, 2)
        sums = instants * self.gates * self.num_output * (2 + self.static)
        restarts = instants * self.num_output
        madds = madds_of(self.products(bottoms, tops))
        return OpCount(madds, adds=sums, muls=restarts) + self.step_ops(restarts)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The unrolled net's, in any case for all bottoms and blobs: two GEMMs of forward's size a product, but no
        gradient of the first instant's hidden state; adds for the bias, and where the hidden state goes to the
        output and to the next instant, and the static input to all; then each step's own (RecurrentLayer,
        InsertSplits)."""
        steps, streams = bottoms[0][:2]
        values, later = steps * streams * self.num_output, (steps - 1) * streams * self.num_output
        first = streams * self.gates * self.num_output**2
        madds = 2 * madds_of(self.products(bottoms, tops)) - first
        adds = self.gates * (values + later * self.static) + later
        return OpCount(madds, adds, muls=later) + self.step_gradient_ops(values)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The gates of every step; the steps' outputs before they are joined, or what the last step is made of."""
        steps, streams = bottoms[0][:2]
        states = max(steps + self.states, 2 * self.gates + 4)
        return WorkingMemory(forward=(self.gates * steps + states) * streams * self.num_output)

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """With x and with the hidden state at every instant, with the static input once."""
        x, _, *rest = bottoms
        steps, streams = ("T", x[0]), ("N", x[1])
        wide = (("gates", self.gates), ("H", self.num_output))
        products = [
            Product((*wide, ("I", x.count(2))), (steps, streams)),
            Product((*wide, ("H", self.num_output)), (steps, streams)),
        ]
        if self.static:
            products.insert(1, Product((*wide, ("S", rest[0].count(1))), (streams,)))
        return products

    @abstractmethod
    def step_ops(self, values: int) -> OpCount:
        """What the step itself does for `values` hidden values (of all instants)."""

    @abstractmethod
    def step_gradient_ops(self, values: int) -> OpCount:
        """What the step's own gradients cost for `values` hidden values (of all instants)."""

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
        zero = np.zeros((streams, blobs[-1].shape[-1]), dtype=np.float32)
        states = [state[0] for state in rest] or [zero] * self.states
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
