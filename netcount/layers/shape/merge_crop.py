from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import TWO, Wanted, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class MergeCrop(NoBlobs):
    """Cuts the middle of bottom 1 to bottom 0's extents and joins both.  (N×A×*S, N×B×*T) -> N×(A+B)×*S.

    STACK joins the channels; ADD adds values of as many channels.  A bottom that `forward` switches off gives
    zeros.  Source: mergecrop_layer.cpp of naibaf7's Caffe.
    """

    type = "MergeCrop"
    source = "naibaf7"
    bottoms = TWO
    adds: bool
    reads: list[bool]

    def read(self, message: Message) -> None:
        """The operation, and which bottoms are read."""
        param = message.child("mergecrop_param")
        self.adds = param.text("operation") == "ADD"
        given = [bool(flag) for flag in param.values.get("forward", ())]
        if len(given) > 2:
            self.refuse(f"forward is given {len(given)} times for 2 bottoms", "mergecrop_param.forward", 2)
        self.reads = [*given, True, True][:2]

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Bottom 0's extents; the channels of both, or bottom 0's."""
        a, b = bottoms
        if len(a) != len(b) or len(a) < 2 or a[0] != b[0]:
            self.refuse(f"{self.named(0)} {a} and {self.named(1)} {b} must agree in axes and images", "bottom", 1)
        if self.adds and a[1] != b[1]:
            self.refuse(f"{self.named(0)} {a} and {self.named(1)} {b} differ in channels", "bottom", 1)
        if any(small > large for small, large in zip(a[2:], b[2:], strict=True)):
            self.refuse(f"{self.named(0)} {a} does not fit into {self.named(1)} {b}", "bottom", 0)
        return [a if self.adds else a.replaced(1, a[1] + b[1])]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An add an element, where values are added."""
        return OpCount(adds=tops[0].count()) if self.adds and all(self.reads) else OpCount()

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: of the parts, and of a sum, the top's gradient is copied, or zeros, as `backward` says."""
        return NOTHING

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Zeros for what is not read."""
        a, b = bottoms
        parts = (a.count(), b.count(0, 2) * a.count(2))
        return WorkingMemory(forward=sum(part for part, read in zip(parts, self.reads, strict=True) if not read))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The middle of bottom 1, half the difference from its start, rounded down."""
        a, b = bottoms
        cuts = []
        for small, large in zip(a.shape[2:], b.shape[2:], strict=True):
            begin = (large - small) // 2
            cuts.append(slice(begin, begin + small))
        middle = b[:, :, *cuts]
        parts = [x if read else np.zeros_like(x) for x, read in zip((a, middle), self.reads, strict=True)]
        return [parts[0] + parts[1] if self.adds else np.concatenate(parts, axis=1)]
