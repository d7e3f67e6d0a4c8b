from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "hard_mining_param"


class HardMining(NoBlobs):
    """The hardest regions of each image, and what goes with them.

    (scores R, regions R×5, other rows R×C×H×W, …) -> all but the scores with S rows: num_image ·
    num_roi_per_image, or all R where they are fewer.  Source: hard_mining_layer.cpp of cascade-rcnn.
    """

    type = "HardMining"
    source = "cascade-rcnn"
    bottoms: ClassVar[Arity] = Arity(2, None)
    tops: ClassVar[Arity] = Arity(1, None)
    images: int
    each: int

    def read(self, message: Message) -> None:
        """How many images, and regions of each."""
        param = message.child(PARAM)
        self.images, self.each = param.integer("num_image"), param.integer("num_roi_per_image")
        for field, number in (("num_image", self.images), ("num_roi_per_image", self.each)):
            if not number:
                self.refuse(f"{field} must be positive", f"{PARAM}.{field}")
        number = len(message.texts("bottom"))
        if self.top_count != number - 1:
            self.refuse(f"takes a top for each bottom after the scores: {number - 1}, not {self.top_count}", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The sampled rows, with the axes that Caffe gives them."""
        shapes = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
        regions = shapes[0][0]
        if shapes[0][1:] != (1, 1, 1):
            self.refuse(f"{self.named(0)} {bottoms[0]} must hold a score a region", "bottom")
        if shapes[1][1] != 5:
            self.refuse(f"{self.named(1)} {bottoms[1]} must hold 5 values per region", "bottom", 1)
        for index, shape in enumerate(shapes):
            if shape[0] != regions:
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must have a row for each of the {regions} scores",
                    "bottom",
                    index,
                )
        return [Shape((min(self.images * self.each, regions), *shape[1:])) for shape in shapes[1:]]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Nothing: sorting depends on the data and is not counted."""
        return NOTHING

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The hardest of each image, then of all that are left; in their own order."""
        scores = bottoms[0].reshape(-1)
        owners = bottoms[1].reshape(len(scores), -1)[:, 0].astype(np.int64)
        if len(owners) and not 0 <= owners.min() <= owners.max() < self.images:
            self.refuse(f"a region's image is not one of the {self.images}", "bottom", 1)
        order = np.lexsort((np.arange(len(scores)), scores))[::-1]
        ranks = np.empty(len(scores), dtype=np.int64)
        for image in range(self.images):
            own = order[owners[order] == image]
            ranks[own] = np.arange(len(own))
        last = ranks[order] >= self.each
        kept = np.concatenate([order[~last], order[last]])[: self.images * self.each]
        kept.sort()
        return [bottom[kept].reshape(len(kept), *(*bottom.shape[1:], 1, 1, 1)[:3]) for bottom in bottoms[1:]]
