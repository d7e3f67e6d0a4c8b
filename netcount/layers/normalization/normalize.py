from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Wanted
from netcount.layers.sight import Sight, all_of, each, whole
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Normalize(Layer):
    """x / ‖x‖ over the channels of each position (or over the image), times a learned scale.

    N×C×H×W; weights C, or one.  Source: normalize_layer.cpp of SSD; Liu et al. 2015 (ParseNet).
    happynear's, known by normalize_param or a second top for the norms N×1×H×W, learns no scale and
    has the norm L1 too.  Source: normalize_layer.cpp of caffe-windows.
    """

    type = "Normalize"
    temporaries = 1
    source = "SSD, happynear"
    tops: ClassVar[Arity] = Arity(1, 2)
    unscaled: bool
    across: bool
    shared: bool
    eps: float
    filler: Filler
    norm: str

    def read(self, message: Message) -> None:
        """What the norm runs over, and the scale's shape."""
        self.unscaled = not message.has("norm_param") and (message.has("normalize_param") or self.top_count > 1)
        if self.top_count > 1 and not self.unscaled:
            self.refuse("takes 1 top; only happynear's, without norm_param, has a second", "top", 1)
        param = message.child("norm_param")
        self.across = not self.unscaled and param.flag("across_spatial")
        self.shared = param.flag("channel_shared")
        self.eps = 1e-6 if self.unscaled else param.number("eps")
        self.filler = Filler(param, "scale_filler")
        self.norm = message.child("normalize_param").text("normalize_type") if self.unscaled else "L2"

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape; with happynear's made up to 4 axes, and the norms."""
        if self.unscaled:
            n, c, h, w = legacy(self, bottoms[0], 0)
            return [Shape((n, c, h, w)), Shape((n, 1, h, w))][: self.top_count]
        if len(bottoms[0]) < 2:
            self.refuse(f"needs at least 2 axes, not {bottoms[0]}", "bottom")
        return [bottoms[0]]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """C scales, or a single one without axes; none with happynear's."""
        shape = Shape() if self.shared else Shape((bottoms[0][1],))
        return [] if self.unscaled else [ParamBlob(shape, "weight", self.filler)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A square (L1: a sign), an add, a div and the scale's mul an element; an add and a root
        (L2) a norm."""
        elements = bottoms[0].count()
        norms = tops[0][0] if self.across else elements // max(1, tops[0][1])
        squares = elements if self.norm == "L2" else 0
        return OpCount(
            adds=elements + norms,
            muls=squares + (0 if self.unscaled else elements),
            divs=elements,
            compares=elements - squares,
            exps=norms if squares else 0,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the bottom the dot product with the gradient, by which what lies along the bottom is taken off.
        Across the image: four muls and two adds each, and three divs a norm; else three muls, two adds and two
        divs each, and a square a norm.  Of the scale a mul and an add each; a div and an add a scale and image,
        a single scale once.  happynear's: two muls, two adds and a div each (L1: a sign); with bp_norm, for the
        second top, a mul and an add (L1: a sign)."""
        products = bottoms[0].count()
        elements = products * wanted.bottoms[0]
        if self.unscaled:
            return self._unscaled_backward(elements, products)
        norms = tops[0][0] if self.across else products // max(1, tops[0][1])
        norms *= wanted.bottoms[0]
        down = (
            OpCount(adds=2 * elements, muls=4 * elements, divs=3 * norms)
            if self.across
            else OpCount(adds=2 * elements, muls=3 * elements + norms, divs=2 * elements)
        )
        if not wanted.params[0]:
            return down
        scales = 1 if self.shared else tops[0].count(0, 2)
        return down + OpCount(adds=products + scales, muls=products, divs=scales)

    def _unscaled_backward(self, elements: int, products: int) -> OpCount:
        """The bottom's `elements`, if wanted; of the norms' gradient `products`, in any case."""
        passed = self.top_count > 1 and self.message.child("normalize_param").flag("bp_norm")
        more = products if passed else 0
        signs = elements + more if self.norm == "L1" else 0
        return OpCount(adds=2 * elements + more, muls=2 * elements + more, divs=elements, compares=signs)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """All channels of a position; or of the image."""
        if self.across:
            return [*each(bottoms[0][:1]), *all_of(bottoms[0][1:])]
        sights = each(bottoms[0])
        sights[1:2] = [whole(extent) for extent in bottoms[0][1:2]]
        return sights

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """eps is added to the sum of squares (L1: of sizes)."""
        (x,) = bottoms
        if self.norm not in ("L1", "L2"):
            self.refuse("normalize_type must be L1 or L2", "normalize_param.normalize_type")
        if self.unscaled:
            x = x.reshape(*x.shape, *(1,) * (4 - x.ndim))
        axes = tuple(range(1, x.ndim)) if self.across else (1,)
        norm = (x * x if self.norm == "L2" else np.abs(x)).sum(axis=axes, keepdims=True) + np.float32(self.eps)
        if self.norm == "L2":
            norm = np.sqrt(norm)
        if self.unscaled:
            return [x / norm, norm][: self.top_count]
        return [x / norm * blobs[0].reshape(-1, *(1,) * (x.ndim - 2))]
