from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

REACH = 3
"""How far around a peak its centre of mass is taken."""


class Nms(NoBlobs):
    """The peaks of heat maps: joints of people.  N×C×H×W -> N×num_parts×(max_peaks+1)×3.

    Of each map the first row is the number of peaks, the others x, y (the centre of mass around the
    peak) and score.  Source: src/caffe/cpm/layers/nms_layer.cpp and .cu of OpenPose's caffe_rtpose.
    """

    type = "Nms"
    source = "OpenPose"
    threshold: float
    parts: int
    peaks: int

    def read(self, message: Message) -> None:
        """Threshold, parts and peaks."""
        param = message.child("nms_param")
        self.threshold = param.number("threshold")
        self.parts, self.peaks = param.integer("num_parts"), param.integer("max_peaks")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×num_parts×(max_peaks+1)×3."""
        if len(bottoms[0]) != 4:
            self.refuse(f"{self.named(0)} {bottoms[0]} must be N×C×H×W", "bottom")
        return [Shape((bottoms[0][0], self.parts, self.peaks + 1, 3))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """Nine compares a position of each part, and an add for its place; of max_peaks peaks the
        centre of mass of 49 values."""
        positions, peaks = bottoms[0][0] * self.parts * bottoms[0].count(2), tops[0].count(0, 3)
        values = peaks * (2 * REACH + 1) ** 2
        return OpCount(
            adds=positions + 3 * values, muls=2 * values, divs=2 * peaks, compares=9 * positions + 5 * values
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The first maps of each image; what is not a peak stays 0."""
        (x,) = bottoms
        if x.shape[1] < self.parts:
            self.refuse(f"num_parts {self.parts} is more than the maps of {self.named(0)}", "nms_param.num_parts")
        out = np.zeros((len(x), self.parts, self.peaks + 1, 3), dtype=np.float32)
        for image in range(len(x)):
            for part in range(self.parts):
                peaks = _peaks(x[image, part], self.threshold)
                out[image, part, 0, 0] = len(peaks)
                for row, (line, column) in enumerate(peaks[: self.peaks], 1):
                    out[image, part, row] = _centre(x[image, part], line, column)
        return [out]


def _peaks(heat: Array, threshold: float) -> list[tuple[int, int]]:
    """Positions inside H×W that are above the threshold and above all their neighbours."""
    inner = heat[1:-1, 1:-1]
    high, wide = inner.shape
    above = inner > threshold
    for line in range(3):
        for column in range(3):
            if (line, column) != (1, 1):
                above &= inner > heat[line : line + high, column : column + wide]
    return [(int(line) + 1, int(column) + 1) for line, column in np.argwhere(above)]


def _centre(heat: Array, line: int, column: int) -> tuple[float, float, float]:
    """Centre of mass of the positive values around a peak, and its own value; neither line nor column
    0 counts, and no line from W on, which the kernel takes for the height."""
    high, wide = heat.shape
    lines = np.arange(max(1, line - REACH), min(high, wide, line + REACH + 1))
    columns = np.arange(max(1, column - REACH), min(wide, column + REACH + 1))
    mass = np.maximum(heat[np.ix_(lines, columns)], 0)
    total = float(mass.sum()) or 1.0
    x, y = float((mass * columns).sum()), float((mass * lines[:, None]).sum())
    return x / total, y / total, float(heat[line, column])
