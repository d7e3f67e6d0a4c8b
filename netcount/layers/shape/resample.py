from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.resample import resampling, weighted
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, Wanted, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "resample_param"
KERNELS = {"LINEAR": 2, "CUBIC": 4}
"""How wide each method's filter is."""


class Resample(NoBlobs):
    """Images at another size: NEAREST, LINEAR or CUBIC, smoothed when they shrink.  N×C×H×W -> N×C×H'×W'.

    height and width, or the extents of bottom 1.  No weights.
    Source: resample_layer.cpp and .cu of lmb-freiburg/flownet2.
    """

    type = "Resample"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    extents_only: ClassVar[frozenset[int]] = frozenset((1,))
    in_place = False
    extents: tuple[int, int]
    method: str
    smooth: bool

    def read(self, message: Message) -> None:
        """Extents and method."""
        param = message.child(PARAM)
        self.extents = (param.integer("height"), param.integer("width"))
        self.method, self.smooth = param.text("type"), param.flag("antialias")
        if self.method not in ("NEAREST", *KERNELS):
            self.refuse(f"type {self.method} is not NEAREST, LINEAR or CUBIC", f"{PARAM}.type")
        if len(message.texts("bottom")) < 2 and not all(self.extents):
            self.refuse("needs height and width, or a second bottom", PARAM)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        n, c, *spatial = legacy(self, bottoms[0], 0)
        made = legacy(self, bottoms[1], 1)[2:] if len(bottoms) > 1 else self.extents
        if min(*made, *spatial) < 1:
            self.refuse(f"makes {made[0]}×{made[1]} of {spatial[0]}×{spatial[1]}", PARAM)
        return [Shape((n, c, *made))]

    def _radii(self, old: Sequence[int], new: Sequence[int]) -> list[tuple[int, float]]:
        """How far the filter reaches along each axis, and how much narrower it is."""
        factors = [o / n for o, n in zip(old, new, strict=True)]
        smooth = self.smooth and max(factors) > 1
        scales = [1 / factor if smooth else 1.0 for factor in factors]
        width = KERNELS.get(self.method, 0)
        return [
            (2 if factor < 1 else ceil(width / scale), scale)
            for factor, scale in zip(factors, scales, strict=True)
        ]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None for NEAREST; else for each of the neighbours in the filter's square a mul and two adds, and a
        div an output.  How the weights are made is not counted: they are the same for all images."""
        if self.method == "NEAREST":
            return NOTHING
        (down, _), (right, _) = self._radii(legacy(self, bottoms[0], 0)[2:], tops[0][2:])
        seen = tops[0].count() * (2 * down + 1) * (2 * right + 1)
        return OpCount(adds=2 * seen, muls=seen, divs=tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: Caffe aborts where a gradient is wanted."""
        return None if any(wanted.bottoms) else NOTHING

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The rows, and of a filter's shares those that are there at once."""
        wide = legacy(self, bottoms[0], 0)[3]
        shares = 1 if self.method == "NEAREST" else 2 * KERNELS[self.method] + 1
        return WorkingMemory(forward=resampling(tops[0], wide, shares))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The filter along rows, then along columns; where a new pixel is looked for, the fork mixes up the
        two axes' factors, and so does this."""
        y, *like = (x.reshape(*x.shape, *(1,) * (4 - x.ndim)) for x in bottoms)
        old, new = y.shape[2:], like[0].shape[2:] if like else self.extents
        factors = [o / n for o, n in zip(old, new, strict=True)]
        for axis, (reach, scale) in enumerate(self._radii(old, new)):
            at = np.arange(new[axis]) * factors[axis] + factors[1 - axis] / 2 - 0.5
            middle = np.floor(at + 0.5).astype(np.int64)
            if self.method == "NEAREST":
                y = y.take(np.clip(middle, 0, old[axis] - 1), axis + 2)
                continue
            places = [middle + offset for offset in range(-reach, reach + 1)]
            weights = [
                _filtered(scale * (at - place), self.method) * (place >= 0) * (place < old[axis])
                for place in places
            ]
            total = np.sum(weights, axis=0)
            total = np.where(total == 0, 1, total)
            y = weighted(
                y, axis + 2, [(place, weight / total) for place, weight in zip(places, weights, strict=True)]
            )
        return [y]


def _filtered(distance: Array, method: str) -> Array:
    """A triangle, or the cubic of Keys 1981 (a = −1/2)."""
    x: Array = np.abs(distance)
    if method == "LINEAR":
        triangle: Array = np.maximum(0, 1 - x)
        return triangle
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    cubic: Array = np.where(x <= 1, near, np.where(x < 2, far, 0))
    return cubic
