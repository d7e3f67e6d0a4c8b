from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax_ops
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.detection._yolo_grid import check_grid, grid_ops
from netcount.layers.layer import Wanted
from netcount.layers.loss._loss import Loss
from netcount.prototxt.message import Message

PARAM = "detection_loss_param"


class DetectionLoss(ShapesOnly, Loss):
    """The loss of a detector's predictions against a truth, in two forks.

    mscnn (with cls_num): (predictions N×(classes+coordinates)×H×W, truth N×C×H×W) -> 1×1×1×2, the loss
    and its part of the boxes.  Source: detection_loss_layer.cpp of mscnn.
    caffe-yolo: (predictions N×side²·(classes + 5·objects), truth N×7·side²) -> number, YOLO v1's.
    Source: detection_loss_layer.cpp of caffe-yolo; Redmon et al. 2016, arXiv 1506.02640.
    """

    type = "DetectionLoss"
    source = "mscnn, caffe-yolo"
    branch: bool
    classes: int
    coordinates: int
    side: int
    objects: int

    def read(self, message: Message) -> None:
        """Which fork's it is; classes, coordinates and grid."""
        super().read(message)
        param = message.child(PARAM)
        self.branch = param.has("cls_num")
        if self.branch:
            self.classes, self.coordinates = param.integer("cls_num"), param.integer("coord_num")
            if param.flag("objectness") and self.classes != 2:
                self.refuse(f"objectness needs cls_num 2, not {self.classes}", f"{PARAM}.cls_num")
        else:
            self.side = param.integer("side")
            self.classes, self.objects = param.integer("num_class"), param.integer("num_object")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Two numbers, or one."""
        (loss,) = super().infer(bottoms)
        return [Shape((1, 1, 1, 2)) if self.branch else loss]

    def check(self, bottoms: Sequence[Shape]) -> None:
        """A truth for each position, and as many channels as classes and coordinates."""
        if not self.branch:
            cells = self.side**2
            check_grid(self, bottoms, (cells * (self.classes + 5 * self.objects), cells * 7))
            return
        _, values, *extent = legacy(self, bottoms[0], 0)
        wanted = self.classes + self.coordinates
        if values != wanted:
            self.refuse(
                f"{self.named(0)} {bottoms[0]} must have {wanted} channels: {self.classes} classes and "
                f"{self.coordinates} coordinates",
                "bottom",
            )
        if legacy(self, bottoms[1], 1)[2:] != tuple(extent):
            self.refuse(
                f"{self.named(0)} {bottoms[0]} and {self.named(1)} {bottoms[1]} differ in height or width",
                "bottom",
                1,
            )

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every position held an object: the softmax of the classes and a log, and
        the coding, bounds and difference of the coordinates; or YOLO's grid."""
        images = bottoms[0][0]
        if not self.branch:
            return grid_ops(images * self.side**2, self.classes, self.objects)
        cells = images * bottoms[0].count(2)
        return softmax_ops(cells * self.classes) + OpCount(
            adds=cells * (16 + 2 * self.coordinates),
            muls=cells * (3 + self.coordinates),
            divs=cells * 8 + 2,
            compares=cells * (13 + 2 * self.coordinates),
            exps=cells * 3,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """mscnn's, the bound, as if every position held an object: of the classes a difference, and two muls a
        score, of the coordinates a mul; two factors an image.  caffe-yolo's is not written down."""
        if not self.branch:
            return None
        if not wanted.bottoms[0]:
            return NOTHING
        images = bottoms[0][0]
        cells = images * bottoms[0].count(2)
        muls = cells * (2 * self.classes + self.coordinates) + images
        return OpCount(adds=cells, muls=muls, divs=2 * images)
