"""How well a map of classes agrees with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import ONE, TWO
from netcount.layers.loss._loss import indices_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class SegAccuracy(NoBlobs):
    """Means over a segmentation: right pixels, recall, intersection over union.

    (N×C×H×W, N×1×H×W) -> 1×1×1×3.  Source: seg_accuracy_layer.cpp and confusion_matrix.cpp of
    DeepLab's and PSPNet's Caffe.
    """

    type = "SegAccuracy"
    temporaries = 3
    source = "DeepLab, PSPNet"
    bottoms = TWO
    tops = ONE
    ignored: list[int]

    def read(self, message: Message) -> None:
        """Labels that are ignored."""
        self.ignored = message.child("seg_accuracy_param").integers("ignore_label")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×1×1×3."""
        n, channels, *extent = legacy(self, bottoms[0], 0)
        if not channels:
            self.refuse(f"{self.named(0)} {bottoms[0]} has no channel", "bottom")
        if legacy(self, bottoms[1], 1) != (n, 1, *extent):
            self.refuse(
                f"{self.named(1)} {bottoms[1]} must be {Shape((n, 1, *extent))}, for {self.named(0)} {bottoms[0]}",
                "bottom",
                1,
            )
        return [Shape((1, 1, 1, 3))]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The labels: classes."""
        return {1: legacy(self, bottoms[0], 0)[1]}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a value and an add a pixel; the confusion matrix's sums, and its divs."""
        classes = legacy(self, bottoms[0], 0)[1]
        return OpCount(
            adds=bottoms[1].count() + 3 * classes**2,
            divs=2 * classes + 3,
            compares=bottoms[0].count(),
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """From the confusion matrix; a label that is neither a class nor ignored is refused.

        Of equal scores the last class is the guess, as Caffe sorts pairs of score and class.
        """
        data, label = bottoms
        scores = data.reshape(*data.shape, *(1,) * (4 - data.ndim))
        classes = scores.shape[1]
        guess = classes - 1 - scores[:, ::-1].argmax(axis=1).reshape(-1)
        kept = ~np.isin(label.reshape(-1).astype(np.int64), self.ignored)
        truth = indices_of(self, label.reshape(-1)[kept], classes)
        pairs = np.bincount(truth * classes + guess[kept], minlength=classes**2)
        confusion = pairs.reshape(classes, classes)
        right, rows, columns = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
        recall = right[rows > 0] / rows[rows > 0]
        union = rows + columns - right
        shared = np.where(union > 0, right / np.maximum(union, 1), 1)
        accuracies = (
            right.sum() / max(1, confusion.sum()),
            recall.mean() if len(recall) else 0.0,
            shared.mean(),
        )
        return [np.array(accuracies, dtype=np.float32).reshape(1, 1, 1, 3)]
