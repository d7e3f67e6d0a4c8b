"""YOLO's losses, as the MobileNet-YOLO fork of Caffe has them: Σ of squared gradients over N."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import legacy
from netcount.layers.grid_loss import GridLoss, best_overlap, logistic, overlap, until
from netcount.layers.softmax import softmax
from netcount.lazy import np
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.grid_loss import Values


class RegionLoss(GridLoss):
    """YOLO v2's loss.  (N×(boxes·(5+classes))×S×S, truth N×1500) -> number.

    Source: region_loss_layer.cpp of MobileNet-YOLO; Redmon and Farhadi 2017.
    """

    type = "RegionLoss"
    name = "region_loss_param"

    def read(self, message: Message) -> None:
        """What is rescored, and how anchors are matched."""
        super().read(message)
        param = message.child(self.name)
        self.empty_scale = param.number("noobject_scale")
        self.rescore, self.bias_match = param.integer("rescore"), param.integer("bias_match")
        self.coords = param.integer("coords")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One number; Caffe checks nothing here but that there are axes to read."""
        for index, shape in enumerate(bottoms):
            if not shape:
                self.refuse(f"{self.named(index)} has no axes", "bottom", index)
        legacy(self, bottoms[0], 0)
        return [Shape()]

    def total(self, cells: Values, truth: Values) -> float:
        """Objectness everywhere; location, objectness and class where the truth has a box."""
        images, boxes, _, high, wide = cells.shape
        if high != wide or self.coords != 4:
            self.refuse("needs a square grid and coords: 4", "bottom")
        biases = np.array(self.biases if len(self.biases) >= 10 else [0.0] * 10)
        if len(biases) < 2 * boxes:
            self.refuse(f"{len(biases)} biases for {boxes} boxes", f"{self.name}.biases")
        anchors = biases[: 2 * boxes].reshape(boxes, 2)
        objects = logistic(cells[:, :, 4])
        scores = softmax(cells[:, :, 5:], 2)
        x, y = logistic(cells[:, :, 0]), logistic(cells[:, :, 1])
        predicted = np.stack(
            [
                (x + np.arange(wide)) / wide,
                (y + np.arange(high)[:, None]) / high,
                np.exp(cells[:, :, 2]) * anchors[:, 0, None, None] / wide,
                np.exp(cells[:, :, 3]) * anchors[:, 1, None, None] / high,
            ],
            axis=-1,
        )
        gradient = np.zeros(cells.shape)
        for image in range(images):
            best = best_overlap(predicted[image], until(truth[image], 1))
            empty = self.empty_scale * objects[image] ** 2 * (1 - objects[image])
            gradient[image, :, 4] = np.where(best > np.float32(self.threshold), 0, empty)
            for row in until(truth[image], 3):
                j, i = int(row[2] * high), int(row[1] * wide)
                sizes = anchors / wide if self.bias_match else predicted[image, :, j, i, 2:]
                centred = np.concatenate([np.zeros((boxes, 2)), sizes], axis=1)
                ious = overlap(centred, np.array([0, 0, *row[3:]]))
                at = (image, int(np.nan_to_num(ious, nan=-1).argmax()), j, i)
                if not ious[at[1]] > 0:
                    at = (0, 0, 0, 0)  # where the fork's search begins
                self._matched(gradient, at, row, (j, i), cells, predicted, objects, scores, anchors)
        return float(np.square(gradient).sum())

    def _matched(
        self,
        gradient: Values,
        at: tuple[int, int, int, int],
        row: Values,
        cell: tuple[int, int],
        cells: Values,
        predicted: Values,
        objects: Values,
        scores: Values,
        anchors: Values,
    ) -> None:
        """The gradients of the box that stands for one of the truth."""
        image, box, j, i = at
        side = gradient.shape[3]
        one = (image, box, slice(None), j, i)
        with np.errstate(divide="ignore"):
            sizes = np.log(row[3:] * side / anchors[box])
        scale = self.coord_scale * (1 if self.rescore else 2 - row[3] * row[4])
        inside = logistic(cells[one][:2])
        wanted = np.array([row[1] * side - cell[1], row[2] * side - cell[0]])
        found = gradient[one]
        found[:2] = -scale * (wanted - inside) * inside * (1 - inside)
        found[2:4] = -scale * (sizes - cells[one][2:4])
        has = objects[image, box, j, i]
        goal = float(overlap(predicted[image, box, j, i], row[1:])) if self.rescore else 1.0
        found[4] = -self.object_scale * (goal - has) * has * (1 - has)
        hot = np.arange(self.classes) == int(row[0])
        found[5:] = -self.class_scale * (hot - scores[one])


class Yolov3(GridLoss):
    """YOLO v3's loss over one grid.  (N×(boxes·(5+classes))×H×W, truth N×1500) -> number.

    Source: yolov3_layer.cpp of MobileNet-YOLO; Redmon and Farhadi 2018.
    """

    type = "Yolov3"
    name = "yolov3_param"

    def read(self, message: Message) -> None:
        """Which anchors are this grid's, and how overlap is measured."""
        super().read(message)
        param = message.child(self.name)
        self.mask, self.scale = param.integers("mask"), param.integer("anchors_scale")
        self.kind, self.weight = param.text("iou_loss"), param.number("iou_normalizer")
        self.second = param.number("iou_thresh")
        self.smoothing = param.number("label_smooth_eps")
        self.focal, self.scaled = param.flag("use_focal_loss"), param.flag("use_logic_gradient")

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
        found = [first] if first >= 0 else []
        skipped = first if first >= 0 else best  # the fork compares an anchor with a grid's box
        if self.second < 1:
            enough = np.flatnonzero(ious > np.float32(self.second)).tolist()
            found += [mask.index(a) for a in enough if a in mask and a != skipped]
        return found

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
