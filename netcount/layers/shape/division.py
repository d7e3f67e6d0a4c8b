from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "division_param"


class Division(Moving):
    """Cuts equal parts out of the plane, a top each, its first corner at xcoord, ycoord.
    N×C×H×W -> N×C×height×width each.  No weights.

    Source: division_layer.cpp of ZhiwenShao/ARL.
    """

    type = "Division"
    source = "ARL"
    tops: ClassVar[Arity] = Arity(1, None)
    in_place = False
    height: int
    width: int
    corners: list[tuple[int, int]]

    def read(self, message: Message) -> None:
        """The parts' extents and corners."""
        param = message.child(PARAM)
        self.height, self.width = param.integer("height"), param.integer("width")
        if not (self.height and self.width):
            self.refuse("height and width must be positive", PARAM)
        for coordinate in ("xcoord", "ycoord"):
            if len(param.integers(coordinate)) < self.top_count:
                self.refuse(f"needs an {coordinate} for each of its {self.top_count} tops", PARAM)
        self.corners = list(zip(param.integers("ycoord"), param.integers("xcoord"), strict=False))[
            : self.top_count
        ]

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """A part a top, all inside the plane."""
        n, c, high, wide = legacy(self, bottoms[0], 0)
        for index, (down, right) in enumerate(self.corners):
            if down + self.height > high or right + self.width > wide:
                outside = "ycoord" if down + self.height > high else "xcoord"
                self.refuse(
                    f"part {index}, {self.height}×{self.width} from row {down} and column {right} on, ends "
                    f"outside {bottoms[0].hwc()}",
                    f"{PARAM}.{outside}",
                    index,
                )
        return [Shape((n, c, self.height, self.width))] * self.top_count

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Copies of the parts."""
        x = bottoms[0].reshape(*bottoms[0].shape, *(1,) * (4 - bottoms[0].ndim))
        return [x[:, :, y : y + self.height, z : z + self.width].copy() for y, z in self.corners]
