from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import ParamBlob, Product
from netcount.layers.recurrent._recurrent import Recurrent

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


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

    def step_gradient_ops(self, values: int) -> OpCount:
        """The output's bias, and two tanhs: two muls and an add each."""
        return OpCount(adds=3 * values, muls=4 * values)

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
