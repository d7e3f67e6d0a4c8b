"""Batch normalization with scale and shift in one layer, as several forks have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Wanted
from netcount.layers.sight import Sight, all_of, each
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

SEGNET = ("scale_filler", "shift_filler", "bn_mode")
"""Fields that only SegNet's bn_param has."""
SEGNET_EPS = 1e-9


class BN(Layer):
    """(x − mean) · inverse deviation · slope + bias, a channel.  N×C×*S -> N×C×*S.

    Three forks share the name.  happynear: slope, bias, mean and inverse deviation, each 1×C; the
    last two are kept for TEST.  PSPNet, after Temporal Segment Networks: the same, each 1×C×1×1 in a
    model, and the variance in place of its inverse deviation.  SegNet, known by its own fields in
    bn_param: scale and shift, each 1×C×1×1; the batch's own mean and variance in either phase (and as
    tops 1 and 2), or, with bn_mode INFERENCE, none at all: they were folded into scale and shift.
    Sources: bn_layer.cpp of caffe-windows, of PSPNet's and of SegNet's Caffe.
    """

    type = "BN"
    temporaries = 1
    source = "happynear, PSPNet, SegNet"
    tops: ClassVar[Arity] = Arity(1, 3)
    segnet: bool
    folded: bool
    eps: float
    fillers: list[Filler]
    kept: bool
    frozen: bool

    def read(self, message: Message) -> None:
        """Which fork's it is, eps and the fillers."""
        param = message.child("bn_param")
        self.segnet = any(param.has(field) for field in SEGNET)
        self.folded = self.segnet and param.text("bn_mode") == "INFERENCE"
        self.eps = SEGNET_EPS if self.segnet else param.number("eps")
        names = ("scale_filler", "shift_filler") if self.segnet else ("slope_filler", "bias_filler")
        self.fillers = [Filler(param, name) for name in names]
        self.frozen = not self.segnet and param.flag("frozen")
        self.kept = self.frozen or (not self.segnet and self.phase == "TEST")
        if self.top_count > 1 and not self.segnet:
            self.refuse("takes 1 top; SegNet's has more, and scale_filler, shift_filler or bn_mode", "top", 1)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape; mean and variance 1×C×1×1."""
        shape = legacy(self, bottoms[0], 0)
        first = Shape(shape) if self.segnet else bottoms[0]
        return [first, *[Shape((1, shape[1], 1, 1))] * 2][: self.top_count]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Slope (or scale), bias (or shift) and, without SegNet's fields, the kept statistics."""
        channels = legacy(self, bottoms[0], 0)[1]
        four = Shape((1, channels, 1, 1))
        shape, forms = (four, ()) if self.segnet else (Shape((1, channels)), (four,))
        learned = [
            ParamBlob(shape, role, filler, forms)
            for role, filler in zip(("weight", "bias"), self.fillers, strict=True)
        ]
        return learned if self.segnet else [*learned, *[ParamBlob(shape, "statistic", forms=forms)] * 2]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Two adds and two muls an element, one each when folded; with own statistics two adds and
        a mul more, and a channel three muls, an add and a root."""
        elements, channels = bottoms[0].count(), legacy(self, bottoms[0], 0)[1]
        if self.folded:
            return OpCount(adds=elements, muls=elements)
        if self.kept:
            return OpCount(adds=2 * elements, muls=2 * elements)
        return OpCount(adds=4 * elements + channels, muls=3 * elements + 3 * channels, exps=channels)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the slope a mul and an add each, of the bias an add, of the bottom five muls and four adds; frozen, a
        mul an element and a channel, of the bottom alone.  SegNet's computes all of it in any case, with a square
        and a div each; folded, two muls and two adds each."""
        elements, channels = bottoms[0].count(), legacy(self, bottoms[0], 0)[1]
        if self.segnet:
            if self.folded:
                return OpCount(adds=2 * elements, muls=2 * elements)
            return OpCount(adds=6 * elements, muls=6 * elements, divs=elements)
        down, (slope, bias) = elements * wanted.bottoms[0], wanted.params[:2]
        if self.frozen:
            return OpCount(muls=down + channels * wanted.bottoms[0])
        return OpCount(adds=4 * down + elements * (slope + bias), muls=5 * down + elements * slope)

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value alone; with statistics of the batch everything."""
        return each(bottoms[0]) if not top and (self.kept or self.folded) else all_of(bottoms[0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By the kept statistics, by the batch's own, or by none.

        A fourth blob 1×C×1×1 holds variances, one 1×C inverse deviations.
        """
        (x,) = bottoms
        variances = len(blobs) == 4 and blobs[3].ndim == 4
        slope, bias, *statistics = (blob.reshape(-1, *(1,) * (x.ndim - 2)) for blob in blobs)
        told: list[Array] = []
        if self.folded:
            if self.top_count > 1:
                self.refuse("has no mean and no variance to tell with bn_mode INFERENCE", "top", 1)
            y = x * slope + bias
        elif self.kept:
            mean, inverse = statistics
            if variances:
                inverse = 1 / np.sqrt(inverse + np.float32(self.eps))
            y = (x - mean) * inverse * slope + bias
        else:
            axes = (0, *range(2, x.ndim))
            mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
            y = (x - mean) / np.sqrt(variance + np.float32(self.eps)) * slope + bias
            told = [value.reshape(1, -1, 1, 1) for value in (mean, variance)]
        first = y.reshape(*x.shape, *(1,) * (4 - x.ndim)) if self.segnet else y
        return [first, *told][: self.top_count]
