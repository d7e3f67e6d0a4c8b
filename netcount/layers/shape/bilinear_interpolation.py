from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Wanted
from netcount.layers.shape.interp import Interp
from netcount.prototxt.message import Message


class BilinearInterpolation(Interp):
    """Bilinear interpolation with aligned corners.  N×C×H×W -> N×C×H'×W'.  No weights.

    H'×W' of bottom 1 (ctensmeyer/binarization_2017), or interpolation_factor times the bottom's
    (stephenyan1231/caffe-public).  Source: bilinear_interpolation_layer.cpp of both.
    """

    type = "BilinearInterpolation"
    source = "binarization_2017, caffe-public"
    in_place = False
    factor: int

    def read(self, message: Message) -> None:
        """The factor, where there is no second bottom."""
        self.before = self.behind = 0
        self.factor = message.child("bilinear_interpolation_param").integer("interpolation_factor")
        if len(message.texts("bottom")) < 2 and not self.factor:
            self.refuse("interpolation_factor must be positive", "bilinear_interpolation_param")

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Not written down: the forks have layers of their own for it."""
        return None

    def _extent(self, axis: int, cut: int) -> int:
        return cut * self.factor

    def _sampled(self, spatial: Sequence[int]) -> Sequence[int]:
        return [len(range(-extent * self.factor, 0)) for extent in spatial]
