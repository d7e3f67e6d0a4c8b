from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.filler import Filler
from netcount.layers.layer import ParamBlob, Wanted
from netcount.layers.loss._loss import Loss, indices_of, mean
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class CenterLoss(Loss):
    """Half the squared distance to the centre of one's class, over N.  (N×*S, N) -> number.

    Blobs: centres classes×K.  distance_type "L1" takes whole absolute distances instead.
    Source: center_loss_layer.cpp of caffe-face (Wen et al. 2016) and caffe-windows.
    """

    type = "CenterLoss"
    source = "caffe-face"
    classes: int
    axis_given: int
    distance: str
    filler: Filler

    def read(self, message: Message) -> None:
        """Classes, axis and distance."""
        super().read(message)
        param = message.child("center_loss_param")
        self.classes, self.axis_given = param.integer("num_output"), param.integer("axis")
        self.distance = param.text("distance_type")
        self.filler = Filler(param, "center_filler")
        if not self.classes:
            self.refuse("num_output must be positive", "center_loss_param")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """One label per image."""
        self.axis(bottoms[0], self.axis_given, "center_loss_param.axis")
        if legacy(self, bottoms[1], 1)[1:] != (1, 1, 1):
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold one label per image", "bottom", 1)

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """A centre a class."""
        inputs = bottoms[0].count(bottoms[0].axis(self.axis_given))
        return [ParamBlob(Shape((self.classes, inputs)), "weight", self.filler)]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: self.classes}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """An element: a difference, a square (or an absolute value) and an add.  Divs."""
        elements = bottoms[0].count()
        if self.distance == "L1":
            return OpCount(adds=2 * elements, compares=elements, divs=1)
        return OpCount(adds=2 * elements, muls=elements, divs=2)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """Of the bottom a factor and a mul a value.  Of the centres the values added up by class; caffe-face seeks
        the images of each class, a compare each, and adds a mean for each class; caffe-windows', known by
        distance_type, one for each image (L1: of signs)."""
        values, images = bottoms[0].count(), bottoms[0][0]
        down = OpCount(muls=values, divs=1) if wanted.bottoms[0] else NOTHING
        if not wanted.params[0]:
            return down
        if self.message.child("center_loss_param").has("distance_type"):
            signs = values if self.distance == "L1" else 0
            return down + OpCount(adds=2 * values + images, muls=values, divs=images, compares=signs)
        centres = self.blobs(bottoms)[0].shape.count()
        compares = self.classes * images
        return down + OpCount(
            adds=values + centres + self.classes, muls=centres, divs=self.classes, compares=compares
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """A label outside the classes is refused."""
        x, label = bottoms
        difference = x.reshape(len(x), -1) - blobs[0][indices_of(self, label, self.classes)]
        if self.distance not in ("L1", "L2"):
            self.refuse("distance_type must be L1 or L2", "center_loss_param.distance_type")
        if self.distance == "L1":
            return [mean(np.abs(difference).sum(), len(x))]
        return [mean(np.square(difference).sum() / 2, len(x))]
