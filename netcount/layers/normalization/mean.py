from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Mean(NoBlobs):
    """output_scale · (input_scale·x ± mean_scale·mean), for each bottom.  N×C×H×W -> N×C×H×W.

    The mean is a value per channel (as many as divide the channels) or a file.  Nothing is learned.
    Source: mean_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "Mean"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(1, None)
    equal_bottoms_tops = True
    temporaries = 2
    sign: float
    values: list[float]
    filed: bool
    scales: list[float]

    def read(self, message: Message) -> None:
        """Sign, values and scales."""
        param = message.child("mean_param")
        if not param.has("operation"):
            self.refuse("needs an operation", "mean_param")
        self.sign = -1.0 if param.text("operation") == "SUBTRACT" else 1.0
        self.values, self.filed = param.numbers("value"), param.has("file")
        self.scales = [param.number(f"{name}_scale") for name in ("output", "input", "mean")]
        if not self.filed and not self.values:
            self.refuse("needs values or a file", "mean_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Each bottom's shape."""
        shapes = [Shape(legacy(self, bottom, index)) for index, bottom in enumerate(bottoms)]
        for index, shape in enumerate(shapes):
            if not self.filed and shape[1] % len(self.values):
                self.refuse(
                    f"{len(self.values)} values do not divide the channels of {shape}", "mean_param", index
                )
        return shapes

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Three muls and an add an element."""
        elements = sum(top.count() for top in tops)
        return OpCount(adds=elements, muls=3 * elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """A file is not read here."""
        if self.filed:
            self.refuse("the mean file is not read here", "mean_param.file", advice=self.given_tops())
        output, given, mean = (np.float32(scale) for scale in self.scales)
        tops = []
        for bottom in bottoms:
            x = bottom.reshape(*bottom.shape, *(1,) * (4 - bottom.ndim))
            values = np.resize(np.asarray(self.values, dtype=np.float32), x.shape[1]).reshape(-1, 1, 1)
            tops.append(output * (given * x + np.float32(self.sign) * mean * values))
        return tops
