"""Detections from a single-shot detector's predictions: decode, select, suppress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.errors import PredictionsError
from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import decoded, suppressed, suppressed_adaptively
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, Layer
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Mask, Run

PARAM = "detection_output_param"
CORNERS = 8
"""Values of a quadrilateral."""


class DetectionOutput(NoBlobs):
    """(locations N×(P·4), confidences N×(P·classes), priors 1×2×(P·4)) -> 1×1×detections×7.

    A detection is image, class, score, x1, y1, x2, y2.  How many there are depends on the data;
    the inferred shape is the single row that Caffe sets up.  Locations may be shared by the classes
    or not, then they are N×(P·classes·4).  Source: detection_output_layer.cpp of SSD.

    RefineDet's first stage adds objectness N×(P·2) and locations N×(P·4): anchors below
    objectness_score are background, and the others are moved first.  Source: that file of RefineDet
    (Zhang et al. 2018, arXiv 1711.06897).  Another fourth bottom is SSD's, for pictures alone.

    With use_polygon, TextBoxes++'s: a box and the four corners of a text, N×(P·12) -> 1×1×detections×15.
    Source: that file of TextBoxes_plusplus; its values are not computed here.
    """

    type = "DetectionOutput"
    source = "SSD"
    bottoms: ClassVar[Arity] = Arity(3, 5)
    classes: int
    shared: bool
    background: int
    code: str
    encoded: bool
    keep_top_k: int
    objectness: float
    confidence: float
    threshold: float
    eta: float
    top_k: int
    polygon: bool

    def read(self, message: Message) -> None:
        """Classes, coding and thresholds."""
        param = message.child(PARAM)
        if not param.has("num_classes"):
            self.refuse("needs num_classes", PARAM)
        self.classes = param.integer("num_classes")
        self.shared = param.flag("share_location")
        self.background = param.integer("background_label_id")
        self.code = param.text("code_type")
        self.encoded = param.flag("variance_encoded_in_target")
        self.keep_top_k = param.integer("keep_top_k")
        self.objectness = param.number("objectness_score")
        self.polygon = param.has("use_polygon")
        if self.polygon and not param.flag("use_polygon"):
            self.refuse("turned boxes (use_polygon: false) are not known", f"{PARAM}.use_polygon")
        self.confidence = float("-inf")
        if param.has("confidence_threshold"):
            self.confidence = param.number("confidence_threshold")
        nms = param.child("nms_param")
        self.threshold, self.eta = nms.number("nms_threshold"), nms.number("eta")
        self.top_k = nms.integer("top_k") if nms.has("top_k") else -1
        if self.threshold < 0:
            self.refuse("nms_threshold must not be negative", f"{PARAM}.nms_param.nms_threshold")
        if not 0 < self.eta <= 1:
            self.refuse("eta must lie in (0, 1]", f"{PARAM}.nms_param.eta")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×1×1×7, or 15 with corners, after the check of the priors."""
        codes = 1 if self.shared else self.classes
        check_predictions(self, bottoms, self.classes, codes, 4 + CORNERS * self.polygon)
        return [Shape((1, 1, 1, 7 + CORNERS * self.polygon))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The detections."""
        if self.keep_top_k < 0:
            return "one row per detection; Caffe sets up one"
        most = bottoms[0][0] * self.keep_top_k
        return f"one row per detection, at most {most}; Caffe sets up one"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The decoding of every box and its area, and a compare a confidence; how much sorting and
        suppressing there is depends on the data and is not counted."""
        boxes = bottoms[0].count() // (4 + CORNERS * self.polygon)
        variances = 0 if self.encoded else 4
        if self.code == "CENTER_SIZE":
            each = OpCount(adds=12, muls=5 + variances, divs=6, compares=2, exps=2)
            if self.polygon and not self.encoded:
                each += OpCount(adds=CORNERS, muls=2 * CORNERS)
        elif self.code == "CORNER_SIZE":
            each = OpCount(adds=8, muls=5 + variances, compares=2)
        else:
            each = OpCount(adds=6, muls=1 + variances, compares=2)
        stages = boxes * (1 + (len(bottoms) > 4))
        anchors = legacy(self, bottoms[2], 2)[2] // 4 * bottoms[0][0] if len(bottoms) > 3 else 0
        return OpCount(*(stages * number for number in each)) + OpCount(compares=bottoms[1].count() + anchors)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Class by class for each image; without detections a row of −1 an image."""
        if self.polygon:
            self.refuse("corners of texts are not computed", advice=self.given_tops())
        location, confidence, priors = bottoms[:3]
        images = len(location)
        corners, variances = split_priors(priors)
        codes = 1 if self.shared else self.classes
        locations = location.reshape(images, len(corners), codes, 4)
        scores = confidence.reshape(images, len(corners), self.classes)
        scale = None if self.encoded else variances
        first = FirstStage(self, bottoms[3:], images, len(corners), 3)
        rows: list[list[float]] = []
        for image in range(images):
            anchors = first.moved(image, self.code, corners, scale)
            boxes = [decoded(self.code, locations[image, :, code], anchors, scale) for code in range(codes)]
            sure = first.sure(image, self.objectness)
            own = np.where(sure[:, None], scores[image], np.arange(self.classes) == 0)
            rows += self._detections(image, boxes, own)
        return [as_rows(rows, images)]

    def _detections(self, image: int, boxes: list[Array], scores: Array) -> list[list[float]]:
        """Rows by class, in a class the best first."""
        detections: list[tuple[float, int, int]] = []
        for label in range(self.classes):
            if label == self.background:
                continue
            own = scores[:, label]
            order = np.flatnonzero(own > self.confidence)
            order = order[np.argsort(-own[order], kind="stable")]
            if self.top_k > -1:
                order = order[: self.top_k]
            kept = order[self._suppressed(boxes[0 if self.shared else label][order], own[order])]
            detections += [(float(own[prior]), label, prior) for prior in kept.tolist()]
        if -1 < self.keep_top_k < len(detections):
            detections = sorted(detections, key=lambda item: -item[0])[: self.keep_top_k]
            detections.sort(key=lambda item: item[1])
        return [
            [image, label, score, *boxes[0 if self.shared else label][prior].tolist()]
            for score, label, prior in detections
        ]

    def _suppressed(self, boxes: Array, scores: Array) -> list[int]:
        if self.eta < 1:
            return suppressed_adaptively(boxes, scores, self.threshold, self.eta)
        return suppressed(boxes, scores, self.threshold)


class FirstStage:
    """RefineDet's anchor refinement: objectness N×(P·2) and locations N×(P·4) of its first stage.

    bottoms: none, the first or both, the first of them bottom `place` of the layer.
    """

    scores: Array | None
    locations: Array | None

    def __init__(self, layer: Layer, bottoms: Sequence[Array], images: int, boxes: int, place: int) -> None:
        self.boxes = boxes
        if len(bottoms) == 1 and bottoms[0].size != images * boxes * 2:
            bottoms = []  # SSD's own fourth bottom, which its layer does not read
        for index, (values, each) in enumerate(zip(bottoms, (2, 4), strict=False)):
            if values.size != images * boxes * each:
                layer.refuse(
                    f"{layer.named(place + index)} {Shape(values.shape)} must hold {each} values for each of "
                    f"{boxes} boxes",
                    "bottom",
                    place + index,
                )
        shaped = [values.reshape(images, boxes, -1) for values in bottoms]
        self.scores = shaped[0] if shaped else None
        self.locations = shaped[1] if len(shaped) > 1 else None

    def moved(self, image: int, code: str, corners: Array, variances: Array | None) -> Array:
        """The anchors that the second stage starts from."""
        if self.locations is None:
            return corners
        return decoded(code, self.locations[image], corners, variances)

    def sure(self, image: int, least: float) -> Mask:
        """Which anchors may be objects."""
        if self.scores is None:
            return np.ones(self.boxes, dtype=np.bool_)
        likely: Mask = self.scores[image, :, 1] >= np.float32(least)
        return likely


def check_predictions(
    layer: Layer, bottoms: Sequence[Shape], classes: int, codes: int, values_of_box: int = 4
) -> None:
    """Refuse unless locations and confidences are as many as the priors ask for."""
    location, confidence, priors = bottoms[:3]
    if legacy(layer, location, 0)[0] != legacy(layer, confidence, 1)[0]:
        layer.refuse(
            f"{layer.named(0)} {location} and {layer.named(1)} {confidence} differ in images",
            "bottom",
            1,
        )
    number = legacy(layer, priors, 2)[2] // 4
    wanted = (number * codes * values_of_box, number * classes)
    for index, (shape, values) in enumerate(zip((location, confidence), wanted, strict=True)):
        if legacy(layer, shape, index)[1] != values:
            error = layer.error(
                f"{layer.named(index)} {shape} must have {values} channels for the {number} boxes "
                f"of {layer.named(2)} {priors}",
                "bottom",
                index,
            )
            raise PredictionsError(error.what, error.place).at(index, values // max(1, number))


def split_priors(priors: Array) -> tuple[Array, Array]:
    """Corners and variances, each P×4, of a blob 1×2×(P·4)."""
    corners, variances = priors[0].reshape(2, -1, 4)
    return corners, variances


def as_rows(rows: list[list[float]], images: int) -> Array:
    """1×1×rows×7; without rows one of −1 for each image, after its number."""
    rows = rows or [[image, -1, -1, -1, -1, -1, -1] for image in range(images)]
    return np.array(rows, dtype=np.float32).reshape(1, 1, -1, 7)
