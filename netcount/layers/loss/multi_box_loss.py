"""SSD's loss: boxes matched to the truth, hard negatives mined, then two losses summed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import area, decoded, encoded, suppressed
from netcount.kernels.matching import Match, Truth, match
from netcount.layers.activation.softmax import softmax
from netcount.layers.bases import legacy
from netcount.layers.detection.detection_output import FirstStage, check_predictions, split_priors
from netcount.layers.layer import Arity, Wanted
from netcount.layers.loss._loss import SMALLEST, Loss, number
from netcount.layers.loss.sigmoid_cross_entropy_loss import cross_entropy
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Indices, Mask, Run

PARAM = "multibox_loss_param"


class MultiBoxLoss(Loss):
    """(locations N×(P·4), confidences N×(P·classes), priors 1×2×(P·4), truth 1×1×G×8) -> number.

    A row of the truth is image, class, instance, x1, y1, x2, y2, difficult.
    Source: multibox_loss_layer.cpp and bbox_util.cpp of SSD; Liu et al. 2016, section 2.2.

    RefineDet's first stage adds objectness N×(P·2), below which a negative is not mined, and locations
    N×(P·4), which move the priors first.  Source: the same files of RefineDet.
    """

    type = "MultiBoxLoss"
    source = "SSD"
    bottoms: ClassVar[Arity] = Arity(4, 6)
    replaceable = True
    classes: int
    shared: bool
    background: int
    mining: str
    smooth: bool
    softmax: bool
    code: str
    location_weight: float

    def read(self, message: Message) -> None:
        """Classes, matching, mining and the two losses."""
        super().read(message)
        param = message.child(PARAM)
        if not param.has("num_classes") or param.integer("num_classes") < 1:
            self.refuse("needs num_classes of 1 or more", f"{PARAM}.num_classes")
        self.classes, self.shared = param.integer("num_classes"), param.flag("share_location")
        self.background = param.integer("background_label_id")
        self.mining = param.text("mining_type")
        self.smooth = param.text("loc_loss_type") == "SMOOTH_L1"
        self.softmax = param.text("conf_loss_type") == "SOFTMAX"
        self.code, self.location_weight = param.text("code_type"), param.number("loc_weight")
        mines = self.mining != "NONE"
        if param.has("do_neg_mining") and param.flag("do_neg_mining") != mines:
            self.refuse(f"do_neg_mining contradicts mining_type {self.mining}", f"{PARAM}.do_neg_mining")
        if mines and not self.shared:
            self.refuse(f"mining_type {self.mining} needs share_location: true", f"{PARAM}.share_location")
        if self.softmax and self.background >= self.classes:
            self.refuse(
                f"background_label_id {self.background} is not one of the {self.classes} classes",
                f"{PARAM}.background_label_id",
            )

    def check(self, bottoms: Sequence[Shape]) -> None:
        """As many predictions as priors."""
        check_predictions(self, bottoms, self.classes, 1 if self.shared else self.classes)
        legacy(self, bottoms[3], 3)

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every prior stood for a box: the overlap of each prior with each box of
        the truth, the coding and loss of all locations, twice the softmax of all confidences (once
        to mine), and a log a prior."""
        location, confidence, priors, truth, *first = bottoms
        images, boxes = location[0], legacy(self, priors, 2)[2] // 4
        pairs, predictions = boxes * legacy(self, truth, 3)[2], images * boxes
        values, scores = location.count(), (1 if self.mining == "NONE" else 2) * confidence.count()
        refined = predictions * len(first)
        more = OpCount(compares=predictions) if first else OpCount()
        if refined > predictions:  # the priors are moved, as a location is decoded
            more += OpCount(
                adds=12 * predictions, muls=9 * predictions, divs=6 * predictions, exps=2 * predictions
            )
        return more + OpCount(
            adds=8 * pairs + 4 * values + 2 * scores + predictions,
            muls=2 * pairs + 2 * values,
            divs=pairs + 3 * values + scores + 2,
            compares=4 * pairs + 2 * values + scores + predictions,
            exps=scores + 2 * predictions,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The bound, as if every prior stood for a box: of the locations two muls a value (and two compares of
        SMOOTH_L1), of the confidences two muls a score, and a difference a prior (LOGISTIC: a score)."""
        location, confidence, priors = bottoms[:3]
        values, scores = location.count() * wanted.bottoms[0], confidence.count() * wanted.bottoms[1]
        predictions = location[0] * (legacy(self, priors, 2)[2] // 4) * wanted.bottoms[1]
        return OpCount(
            adds=predictions if self.softmax else scores,
            muls=2 * (values + scores),
            divs=2 * sum(wanted.bottoms[:2]),
            compares=2 * values if self.smooth else 0,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Location and confidence loss, each over the matches (by default)."""
        location, confidence, priors, truth, *added = bottoms
        images, param = len(location), self.message.child(PARAM)
        corners, variances = split_priors(priors)
        locations = location.reshape(images, len(corners), -1, 4)
        scores = confidence.reshape(images, len(corners), self.classes)
        truths = self._truths(truth, param.flag("use_difficult_gt"))
        first = FirstStage(self, added, images, len(corners), 4)
        scale = None if param.flag("encode_variance_in_target") else variances
        matched = 0
        of_locations = of_confidences = 0.0
        for image in range(images):
            own = truths.get(image)
            moved = first.moved(image, self.code, corners, scale)
            start = moved if param.flag("use_prior_for_matching") else corners
            matches = self._matches(own, locations[image], start, variances) if own else []
            negatives = np.zeros(0, dtype=np.int64)
            sure = first.sure(image, param.number("objectness_score"))
            if own and self.mining != "NONE":
                matches[0], negatives = self._mined(
                    own, matches[0], locations[image], scores[image], corners, variances, sure
                )
            for matching in matches:
                errors = self._location_losses(own, matching, locations[image], moved, variances)
                of_locations += float(errors.sum())
                matched += int((matching.box > -1).sum())
            of_confidences += self._confidence_loss(image, own, matches, negatives, scores)
        divisor = self.divisor(images, len(corners), matched)
        backward = self.message.get("propagate_down") or [True, True]
        total = self.location_weight * of_locations * backward[0] + of_confidences * backward[1]
        return [number(total / divisor)]

    def _truths(self, rows: Array, difficult: bool) -> dict[int, Truth]:
        """The boxes of each image that has any."""
        rows = rows.reshape(-1, 8)
        rows = rows[rows[:, 0].astype(np.int64) != -1]
        labels = rows[:, 1].astype(np.int64)
        agnostic = self.message.child(PARAM).flag("map_object_to_agnostic")
        beyond = self.mining != "NONE" or not agnostic
        wrong = (labels == self.background) | (labels < 0) | (beyond & (labels >= self.classes))
        if wrong.any():
            self.refuse(
                f"the truth may name the {self.classes} classes but the background "
                f"{self.background}, not {sorted(set(labels.tolist()))}",
                "bottom",
                3,
                advice=self.given_bottoms(3),
            )
        used = np.ones(len(rows), dtype=np.bool_) if difficult else rows[:, 7] == 0
        images = rows[:, 0].astype(np.int64)
        return {
            int(image): Truth(labels[used & (images == image)], rows[used & (images == image), 3:7])
            for image in np.unique(images[used])
        }

    def _matches(self, own: Truth, locations: Array, corners: Array, variances: Array) -> list[Match]:
        """One match for shared locations, else one per class but the background."""
        param = self.message.child(PARAM)
        codes = [0] if self.shared else [c for c in range(self.classes) if c != self.background]
        if param.flag("use_prior_for_matching"):
            index, best = match(corners, own.boxes, param)
            if self.shared:
                return [Match(0, index, best)]
            labels = np.where(index > -1, own.labels[np.maximum(index, 0)], -1)
            return [Match(c, np.where(labels == c, index, -1), best) for c in codes]
        matches = []
        scale = None if param.flag("encode_variance_in_target") else variances
        for code in codes:
            boxes = decoded(self.code, locations[:, code], corners, scale)
            chosen = np.arange(len(own.labels))
            if not self.shared:
                chosen = np.flatnonzero(own.labels == code)
            index, best = match(boxes, own.boxes[chosen], param)
            if len(chosen):
                index = np.where(index > -1, chosen[np.maximum(index, 0)], index)
            matches.append(Match(code, index, best))
        return matches

    def _location_losses(
        self, own: Truth | None, matching: Match, locations: Array, corners: Array, variances: Array
    ) -> Array:
        """The loss of each prior's location, 0 where it stands for no box."""
        losses = np.zeros(len(corners), dtype=np.float32)
        rows = np.flatnonzero(matching.box > -1)
        if own is None or not len(rows):
            return losses
        param = self.message.child(PARAM)
        in_target = param.flag("encode_variance_in_target")
        priors, scale = corners[rows], None if in_target else variances[rows]
        boxes = own.boxes[matching.box[rows]]
        wanted = encoded(self.code, boxes, priors, scale)
        guess = locations[rows, matching.code]
        if param.flag("bp_inside"):
            inside = priors
            if not param.flag("use_prior_for_matching"):
                inside = decoded(self.code, guess, priors, scale)
            guess = np.where((inside < 0) | (inside > 1), wanted, guess)
        difference = (guess - wanted) / (variances[rows] if in_target else 1)
        square = difference * difference / 2
        if self.smooth:
            size = np.abs(difference)
            square = np.where(size < 1, square, size - np.float32(0.5))
        losses[rows] = square.sum(axis=1)
        return losses

    def _mined(
        self,
        own: Truth,
        matching: Match,
        locations: Array,
        scores: Array,
        corners: Array,
        variances: Array,
        sure: Mask,
    ) -> tuple[Match, Indices]:
        """The match without the positives that were not chosen, and the chosen negatives."""
        param = self.message.child(PARAM)
        hard = self.mining == "HARD_EXAMPLE"
        matched = matching.box > -1
        labels = np.where(matched, own.labels[np.maximum(matching.box, 0)], self.background)
        losses = self._each_confidence_loss(scores, labels)
        if hard:
            losses = losses + self._location_losses(own, matching, locations, corners, variances)
            eligible, most = np.flatnonzero(sure), param.integer("sample_size")
        else:
            little = matching.overlap < np.float32(param.number("neg_overlap"))
            eligible = np.flatnonzero((matching.box == -1) & little & sure)
            most = int(matched.sum() * np.float32(param.number("neg_pos_ratio")))
        order = np.argsort(-losses[eligible], kind="stable")
        nms = param.child("nms_param")
        if param.has("nms_param") and nms.number("nms_threshold") > 0:
            boxes = corners
            if not param.flag("use_prior_for_nms"):
                scale = None if param.flag("encode_variance_in_target") else variances
                boxes = decoded(self.code, locations[:, matching.code], corners, scale)
            limit = nms.integer("top_k") if nms.has("top_k") else 0
            order = order[: limit if limit > -1 else None]
            order = order[area(boxes[eligible[order]]) >= 1e-5]
            ranks = -np.arange(len(order), dtype=np.float32)
            kept = suppressed(boxes[eligible[order]], ranks, nms.number("nms_threshold"))
            order = order[kept]
        chosen = np.zeros(len(corners), dtype=np.bool_)
        chosen[eligible[order[:most]]] = True
        negatives = np.flatnonzero((matching.box == -1) & chosen)
        index = np.where(matched & ~chosen, -1, matching.box) if hard else matching.box
        return Match(matching.code, index, matching.overlap), negatives

    def _each_confidence_loss(self, scores: Array, labels: Indices) -> Array:
        """The loss of each row of confidences against its label."""
        if self.softmax:
            picked = softmax(scores, 1)[np.arange(len(scores)), labels]
            losses: Array = -np.log(np.maximum(picked, np.float32(SMALLEST)))
            return losses
        targets = (np.arange(self.classes) == labels[:, None]).astype(np.float32)
        summed: Array = cross_entropy(scores, targets).sum(axis=1)
        return summed

    def _confidence_loss(
        self,
        image: int,
        own: Truth | None,
        matches: list[Match],
        negatives: Indices,
        scores: Array,
    ) -> float:
        """The loss of the confidences of one image that count: all, or the mined ones."""
        agnostic = self.message.child(PARAM).flag("map_object_to_agnostic")
        if agnostic and self.classes != 2:
            self.refuse("map_object_to_agnostic needs num_classes: 2", f"{PARAM}.num_classes")
        rows, labels = [], []
        for matching in matches:
            positive = np.flatnonzero(matching.box > -1)
            rows.append(positive)
            if own is not None:
                labels.append(own.labels[matching.box[positive]])
        chosen = np.concatenate([*rows, np.zeros(0, dtype=np.int64)])
        wanted = np.concatenate([*labels, np.zeros(0, dtype=np.int64)])
        if agnostic:
            wanted = np.full(len(chosen), self.background + 1)
        if self.mining != "NONE":
            chosen = np.concatenate([chosen, negatives])
            wanted = np.concatenate([wanted, np.full(len(negatives), self.background)])
            return float(self._each_confidence_loss(scores[image][chosen], wanted).sum())
        every = np.full(scores.shape[1], self.background)
        if self.softmax:
            every[chosen] = wanted
            return float(self._each_confidence_loss(scores[image], every).sum())
        targets = np.full(scores[image].shape, self.background, dtype=np.float32)
        targets[chosen, wanted] = 1
        return float(cross_entropy(scores[image], targets).sum())
