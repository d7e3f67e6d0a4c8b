"""Element-wise functions: *S -> *S, mostly in place, without weights but for PReLU's slopes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs, SameShape, legacy, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import Layer, ParamBlob
from netcount.lazy import np
from netcount.opcount import NOTHING, OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class ElementWise(SameShape, NoBlobs):
    """A function of each element; `each` is what one element costs."""

    each: OpCount
    temporaries = 1

    def read(self, message: Message) -> None:
        """No parameters."""

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """`each`, times the elements."""
        elements = tops[0].count()
        return OpCount(*[elements * number for number in self.each])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The function, in float32."""
        return [np.asarray(self.value(bottoms[0]), dtype=np.float32)]

    @abstractmethod
    def value(self, x: Array) -> Array:
        """The function's values."""


class ReLU(ElementWise):
    """max(x, 0), or with negative_slope s: max(x, 0) + s·min(x, 0).  Source: relu_layer.cpp."""

    type = "ReLU"
    temporaries = 0
    param = "relu_param"

    def read(self, message: Message) -> None:
        """The slope for negative values."""
        values = message.values
        self.slope: float = values[self.param].number("negative_slope") if self.param in values else 0.0

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare each; with a slope a second one, a mul and an add."""
        elements = tops[0].count()
        if not self.slope:
            return OpCount(compares=elements)
        return OpCount(adds=elements, muls=elements, compares=2 * elements)

    def value(self, x: Array) -> Array:
        """One pass, or two with a slope."""
        if not self.slope:
            return np.maximum(x, 0)
        y = np.multiply(x, np.float32(self.slope), out=np.empty_like(x))
        np.copyto(y, x, where=x > 0)
        return y


class ReLU6(ReLU):
    """min(ReLU, 6): ReLU clipped at 6.  Source: relu6_layer.cpp of MobileNet forks."""

    type = "ReLU6"
    source = "MobileNet forks"
    param = "relu6_param"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare more."""
        return super().ops(bottoms, tops) + OpCount(compares=tops[0].count())

    def value(self, x: Array) -> Array:
        """Clipped from above."""
        y = np.asarray(super().value(x))
        np.minimum(y, np.float32(6), out=y)
        return y


class PReLU(SameShape, Layer):
    """max(x, 0) + a·min(x, 0) with a learned slope a channel, or one.  N×C×*S; weights C.

    Source: prelu_layer.cpp.
    """

    type = "PReLU"

    def read(self, message: Message) -> None:
        """Whether all channels share a slope."""
        param = message.child("prelu_param")
        self.shared = param.flag("channel_shared")
        self.filler = Filler(param, "filler")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape, which needs a channel axis."""
        if len(bottoms[0]) < 2:
            self.refuse(f"needs at least 2 axes, not {bottoms[0]}", "bottom")
        legacy(self, bottoms[0], 0)
        touch(self, bottoms[0].count(1), "an image")
        return [bottoms[0]]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """C slopes; a shared one is a number without axes."""
        shape = Shape() if self.shared else Shape((bottoms[0][1],))
        return [ParamBlob(shape, "weight", self.filler)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two compares, a mul and an add an element."""
        elements = tops[0].count()
        return OpCount(adds=elements, muls=elements, compares=2 * elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The slope stands along axis 1."""
        (x,) = bottoms
        slope = blobs[0].reshape(-1, *(1,) * (x.ndim - 2))
        y = slope * x
        np.copyto(y, x, where=x > 0)
        return [y]


class ELU(ElementWise):
    """max(x, 0) + alpha·(exp(min(x, 0)) − 1).  Source: elu_layer.cpp."""

    type = "ELU"
    temporaries = 2
    each = OpCount(adds=2, muls=1, compares=2, exps=1)

    def read(self, message: Message) -> None:
        """The scale of negative values."""
        self.alpha = message.child("elu_param").number("alpha")

    def value(self, x: Array) -> Array:
        """Exact near 0 by expm1."""
        return np.maximum(x, 0) + np.float32(self.alpha) * np.expm1(np.minimum(x, 0))


class SeLU(ElementWise):
    """λ·x, or λ·α·(exp(x) − 1) below 0 (Klambauer et al. 2017, arXiv 1706.02515)."""

    type = "SeLU"
    temporaries = 2
    source = "SELU forks"
    each = OpCount(adds=1, muls=2, compares=1, exps=1)
    LAMBDA = 1.0507009873554805
    ALPHA = 1.6732632423543772

    def value(self, x: Array) -> Array:
        """Both branches by one sign test."""
        below = np.float32(self.ALPHA) * np.expm1(np.minimum(x, 0))
        return np.float32(self.LAMBDA) * np.where(x > 0, x, below)


class SeLu(SeLU):
    """SeLU as another fork spells it."""

    type = "SeLu"


class Sigmoid(ElementWise):
    """1 / (1 + exp(−x)), computed as tanh(x/2)/2 + 1/2.  Source: sigmoid_layer.cpp."""

    type = "Sigmoid"
    each = OpCount(adds=1, muls=2, exps=1)

    def value(self, x: Array) -> Array:
        """By tanh, which never overflows."""
        half = np.float32(0.5)
        return half * np.tanh(half * x) + half


class Swish(ElementWise):
    """x · sigmoid(beta·x).  Source: swish_layer.cpp."""

    type = "Swish"
    each = OpCount(adds=1, muls=4, exps=1)

    def read(self, message: Message) -> None:
        """The factor inside the sigmoid."""
        self.beta = message.child("swish_param").number("beta")

    def value(self, x: Array) -> Array:
        """By tanh, as Sigmoid."""
        half = np.float32(0.5)
        result: Array = x * (half * np.tanh(half * np.float32(self.beta) * x) + half)
        return result


class HardSigmoid(ElementWise):
    """min(max(0.2·x + 0.5, 0), 1).  Source: hard_sigmoid_layer.cpp of MobileNet forks."""

    type = "HardSigmoid"
    source = "MobileNet-YOLO"
    each = OpCount(adds=1, muls=1, compares=2)

    def value(self, x: Array) -> Array:
        """A clipped line."""
        result: Array = np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1)
        return result


class Mish(ElementWise):
    """x · tanh(log(1 + exp(x))) (Misra 2019, arXiv 1908.08681)."""

    type = "Mish"
    source = "YOLO forks"
    each = OpCount(adds=1, muls=1, exps=3)

    def value(self, x: Array) -> Array:
        """The softplus by logaddexp, which never overflows."""
        return x * np.tanh(np.logaddexp(x, np.float32(0)))


class TanH(ElementWise):
    """The hyperbolic tangent.  Source: tanh_layer.cpp."""

    type = "TanH"
    temporaries = 0
    each = OpCount(exps=1)

    def value(self, x: Array) -> Array:
        """As numpy has it."""
        return np.tanh(x)


class AbsVal(ElementWise):
    """|x|, a sign test an element.  Source: absval_layer.cpp."""

    type = "AbsVal"
    temporaries = 0
    in_place = False
    each = OpCount(compares=1)

    def value(self, x: Array) -> Array:
        """As numpy has it."""
        return np.abs(x)


class Clip(ElementWise):
    """max(min, min(x, max)); both bounds are 0 without a clip_param.  Source: clip_layer.cpp."""

    type = "Clip"
    each = OpCount(compares=2)

    def read(self, message: Message) -> None:
        """Both bounds; 0 and 0 where clip_param is left out as a whole."""
        param = message.child("clip_param")
        self.least, self.most = param.number("min"), param.number("max")

    def value(self, x: Array) -> Array:
        """Caffe's order: the lower bound wins where they cross, and over not-a-numbers."""
        return np.fmax(np.minimum(x, np.float32(self.most)), np.float32(self.least))


class Threshold(ElementWise):
    """1 where x is above the threshold, else 0.  Source: threshold_layer.cpp."""

    type = "Threshold"
    each = OpCount(compares=1)

    def read(self, message: Message) -> None:
        """The threshold."""
        self.threshold = message.child("threshold_param").number("threshold")

    def value(self, x: Array) -> Array:
        """Ones and zeros."""
        return (x > np.float32(self.threshold)).astype(np.float32)


class Dropout(ElementWise):
    """Nothing at test time: the values pass.  Training scales the kept ones.  dropout_layer.cpp."""

    type = "Dropout"
    temporaries = 0

    def read(self, message: Message) -> None:
        """Nothing: only a debug build of Caffe checks the ratio, and real nets give a 0."""

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None at test time; in training a mul by the mask and one by the scale an element."""
        return NOTHING if self.phase == "TEST" else OpCount(muls=2 * tops[0].count())

    @property
    def passes_bottom(self) -> bool:
        """At test time the top is the bottom's values."""
        return self.phase == "TEST"

    def value(self, x: Array) -> Array:
        """The values themselves; the mask of training is not drawn here."""
        return x
