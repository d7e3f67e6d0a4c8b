from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.detection._grid_loss import GridLoss, best_overlap, logistic, overlap, until
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.layers.detection._grid_loss import Values
from netcount.layers.layer import Wanted


class Yolov3(GridLoss):
    """YOLO v3's loss over one grid.  (N×(boxes·(5+classes))×H×W, truth N×1500) -> number.

    Source: yolov3_layer.cpp of MobileNet-YOLO; Redmon and Farhadi 2018.
    """

    type = "Yolov3"
    name = "yolov3_param"
    mask: list[int]
    scale: int
    kind: str
    weight: float
    second: float
    smoothing: float
    focal: bool
    scaled: bool

    def read(self, message: Message) -> None:
        """Which anchors are this grid's, and how overlap is measured."""
        super().read(message)
        param = message.child(self.name)
        self.mask, self.scale = param.integers("mask"), param.integer("anchors_scale")
        self.kind, self.weight = param.text("iou_loss"), param.number("iou_normalizer")
        self.second = param.number("iou_thresh")
        self.smoothing = param.number("label_smooth_eps")
        self.focal, self.scaled = param.flag("use_focal_loss"), param.flag("use_logic_gradient")

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A mul a value of gradients that are kept; with use_logic_gradient an add and two muls more, but for
        width and height."""
        values = bottoms[0].count() * wanted.bottoms[0]
        curved = values - 2 * (values // (5 + self.classes)) if self.scaled else 0
        return OpCount(adds=curved, muls=values + 2 * curved, divs=int(wanted.bottoms[0]))

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many values as the boxes of each cell hold."""
        wanted = self.boxes * (5 + self.classes)
        if legacy(self, bottoms[0], 0)[1] != wanted:
            self.refuse(
                f"{self.named(0)} {bottoms[0]} must have {wanted} channels, for {self.boxes} boxes of 5 + "
                f"{self.classes} values in a cell",
                "bottom",
            )

    def total(self, cells: Values, truth: Values) -> float:
        """Objectness everywhere; location, objectness and class where the truth has a box."""
        images, boxes, _, high, wide = cells.shape
        size = np.array([wide, high], dtype=np.float64) * self.scale
        anchors = np.array(self.biases[: len(self.biases) // 2 * 2]).reshape(-1, 2) / size
        mask = self.mask[:boxes]
        if len(mask) < boxes or max(mask) >= len(anchors):
            self.refuse(
                f"mask {self.mask} must name {boxes} of the {len(anchors)} anchors",
                f"{self.name}.mask",
            )
        active = logistic(cells)
        active[:, :, 2:4] = cells[:, :, 2:4]
        own = anchors[mask][:, :, None, None]
        predicted = np.stack(
            [
                (active[:, :, 0] + np.arange(wide)) / wide,
                (active[:, :, 1] + np.arange(high)[:, None]) / high,
                np.exp(active[:, :, 2]) * own[:, 0],
                np.exp(active[:, :, 3]) * own[:, 1],
            ],
            axis=-1,
        )
        gradient = np.zeros(cells.shape)
        missing: list[float] = []
        centred = np.concatenate([np.zeros((len(anchors), 2)), anchors], axis=1)
        for image in range(images):
            best = best_overlap(predicted[image], until(truth[image], 1), self.kind)
            gradient[image, :, 4] = np.where(best > np.float32(self.threshold), 0, active[image, :, 4])
            for row in until(truth[image], 3):
                j, i = int(row[2] * high), int(row[1] * wide)
                at_origin = np.array([0, 0, *row[3:]])
                ious = np.nan_to_num(overlap(centred, at_origin, self.kind), nan=-1)
                for box in self._owners(ious, mask):
                    one = (image, box, slice(None), j, i)
                    guess = predicted[image, box, j, i]
                    if self.kind == "MSE":
                        aim = np.array([row[1] * wide - i, row[2] * high - j])
                        aim = np.append(aim, np.log(row[3:] / anchors[mask[box]]))
                        scale = self.coord_scale * (2 - row[3] * row[4])
                        gradient[one][:4] = -scale * (aim - active[one][:4])
                    kind = self.kind if self.kind in ("GIOU", "CIOU") else "DIOU"
                    missing.append(1 - float(overlap(guess, row[1:], kind)))
                    factor = self.object_scale if self.scaled else 1.0
                    gradient[one][4] = -factor * (1 - active[one][4])
                    self._classified(gradient[one][5:], active[one][5:], int(row[0]))
        if self.kind == "MSE":
            return float(np.square(gradient).sum())
        total = float(np.square(gradient[:, :, 4:]).sum())
        return total + (self.weight * sum(missing) / len(missing) if missing else 0.0)

    def _owners(self, ious: Values, mask: list[int]) -> list[int]:
        """Boxes of this grid that stand for a box of the truth: the one of the best anchor, and
        those whose anchors overlap it enough."""
        best = int(ious.argmax()) if ious.max() > 0 else -1
        first = mask.index(best) if best in mask else -1
        owners = [first] if first >= 0 else []
        skipped = first if first >= 0 else best  # the fork compares an anchor with a grid's box
        if self.second < 1:
            enough = np.flatnonzero(ious > np.float32(self.second)).tolist()
            owners += [mask.index(a) for a in enough if a in mask and a != skipped]
        return owners

    def _classified(self, gradient: Values, scores: Values, label: int) -> None:
        """The gradients of the classes; a box that already has a class only adds this one."""
        hot = (np.arange(len(scores)) == label).astype(np.float64)
        smooth = hot * (1 - self.smoothing) + 0.5 * self.smoothing
        if gradient[label]:
            gradient[label] = -self.class_scale * (smooth[label] - scores[label])
        elif self.focal:
            p = scores[label] + 1e-15
            factor = -0.5 * (1 - p) * (2 * p * np.log(p) + p - 1)
            gradient[:] = -self.class_scale * (hot - scores) * factor
        else:
            gradient[:] = -self.class_scale * (smooth - scores)
