from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.detection._detectnet import Clusters


class ClusterDetections(Clusters):
    """DetectNet's boxes: the cells that are covered enough, grouped by OpenCV's groupRectangles.

    (coverage N×K×H×W, boxes N×4×H×W) -> for each class N×50×5: x1, y1, x2, y2, confidence.
    Source: python/caffe/layers/detectnet/clustering.py of NVIDIA's Caffe.
    """

    python = "caffe.layers.detectnet.clustering.ClusterDetections"
    settings = 7

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a cell and class; the bound of boxes moved to their cells, as if all were covered.
        How much grouping there is depends on the data and is not counted."""
        cells = bottoms[0].count()
        return OpCount(adds=4 * cells, muls=2 * cells, compares=cells)
