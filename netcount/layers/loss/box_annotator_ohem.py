from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import TWO, Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class BoxAnnotatorOHEM(NoBlobs):
    """Keeps the labels and weights of the boxes with the largest loss, ignores the others.

    (boxes R×5×H×W, losses R×1×H×W, labels R×1×H×W, weights R×K×H×W) -> labels, weights.
    Source: box_annotator_ohem_layer.cpp and .cu of R-FCN's Caffe.
    """

    type = "BoxAnnotatorOHEM"
    source = "R-FCN"
    bottoms: ClassVar[Arity] = Arity(4, 4)
    tops = TWO
    kept: int
    ignored: int

    def read(self, message: Message) -> None:
        """Boxes to keep an image, and the label of those ignored."""
        param = message.child("box_annotator_ohem_param")
        self.kept, self.ignored = param.integer("roi_per_img"), param.integer("ignore_label")
        if not self.kept:
            self.refuse("roi_per_img must be positive", "box_annotator_ohem_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Labels R×1×H×W and weights R×K×H×W."""
        boxes, *others = (legacy(self, shape, index) for index, shape in enumerate(bottoms))
        if boxes[1] != 5:
            self.refuse(f"{self.named(0)} {bottoms[0]} must be R×5×H×W", "bottom")
        rows, _, *spatial = boxes
        channels = (1, 1, others[2][1])
        for index, shape in enumerate(others, 1):
            wanted = Shape((rows, channels[index - 1], *spatial))
            if shape != wanted:
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must be {wanted}, for the boxes {bottoms[0]}",
                    "bottom",
                    index,
                )
        return [Shape(others[1]), Shape(others[2])]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a box for the number of images and one to keep it, and the sort: about
        log2(boxes) compares a box."""
        boxes = tops[0].count()
        return OpCount(compares=boxes * (2 + boxes.bit_length()))

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients (Backward_gpu)."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image, the largest losses first; of equal ones the first box."""
        boxes, losses, labels, weights = bottoms
        images = boxes.reshape(len(boxes), 5, -1)[:, 0].reshape(-1).astype(np.int64)
        if not images.size or images.min() < 0:
            self.refuse("every box must name an image, counted from 0", "bottom")
        order = np.argsort(-losses.reshape(-1), kind="stable")
        kept = np.zeros(images.size, dtype=np.bool_)
        for image in np.unique(images):
            kept[order[images[order] == image][: self.kept]] = True
        spatial = boxes.shape[2:] + (1,) * (4 - boxes.ndim)
        mask = kept.reshape(len(boxes), 1, *spatial)
        new_labels = np.where(mask, labels.reshape(mask.shape), np.float32(self.ignored))
        new_weights = np.where(mask, weights.reshape(len(boxes), -1, *spatial), np.float32(0))
        return [new_labels, new_weights]
