"""Which prior stands for which box of the truth (MatchBBox in bbox_util.cpp of SSD)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netcount.core.lazy_numpy import np
from netcount.kernels.boxes import overlaps
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Indices


class Truth(NamedTuple):
    """The boxes of one image: labels G and corners G×4."""

    labels: Indices
    boxes: Array


class Match(NamedTuple):
    """For each prior the box of the truth it stands for (−1 none, −2 left out), and its largest
    overlap with any; `code` is the class whose locations it uses."""

    code: int
    box: Indices
    overlap: Array


def match(boxes: Array, truth: Array, param: Message) -> tuple[Indices, Array]:
    """For each box the one of the truth it is matched to, and its largest overlap with any.

    Every box of the truth takes the box that overlaps it most, the best pair first; then, unless
    match_type is BIPARTITE, the other boxes take the one they overlap most and enough.
    """
    index = np.full(len(boxes), -1, dtype=np.int64)
    if not len(truth):
        return index, np.zeros(len(boxes), dtype=np.float32)
    shared = overlaps(boxes, truth)
    if param.flag("ignore_cross_boundary_bbox"):
        crossing = ((boxes < 0) | (boxes > 1)).any(axis=1)
        index[crossing], shared[crossing] = -2, 0
    shared = np.where(shared > 1e-6, shared, 0)
    free = np.where((index == -1)[:, None], shared, 0)
    for _ in range(len(truth)):
        row, column = divmod(int(free.argmax()), len(truth))
        if free[row, column] <= 0:
            break
        index[row] = column
        free[row], free[:, column] = 0, 0
    best: Array = shared.max(axis=1)
    if param.text("match_type") == "PER_PREDICTION":
        least = np.float32(param.number("overlap_threshold"))
        enough = (index == -1) & (best > 0) & (best >= least)
        index[enough] = shared[enough].argmax(axis=1)
    paired = index > -1
    best[paired] = shared[paired, index[paired]]
    return index, best
