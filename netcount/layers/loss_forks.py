"""Losses of forks, and what mines hard examples for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.filler import Filler
from netcount.layers.layer import TWO, Arity, ParamBlob
from netcount.layers.loss import Loss, SoftmaxWithLoss, number
from netcount.layers.softmax import softmax
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


def _four(shape: Shape) -> tuple[int, ...]:
    """A shape as Caffe's older layers see it: N, C, H and W, missing ones 1."""
    return (*shape, 1, 1, 1, 1)[: max(4, len(shape))]


class SmoothL1Loss(Loss):
    """Huber's loss of a difference, with weights inside and outside.  (N×*S, …) -> number.

    Source: smooth_L1_loss_layer.cpp of Fast R-CNN (sigma, 2 to 4 bottoms) and SSD (2 or 3).
    """

    type = "SmoothL1Loss"
    source = "Fast R-CNN, SSD"
    bottoms = Arity(2, 4)

    def read(self, message: Message) -> None:
        """sigma: where the square turns into a line."""
        super().read(message)
        self.sigma = message.child("smooth_l1_loss_param").number("sigma")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """All of one shape behind axis 0."""
        for index, shape in enumerate(bottoms[1:], 1):
            if _four(shape)[1:] != _four(bottoms[0])[1:]:
                self.refuse(
                    f"{self.named(index)} {shape} must be as {self.named(0)} {bottoms[0]}",
                    "bottom",
                    index,
                )

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, an absolute value, a compare, two muls and an add; a mul a weight; a div."""
        elements = bottoms[0].count()
        return OpCount(adds=3 * elements, muls=len(bottoms) * elements, divs=1, compares=2 * elements)

    def losses(self, bottoms: Sequence[Array]) -> Array:
        """The loss of each element."""
        a, b, *weights = bottoms
        difference = a - b.reshape(a.shape)
        if weights:
            difference = difference * weights[0].reshape(a.shape)
        squared = np.float32(self.sigma**2)
        size = np.abs(difference)
        found = np.where(
            size < 1 / squared,
            np.float32(0.5) * squared * size * size,
            size - np.float32(0.5) / squared,
        )
        result: Array = found * weights[1].reshape(a.shape) if len(weights) > 1 else found
        return result

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements, divided by the batch."""
        return [number(self.losses(bottoms).sum() / len(bottoms[0]))]


class SmoothL1LossOHEM(SmoothL1Loss):
    """SmoothL1Loss that also tells each instance's loss.  (N×C×H×W, …) -> number[, N×1×H×W].

    Source: smooth_L1_loss_ohem_layer.cpp of R-FCN's Caffe.
    """

    type = "SmoothL1LossOHEM"
    source = "R-FCN"
    tops = Arity(1, 2)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, and one value an instance."""
        loss = super().infer(bottoms)[0]
        n, _, *spatial = _four(bottoms[0])
        return [loss, Shape((n, 1, *spatial))][: self.top_count]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By default divided by the instances (VALID counts all of them)."""
        each = self.losses(bottoms)
        wide = each.reshape(*each.shape, *(1,) * (4 - each.ndim)) if each.ndim < 4 else each
        instances = wide.sum(axis=1, keepdims=True)
        outer, inner = len(wide), int(np.prod(wide.shape[2:]))
        loss = number(each.sum() / self.divisor(outer, inner, outer * inner))
        return [loss, instances][: self.top_count]


class SoftmaxWithLossOHEM(SoftmaxWithLoss):
    """SoftmaxWithLoss that also tells each instance's loss.  -> number[, N×C×*S[, N×*S]].

    Source: softmax_loss_ohem_layer.cpp of R-FCN's Caffe.
    """

    type = "SoftmaxWithLossOHEM"
    source = "R-FCN"
    tops = Arity(1, 3)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The loss, the probabilities, and the label's shape."""
        loss = Loss.infer(self, bottoms)[0]
        return [loss, bottoms[0], bottoms[1]][: self.top_count]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Ignored labels have no loss."""
        x, label = bottoms
        loss, *_ = super().forward(bottoms, blobs, run)
        probabilities = softmax(x, self.axis_given)
        flat = np.moveaxis(probabilities, self.axis_given, -1).reshape(-1, x.shape[self.axis_given])
        wanted = label.reshape(-1).astype(np.int64)
        kept = wanted != self.ignored if self.ignored is not None else np.ones(len(wanted), bool)
        picked = flat[np.arange(len(flat)), np.where(kept, wanted, 0)]
        each = np.where(kept, -np.log(np.maximum(picked, 1e-37)), 0).astype(np.float32)
        return [loss, probabilities, each.reshape(label.shape)][: self.top_count]


class BoxAnnotatorOHEM(NoBlobs):
    """Keeps the labels and weights of the boxes with the largest loss, ignores the others.

    (rois R×5, losses R, labels R, weights R×K) -> labels, weights.
    Source: box_annotator_ohem_layer.cpp of R-FCN's Caffe.
    """

    type = "BoxAnnotatorOHEM"
    source = "R-FCN"
    bottoms = Arity(4, 4)
    tops = TWO

    def read(self, message: Message) -> None:
        """Boxes to keep an image, and the label of those ignored."""
        param = message.child("box_annotator_ohem_param")
        self.kept = param.integer("roi_per_img")
        self.ignored = param.integer("ignore_label")
        if self.kept < 1:
            self.refuse("roi_per_img must be positive", "box_annotator_ohem_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The shapes of labels and weights."""
        rois, *others = bottoms
        for index, shape in enumerate(others, 1):
            if shape[:1] != rois[:1]:
                self.refuse(
                    f"{self.named(index)} {shape} must have a row for each of {rois}",
                    "bottom",
                    index,
                )
        return others[1:]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A sort: about log2(R) compares a box."""
        rois = bottoms[0][0] if bottoms[0] else 0
        return OpCount(compares=rois * rois.bit_length())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image, the largest losses first."""
        rois, losses, labels, weights = bottoms
        total = losses.reshape(-1)
        images = rois.reshape(len(rois), -1)[:, 0].astype(np.int64)
        kept = np.zeros(len(rois), dtype=bool)
        for image in np.unique(images):
            own = np.flatnonzero(images == image)
            kept[own[np.argsort(-total[own], kind="stable")][: self.kept]] = True
        new_labels = labels.copy()
        new_labels[~kept] = self.ignored
        new_weights = weights.copy()
        new_weights[~kept] = 0
        return [new_labels, new_weights]


class CenterLoss(Loss):
    """Half the squared distance to the centre of one's class, over N.  (N×K, N) -> number.

    Blobs: centres classes×K.  Source: Wen et al. 2016, "A discriminative feature learning approach".
    """

    type = "CenterLoss"
    source = "CenterLoss fork"

    def read(self, message: Message) -> None:
        """Classes and axis."""
        super().read(message)
        param = message.child("center_loss_param")
        self.classes, self.axis_given = param.integer("num_output"), param.integer("axis")
        self.filler = Filler(param, "center_filler")
        if self.classes < 1:
            self.refuse("num_output must be positive", "center_loss_param")

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """A centre a class."""
        inputs = bottoms[0].count(self.axis(bottoms[0], self.axis_given, "center_loss_param.axis"))
        return [ParamBlob(Shape((self.classes, inputs)), "weight", self.filler)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, a square and an add an element; two divs."""
        elements = bottoms[0].count()
        return OpCount(adds=2 * elements, muls=elements, divs=2)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """A label outside the classes is refused."""
        x, label = bottoms
        wanted = label.reshape(-1).astype(np.int64)
        if wanted.size and not (wanted.min() >= 0 and wanted.max() < self.classes):
            self.refuse(f"a label lies outside the {self.classes} classes", "bottom", 1)
        difference = x.reshape(len(wanted), -1) - blobs[0][wanted]
        return [number((difference * difference).sum() / len(wanted) / 2)]


class L1Loss(Loss):
    """Σ|a − b| / N.  (N×*S, N×*S) -> number.  Source: l1loss_layer.cpp of NVIDIA's Caffe."""

    type = "L1Loss"
    source = "NVIDIA"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values."""
        if bottoms[0].count(1) != bottoms[1].count(1):
            self.refuse(f"bottoms must have one dimension: {bottoms[0]} and {bottoms[1]}", "bottom", 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A difference, an absolute value and an add an element; a div."""
        elements = bottoms[0].count()
        return OpCount(adds=2 * elements, divs=1, compares=elements)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Over all elements."""
        a, b = bottoms
        return [number(np.abs(a.reshape(-1) - b.reshape(-1)).sum() / len(a))]


class DiceLoss(Loss):
    """1 − 2·Σab / (Σa² + Σb²) (Milletari et al. 2016, V-Net).  (N×*S, N×*S) -> number."""

    type = "DiceLoss"
    source = "V-Net"

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values."""
        if bottoms[0].count() != bottoms[1].count():
            self.refuse(f"bottoms must hold as many values: {bottoms[0]} and {bottoms[1]}", "bottom", 1)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Three products and sums an element; a div an image."""
        elements = bottoms[0].count()
        return OpCount(adds=3 * elements, muls=3 * elements, divs=bottoms[0][0])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The mean over the images."""
        a, b = (bottom.reshape(len(bottom), -1) for bottom in bottoms)
        squares = (a * a).sum(axis=1) + (b * b).sum(axis=1)
        dice = 2 * (a * b).sum(axis=1) / np.maximum(squares, np.float32(1e-10))
        return [number(1 - dice.mean())]


class SegAccuracy(NoBlobs):
    """Accuracy of a segmentation: pixels, classes, and intersection over union.  -> 1×1×1×3.

    (N×C×H×W, N×1×H×W) -> three means.  Source: seg_accuracy_layer.cpp of DeepLab's Caffe.
    """

    type = "SegAccuracy"
    source = "DeepLab"
    bottoms = Arity(2, 3)

    def read(self, message: Message) -> None:
        """No parameter that changes the shape."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×1×1×3."""
        data, label = bottoms[:2]
        if len(data) != 4 or len(label) != 4 or data[:1] != label[:1] or data[2:] != label[2:]:
            self.refuse(f"needs N×C×H×W and N×1×H×W, not {data} and {label}", "bottom", 1)
        return [Shape((1, 1, 1, 3))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare a value and an add a pixel; the confusion matrix's means."""
        classes = bottoms[0][1]
        return OpCount(adds=bottoms[1].count() + 3 * classes**2, divs=3 * classes, compares=bottoms[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """From the confusion matrix; labels beyond the classes are ignored."""
        data, label = bottoms[:2]
        classes = data.shape[1]
        guess, wanted = data.argmax(axis=1).reshape(-1), label.reshape(-1).astype(np.int64)
        kept = (wanted >= 0) & (wanted < classes)
        pairs = wanted[kept] * classes + guess[kept]
        confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        right = np.diag(confusion)
        truth, union = confusion.sum(axis=1), confusion.sum(axis=0) + confusion.sum(axis=1) - right
        present = truth > 0
        recall = (right[present] / truth[present]).mean() if present.any() else 0.0
        shared = (right[union > 0] / union[union > 0]).mean() if (union > 0).any() else 0.0
        overall = right.sum() / max(1, confusion.sum())
        return [np.array([overall, recall, shared], dtype=np.float32).reshape(1, 1, 1, 3)]
