from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import TWO, Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "label_specific_add_param"


class LabelSpecificAdd(NoBlobs):
    """In training adds a (negative) margin to each sample's score at its label, if the score is above the
    margin's size; nothing at test time.  (N×S, labels N) -> N×S[, margin 1].  No weights.

    With bias_base the margin follows iteration.  Source: label_specific_add.cpp of happynear/caffe-windows
    (AM-Softmax); openvinotoolkit/training_toolbox_caffe's takes the size of bias and subtracts it.
    """

    type = "LabelSpecificAdd"
    source = "happynear"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(1, 2)
    bias: Any
    anneals: bool

    def read(self, message: Message) -> None:
        """The margin."""
        param = message.child(PARAM)
        self.bias = param.number("bias")
        self.anneals = param.has("bias_base")
        if self.anneals:
            growth = (1 + param.number("bias_gamma") * param.integer("iteration")) ** param.number("bias_power")
            bias = param.number("bias_base") + growth - 1
            self.bias = min(max(bias, param.number("bias_min")), param.number("bias_max"))

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The scores' shape, and one number."""
        scores, labels = bottoms
        if len(scores) < 2 or labels.count() < scores[0]:
            self.refuse(f"needs scores N×S and N labels, not {scores} and {labels}", "bottom")
        return [scores, Shape((1,))][: self.top_count]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: positions in a sample."""
        return {1: bottoms[0].count(1)}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None at test time; in training a compare and, the bound, an add a sample."""
        return NOTHING if self.phase == "TEST" else OpCount(adds=bottoms[0][0], compares=bottoms[0][0])

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: the gradient is copied past the margins."""
        return NOTHING

    @property
    def passes_bottom(self) -> bool:
        """At test time the top is the bottom's values."""
        return self.phase == "TEST" and self.top_count == 1

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The scores, changed at the labels in training; a second top is 0 at test time."""
        scores, labels = bottoms
        if self.phase == "TEST":
            return [scores, np.zeros(1, dtype=np.float32)][: self.top_count]
        out = scores.copy()
        rows = out.reshape(len(out), -1)
        samples = np.arange(len(rows))
        at = labels.reshape(-1)[: len(rows)].astype(np.int64)
        chosen = rows[samples, at]
        rows[samples, at] = np.where(chosen > -self.bias, chosen + np.float32(self.bias), chosen)
        return [out, np.full(1, self.bias if self.anneals else 0, dtype=np.float32)][: self.top_count]
