"""What DetectNet's Python layers share: lists of boxes, 50 an image at most."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import ShapesOnly
from netcount.layers.layer import TWO, Arity
from netcount.prototxt.message import Message

MOST = 50
"""MAX_BOXES of clustering.py: boxes of an image and class."""


class Clusters(ShapesOnly):
    """A grid as lists of boxes.  (coverage N×K×H×W, boxes N×4×H×W) -> for each class N×50×5."""

    type = "Python"
    source = "DetectNet"
    bottoms = TWO
    tops: ClassVar[Arity] = Arity(1, None)
    settings: int
    """Numbers that param_str has to give before the number of classes."""

    def read(self, message: Message) -> None:
        """The number of classes, the last of param_str's numbers; 1 where it is left out."""
        parts = [part.strip() for part in message.child("python_param").text("param_str").split(",")]
        numbers = [part for part in parts if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", part)]
        if len(numbers) < self.settings or len(numbers) != len(parts):
            self.refuse(f"param_str needs {self.settings} numbers, separated by commas", "python_param.param_str")
        last = numbers[self.settings] if len(numbers) > self.settings else "1"
        if not last.isdigit() or int(last) != self.top_count:
            self.refuse(f"needs a top for each of {last} classes, not {self.top_count}", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×50×5 for each class."""
        coverage = bottoms[0]
        if len(coverage) != 4 or coverage[1] != self.top_count:
            self.refuse(
                f"{self.named(0)} {coverage} must be N×{self.top_count}×H×W, a channel per class", "bottom"
            )
        return [Shape((coverage[0], MOST, 5))] * self.top_count
