from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.detection.roi_data_layer import RoIDataLayer
from netcount.layers.layer import THREE
from netcount.prototxt.message import Message


class FrcnnRoiData(RoIDataLayer):
    """Images with boxes, by caffe-faster-rcnn's custom 1×3×600×1000.

    -> image 1×3×600×1000, its height, width and zoom 1×3×1×1, and boxes 1×5×1×1, one until data come.
    Source: frcnn_roi_data_layer.cpp of caffe-faster-rcnn (makefile/frcnn, D-X-Y).
    """

    type = "FrcnnRoiData"
    python = ""
    source = "caffe-faster-rcnn"
    tops = THREE
    assumed: str | None

    def read(self, message: Message) -> None:
        """Nothing that the file says: scales and max_size stand in the configuration it names."""
        self.assumed = "600×1000 images are assumed, as in caffe-faster-rcnn's voc_config.json"

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """By the top's position."""
        return Shape(((1, 3, 600, 1000), (1, 3, 1, 1), (1, 5, 1, 1))[index])
