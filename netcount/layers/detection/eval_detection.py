"""The evaluation of YOLO's first two versions: predictions of a grid held against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import overlaps, suppressed
from netcount.layers.activation.softmax import softmax
from netcount.layers.bases import NoBlobs
from netcount.layers.detection._grid_loss import logistic
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Indices, Mask, Run


SMALLEST_SCORE = 0.005
"""Below it YOLO v2's predictions are left out."""


class EvalDetection(NoBlobs):
    """(N×(side²·boxes·…), truth) -> N×(classes + side²·boxes·4).

    First the boxes of the truth by class, then for each predicted box class, score, right, wrong.
    YOLO v1: a prediction N×(side²·(classes + 5·boxes)) holds, each over the grid, a score a class,
    one per box, and x, y, w, h of each box; the truth N×(side²·7) difficult, occupied, class, and
    x, y, w, h of each cell.  With biases YOLO v2: N×(boxes·(5 + classes))×side×side, each box x, y,
    w, h, object and classes; the truth rows of image, class (from 1), instance, x1, y1, x2, y2,
    difficult.  Sources: eval_detection_layer.cpp of caffe-yolo and of Intel's Caffe.
    """

    type = "EvalDetection"
    source = "caffe-yolo, Intel"
    bottoms: ClassVar[Arity] = Arity(2, None)
    replaceable = True
    side: int
    classes: int
    boxes: int
    threshold: float
    nms: float
    rooted: bool
    in_cells: bool
    score: str
    biases: list[float]

    def read(self, message: Message) -> None:
        """Grid, classes and boxes per cell, and how a score is made."""
        param = message.child("eval_detection_param")
        self.side, self.classes = param.integer("side"), param.integer("num_class")
        self.boxes = param.integer("num_object")
        self.threshold, self.nms = param.number("threshold"), param.number("nms")
        self.rooted, self.in_cells = param.flag("sqrt"), param.flag("constriant")
        self.score, self.biases = param.text("score_type"), param.numbers("biases")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A count per class, then four values per box."""
        cells = self.side**2
        predicted = self.boxes * (self.classes + 5) if self.biases else self.classes + 5 * self.boxes
        wanted = [cells * predicted] if self.biases else [cells * predicted, cells * 7]
        for index, (shape, values) in enumerate(zip(bottoms, wanted, strict=False)):
            if not shape or shape.count(1) != values:
                self.refuse(
                    f"{self.named(index)} {shape} must hold {values} values per image for a grid of "
                    f"{self.side}×{self.side}",
                    "bottom",
                    index,
                )
        return [Shape((bottoms[0][0], self.classes + cells * self.boxes * 4))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound: the coding of each box, a compare a class score (and v2's softmax), and each
        box's overlap with the truth of every cell (v2: with the truth); sorting and suppression are
        not counted."""
        cells = bottoms[0][0] * self.side**2
        boxes = cells * self.boxes
        if self.biases:
            pairs, scores = boxes * (bottoms[1].count() // 8), boxes * self.classes
            return OpCount(
                adds=5 * boxes + 2 * scores + 10 * pairs,
                muls=3 * boxes + 3 * pairs,
                divs=7 * boxes + scores + 9 * pairs,
                compares=2 * scores + 7 * pairs,
                exps=5 * boxes + scores,
            )
        pairs = boxes * self.side**2
        return OpCount(
            adds=2 * boxes + 10 * pairs,
            muls=boxes + 3 * pairs,
            divs=2 * boxes + 9 * pairs,
            compares=cells * self.classes + 7 * pairs,
            exps=2 * boxes if self.rooted else 0,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Image by image; rows that suppression leaves over stay 0."""
        predictions, truths = bottoms[:2]
        images, cells = len(predictions), self.side**2
        top = np.zeros((images, self.classes + cells * self.boxes * 4), dtype=np.float32)
        for image in range(images):
            if self.biases:
                difficult, labels, boxes = self._rows(truths, image)
                predicted = self._anchored(predictions[image].reshape(self.boxes, 5 + self.classes, -1))
            else:
                difficult, labels, boxes = _truth(truths.reshape(images, -1)[image], cells)
                predicted = self._predicted(predictions[image].reshape(-1, cells))
            own = labels[~difficult]
            if len(own) and not (own.min() >= 0 and own.max() < self.classes):
                self.refuse(
                    f"the truth names a class outside the {self.classes}",
                    "bottom",
                    1,
                    advice=self.given_bottoms(1),
                )
            top[image, : self.classes] = np.bincount(own, minlength=self.classes)
            rows = self._judged(*predicted, difficult, labels, boxes)
            top[image, self.classes : self.classes + rows.size] = rows.reshape(-1)
        return [top]

    def _rows(self, truths: Array, image: int) -> tuple[Mask, Indices, Array]:
        """Difficult (v2 has none), class and centre-form box of the truth of an image."""
        if truths.shape[-1] != 8:
            self.refuse(f"{self.named(1)} {Shape(truths.shape)} must have rows of 8", advice=self.given_bottoms(1))
        rows = truths.reshape(-1, 8)
        rows = rows[rows[:, 0].astype(np.int64) == image]
        low, high = rows[:, 3:5], rows[:, 5:7]
        centred = np.concatenate([(low + high) / 2, high - low], axis=1)
        return np.zeros(len(rows), dtype=np.bool_), (rows[:, 1] - 1).astype(np.int64), centred

    def _anchored(self, grid: Array) -> tuple[Indices, Array, Array]:
        """As `_predicted`, of YOLO v2; nothing without suppression."""
        cells = grid.transpose(2, 0, 1)
        if len(self.biases) < 2 * self.boxes:
            self.refuse(f"{len(self.biases)} biases for {self.boxes} boxes", "eval_detection_param.biases")
        anchors = np.array(self.biases[: 2 * self.boxes], dtype=np.float32).reshape(-1, 2)
        at = np.arange(self.side**2)[:, None]
        objects, *inside = (logistic(cells[..., index]) for index in (4, 0, 1))
        places = [
            (part + place) / self.side
            for part, place in zip(inside, (at % self.side, at // self.side), strict=True)
        ]
        sides = np.exp(cells[..., 2:4]) * anchors / np.float32(self.side)
        boxes = np.concatenate([np.stack(places, axis=-1), sides], axis=-1).reshape(-1, 4).astype(np.float32)
        classes = softmax(cells[..., 5:], 2).reshape(-1, self.classes)
        labels, best, objects = classes.argmax(axis=1), classes.max(axis=1), objects.reshape(-1)
        scores = {"OBJ": objects, "PROB": best}.get(self.score, objects * best)
        order = np.zeros(0, dtype=np.int64)
        if self.nms >= 0:
            order = np.array(suppressed(corners_of(boxes), scores, self.nms, equal=True), dtype=np.int64)
        order = order[scores[order] >= SMALLEST_SCORE]
        order = order[np.argsort(labels[order], kind="stable")]
        return labels[order], scores[order], boxes[order]

    def _predicted(self, grid: Array) -> tuple[Indices, Array, Array]:
        """Class, score and centre-form box of each prediction, by class, the best first."""
        side, classes, boxes = self.side, self.classes, self.boxes
        labels = grid[:classes].argmax(axis=0)
        best = grid[:classes].max(axis=0)[:, None]
        objects = grid[classes : classes + boxes].T
        factors = {"OBJ": objects, "PROB": np.broadcast_to(best, objects.shape)}
        scores = factors.get(self.score, objects * best).reshape(-1)
        coordinates = grid[classes + boxes :].reshape(boxes, 4, side**2).transpose(2, 0, 1).copy()
        if self.in_cells:
            cell = np.arange(side**2)[:, None]
            coordinates[..., 0] = (coordinates[..., 0] + cell % side) / side
            coordinates[..., 1] = (coordinates[..., 1] + cell // side) / side
        if self.rooted:
            coordinates[..., 2:] = np.square(coordinates[..., 2:])
        every, corners = np.repeat(labels, boxes), coordinates.reshape(-1, 4)
        order = np.argsort(-scores, kind="stable")
        if self.nms >= 0:
            order = np.array(suppressed(corners_of(corners), scores, self.nms, equal=True))
        order = order[np.argsort(every[order], kind="stable")]
        return every[order], scores[order], corners[order]

    def _judged(
        self,
        labels: Indices,
        scores: Array,
        predicted: Array,
        difficult: Mask,
        true_labels: Indices,
        boxes: Array,
    ) -> Array:
        """A row per prediction: right when it overlaps a box that no better one has taken."""
        rows = np.zeros((len(labels), 4), dtype=np.float32)
        rows[:, 0], rows[:, 1], rows[:, 3] = labels, scores, 1
        shared = overlaps(corners_of(predicted), corners_of(boxes))
        shared[labels[:, None] != true_labels[None]] = -1
        taken: set[int] = set()
        for row in range(len(rows) if len(boxes) else 0):
            box = int(shared[row].argmax())
            if shared[row, box] < 0:
                continue  # no box of its class
            if shared[row, box] < self.threshold:
                rows[row, 3] = 0 if self.biases else 1  # v2 forgets to call it wrong
                continue
            if difficult[box]:
                rows[row, 3] = 0
            elif box not in taken:
                rows[row, 2:] = (1, 0)
                taken.add(box)
        return rows


def _truth(row: Array, cells: int) -> tuple[Mask, Indices, Array]:
    """Difficult, class and box of the occupied cells."""
    occupied = row[cells : 2 * cells] != 0
    labels = row[2 * cells : 3 * cells].astype(np.int64)
    return row[:cells][occupied] == 1, labels[occupied], row[3 * cells :].reshape(-1, 4)[occupied]


def corners_of(boxes: Array) -> Array:
    """Boxes of centre, width and height as corners."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    corners: Array = np.concatenate([centre - half, centre + half], axis=-1)
    return corners
