from __future__ import annotations

from netcount.core.opcount import OpCount
from netcount.layers.detection.prior_box import PARAM, PriorBox
from netcount.prototxt.message import Message


class PriorBoxClustered(PriorBox):
    """Boxes of given widths and heights at every position.  (N×C×H×W, image) -> 1×2×(H·W·boxes·4).

    Source: prior_box_clustered_layer.cpp of Intel's training toolbox; prior_box_param has repeated
    width and height, the rest is PriorBox's.
    """

    type = "PriorBoxClustered"
    source = "Intel"

    def _boxes(self, param: Message) -> tuple[list[tuple[float, float]], OpCount]:
        widths: list[float] = param.values.get("width", [])
        heights: list[float] = param.values.get("height", [])
        if not widths or len(widths) != len(heights):
            self.refuse(
                f"{len(widths)} width and {len(heights)} height must be as many, one or more",
                f"{PARAM}.width",
            )
        for field, sides in (("width", widths), ("height", heights)):
            for index, side in enumerate(sides):
                if side <= 0:
                    self.refuse(f"{field} {side:g} must be positive", f"{PARAM}.{field}", index)
        return list(zip(widths, heights, strict=True)), OpCount()
