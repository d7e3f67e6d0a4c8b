from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly, legacy
from netcount.layers.detection._yolo_grid import check_grid, grid_ops
from netcount.layers.layer import Wanted
from netcount.layers.loss._loss import Loss
from netcount.prototxt.message import Message

PARAM = "yolo_loss_param"


class YoloLoss(ShapesOnly, Loss):
    """YOLO's loss in two forks.

    MaskYolo: (predictions N×(boxes·(1+coords+classes))×H×W, truth N×5·G) -> number; boxes are those of
    `mask`, or all.  Source: yolo_loss_layer.cpp of MaskYolo_Caffe; Redmon and Farhadi 2018.
    With grid_side caffe-luolongqiang's: (predictions N×side²·(5·boxes+classes), truth
    N×side²·(5+classes)) -> number.  Source: yolo_loss_layer.cpp of caffe-luolongqiang.
    """

    type = "YoloLoss"
    source = "MaskYolo, caffe-luolongqiang"
    side: int
    classes: int
    boxes: int
    values: int

    def read(self, message: Message) -> None:
        """Which fork's it is; classes, boxes and grid."""
        super().read(message)
        param = message.child(PARAM)
        self.side = param.integer("grid_side")
        if self.side:
            self.classes, self.boxes, self.values = param.integer("classes"), param.integer("bbox_count"), 5
            return
        anchors = param.integer("num_object")
        for field in ("anchor_x", "anchor_y"):
            if len(param.numbers(field)) != anchors:
                self.refuse(f"{len(param.numbers(field))} {field} for num_object {anchors}", f"{PARAM}.{field}")
        self.classes, self.boxes = param.integer("num_class"), len(param.integers("mask")) or anchors
        self.values = 1 + param.integer("num_coord") + self.classes

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values as the grid has."""
        if self.side:
            cells = self.side**2
            check_grid(self, bottoms, (cells * (5 * self.boxes + self.classes), cells * (5 + self.classes)))
            return
        _, _, high, wide = legacy(self, bottoms[0], 0)
        check_grid(self, bottoms[:1], (high * wide * self.boxes * self.values,))
        if bottoms[1].count(1) % 5:
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold rows of 5 values", "bottom", 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: YOLO v1's grid as if every cell held an object; else the activation of each value,
        the overlap of each box with all of the truth, and the square of each difference."""
        if self.side:
            return grid_ops(bottoms[0][0] * self.side**2, self.classes, self.boxes)
        values = bottoms[0].count()
        boxes = values // self.values
        pairs = boxes * (bottoms[1].count(1) // 5)
        return OpCount(
            adds=10 * pairs + 4 * values,
            muls=3 * pairs + 2 * values,
            divs=pairs + values + 4 * boxes + 5,
            compares=7 * pairs + 3 * boxes,
            exps=values + 2 * boxes,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A mul a value of gradients that are kept; caffe-luolongqiang's is not written down."""
        if self.side:
            return None
        return OpCount(muls=bottoms[0].count() * wanted.bottoms[0], divs=int(wanted.bottoms[0]))
