"""What Faster R-CNN trains on: anchors and proposals matched to the truth, some of them sampled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.kernels.anchors import SCALES

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
    found = re.search(rf"(?<![\w]){key}['\"]?\s*:\s*(\d{{1,9}})", text)
    return int(found[1]) if found else default


def scales_of(text: str) -> list[float]:
    """The anchor scales of a param_str."""
    found = re.search(r"(?<!\w)scales['\"]?\s*:\s*(?:!!python/tuple\s*)?[\[(]([\d\s,.]*)[\])]", text)
    return [float(part) for part in found[1].split(",") if part.strip()] if found else list(SCALES)


def _drawn(indices: Indices, most: int, generator: numpy_types.random.Generator) -> Indices:
    """At most `most` of the indices, in the order they are drawn."""
    if not len(indices):
        return indices
    return generator.choice(indices, size=min(most, len(indices)), replace=False)


def _drop(labels: Indices, label: int, most: int, generator: numpy_types.random.Generator) -> None:
    """Mark −1 what is drawn from the anchors of a label that are more than `most`."""
    found = np.flatnonzero(labels == label)
    if len(found) > most:
        labels[generator.choice(found, size=len(found) - most, replace=False)] = -1
