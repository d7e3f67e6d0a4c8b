"""What Faster R-CNN trains on: anchors and proposals matched to the truth, some of them sampled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.kernels.anchors import RATIOS, SCALES

if TYPE_CHECKING:
    import numpy as numpy_types

    from netcount.kernels.run import Indices


SAMPLED = 128
"""py-faster-rcnn's TRAIN.BATCH_SIZE: boxes sampled for training."""


OBJECTS = SAMPLED // 4
"""Of them objects, at most (FG_FRACTION)."""


ENOUGH = 0.5
"""Overlap from which a proposal is an object (FG_THRESH)."""


DEVIATIONS = (0.1, 0.1, 0.2, 0.2)
"""What targets are divided by (BBOX_NORMALIZE_STDS)."""


ANCHORS_SAMPLED = 256
"""RPN_BATCHSIZE: anchors sampled for training, half of them objects at most."""


OBJECT, EMPTY = 0.7, 0.3
"""Overlaps from which an anchor is an object, and below which it is none."""


def setting(text: str, key: str, default: int) -> int:
    """A whole number of a Python layer's param_str (a few keys of YAML)."""
    match = re.search(rf"(?<![\w]){key}['\"]?\s*:\s*(\d{{1,9}})", text)
    return int(match[1]) if match else default


def numbers_of(text: str, key: str) -> list[float]:
    """The list of positive numbers that a param_str gives a key; empty where it gives none."""
    match = re.search(rf"(?<!\w){key}['\"]?\s*:\s*(?:!!python/tuple\s*)?[\[(]([\d\s,.eE+-]*)[\])]", text)
    parts = [part.strip() for part in match[1].split(",")] if match else []
    return [float(part) for part in parts if re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", part)]


class AnchorSet:
    """The anchors of a Python layer's param_str: for each ratio of height to width every scale.

    Where it names neither, py-faster-rcnn's three each are its custom, but as many as the channels of
    a bottom ask for: who has others has edited generate_anchors.py, which the file does not show.
    """

    named: bool
    ratios: list[float]
    scales: list[float]

    def __init__(self, text: str) -> None:
        ratios, scales = numbers_of(text, "ratios"), numbers_of(text, "scales")
        self.named = bool(ratios or scales)
        self.ratios, self.scales = ratios or list(RATIOS), scales or list(SCALES)

    def number(self, channels: int, each: int) -> int:
        """How many anchors a position has, for a bottom with `each` channels per anchor."""
        if self.named or channels < each or channels % each:
            return len(self.ratios) * len(self.scales)
        return channels // each

    def known(self, number: int) -> bool:
        """Whether the file, or custom, says what the anchors are."""
        return number == len(self.ratios) * len(self.scales)


def _drawn(indices: Indices, most: int, generator: numpy_types.random.Generator) -> Indices:
    """At most `most` of the indices, in the order they are drawn."""
    if not len(indices):
        return indices
    return generator.choice(indices, size=min(most, len(indices)), replace=False)


def _drop(labels: Indices, label: int, most: int, generator: numpy_types.random.Generator) -> None:
    """Mark −1 what is drawn from the anchors of a label that are more than `most`."""
    matching = np.flatnonzero(labels == label)
    if len(matching) > most:
        labels[generator.choice(matching, size=len(matching) - most, replace=False)] = -1
