"""Detections from a single-shot detector's predictions: decode, select, suppress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.boxes import suppressed
from netcount.layers.layer import Arity
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run

PARAM = "detection_output_param"


class DetectionOutput(NoBlobs):
    """(locations N×(P·4), confidences N×(P·classes), priors 1×2×(P·4)) -> 1×1×detections×7.

    A detection is image, class, score, x1, y1, x2, y2.  How many there are depends on the data;
    the inferred shape is the single row that Caffe sets up.  Source: detection_output_layer.cpp (SSD).
    """

    type = "DetectionOutput"
    source = "SSD"
    bottoms = Arity(3, 4)

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
        """1×1×1×7, after the check of the priors."""
        location, confidence, priors = bottoms[:3]
        if len(priors) < 3 or not location or location[:1] != confidence[:1]:
            self.refuse(f"needs N×…, N×… and 1×2×(P·4), not {location}, {confidence} and {priors}", "bottom")
        number = priors[2] // 4
        codes = 1 if self.shared else self.classes
        for index, (shape, wanted) in enumerate(
            ((location, number * codes * 4), (confidence, number * self.classes))
        ):
            if shape[1:2] != (wanted,):
                self.refuse(
                    f"{self.named(index)} {shape} must have {wanted} values an image for {number} priors",
                    "bottom",
                    index,
                )
        return [Shape((1, 1, 1, 7))]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The detections."""
        if self.keep_top_k < 0:
            return "one row a detection; Caffe sets up one"
        most = bottoms[0][0] * self.keep_top_k
        return f"one row a detection, at most {most}; Caffe sets up one"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The decoding of every box and a compare a confidence; the suppression depends on the data
        and is not counted."""
        boxes = bottoms[0].count() // 4
        exps = 2 * boxes if self.code == "CENTER_SIZE" else 0
        return OpCount(adds=8 * boxes, muls=8 * boxes, compares=bottoms[1].count(), exps=exps)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Class by class for each image; without detections a row of −1 an image."""
        location, confidence, priors = bottoms[:3]
        images = len(location)
        corners, variances = priors.reshape(2, -1, 4)
        codes = 1 if self.shared else self.classes
        locations = location.reshape(images, len(corners), codes, 4)
        scores = confidence.reshape(images, len(corners), self.classes)
        rows: list[list[float]] = []
        for image in range(images):
            rows += self._detections(image, locations[image], scores[image], corners, variances)
        if not rows:
            rows = [[float(image), *[-1.0] * 6] for image in range(images)]
        return [np.array(rows, dtype=np.float32).reshape(1, 1, -1, 7)]

    def _detections(
        self, image: int, locations: Array, scores: Array, corners: Array, variances: Array
    ) -> list[list[float]]:
        found: list[tuple[float, int, int]] = []
        decoded: dict[int, Array] = {}
        for label in range(self.classes):
            if label == self.background:
                continue
            code = 0 if self.shared else label
            if code not in decoded:
                decoded[code] = self._decode(locations[:, code], corners, variances)
            own = scores[:, label]
            chosen = np.flatnonzero(own > self.confidence)
            order = chosen[np.argsort(-own[chosen], kind="stable")]
            if self.top_k > -1:
                order = order[: self.top_k]
            for kept in suppressed(decoded[code][order], own[order], self.threshold, self.eta):
                found.append((float(own[order[kept]]), label, int(order[kept])))
        if -1 < self.keep_top_k < len(found):
            found = sorted(found, key=lambda item: -item[0])[: self.keep_top_k]
            found.sort(key=lambda item: item[1])
        return [
            [
                float(image),
                float(label),
                score,
                *decoded[0 if self.shared else label][prior].tolist(),
            ]
            for score, label, prior in found
        ]

    def _decode(self, location: Array, corners: Array, variances: Array) -> Array:
        """Boxes from predictions relative to the priors, in the way `code_type` says."""
        scaled = location if self.encoded else location * variances
        size = corners[:, 2:] - corners[:, :2]
        if self.code == "CORNER":
            return corners + scaled
        if self.code == "CORNER_SIZE":
            result: Array = corners + scaled * np.concatenate([size, size], axis=1)
            return result
        centre = (corners[:, :2] + corners[:, 2:]) / 2 + scaled[:, :2] * size
        half = np.exp(scaled[:, 2:]) * size / 2
        return np.concatenate([centre - half, centre + half], axis=1)
