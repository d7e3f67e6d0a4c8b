from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite, sqrt
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs, legacy
from netcount.layers.layer import Arity, Wanted
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


PARAM = "prior_box_param"


class _Apart:
    """Numbers, of which can be asked whether one is nearer than 1e-6: in as much time for many as for few."""

    def __init__(self) -> None:
        self.members: list[float] = []
        self._ends: dict[int, tuple[float, float]] = {}
        """The least and the greatest of each stretch of 1e-6."""

    def add(self, number: float) -> None:
        self.members.append(number)
        least, most = self._ends.get(stretch := int(number * 1e6), (number, number))
        self._ends[stretch] = min(least, number), max(most, number)

    def __contains__(self, number: float) -> bool:
        stretch = int(number * 1e6)
        near = (end for at in (stretch - 1, stretch, stretch + 1) for end in self._ends.get(at, ()))
        return any(abs(number - end) < 1e-6 for end in near)


class PriorBox(NoBlobs):
    """Boxes at every position of a feature map.  (N×C×H×W, image) -> 1×2×(H·W·priors·4).

    Caffe asks for the image only where img_size is unset.
    Source: prior_box_layer.cpp of SSD; Liu et al. 2016, arXiv 1512.02325.

    With offset_w and offset_h, tl_ssd's: at each pair of offsets a box for each min_size and
    aspect_ratio, and none besides.  With denser_prior_boxes, TextBoxes++'s: each box also at the lower end of
    the position.  With fixed_size and density, FaceBoxes': density × density boxes of each size and ratio, spread
    over the size.  Sources: prior_box_layer.cpp of tl_ssd, of TextBoxes_plusplus and of FaceBoxes.
    """

    type = "PriorBox"
    source = "SSD"
    bottoms: ClassVar[Arity] = Arity(1, None)
    extents_only: ClassVar[frozenset[int]] = frozenset({0, 1})
    clip: bool
    offset: float
    boxes: list[tuple[float, float]]
    preparation: OpCount
    offsets: list[tuple[float, float]]
    detail: str | None
    variance: list[float]
    image: tuple[float, float]
    step: tuple[float, float]
    warning: str | None

    def read(self, message: Message) -> None:
        """The boxes' widths and heights, in the order of the output."""
        param = message.child(PARAM)
        self.clip, self.offset = param.flag("clip"), param.number("offset")
        self.shifts: list[tuple[float, float]] = []
        fixed = param.has("fixed_size") or param.has("density") or param.has("fixed_ratio")
        self.boxes, self.preparation = self._dense(param) if fixed else self._boxes(param)
        self.offsets = [(self.offset, self.offset)] * len(self.boxes)
        if param.has("offset_w") or param.has("offset_h"):
            self._offsets(param)
        if param.flag("denser_prior_boxes"):
            self.boxes = [box for box in self.boxes for _ in range(2)]
            self.offsets = [(down, self.offset) for _ in self.offsets for down in (self.offset, 1.0)]
        self.detail = self._told()
        self.variance = self._variance(param)
        self.image = self._pair(param, "img_size", "img_h", "img_w", param.integer)
        self.step = self._pair(param, "step", "step_h", "step_w", param.number)

    def _boxes(self, param: Message) -> tuple[list[tuple[float, float]], OpCount]:
        """(width, height) of each box, and what Caffe computes for them at every position."""
        small, large = param.numbers("min_size"), param.numbers("max_size")
        for field in ("min_size", "max_size", "aspect_ratio"):
            if not all(map(isfinite, param.numbers(field))):
                self.refuse(f"{field} must be finite", f"{PARAM}.{field}")
        if not small or min(small) <= 0:
            self.refuse("needs a positive min_size", f"{PARAM}.min_size")
        if large and len(large) != len(small):
            self.refuse(f"{len(large)} max_size for {len(small)} min_size", f"{PARAM}.max_size")
        for index, (least, most) in enumerate(zip(small, large, strict=False)):
            if most <= least:
                self.refuse(
                    f"max_size {most:g} must be greater than min_size {least:g}",
                    f"{PARAM}.max_size",
                    index,
                )
        ratios = self._ratios(param)
        boxes = []
        for index, least in enumerate(float(int(size)) for size in small):
            boxes.append((least, least))
            if large:
                boxes.append((sqrt(least * int(large[index])),) * 2)
            boxes += [(least * sqrt(r), least / sqrt(r)) for r in ratios]
        means, stretched = len(large), len(small) * len(ratios)
        return boxes, OpCount(
            muls=means + stretched,
            divs=stretched,
            exps=means + 2 * stretched,
            compares=len(small) * (1 + len(ratios)),
        )

    def _dense(self, param: Message) -> tuple[list[tuple[float, float]], OpCount]:
        """FaceBoxes' boxes: density × density of each fixed_size and ratio; `shifts` move their centres."""
        sizes, densities = param.numbers("fixed_size"), param.numbers("density")
        if not sizes or len(sizes) != len(densities) or min(sizes) <= 0 or min(densities) < 1:
            self.refuse("needs as many positive density as fixed_size", f"{PARAM}.fixed_size")
        for other in ("min_size", "max_size"):
            if param.has(other):
                self.refuse(f"{other} and fixed_size together are not known", f"{PARAM}.{other}")
        ratios = [1.0, *self._ratios(param)]
        if param.has("fixed_ratio"):
            if param.has("aspect_ratio") or len(param.numbers("fixed_ratio")) > 1:
                self.refuse("takes one fixed_ratio, and no aspect_ratio beside it", f"{PARAM}.fixed_ratio")
            ratios = param.numbers("fixed_ratio")
        if min(ratios) <= 0:
            self.refuse("fixed_ratio must be positive", f"{PARAM}.fixed_ratio")
        boxes = []
        for size, density in zip(sizes, map(int, densities), strict=True):
            step = int(size / density)
            for ratio in ratios:
                whole = float(int(size)) if ratio == 1 else size
                boxes += [(whole * sqrt(ratio), whole / sqrt(ratio))] * density**2
                self.shifts += [
                    (step / 2 + row * step - int(size) // 2, step / 2 + column * step - int(size) // 2)
                    for row in range(density)
                    for column in range(density)
                ]
        stretched = len(sizes) * sum(ratio != 1 for ratio in ratios)
        return boxes, OpCount(adds=4 * len(boxes), muls=stretched, divs=stretched, exps=2 * stretched)

    def _offsets(self, param: Message) -> None:
        """tl_ssd's boxes: all that are stretched, at every pair of offsets."""
        pairs = [(h, w) for w in param.numbers("offset_w") for h in param.numbers("offset_h")]
        for field in ("offset_w", "offset_h"):
            for index, offset in enumerate(param.numbers(field)):
                if not 0 <= offset <= 1:
                    self.refuse(f"{field} {offset:g} must lie in [0, 1]", f"{PARAM}.{field}", index)
        if any(abs(ratio - 1) < 1e-6 for ratio in param.numbers("aspect_ratio")):
            self.refuse("tl_ssd's layer, known by its offsets, makes no box of ratio 1", f"{PARAM}.aspect_ratio")
        ratios = self._ratios(param)
        sides = [float(int(size)) for size in param.numbers("min_size")]
        boxes = [(side * sqrt(ratio), side / sqrt(ratio)) for side in sides for ratio in ratios]
        plain = len(self.boxes)
        self.boxes, self.offsets = boxes * len(pairs), [pair for pair in pairs for _ in boxes]
        if not self.boxes:
            self.refuse("needs an aspect_ratio, an offset_w and an offset_h", PARAM)
        number = len(self.boxes)
        self.preparation = OpCount(muls=number, divs=number, exps=2 * number, compares=number)
        self.warning = (
            f"offset_w and offset_h are tl_ssd's: {len(pairs)}×{len(boxes)} boxes per position, one for each pair "
            f"of offsets, min_size and aspect_ratio; SSD's own layer does not know them, and makes {plain} without"
        )

    def _told(self) -> str:
        """How many boxes a position has, and their sides, as a head's channels have to fit them."""
        sides = ", ".join(f"{round(wide, 2):g}×{round(high, 2):g}" for wide, high in self.boxes)
        number = len(self.boxes)
        return f"{number} {'box' if number == 1 else 'boxes'} per position, width × height: {sides}"

    def _ratios(self, param: Message) -> list[float]:
        """Each new ratio besides 1, with flip also its inverse."""
        ratios = _Apart()
        ratios.add(1.0)
        for ratio in param.numbers("aspect_ratio"):
            if ratio <= 0:
                self.refuse(f"aspect_ratio {ratio:g} must be positive", f"{PARAM}.aspect_ratio")
            if ratio not in ratios:
                ratios.add(ratio)
                if param.flag("flip"):
                    ratios.add(1 / ratio)
        return ratios.members[1:]

    def _variance(self, param: Message) -> list[float]:
        variances = param.numbers("variance") or [0.1]
        if len(variances) not in (1, 4) or min(variances) <= 0:
            self.refuse("needs no variance, one, or four, all positive", f"{PARAM}.variance")
        return variances * (4 // len(variances))

    def _pair(
        self, param: Message, one: str, high: str, wide: str, value_of: Callable[[str], float]
    ) -> tuple[float, float]:
        """Height and width, given as one number or as two; zeros where unset."""
        if param.has(high) or param.has(wide):
            if param.has(one):
                self.refuse(f"{one} and {high}/{wide} exclude each other", f"{PARAM}.{one}")
            for name in (high, wide):
                if not param.has(name) or value_of(name) <= 0:
                    self.refuse(f"{high} and {wide} must both be positive", f"{PARAM}.{name}")
            return value_of(high), value_of(wide)
        if not param.has(one):
            return 0, 0
        if value_of(one) <= 0:
            self.refuse(f"{one} must be positive", f"{PARAM}.{one}")
        return value_of(one), value_of(one)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×2×(H·W·priors·4)."""
        *_, high, wide = legacy(self, bottoms[0], 0)
        values = high * wide * len(self.boxes) * 4
        if not values:
            self.refuse(f"{self.named(0)} {bottoms[0]} has no position", "bottom")
        return [Shape((1, 2, values))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A corner's coordinate: an add, half a side, a div by the image; clipping two compares.
        A position: two adds and muls for its centre, and the boxes' sides, computed anew."""
        corners = tops[0][2]
        positions = corners // (4 * len(self.boxes))
        each = self.preparation
        return OpCount(
            adds=corners + (2 + each.adds) * positions,
            muls=(2 + each.muls) * positions,
            divs=2 * corners + each.divs * positions,
            compares=(2 * corners if self.clip else 0) + each.compares * positions,
            exps=each.exps * positions,
        )

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: it propagates no gradients."""
        return NOTHING

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Centres of the positions plus and minus half of each box, in units of the image."""
        high, wide = (*bottoms[0].shape, 1, 1, 1, 1)[2:4]
        if not all(self.image) and len(bottoms) < 2:
            self.refuse("needs the image as a second bottom, or img_size", f"{PARAM}.img_size")
        image_h, image_w = self.image
        if not all(self.image):
            image_h, image_w = (*bottoms[1].shape, 1, 1, 1, 1)[2:4]
        step_h, step_w = self.step if all(self.step) else (image_h / high, image_w / wide)
        sizes = np.array(self.boxes) / 2
        down, right = np.array(self.offsets).T
        x = ((np.arange(wide)[:, None] + right) * step_w)[None]
        y = ((np.arange(high)[:, None] + down) * step_h)[:, None]
        if self.shifts:
            below, beside = np.array(self.shifts).T
            x, y = x + beside, y + below
        corners = np.empty((high, wide, len(sizes), 4))
        corners[..., 0] = (x - sizes[:, 0]) / image_w
        corners[..., 1] = (y - sizes[:, 1]) / image_h
        corners[..., 2] = (x + sizes[:, 0]) / image_w
        corners[..., 3] = (y + sizes[:, 1]) / image_h
        if self.shifts:  # FaceBoxes keeps these inside the image, whatever clip says
            corners[..., :2], corners[..., 2:] = np.maximum(corners[..., :2], 0), np.minimum(corners[..., 2:], 1)
        if self.clip:
            corners = np.clip(corners, 0, 1)
        flat = corners.reshape(-1)
        variances = np.tile(np.array(self.variance), len(flat) // 4)
        return [np.stack([flat, variances]).astype(np.float32)[None]]
