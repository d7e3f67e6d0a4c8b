from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "continuation_indicator_param"


class ContinuationIndicator(Moving):
    """0 for the first instant of each sequence, 1 for the others.  [x] -> T×N.  No weights.

    T is time_step.  N is batch_size (yalecyu/crnn.caffe); with a bottom it is that bottom's extent at
    `axis` (jolibrain/caffe).  Source: continuation_indicator_layer.cpp of both.
    """

    type = "ContinuationIndicator"
    source = "crnn.caffe"
    bottoms: ClassVar[Arity] = Arity(0, 1)
    extents_only: ClassVar[frozenset[int]] = frozenset((0,))
    steps: int
    sequences: int
    axis_given: int
    counted: bool

    def read(self, message: Message) -> None:
        """Instants, and sequences or the axis that counts them."""
        param = message.child(PARAM)
        self.steps, self.sequences = param.integer("time_step"), param.integer("batch_size")
        self.axis_given = param.integer("axis")
        self.counted = bool(message.texts("bottom"))
        if not self.steps:
            self.refuse("time_step must be positive", f"{PARAM}.time_step")
        if not self.counted and not self.sequences:
            self.refuse("batch_size must be positive", f"{PARAM}.batch_size")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """T×N."""
        if not self.counted:
            return [Shape((self.steps, self.sequences))]
        (like,) = bottoms
        sequences = like[self.axis(like, self.axis_given, f"{PARAM}.axis")]
        if not sequences:
            self.refuse(f"{self.named(0)} {like} has no sequence along axis {self.axis_given}", f"{PARAM}.axis")
        return [Shape((self.steps, sequences))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Ones below a row of zeros."""
        sequences = bottoms[0].shape[self.axis_given] if bottoms else self.sequences
        marks = np.ones((self.steps, sequences), dtype=np.float32)
        marks[0] = 0
        return [marks]
