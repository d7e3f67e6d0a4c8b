from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Product, Wanted, WorkingMemory, madds_of
from netcount.layers.recurrent._recurrent import Recurrent
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

GATES = 4
CELL_BACK = OpCount(adds=13, muls=21, divs=5, exps=5)
"""A hidden value's backward step in LSTMUnit, which first computes the gates and the tanh of the cell again."""


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

    def step_gradient_ops(self, values: int) -> OpCount:
        """The cell's."""
        return cell_gradient_ops(values)

    def step(
        self, gates: Array, cont: Array, states: list[Array], weights: list[Array], run: Run
    ) -> tuple[Array, list[Array]]:
        """The gates with the hidden state's share, then the cell."""
        hidden, cell = states
        gates = gates + run.gemm(cont * hidden, weights[-1].T)
        hidden, cell = lstm_cell(cell, gates, cont)
        return hidden, [hidden, cell]


class Lstm(Layer):
    """Long short-term memory without a net inside.  (x[, marks]) -> hidden; weights 4H×I, 4H×H, bias 4H.

    junhyukoh/caffe-lstm: x is (T·N)×*I with N from batch_size, the top (T·N)×H.  tianzhi0549/CTPN: x is
    T×N×*I, the top T×N×H.  The two are told apart by batch_size and marks, which only the first has, and
    by the axes of x: where nothing else decides, three or four of them are T×N×*I.  Marks are T·N
    values, 0 where a sequence begins.  With recurrent_param instead of lstm_param it is Caffe's LSTM under
    another name (MyCaffe).  Source: lstm_layer.cpp of both forks.
    """

    type = "Lstm"
    source = "caffe-lstm, CTPN"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    time_major = True
    num_output: int
    sequences: int
    weight_filler: Filler
    bias_filler: Filler
    flat: bool

    @classmethod
    def variant(cls, message: Message) -> str | None:
        """Caffe's LSTM where it has that layer's parameters."""
        return "LSTM" if message.has("recurrent_param") else None

    def read(self, message: Message) -> None:
        """num_output, the fillers, and which fork's it is."""
        param, bottoms = message.child("lstm_param"), len(message.texts("bottom"))
        self.num_output, self.sequences = param.integer("num_output"), param.integer("batch_size")
        self.weight_filler, self.bias_filler = Filler(param, "weight_filler"), Filler(param, "bias_filler")
        self.flat = bottoms > 1 or param.has("batch_size")
        if not 0 < self.num_output < 2**31:
            self.refuse("num_output must be positive", "lstm_param.num_output")
        if self.sequences < 1:
            self.refuse("batch_size must be positive", "lstm_param.batch_size")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """(T·N)×H, or T×N×H."""
        x, *marks = bottoms
        touch(self, x.count(), f"{self.named(0)} {x}")
        if not x:
            self.refuse(f"{self.named(0)} needs an axis of instants", "bottom")
        steps, streams = self._sequence(x)
        if marks and marks[0].count() != (marks[0][0] if marks[0] else 1):
            self.refuse(f"{self.named(1)} {marks[0]} must hold one mark along axis 0", "bottom", 1)
        if marks and marks[0].count() < steps * streams:
            self.refuse(f"{self.named(1)} {marks[0]} must hold {steps * streams} marks", "bottom", 1)
        lead = (steps * streams,) if self._flat(x) else (steps, streams)
        return [Shape((*lead, self.num_output))]

    def _flat(self, x: Sequence[int]) -> bool:
        return self.flat or len(x) < 3

    def _sequence(self, x: Shape) -> tuple[int, int]:
        """Instants and sequences."""
        if not self._flat(x):
            return x[0], x[1]
        if x[0] % self.sequences:
            self.refuse(
                f"axis 0 of {self.named(0)} {x} must be a multiple of batch_size {self.sequences}",
                "lstm_param.batch_size",
            )
        return x[0] // self.sequences, self.sequences

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights of the input, weights of the hidden state, bias."""
        wide, inputs = GATES * self.num_output, bottoms[0].count(1 if self._flat(bottoms[0]) else 2)
        return [
            ParamBlob(Shape((wide, inputs)), "weight", self.weight_filler),
            ParamBlob(Shape((wide, self.num_output)), "weight", self.weight_filler),
            ParamBlob(Shape((wide,)), "bias", self.bias_filler),
        ]

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """With the input and with the hidden state at every instant."""
        x = bottoms[0]
        steps, streams = self._sequence(x)
        wide, uses = (("gates", GATES), ("H", self.num_output)), (("T", steps), ("N", streams))
        inputs = x.count(1 if self._flat(x) else 2)
        return [Product((*wide, ("I", inputs)), uses), Product((*wide, ("H", self.num_output)), uses)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The products; a bias and a sum a gate; of a hidden value three sigmoids, two tanhs and the
        cell's update."""
        values = tops[0].count()
        update = OpCount(adds=8 * values, muls=8 * values, divs=5 * values, exps=5 * values)
        return OpCount(madds_of(self.products(bottoms, tops)), adds=2 * GATES * values) + update

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """From the last instant to the first: a GEMM for the hidden state, and of a hidden value the cell's tanh
        again, 16 muls and 6 adds (with clipping_threshold eight compares); adds for the hidden states that go on,
        with marks as if all did.  Then a GEMM for the input, and for each matrix one, that of the hidden state
        over all rows but the first instant's, of which it takes one; an add a gate for the bias."""
        ins, own = self.products(bottoms, tops)
        steps, streams = self._sequence(bottoms[0])
        h, values = self.num_output, tops[0].count()
        weights, hidden, bias = wanted.params
        rows = (steps - 1) * streams + 1
        madds = ins.madds * (wanted.bottoms[0] + weights) + own.madds + own.elements * rows * hidden
        going = (steps if len(bottoms) > 1 else steps - 1) * streams * h
        clips = 8 * values if self.message.child("lstm_param").number("clipping_threshold") > 0 else 0
        adds = 6 * values + going + GATES * values * bias
        return OpCount(madds, adds, muls=16 * values, compares=clips, exps=values)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The gates of every instant; the outputs before they are joined, with the last instant's gates and cell,
        or what the last instant is made of."""
        steps, streams = self._sequence(bottoms[0])
        state = streams * self.num_output
        return WorkingMemory(forward=(GATES * steps + max(steps + GATES + 1, 3 * GATES)) * state)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Without marks the sequences begin at the first instant; before it all states are 0."""
        x, *marks = bottoms
        weight, own, bias = blobs
        flat = self._flat(x.shape)
        rows = x.reshape(-1, weight.shape[1])
        streams = self.sequences if flat else x.shape[1]
        steps = len(rows) // streams
        gates = run.gemm(rows, weight.T)
        gates += bias
        gates = gates.reshape(steps, streams, -1)
        starts = np.arange(steps)[:, None].repeat(streams, axis=1) > 0
        going = marks[0].reshape(-1)[: steps * streams].reshape(steps, streams) != 0 if marks else starts
        hidden = cell = np.zeros((streams, own.shape[1]), dtype=np.float32)
        outputs = []
        for step in range(steps):
            goes = going[step][:, None].astype(np.float32)
            both = gates[step] + goes * run.gemm(hidden, own.T)
            hidden, cell = lstm_cell(cell, both, goes)
            outputs.append(hidden)
        top = np.stack(outputs)
        return [top.reshape(-1, top.shape[2]) if flat else top]


def cell_gradient_ops(values: int) -> OpCount:
    """What an LSTMUnit's backward pass costs for `values` hidden values (lstm_unit_layer.cpp)."""
    return OpCount(*[values * number for number in CELL_BACK])


def lstm_cell(cell: Array, gates: Array, cont: Array, rectified: bool = False) -> tuple[Array, Array]:
    """(hidden, cell) from the last cell and the four gates, side by side in the last axis.

    Args:
        cell: The last cell.
        gates: The sums of the four gates.
        cont: Whether the sequence goes on.
        rectified: Whether a ReLU stands in each tanh's place.
    """
    half = np.float32(0.5)
    entry, forget, output, candidate = np.split(gates, 4, axis=-1)
    entry, forget, output = (half * np.tanh(half * g) + half for g in (entry, forget, output))
    candidate = np.maximum(candidate, 0) if rectified else np.tanh(candidate)
    cell = cont * forget * cell + entry * candidate
    return output * (np.maximum(cell, 0) if rectified else np.tanh(cell)), cell
