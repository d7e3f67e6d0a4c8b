from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.detection._box_output import BoxOutputs
from netcount.layers.layer import Wanted

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class BoxOutput(BoxOutputs):
    """The boxes that MS-CNN's branches propose: decoded, selected, suppressed.

    Bottoms N×(classes+4)×H×W, a branch each: a score a class, the first the background's, then x, y,
    w and h relative to the branch's field -> R×5×1×1[, R×6×1×1].  Source: box_output_layer.cpp of
    mscnn; Cai et al. 2016, arXiv 1607.07155.
    """

    type = "BoxOutput"
    source = "mscnn"
    param = "box_output_param"
    pixel: int = 0

    def images(self, bottoms: Sequence[Shape]) -> int:
        """N, alike in every branch; Caffe does not check this and reads what lies behind a smaller blob."""
        shapes = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
        for index, (n, c, _, _) in enumerate(shapes):
            if n != shapes[0][0] or c < 5:
                wanted = f"N×(classes+4)×H×W with N = {shapes[0][0]} and a class at least"
                self.refuse(f"{self.named(index)} {bottoms[index]} must be {wanted}", "bottom", index)
        return shapes[0][0]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The bound, as if every position were a box: the best of its classes, the decoding of four
        values and their bounds; how much sorting and suppressing there is depends on the data."""
        images = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
        boxes = sum(n * h * w for n, _, h, w in images)
        return OpCount(
            adds=16 * boxes,
            muls=12 * boxes,
            divs=2 * boxes,
            compares=15 * boxes + sum(n * (c - 4) * h * w for n, c, h, w in images),
            exps=2 * boxes,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def candidates(self, bottoms: Sequence[Array]) -> list[tuple[Array, Array]]:
        """Branch after branch, position after position."""
        param = self.message.child(self.param)
        fields = [param.integers(name) for name in ("field_w", "field_h", "downsample_rate")]
        for name, values in zip(("field_w", "field_h", "downsample_rate"), fields, strict=True):
            if len(values) != len(bottoms):
                self.refuse(f"{len(values)} {name} for {len(bottoms)} bottoms", f"{self.param}.{name}")
        boxes: list[list[Array]] = [[] for _ in range(len(bottoms[0]))]
        scores: list[list[Array]] = [[] for _ in range(len(bottoms[0]))]
        for bottom, wide, high, rate in zip(bottoms, *fields, strict=True):
            x = bottom.reshape((*bottom.shape, 1, 1, 1, 1)[:4])
            foreground = x[:, 1:-4].max(axis=1, initial=-np.inf) - x[:, 0]
            corners = self.decoded(
                x[:, -4:], (np.array(wide, dtype=np.float32), np.array(high, dtype=np.float32)), rate
            )
            start = np.maximum(corners[..., :2], 0)
            limit = np.array([x.shape[3] * rate, x.shape[2] * rate])
            sides = np.minimum(corners[..., 2:], limit - start)
            kept = (foreground >= self.score) & (sides >= self.least).all(axis=-1)
            for image in range(len(x)):
                chosen = kept[image]
                boxes[image].append(np.concatenate([start, start + sides], axis=-1)[image][chosen])
                scores[image].append(foreground[image][chosen])
        return [(np.concatenate(a), np.concatenate(b)) for a, b in zip(boxes, scores, strict=True)]
