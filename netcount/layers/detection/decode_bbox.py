from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.anchors import moved
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.detection._box_output import coding_of
from netcount.layers.layer import Arity, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Mask, Run


class DecodeBBox(NoBlobs):
    """The boxes of the next stage of Cascade R-CNN: regions moved by their predictions.

    (predictions R×8, of the background and of objects, regions R×5[, truth R×6 in TRAIN]) -> R×5.
    Source: decode_bbox_layer.cpp of mscnn and cascade-rcnn.
    """

    type = "DecodeBBox"
    source = "mscnn"
    bottoms: ClassVar[Arity] = Arity(2, 3)
    means: list[float]
    deviations: list[float]
    most: float

    def read(self, message: Message) -> None:
        """Coding, and the overlap with the truth from which a box is left out."""
        self.means, self.deviations = coding_of(self)
        for index, deviation in enumerate(self.deviations):
            if deviation <= 0:
                self.refuse(f"bbox_std {deviation:g} must be positive", "bbox_reg_param.bbox_std", index)
        self.most = message.child("decode_bbox_param").number("gt_iou_thr")
        if len(message.texts("bottom")) > 2 and self.phase != "TRAIN":
            self.refuse("takes a truth in TRAIN only", "bottom", 2)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The regions' shape."""
        shapes = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
        for index, values in ((0, 8), (1, 5)):
            if shapes[index][1] != values:
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must hold {values} values per box", "bottom", index
                )
        for index, shape in enumerate(shapes):
            if shape[0] != shapes[0][0]:
                self.refuse(
                    f"{self.named(0)} {bottoms[0]} and {self.named(index)} {bottoms[index]} differ in boxes",
                    "bottom",
                    index,
                )
        return [bottoms[1]]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """In TRAIN boxes are left out."""
        if self.phase != "TRAIN":
            return None
        return "boxes turned inside out, and those that are nearly the truth, are left out in TRAIN"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A region: its sides and centre.  Each of the two predictions: the coding undone, the
        centre moved, two exponents, the corners.  In TRAIN two compares, and one with a truth."""
        boxes = bottoms[0][0]
        return OpCount(
            adds=34 * boxes,
            muls=18 * boxes,
            divs=4 * boxes,
            compares=(len(bottoms) * boxes if self.phase == "TRAIN" else 0),
            exps=4 * boxes,
        )

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """Of a region the deltas, in 64 bits, twice, or with the corners and the rows."""
        deltas = bottoms[0].count(1) - 4
        return WorkingMemory(forward=bottoms[0][0] * max(4 * deltas, 2 * deltas + 29))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The prediction of objects, of one class or of all."""
        values, regions = (bottom.reshape(len(bottom), -1) for bottom in bottoms[:2])
        deltas = values[:, 4:] * np.array(self.deviations) + np.array(self.means)
        corners = moved(regions[:, 1:], deltas)
        corners[:, 2:] -= 1
        kept: Mask = np.ones(len(corners), dtype=np.bool_)
        if run.phase == "TRAIN":
            kept &= (corners[:, 2:] >= corners[:, :2]).all(axis=1)
            for truth in bottoms[2:]:
                kept &= truth.reshape(len(truth), -1)[:, -1] < self.most
        if not kept.any():
            self.refuse("no box is left", "bottom")
        rows = np.column_stack([regions[:, 0], corners])[kept].astype(np.float32)
        return [rows.reshape(len(rows), *bottoms[1].shape[1:])]
