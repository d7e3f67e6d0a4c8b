from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.kernels.boxes import area
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "scale_route_param"


class ScaleRoute(NoBlobs):
    """The regions of one range of scales, for one level of a feature pyramid.

    (regions R×5, other rows R×C×H×W, …) -> the same blobs with S rows: those of regions from low_scale
    on and below high_scale, a scale being the square root of an area; else the one that is nearest.
    S is data: the levels of a pyramid share the R regions among them.  Caffe sets up one row.
    Source: scale_route_layer.cpp of cascade-rcnn.
    """

    type = "ScaleRoute"
    source = "cascade-rcnn"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(1, None)
    equal_bottoms_tops = True
    low: float
    high: float
    middle: float

    def read(self, message: Message) -> None:
        """The range, and its middle."""
        param = message.child(PARAM)
        limits = {name: param.number(name) for name in ("low_scale", "high_scale") if param.has(name)}
        self.low, self.high = limits.get("low_scale", 0.0), limits.get("high_scale", inf)
        if "low_scale" in limits and not 0 < self.low < inf:
            self.refuse(f"low_scale {self.low:g} must be positive", f"{PARAM}.low_scale")
        if self.high <= 0 or self.high < self.low:
            self.refuse(
                f"high_scale {self.high:g} must be positive and not below low_scale", f"{PARAM}.high_scale"
            )
        self.middle = (
            sqrt(self.low * self.high) if len(limits) == 2 else next(iter(limits.values())) if limits else 256.0
        )

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """One row, with the axes that Caffe gives it."""
        shapes = [legacy(self, shape, index) for index, shape in enumerate(bottoms)]
        if shapes[0][1] != 5:
            self.refuse(f"{self.named(0)} {bottoms[0]} must hold 5 values per region", "bottom")
        for index, shape in enumerate(shapes):
            if shape[0] != shapes[0][0]:
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must have a row for each of the {shapes[0][0]} regions",
                    "bottom",
                    index,
                )
        return [Shape((1, *shape[1:])) for shape in shapes]

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """The regions of the range."""
        return f"one row a region of these scales, at most {bottoms[0][0]}; Caffe sets up one"

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A region: its area, the root of it, two compares with the range; its distance from the middle."""
        regions = bottoms[0][0]
        return OpCount(adds=4 * regions, muls=regions, divs=regions, compares=6 * regions, exps=2 * regions)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The rows in their order; one at least."""
        scales = np.sqrt(area(bottoms[0].reshape(len(bottoms[0]), -1)[:, 1:5], 1))
        kept = np.flatnonzero((scales >= self.low) & (scales < self.high))
        if not len(kept):
            positive = np.maximum(scales, np.finfo(np.float32).tiny)
            kept = np.array([np.abs(np.log2(positive / self.middle)).argmin()])
        return [bottom[kept].reshape(len(kept), *(*bottom.shape[1:], 1, 1, 1)[:3]) for bottom in bottoms]
