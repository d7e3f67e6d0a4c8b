"""How well a map of classes agrees with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs, legacy
from netcount.layers.layer import TWO, Arity
from netcount.layers.loss_base import indices_of
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.loss_base import Indices
    from netcount.layers.run import Array, Run


class SegAccuracy(NoBlobs):
    """Means over a segmentation: right pixels, recall, intersection over union.

    (N×C×H×W, N×1×H×W) -> 1×1×1×3, and as much for each output_label: its precision, recall and
    intersection over union.  One channel stands for two classes, told apart at 0.5.
    Source: seg_accuracy_layer.cpp and confusion_matrix.cpp of DeepLab's and PSPNet's Caffe.
    """

    type = "SegAccuracy"
    source = "DeepLab, PSPNet"
    bottoms = TWO
    tops = Arity(1, None)

    def read(self, message: Message) -> None:
        """Labels that are ignored, and labels with a top of their own."""
        known = message.has("seg_accuracy_param")
        param = message.child("seg_accuracy_param").values if known else {}
        self.ignored: list[int] = param.get("ignore_label", [])
        self.told: list[int] = param.get("output_label", [])
        if self.top_count != 1 + len(self.told):
            self.refuse(
                f"{self.top_count} tops for {len(self.told)} output_label; it makes one more",
                "seg_accuracy_param.output_label",
            )

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×1×1×3 a top."""
        n, channels, *extent = legacy(self, bottoms[0], 0)
        if not channels:
            self.refuse(f"{self.named(0)} {bottoms[0]} has no channel", "bottom")
        if legacy(self, bottoms[1], 1) != (n, 1, *extent):
            self.refuse(
                f"{self.named(1)} {bottoms[1]} must be {Shape((n, 1, *extent))}, for {self.named(0)} {bottoms[0]}",
                "bottom",
                1,
            )
        for index, label in enumerate(self.told):
            if not 0 <= label < max(2, channels):
                self.refuse(
                    f"output_label {label} lies outside the {max(2, channels)} classes",
                    "seg_accuracy_param.output_label",
                    index,
                )
        return [Shape((1, 1, 1, 3))] * self.top_count

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a value and an add a pixel; the confusion matrix's sums, and its divs."""
        classes = max(2, legacy(self, bottoms[0], 0)[1])
        return OpCount(
            adds=bottoms[1].count() + (2 + len(tops)) * classes**2,
            divs=2 * classes + 3 * len(tops),
            compares=bottoms[0].count(),
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """From the confusion matrix; a label that is neither a class nor ignored is refused."""
        data, label = bottoms
        scores = data.reshape(*data.shape, *(1,) * (4 - data.ndim))
        if scores.shape[1] > 1:
            guess, classes = scores.argmax(axis=1).reshape(-1), scores.shape[1]
        else:
            guess, classes = (scores > 0.5).astype(np.int64).reshape(-1), 2
        kept = ~np.isin(label.reshape(-1).astype(np.int64), self.ignored)
        truth = indices_of(self, label.reshape(-1)[kept], classes)
        pairs = np.bincount(truth * classes + guess[kept], minlength=classes**2)
        confusion = pairs.reshape(classes, classes)
        right, rows, columns = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
        nan = float("nan")
        recall, precision = _shares(right, rows, nan), _shares(right, columns, nan)
        shared = _shares(right, rows + columns - right, 1.0)
        found = recall[rows > 0]
        overall = (
            right.sum() / max(1, confusion.sum()),
            found.mean() if len(found) else 0.0,
            shared.mean(),
        )
        each = [overall, *((precision[c], recall[c], shared[c]) for c in self.told)]
        return [np.array(three, dtype=np.float32).reshape(1, 1, 1, 3) for three in each]


def _shares(parts: Indices, wholes: Indices, empty: float) -> Array:
    """parts / wholes, and `empty` where there is nothing."""
    shares: Array = np.where(wholes > 0, parts / np.maximum(wholes, 1), empty)
    return shares
