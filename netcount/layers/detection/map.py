from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly
from netcount.layers.layer import THREE
from netcount.prototxt.message import Message


class MeanAveragePrecision(ShapesOnly):
    """How good DetectNet's boxes are.  (scored boxes N×50×5) -> 1 mAP, 1 precision, 1 recall.

    Source: mAP in python/caffe/layers/detectnet/mean_ap.py of NVIDIA's Caffe.
    """

    type = "Python"
    source = "DetectNet"
    python = "caffe.layers.detectnet.mean_ap.mAP"
    tops = THREE

    def read(self, message: Message) -> None:
        """Nothing that moves a shape."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number each."""
        return [Shape((1,))] * 3

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Three compares a row; two shares and their product."""
        rows = bottoms[0].count() // 5
        return OpCount(adds=2, muls=3, divs=3, compares=3 * rows)
