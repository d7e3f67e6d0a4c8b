"""What training and evaluating detectors needs: their losses and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.layer import Arity
from netcount.layers.loss import Loss
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class TrainingOnly(Loss):
    """A loss whose matching and mining netcount counts but does not execute."""

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Refused by name."""
        self.refuse("netcount does not execute this training loss; give its top with --input")


class MultiBoxLoss(TrainingOnly):
    """SSD's loss: boxes matched to the truth, then location and class losses.  -> number.

    Bottoms: locations, confidences, priors, truth 1×1×boxes×8.  Source: multibox_loss_layer.cpp (SSD).
    """

    type = "MultiBoxLoss"
    source = "SSD"
    bottoms = Arity(4, 4)

    def read(self, message: Message) -> None:
        """Classes and whether they share locations."""
        super().read(message)
        param = message.child("multibox_loss_param")
        if not param.has("num_classes") or param.integer("num_classes") < 1:
            self.refuse("needs num_classes of 1 or more", "multibox_loss_param")
        self.classes = param.integer("num_classes")
        self.shared = param.flag("share_location")

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many predictions as priors."""
        location, confidence, priors, _ = bottoms
        if len(priors) < 3:
            self.refuse(f"{self.named(2)} {priors} must be 1×2×(P·4)", "bottom", 2)
        number = priors[2] // 4
        wanted = (number * 4 * (1 if self.shared else self.classes), number * self.classes)
        for index, (shape, values) in enumerate(zip((location, confidence), wanted, strict=True)):
            if shape[1:2] != (values,):
                self.refuse(
                    f"{self.named(index)} {shape} must have {values} values an image for {number} priors",
                    "bottom",
                    index,
                )

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The overlap of every prior with every box of the truth, and the losses if all priors
        matched: the bound."""
        location, confidence, priors, truth = bottoms
        pairs = priors[2] // 4 * (truth[2] if len(truth) > 2 else 1)
        return OpCount(
            adds=8 * pairs + 2 * location.count() + 2 * confidence.count(),
            muls=2 * pairs + location.count(),
            divs=pairs + confidence.count(),
            compares=4 * pairs + location.count() + confidence.count(),
            exps=confidence.count(),
        )


class DetectionEvaluate(NoBlobs):
    """Detections held against the truth.  (1×1×D×7, 1×1×G×8) -> 1×1×(classes−1+D)×5.

    Source: detection_evaluate_layer.cpp (SSD).
    """

    type = "DetectionEvaluate"
    source = "SSD"
    bottoms = Arity(2, 2)

    def read(self, message: Message) -> None:
        """Classes and thresholds."""
        param = message.child("detection_evaluate_param")
        if not param.has("num_classes"):
            self.refuse("needs num_classes", "detection_evaluate_param")
        self.classes = param.integer("num_classes")
        if param.number("overlap_threshold") <= 0:
            self.refuse("overlap_threshold must be positive", "detection_evaluate_param.overlap_threshold")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A row a class but the background, and a row a detection."""
        for index, (shape, width) in enumerate(zip(bottoms, (7, 8), strict=True)):
            if len(shape) != 4 or shape[:2] != (1, 1) or shape[3] != width:
                self.refuse(f"{self.named(index)} {shape} must be 1×1×…×{width}", "bottom", index)
        return [Shape((1, 1, self.classes - 1 + bottoms[0][2], 5))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The valid detections."""
        return "a row a class and a valid detection; shown for the detections of the bottom's shape"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The overlap of every detection with every box: the bound."""
        pairs = bottoms[0][2] * bottoms[1][2]
        return OpCount(adds=8 * pairs, muls=2 * pairs, divs=pairs, compares=5 * pairs)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Refused by name: it scores against a truth that a net alone does not have."""
        self.refuse("netcount does not execute this evaluation; give its top with --input")


class EvalDetection(NoBlobs):
    """YOLO v1/v2's evaluation: predictions and truth -> one row of scores a box.

    (N×side²·(…), N×…) -> N×(classes + side²·boxes·4).  Source: eval_detection_layer.cpp of caffe-yolo.
    """

    type = "EvalDetection"
    source = "YOLO forks"
    bottoms = Arity(2, 2)

    def read(self, message: Message) -> None:
        """Grid, classes and boxes a cell."""
        param = message.child("eval_detection_param")
        self.side, self.classes = param.integer("side"), param.integer("num_class")
        self.boxes = param.integer("num_object")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A count a class, then four values a box."""
        if not bottoms[0]:
            self.refuse(f"{self.named(0)} {bottoms[0]} must have an axis of images", "bottom")
        return [Shape((bottoms[0][0], self.classes + self.side**2 * self.boxes * 4))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The overlap of every box with the truth of its cell: the bound."""
        boxes = bottoms[0][0] * self.side**2 * self.boxes
        return OpCount(adds=8 * boxes, muls=(2 + self.classes) * boxes, divs=boxes, compares=5 * boxes)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Refused by name."""
        self.refuse("netcount does not execute this evaluation; give its top with --input")
