from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.detection._detectnet import Clusters


class ClusterGroundtruth(Clusters):
    """DetectNet's truth as lists of boxes: the cells that are covered, each box once.

    (coverage N×K×H×W, boxes N×4×H×W) -> for each class N×50×5: x1, y1, x2, y2, 0.
    Source: python/caffe/layers/detectnet/clustering.py of NVIDIA's Caffe.
    """

    python = "caffe.layers.detectnet.clustering.ClusterGroundtruth"
    settings = 3

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a cell and class; the bound of boxes moved to their cells, as if all were covered."""
        cells = bottoms[0].count()
        return OpCount(adds=4 * cells, muls=2 * cells, compares=cells)
