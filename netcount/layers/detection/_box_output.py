"""What MS-CNN's and Cascade R-CNN's box outputs share: bounds, selection, suppression."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.kernels.boxes import area
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Arity, Layer
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


def coding_of(layer: Layer) -> tuple[list[float], list[float]]:
    """Mean and deviation of x, y, w and h in a bbox_reg_param; 0 and 1 where it names none."""
    param = layer.message.child("bbox_reg_param")
    means, deviations = param.numbers("bbox_mean"), param.numbers("bbox_std")
    if not means or not deviations:
        return [0.0] * 4, [1.0] * 4
    for field, numbers in (("bbox_mean", means), ("bbox_std", deviations)):
        if len(numbers) != 4:
            layer.refuse(f"{len(numbers)} {field}; give four, or none", f"bbox_reg_param.{field}")
    return means, deviations


class BoxOutputs(NoBlobs):
    """Boxes -> R×5×1×1 (image, x1, y1, x2, y2)[, R×6×1×1 with the score].

    R is data: max_post_nms_num an image at most, else max_nms_num; where the file names neither, the
    inferred extent is the single row that Caffe sets up.
    """

    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(1, 2)
    param: str
    pixel: float
    """1 where a box reaches to the end of its last pixel."""

    score: float
    threshold: float
    mode: str
    least: float
    before: int
    most: int
    bounds: list[float]
    means: list[float]
    deviations: list[float]

    def read(self, message: Message) -> None:
        """Thresholds and the bounds of a prediction."""
        param = message.child(self.param)
        self.score, self.threshold = param.number("fg_thr"), param.number("iou_thr")
        self.mode, self.least = param.text("nms_type"), param.number("min_size")
        self.before, self.most = param.integer("max_nms_num"), param.integer("max_post_nms_num")
        self.bounds = [1 / max(param.number("field_xyr"), 1e-30), log(max(param.number("field_whr"), 1e-30))]
        self.means, self.deviations = coding_of(self)

    @abstractmethod
    def images(self, bottoms: Sequence[Shape]) -> int:
        """How many images the bottoms hold; refused where they do not fit together."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """R×5×1×1 and R×6×1×1."""
        rows = self.images(bottoms) * (self.most or self.before) or 1
        return [Shape((rows, values, 1, 1)) for values in (5, 6)][: self.top_count]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The boxes."""
        most = self.most or self.before
        return f"at most {most} boxes per image" if most else "one row per box; Caffe sets up one"

    @abstractmethod
    def candidates(self, bottoms: Sequence[Array]) -> list[tuple[Array, Array]]:
        """Of each image the corners (B×4) and scores (B) of all that are sure and large enough."""

    def decoded(self, values: Array, fields: tuple[Array, Array], stride: float) -> Array:
        """Predictions (…, 4, H, W) as left, upper edge, width and height in pixels of the image."""
        shape = (4, 1, 1)
        x, y, w, h = np.moveaxis(
            values * np.reshape(self.deviations, shape) + np.reshape(self.means, shape), -3, 0
        )
        reach, growth = self.bounds
        wide, high = fields
        columns = (np.arange(values.shape[-1]) + 0.5) * stride
        lines = ((np.arange(values.shape[-2]) + 0.5) * stride)[:, None]
        w, h = (side * np.exp(np.clip(v, -growth, growth)) for side, v in ((wide, w), (high, h)))
        x = np.clip(x, -reach, reach) * wide + columns - w / 2
        y = np.clip(y, -reach, reach) * high + lines - h / 2
        return np.stack([x, y, w, h], axis=-1)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The best of each image, those suppressed that overlap a better one; none: one fixed box."""
        rows = []
        for image, (boxes, scores) in enumerate(self.candidates(bottoms)):
            order = np.lexsort((np.arange(len(scores)), scores))[::-1][: self.before or None]
            kept = order[suppressed_by(self.mode, boxes[order], self.threshold, self.pixel)][: self.most or None]
            rows.append(np.column_stack([np.full(len(kept), image), boxes[kept], scores[kept]]))
        detections = np.concatenate(rows).astype(np.float32).reshape(-1, 6, 1, 1)
        if not len(detections):
            regions = np.array([0, 1, 1, 10, 10], dtype=np.float32).reshape(1, 5, 1, 1)
            return [regions, np.zeros((1, 6, 1, 1), dtype=np.float32)][: self.top_count]
        return [detections[:, :5], detections][: self.top_count]


def suppressed_by(mode: str, boxes: Array, threshold: float, pixel: float) -> list[int]:
    """Indices of the sorted boxes that stay: each drops the later ones that overlap it by more.

    mode: what the shared part is held against: "IOMU" the smaller box, "IOFU" the first, else both.
    """
    sizes = area(boxes, pixel)
    left, kept = np.ones(len(boxes), dtype=np.bool_), []
    for index in range(len(boxes)):
        if not left[index]:
            continue
        kept.append(index)
        low = np.maximum(boxes[index, :2], boxes[index + 1 :, :2])
        sides = np.minimum(boxes[index, 2:], boxes[index + 1 :, 2:]) - low
        shared = np.where((sides < 0).any(axis=1), 0, (sides + pixel).prod(axis=1))
        own, others = sizes[index], sizes[index + 1 :]
        whole = {"IOMU": np.minimum(own, others), "IOFU": np.full(len(others), own)}.get(
            mode, own + others - shared
        )
        left[index + 1 :] &= shared <= threshold * whole
    return kept
