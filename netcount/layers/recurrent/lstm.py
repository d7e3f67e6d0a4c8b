from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.layers.recurrent._recurrent import Recurrent

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


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


def lstm_cell(cell: Array, gates: Array, cont: Array) -> tuple[Array, Array]:
    """(hidden, cell) from the last cell and the four gates, side by side in the last axis."""
    half = np.float32(0.5)
    entry, forget, output, candidate = np.split(gates, 4, axis=-1)
    entry, forget, output = (half * np.tanh(half * g) + half for g in (entry, forget, output))
    cell = cont * forget * cell + entry * np.tanh(candidate)
    return output * np.tanh(cell), cell
