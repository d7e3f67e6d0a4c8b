from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.activation.softmax import softmax
from netcount.layers.bases import legacy
from netcount.layers.detection._grid_loss import GridLoss, best_overlap, logistic, overlap, until
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.layers.detection._grid_loss import Values
from netcount.layers.layer import Wanted


class RegionLoss(GridLoss):
    """YOLO v2's loss.  (N×(boxes·(5+classes))×S×S, truth N×1500) -> number.

    Source: region_loss_layer.cpp of MobileNet-YOLO; Redmon and Farhadi 2017.
    """

    type = "RegionLoss"
    name = "region_loss_param"
    empty_scale: float
    rescore: int
    bias_match: int
    coords: int

    def read(self, message: Message) -> None:
        """What is rescored, and how anchors are matched."""
        super().read(message)
        param = message.child(self.name)
        self.empty_scale = param.number("noobject_scale")
        self.rescore, self.bias_match = param.integer("rescore"), param.integer("bias_match")
        self.coords = param.integer("coords")

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """A mul a value of gradients that are kept."""
        return OpCount(muls=bottoms[0].count() * wanted.bottoms[0], divs=int(wanted.bottoms[0]))

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
        own = gradient[one]
        own[:2] = -scale * (wanted - inside) * inside * (1 - inside)
        own[2:4] = -scale * (sizes - cells[one][2:4])
        has = objects[image, box, j, i]
        goal = float(overlap(predicted[image, box, j, i], row[1:])) if self.rescore else 1.0
        own[4] = -self.object_scale * (goal - has) * has * (1 - has)
        hot = np.arange(self.classes) == int(row[0])
        own[5:] = -self.class_scale * (hot - scores[one])
