from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import THREE, TWO, Wanted, WorkingMemory
from netcount.layers.recurrent.lstm import cell_gradient_ops, lstm_cell
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


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

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """As a step of LSTM, for both bottoms together."""
        return cell_gradient_ops(tops[0].count()) if any(wanted.bottoms[:2]) else NOTHING

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """What gates and products are kept until the hidden value is made."""
        return WorkingMemory(forward=5 * tops[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The cell's update."""
        cell, gates, cont = bottoms
        hidden, cell = lstm_cell(cell, gates, cont[..., None])
        return [cell, hidden]
