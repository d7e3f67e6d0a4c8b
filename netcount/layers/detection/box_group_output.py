from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.detection._box_output import BoxOutputs
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class BoxGroupOutput(BoxOutputs):
    """The boxes that Cascade R-CNN's branches propose: decoded, selected, suppressed.

    Two bottoms a branch: probabilities (N·fields)×classes×H×W, of which the first is the
    background's, and (N·fields)×4×H×W predictions -> R×5×1×1[, R×6×1×1].
    Source: box_group_output_layer.cpp of cascade-rcnn; Cai and Vasconcelos 2018, arXiv 1712.00726.
    """

    type = "BoxGroupOutput"
    source = "cascade-rcnn"
    param = "box_group_output_param"
    pixel: int = 1
    fields: list[tuple[list[int], list[int]]]
    strides: list[int]

    def read(self, message: Message) -> None:
        """The fields and the stride of each branch."""
        super().read(message)
        groups = list(message.child(self.param).children("box_group_param"))
        number = len(message.texts("bottom"))
        if number % 2 or number // 2 != len(groups):
            self.refuse(f"{number} bottoms for {len(groups)} box_group_param; give two per group", self.param)
        self.fields = [(group.integers("field_w"), group.integers("field_h")) for group in groups]
        self.strides = [group.integer("stride") for group in groups]
        for wide, high in self.fields:
            if not wide or len(wide) != len(high):
                self.refuse(f"{len(wide)} field_w and {len(high)} field_h must be as many", self.param)

    def images(self, bottoms: Sequence[Shape]) -> int:
        """The same number in every branch, with as many classes."""
        shapes = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
        number = shapes[0][0] // len(self.fields[0][0])
        for index, (fields, _) in enumerate(self.fields):
            (n, c, *extent), values = shapes[2 * index : 2 * index + 2]
            if n != number * len(fields) or c != shapes[0][1]:
                self.refuse(
                    f"{self.named(2 * index)} {bottoms[2 * index]} must hold {number} images of "
                    f"{len(fields)} fields and {shapes[0][1]} classes",
                    "bottom",
                    2 * index,
                )
            if values != (n, 4, *extent):
                self.refuse(
                    f"{self.named(2 * index + 1)} {bottoms[2 * index + 1]} must be {Shape((n, 4, *extent))}",
                    "bottom",
                    2 * index + 1,
                )
        return number

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The decoding of every box, its bounds and its size; sorting and suppression depend on the
        data and are not counted."""
        boxes = sum(shape.count() for shape in bottoms[1::2]) // 4
        return OpCount(adds=17 * boxes, muls=12 * boxes, divs=2 * boxes, compares=15 * boxes, exps=2 * boxes)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def candidates(self, bottoms: Sequence[Array]) -> list[tuple[Array, Array]]:
        """Branch after branch, field after field."""
        images = len(bottoms[0]) // len(self.fields[0][0])
        boxes: list[list[Array]] = [[] for _ in range(images)]
        scores: list[list[Array]] = [[] for _ in range(images)]
        for index, ((wide, high), stride) in enumerate(zip(self.fields, self.strides, strict=True)):
            sure, values = bottoms[2 * index : 2 * index + 2]
            extent = (*sure.shape, 1, 1, 1, 1)[2:4]
            grouped = values.reshape(images, len(wide), 4, *extent)
            sides = [np.array(side, dtype=np.float32).reshape(-1, 1, 1) for side in (wide, high)]
            decoded = self.decoded(grouped, (sides[0], sides[1]), stride)
            limit = np.array([extent[1] * stride, extent[0] * stride])
            low = np.maximum(decoded[..., :2], 0)
            high_corner = np.minimum(decoded[..., :2] + decoded[..., 2:] - 1, limit)
            foreground = 1 - sure[:, 0].reshape(images, len(wide), *extent)
            kept = (foreground >= self.score) & (high_corner - low + 1 >= self.least).all(axis=-1)
            for image in range(images):
                corners = np.concatenate([low, high_corner], axis=-1)[image]
                boxes[image].append(corners[kept[image]])
                scores[image].append(foreground[image][kept[image]])
        return [(np.concatenate(a), np.concatenate(b)) for a, b in zip(boxes, scores, strict=True)]
