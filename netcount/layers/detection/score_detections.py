from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly
from netcount.layers.detection._detectnet import MOST
from netcount.layers.layer import TWO
from netcount.prototxt.message import Message


class ScoreDetections(ShapesOnly):
    """Which of DetectNet's boxes are right.  (truth N×50×5, boxes N×50×5) -> N×50×5.

    The last value of a row is 1 for a box that is right, 2 for one that is wrong and 3 for one that
    is missing.  Source: python/caffe/layers/detectnet/mean_ap.py of NVIDIA's Caffe.
    """

    type = "Python"
    source = "DetectNet"
    python = "caffe.layers.detectnet.mean_ap.ScoreDetections"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×50×5, after the check of the images."""
        truth, boxes = bottoms
        if not truth or not boxes or truth[0] != boxes[0]:
            self.refuse(
                f"{self.named(0)} {truth} and {self.named(1)} {boxes} differ in images",
                "bottom",
                1,
            )
        return [Shape((truth[0], MOST, 5))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: the overlap of each box with each of the truth."""
        pairs = tops[0][0] * MOST * MOST
        return OpCount(adds=8 * pairs, muls=3 * pairs, divs=pairs, compares=10 * pairs)
