from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.layers.detection._sampling import SAMPLED, setting
from netcount.prototxt.message import Message

NAMES = ("data", "im_info", "gt_boxes")
FAST = ("data", "rois", "labels", "bbox_targets", "bbox_inside_weights", "bbox_outside_weights")


class RoIDataLayer(Source):
    """py-faster-rcnn's roi_data_layer.layer: images with boxes, by custom 1×3×600×1000.

    Its tops are known by their names: data, im_info and gt_boxes (Faster R-CNN), or data, rois, labels,
    bbox_targets and weights (Fast R-CNN), with py-R-FCN's axes of 1, as from ProposalTargetLayer; other
    names by their position.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "roi_data_layer.layer.RoIDataLayer"
    sizes_assumed = True
    classes: int

    def read(self, message: Message) -> None:
        """num_classes of param_str."""
        text = message.child("python_param").text("param_str")
        self.classes = setting(text, "num_classes", 0)
        self.assumed = "600×1000 images are assumed, py-faster-rcnn's custom"

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Nothing is assumed of an image that is given."""
        if 0 in given:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """By the top's name, else by its position."""
        names = self.message.texts("top")
        custom = NAMES if self.top_count == 3 or {*NAMES[1:]} & {*names} else FAST
        name = names[index] if names[index] in (*NAMES, *FAST) else custom[index] if index < len(custom) else ""
        if index == 0:
            return Shape((1, 3, 600, 1000))
        if name in ("im_info", "gt_boxes"):
            return Shape((1, 3 if name == "im_info" else 5))
        if name in ("rois", "labels"):
            return Shape((SAMPLED, 5 if name == "rois" else 1, 1, 1))
        return Shape((SAMPLED, 4 * self.classes, 1, 1)) if self.classes and name in FAST else None
