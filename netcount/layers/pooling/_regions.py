"""Pooling of regions of interest: (features N×C×H×W, boxes R×5) -> R×C×h×w."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class _Regions(NoBlobs):
    """What the three have in common: boxes are (image, x1, y1, x2, y2) in input pixels."""

    bottoms = TWO

    def bins_of(self, name: str) -> tuple[int, int]:
        """pooled_h and pooled_w of a parameter message, checked."""
        param = self.message.child(name)
        for field in ("pooled_h", "pooled_w"):
            if not param.integer(field):
                self.refuse(f"{field} 0 must be positive", f"{name}.{field}")
        return param.integer("pooled_h"), param.integer("pooled_w")

    def regions(self, bottoms: Sequence[Shape]) -> int:
        """How many boxes; as Caffe, it looks at their number alone, and at their values when it runs."""
        return legacy(self, bottoms[1], 1)[0]

    def channels(self, bottoms: Sequence[Shape]) -> int:
        """Channels of the features."""
        return legacy(self, bottoms[0], 0)[1]

    def features(self, bottoms: Sequence[Array]) -> Array:
        """The features as N×C×H×W; missing axes are 1."""
        return bottoms[0].reshape((*bottoms[0].shape, 1, 1, 1, 1)[:4])

    def boxes(self, bottoms: Sequence[Array]) -> tuple[list[int], Array]:
        """The image of each box, and its corners (R, 4); an image outside the batch is refused."""
        features, boxes = bottoms[0], np.atleast_1d(bottoms[1])
        flat = boxes.reshape(len(boxes), boxes[:1].size if len(boxes) else 5)
        if flat.shape[1] < 5:
            self.refuse(
                f"{self.named(1)} {Shape(boxes.shape)} holds no boxes R×5 (image, x1, y1, x2, y2)", "bottom", 1
            )
        images: list[int] = flat[:, 0].astype(np.int64).tolist()
        batch = len(np.atleast_1d(features))
        for image in images:
            if not 0 <= image < batch:
                self.refuse(f"a box names image {image} of a batch of {batch}", "bottom", 1)
        return images, flat[:, 1:5].astype(np.float32)
