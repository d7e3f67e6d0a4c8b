from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy, rows, touch
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class MVN(NoBlobs):
    """Mean 0 and, if wanted, variance 1, for each channel of each image or across channels.

    N×C×H×W, or fewer axes -> N×C×H×W.  Source: mvn_layer.cpp.
    """

    type = "MVN"
    makes_diffs = True
    temporaries = 1
    variance: bool
    across: bool
    eps: float

    def read(self, message: Message) -> None:
        """What is normalized, and over what."""
        param = message.child("mvn_param")
        self.variance = param.flag("normalize_variance")
        self.across = param.flag("across_channels")
        self.eps = param.number("eps")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, made up to 4 axes."""
        shape = Shape(legacy(self, bottoms[0], 0))
        touch(self, shape.count(1 if self.across else 2), "what has one mean")
        return [shape]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The mean and the difference: two adds an element, a mul a group; with the variance also a
        square, an add and a div an element, and a mul, an add and a root a group."""
        (top,) = tops
        elements, groups = top.count(), top.count(0, 1 if self.across else 2)
        if not self.variance:
            return OpCount(adds=2 * elements, muls=groups)
        return OpCount(adds=3 * elements + groups, muls=elements + 2 * groups, divs=elements, exps=groups)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Without the variance the gradient less its mean: two adds each and a mul a group; else three muls,
        four adds and a div each."""
        elements = tops[0].count() * wanted.bottoms[0]
        if not self.variance:
            groups = tops[0].count(0, 1 if self.across else 2) * wanted.bottoms[0]
            return OpCount(adds=2 * elements, muls=groups)
        return OpCount(adds=4 * elements, muls=3 * elements, divs=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Caffe adds eps to the deviation, not to the variance."""
        (x,) = bottoms
        x = x.reshape(*x.shape, *(1,) * (4 - x.ndim))
        groups = rows(x, 1 if self.across else 2)
        y = groups - groups.mean(axis=1, keepdims=True)
        if self.variance:
            deviation = np.sqrt((y * y).mean(axis=1, keepdims=True))
            y /= deviation + np.float32(self.eps)
        return [y.reshape(x.shape)]
