from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.loss._loss import Loss, check_values, number
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "dice_coef_loss_param"
GENERAL = ("generalization", "ignore_label", "weight_mode", "weights", "contour_shape")
"""Fields that only jolibrain's layer has."""


class DiceCoefLoss(Loss):
    """1 − the mean of (2·Σab + smooth) / (Σa² + Σb² + smooth) an image.  (N×*S, N×*S) -> number.

    Source: dice_coef_loss_layer.cpp of JAANet's Caffe.  jolibrain's, known by its fields or by a truth of
    one channel beside predictions of several, has classes N×C×H×W and labels N×1×H×W; its weights are
    not computed here.
    """

    type = "DiceCoefLoss"
    source = "JAANet, jolibrain"
    replaceable = True
    smooth: float
    general: bool

    def read(self, message: Message) -> None:
        """The smoothing, and which fork's it is."""
        super().read(message)
        param = message.child(PARAM)
        self.smooth = param.number("smooth")
        self.general = any(param.has(field) for field in GENERAL)

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values, or a label per position."""
        data, truth = (legacy(self, shape, index) for index, shape in enumerate(bottoms))
        if not (self.general or (truth[1] == 1 < data[1])):
            check_values(self, bottoms, 1)
        elif truth != (data[0], 1, *data[2:]):
            self.refuse(f"{self.named(1)} {bottoms[1]} must be {Shape((data[0], 1, *data[2:]))}", "bottom", 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Three products and sums an element; two adds, a mul and a div an image; the mean."""
        elements, images = bottoms[0].count(), bottoms[0][0]
        return OpCount(adds=3 * elements + 3 * images + 1, muls=3 * elements + images, divs=images + 1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image."""
        if self.general or bottoms[0].size != bottoms[1].size:
            self.refuse("jolibrain's weights of classes are not computed here", PARAM, advice=self.given_tops())
        a, b = (bottom.reshape(len(bottom), -1) for bottom in bottoms)
        shared = 2 * (a * b).sum(axis=1) + self.smooth
        whole = np.square(a).sum(axis=1) + np.square(b).sum(axis=1) + self.smooth
        return [number(1 - np.abs(shared / whole).sum() / len(a))]
