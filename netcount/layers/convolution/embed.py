from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Embed(Layer):
    """A look-up: each index gives a row of the weights.  *S -> *S×C'; weights V×C', bias C'.

    No madds: nothing is multiplied.  Source: embed_layer.cpp.
    """

    type = "Embed"
    num_output: int
    input_dim: int
    bias: bool
    weight_filler: Filler
    bias_filler: Filler | None

    def read(self, message: Message) -> None:
        """num_output, input_dim, bias."""
        param = message.child("embed_param")
        self.num_output = param.integer("num_output")
        self.input_dim = param.integer("input_dim")
        self.bias = param.flag("bias_term")
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None
        for field in ("num_output", "input_dim"):
            if not 0 < param.integer(field) < 2**31:
                self.refuse(f"{field} must be positive", f"embed_param.{field}")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One more axis."""
        if self.bias:
            touch(self, bottoms[0].count(), "the ones that spread the bias")
        return [Shape((*bottoms[0], self.num_output))]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Weights V×C' and bias C'."""
        shape = Shape((self.input_dim, self.num_output))
        params = [ParamBlob(shape, "weight", self.weight_filler)]
        if self.bias:
            params.append(ParamBlob(Shape((self.num_output,)), "bias", self.bias_filler))
        return params

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The indices: rows of the weights."""
        return {0: self.input_dim}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add for each bias; the look-up itself is no arithmetic."""
        return OpCount(adds=tops[0].count() if self.bias else 0)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """An add an output for the rows that were looked up, and one for the bias."""
        outputs = tops[0].count()
        bias = outputs if self.bias and wanted.params[1] else 0
        return OpCount(adds=outputs * wanted.params[0] + bias)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows by index; one outside the weights is refused, as by Caffe's debug check."""
        (x,) = bottoms
        rows = x.astype(np.int64)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(blobs[0])):
            self.refuse(f"an index lies outside input_dim {len(blobs[0])}", "embed_param.input_dim")
        y = blobs[0][rows]
        if self.bias:
            y += blobs[1]
        return [y]
