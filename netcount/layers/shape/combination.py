from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving, legacy
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "combination_param"


class Combination(Moving):
    """Lays parts side by side in one plane, each bottom's first corner at xcoord, ycoord.
    N×C×h×w each -> N×C×H×W, as far as the last part reaches.  No weights.

    Source: combination_layer.cpp of ZhiwenShao/ARL.
    """

    type = "Combination"
    source = "ARL"
    bottoms: ClassVar[Arity] = Arity(1, None)
    in_place = False
    corners: list[tuple[int, int]]

    def read(self, message: Message) -> None:
        """The parts' corners."""
        param = message.child(PARAM)
        parts = len(message.texts("bottom"))
        for coordinate in ("xcoord", "ycoord"):
            if len(param.integers(coordinate)) < parts:
                self.refuse(f"needs an {coordinate} for each of its {parts} bottoms", PARAM)
        self.corners = list(zip(param.integers("ycoord"), param.integers("xcoord"), strict=False))[:parts]

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The plane that ends where the last part ends, and holds all others."""
        parts = [legacy(self, bottom, index) for index, bottom in enumerate(bottoms)]
        ends = [(y + h, x + w) for (y, x), (_, _, h, w) in zip(self.corners, parts, strict=True)]
        n, c, *_ = parts[0]
        for index, (part, (down, right)) in enumerate(zip(parts, ends, strict=True)):
            if part[:2] != (n, c):
                self.refuse(
                    f"{self.named(index)} {bottoms[index]} must have images and channels of {self.named(0)} "
                    f"{bottoms[0]}",
                    "bottom",
                    index,
                )
            if down > ends[-1][0] or right > ends[-1][1]:
                self.refuse(
                    f"{self.named(index)} {bottoms[index].hwc()} ends outside the {ends[-1][0]}×{ends[-1][1]} "
                    "that the last bottom ends",
                    "bottom",
                    index,
                )
        return [Shape((n, c, *ends[-1]))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Part after part; places that none covers stay 0."""
        parts = [x.reshape(*x.shape, *(1,) * (4 - x.ndim)) for x in bottoms]
        (down, right), last = self.corners[-1], parts[-1]
        out = np.zeros((*last.shape[:2], down + last.shape[2], right + last.shape[3]), dtype=np.float32)
        for (y, x), part in zip(self.corners, parts, strict=True):
            out[:, :, y : y + part.shape[2], x : x + part.shape[3]] = part
        return [out]
