from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, SameShape
from netcount.layers.layer import Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

FIELD = "python_param.param_str"


class SpatialDropoutLayer(SameShape, NoBlobs):
    """ENet's dropout of whole channels, whose phase is in param_str.  N×C×H×W -> N×C×H×W.  No weights.

    In TRAIN the kept channels, in TEST all of them are scaled by 1 / (1 − p).
    Source: spatial_dropout.py of TimoSaemann/caffe-enet.
    """

    type = "Python"
    source = "ENet"
    python = "spatial_dropout.SpatialDropoutLayer"
    trains: bool
    share: float

    def read(self, message: Message) -> None:
        """Phase and p."""
        text = message.child("python_param").text("param_str")
        phase, share = (
            re.search(rf"""['"]{key}['"]\s*:\s*['"]?([\w.+-]+)""", text, re.ASCII) for key in ("phase", "p")
        )
        if phase is None or share is None:
            self.refuse("param_str needs a phase and a p", FIELD)
        self.trains = phase[1] == "TRAIN"
        try:
            self.share = float(share[1])
        except ValueError:
            self.refuse(f"p {share[1]} of param_str is not a number", FIELD)
        if not 0 < self.share < 1:
            self.refuse(f"p {share[1]} of param_str must be between 0 and 1", FIELD)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """In TRAIN a mul by the mask and one by the scale an element, in TEST the second."""
        return OpCount(muls=(1 + self.trains) * tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """As forward, for the gradient."""
        return self.ops(bottoms, tops) if wanted.bottoms[0] else NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """All channels scaled; the mask of training is not drawn here, so that there the values pass."""
        return [np.multiply(bottoms[0], np.float32(1 if self.trains else 1 / (1 - self.share)))]
