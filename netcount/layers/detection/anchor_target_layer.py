from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.anchors import anchors_of, moves, shifted
from netcount.kernels.boxes import overlaps
from netcount.layers.bases import NoBlobs
from netcount.layers.detection._sampling import ANCHORS_SAMPLED, EMPTY, OBJECT, AnchorSet, _drop, setting
from netcount.layers.layer import Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class AnchorTargetLayer(NoBlobs):
    """py-faster-rcnn's rpn.anchor_target_layer: which anchors are objects, and their targets.

    (scores 1×C×H×W, truth G×5, image 1×3, …) -> labels 1×1×(A·H)×W (1 object, 0 none, −1 ignored),
    and 1×4A×H×W targets, inside and outside weights.  A is as many as `scales` × `ratios` of
    param_str, else C/2.  Source: lib/rpn/anchor_target_layer.py, PVANet's too.
    """

    type = "Python"
    source = "py-faster-rcnn"
    python = "rpn.anchor_target_layer.AnchorTargetLayer"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(4, 4)
    replaceable = True
    stride: int
    set: AnchorSet
    border: int

    def read(self, message: Message) -> None:
        """Stride, anchors and how far they may reach over the edge."""
        text = message.child("python_param").text("param_str")
        self.stride, self.set = setting(text, "feat_stride", 16), AnchorSet(text)
        self.border = setting(text, "allowed_border", 0)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """From the height and width of the scores."""
        scores = bottoms[0]
        if len(scores) != 4:
            self.refuse(f"{self.named(0)} {scores} must be N×C×H×W", "bottom")
        _, channels, high, wide = scores
        anchors = self.set.number(channels, 2)
        targets = Shape((1, 4 * anchors, high, wide))
        return [Shape((1, 1, anchors * high, wide)), targets, targets, targets]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if all anchors lay inside the image: the overlap of each with each box of
        the truth, the largest for both, and its target."""
        anchors = tops[0].count()
        truth = bottoms[1][0] if len(bottoms) > 1 and bottoms[1] else 1
        pairs = anchors * truth
        return OpCount(
            adds=10 * pairs + 14 * anchors,
            muls=3 * pairs + 4 * anchors,
            divs=pairs + 4 * anchors,
            compares=9 * pairs + 6 * anchors,
            exps=2 * anchors,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Anchors inside the image; too many of a kind are drawn from `run.generator`."""
        if len(bottoms) < 3 or len(bottoms[0]) != 1 or bottoms[1].size % 5:
            self.refuse(
                "needs scores of one image, a truth and the image's size", "bottom", advice=self.given_tops()
            )
        scores, truth, info = bottoms[0], bottoms[1].reshape(-1, 5), bottoms[2].reshape(-1)
        extent = scores.shape[2:]
        number = self.set.number(scores.shape[1], 2)
        if not self.set.known(number):
            self.refuse(f"the file names no scales of its {number} anchors", "bottom", advice=self.given_tops())
        every = shifted(anchors_of(16, self.set.ratios, self.set.scales), self.stride, extent)
        limit = info[[1, 0]] + self.border
        inside = np.flatnonzero((every[:, :2] >= -self.border).all(axis=1) & (every[:, 2:] < limit).all(axis=1))
        if not len(inside) or not len(truth):
            self.refuse(
                "no anchor lies inside the image, or the truth has no box",
                "bottom",
                advice=self.given_bottoms(1, 2),
            )
        shared = overlaps(every[inside], truth[:, :4], 1)
        owner, best = shared.argmax(axis=1), shared.max(axis=1)
        labels = np.full(len(inside), -1, dtype=np.int64)
        labels[best < EMPTY] = 0
        labels[(shared == shared.max(axis=0)).any(axis=1)] = 1
        labels[best >= OBJECT] = 1
        _drop(labels, 1, ANCHORS_SAMPLED // 2, run.generator)
        _drop(labels, 0, ANCHORS_SAMPLED - int((labels == 1).sum()), run.generator)
        rows = np.zeros((3, len(every), 4), dtype=np.float32)
        rows[0, inside] = moves(every[inside], truth[owner, :4])
        rows[1, inside[labels == 1]] = 1
        rows[2, inside[labels >= 0]] = 1 / max(1, int((labels >= 0).sum()))
        marks = np.full(len(every), -1, dtype=np.float32)
        marks[inside] = labels
        by_channel = [values.reshape(1, *extent, -1).transpose(0, 3, 1, 2) for values in (marks, *rows)]
        return [by_channel[0].reshape(1, 1, -1, extent[1]), *by_channel[1:]]
