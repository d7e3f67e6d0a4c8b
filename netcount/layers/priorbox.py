"""Default boxes of single-shot detectors, as a blob 1×2×(4·boxes): corners, then variances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.layer import TWO
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run

PARAM = "prior_box_param"


class PriorBox(NoBlobs):
    """Boxes at every position of a feature map.  (N×C×H×W, image) -> 1×2×(H·W·priors·4).

    Source: prior_box_layer.cpp of SSD; Liu et al. 2016, arXiv 1512.02325.
    """

    type = "PriorBox"
    source = "SSD"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """The boxes' widths and heights, in the order of the output."""
        param = message.child(PARAM)
        self.clip, self.offset = param.flag("clip"), param.number("offset")
        self.variance = self._variance(param)
        self.image = self._pair(param, "img_size", "img_h", "img_w", param.integer)
        self.step = self._pair(param, "step", "step_h", "step_w", param.number)
        self.boxes = self._boxes(param)

    def _boxes(self, param: Message) -> list[tuple[float, float]]:
        small, large = param.numbers("min_size"), param.numbers("max_size")
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
            boxes += [(least * sqrt(r), least / sqrt(r)) for r in ratios if abs(r - 1) >= 1e-6]
        return boxes

    def _ratios(self, param: Message) -> list[float]:
        """1, then each new ratio, with flip also its inverse."""
        ratios = [1.0]
        for ratio in param.numbers("aspect_ratio"):
            if ratio <= 0:
                self.refuse(f"aspect_ratio {ratio:g} must be positive", f"{PARAM}.aspect_ratio")
            if all(abs(ratio - known) >= 1e-6 for known in ratios):
                ratios.append(ratio)
                if param.flag("flip"):
                    ratios.append(1 / ratio)
        return ratios

    def _variance(self, param: Message) -> list[float]:
        found = param.numbers("variance") or [0.1]
        if len(found) not in (1, 4) or min(found) <= 0:
            self.refuse("needs no variance, one, or four, all positive", f"{PARAM}.variance")
        return found * (4 // len(found))

    def _pair(
        self, param: Message, one: str, high: str, wide: str, get: Callable[[str], float]
    ) -> tuple[float, float]:
        if param.has(high) or param.has(wide):
            if param.has(one):
                self.refuse(f"{one} and {high}/{wide} exclude each other", f"{PARAM}.{one}")
            pair = (get(high), get(wide))
        elif param.has(one):
            pair = (get(one), get(one))
        else:
            return (0, 0)
        if min(pair) <= 0:
            self.refuse(f"{one} must be positive", f"{PARAM}.{one}")
        return pair

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """1×2×(H·W·priors·4)."""
        features = bottoms[0]
        if len(features) != 4:
            self.refuse(f"{self.named(0)} {features} must be N×C×H×W", "bottom")
        values = features.count(2) * len(self.boxes) * 4
        if not values:
            self.refuse(f"{self.named(0)} {features} has no position", "bottom")
        return [Shape((1, 2, values))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A box: four adds, divs and halvings; a position: its centre; clipping two compares."""
        corners = tops[0].count() // 2
        positions = bottoms[0].count(2)
        return OpCount(
            adds=corners + 2 * positions,
            muls=2 * positions,
            divs=2 * corners,
            compares=2 * corners if self.clip else 0,
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Centres of the positions plus and minus half of each box, in units of the image."""
        features, image = bottoms
        high, wide = features.shape[2:]
        image_h, image_w = self.image if all(self.image) else image.shape[2:4]
        step_h, step_w = self.step if all(self.step) else (image_h / high, image_w / wide)
        sizes = np.array(self.boxes) / 2
        x = ((np.arange(wide) + self.offset) * step_w)[None, :, None]
        y = ((np.arange(high) + self.offset) * step_h)[:, None, None]
        corners = np.empty((high, wide, len(sizes), 4))
        corners[..., 0] = (x - sizes[:, 0]) / image_w
        corners[..., 1] = (y - sizes[:, 1]) / image_h
        corners[..., 2] = (x + sizes[:, 0]) / image_w
        corners[..., 3] = (y + sizes[:, 1]) / image_h
        if self.clip:
            corners = np.clip(corners, 0, 1)
        flat = corners.reshape(-1)
        variances = np.tile(np.array(self.variance), len(flat) // 4)
        return [np.stack([flat, variances]).astype(np.float32)[None]]


class PriorBoxClustered(PriorBox):
    """Boxes of given widths and heights at every position.  (N×C×H×W, image) -> 1×2×(H·W·boxes·4).

    Source: OpenVINO's PriorBoxClustered; fields of prior_box_param: width, height, step, offset.
    """

    type = "PriorBoxClustered"
    source = "OpenVINO"

    def _boxes(self, param: Message) -> list[tuple[float, float]]:
        widths, heights = param.numbers("width"), param.numbers("height")
        if not widths or len(widths) != len(heights):
            self.refuse(f"{len(widths)} widths and {len(heights)} heights must pair", f"{PARAM}.width")
        return list(zip(widths, heights, strict=True))
