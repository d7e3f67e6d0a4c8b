from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.resample import linear, resampling, weighted
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "accum_param"


class Accum(NoBlobs):
    """Images brought to one size and joined along the channels.  (N×Ci×Hi×Wi …) -> N×ΣCi×H×W.  No weights.

    The size is the largest height and the largest width, a larger one that is given (top_height and
    top_width, or the next multiples of size_divisible_by), or with have_reference the last bottom's, whose
    values are not read.  Source: accum_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "Accum"
    source = "FlowNet2"
    bottoms: ClassVar[Arity] = Arity(1, None)
    in_place = False
    referred: bool
    extents: tuple[int, int]
    divisor: int | None

    def read(self, message: Message) -> None:
        """Where the size comes from."""
        param = message.child(PARAM)
        self.referred = param.flag("have_reference")
        self.extents = (param.integer("top_height"), param.integer("top_width"))
        self.divisor = param.integer("size_divisible_by") if param.has("size_divisible_by") else None
        if self.referred and len(message.texts("bottom")) < 2:
            self.refuse("needs a bottom more for have_reference", "bottom")
        if self.divisor == 0:
            self.refuse("size_divisible_by must be positive", f"{PARAM}.size_divisible_by")

    def _made(self, spatial: Sequence[Sequence[int]]) -> tuple[int, int]:
        if self.referred:
            return spatial[-1][0], spatial[-1][1]
        high, wide = (max(extents[axis] for extents in spatial) for axis in range(2))
        down, right = self.extents
        if self.divisor:
            down, right = ceil(high / self.divisor) * self.divisor, ceil(wide / self.divisor) * self.divisor
        return (down, right) if down > high and right > wide else (high, wide)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """All channels at one size."""
        shapes = [legacy(self, bottom, index) for index, bottom in enumerate(bottoms)]
        joined = shapes[:-1] if self.referred else shapes
        for index, shape in enumerate(joined):
            if shape[0] != shapes[0][0] or 0 in shape[1:]:
                wanted = f"must have the {shapes[0][0]} images of {self.named(0)} and elements"
                self.refuse(f"{self.named(index)} {bottoms[index]} {wanted}", "bottom", index)
        made = self._made([shape[2:] for shape in shapes])
        return [Shape((shapes[0][0], sum(shape[1] for shape in joined), *made))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Eight muls and three adds an output: four neighbours, each with two weights."""
        elements = tops[0].count()
        return OpCount(adds=3 * elements, muls=8 * elements)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The bottoms that have the new size already, and what the next one is made of."""
        n, _, high, wide = tops[0]
        joined = most = 0
        for index, bottom in enumerate(bottoms[:-1] if self.referred else bottoms):
            _, c, _, before = legacy(self, bottom, index)
            made = Shape((n, c, high, wide))
            most = max(most, joined + made.count() + resampling(made, before, 2))
            joined += made.count()
        return WorkingMemory(forward=max(joined, most - tops[0].count()))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Corners stay where they are."""
        images = [x.reshape(*x.shape, *(1,) * (4 - x.ndim)) for x in bottoms]
        made = self._made([x.shape[2:] for x in images])
        joined = []
        for y in images[:-1] if self.referred else images:
            for axis, extent in zip((2, 3), made, strict=True):
                y = weighted(y, axis, linear(np.arange(extent) * ((y.shape[axis] - 1) / max(1, extent - 1))))
            joined.append(y)
        return [np.concatenate(joined, axis=1)]
