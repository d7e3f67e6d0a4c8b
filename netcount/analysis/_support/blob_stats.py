"""What was counted in the values of a parameter blob."""

from __future__ import annotations

from typing import NamedTuple


class BlobStats(NamedTuple):
    """What a parameter blob holds.

    Attributes:
        layer: Whose blob it is.
        index: Which of the layer's blobs.
        role: "weight", "bias" or "statistic".
        elements: How many values it has.
        nonzero: How many are not 0.
        distinct: How many differ, 0 included.
        least: The smallest that is finite.
        most: The largest that is finite.
        nonfinite: How many are infinite or not a number.
    """

    layer: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants of these
    role: str
    elements: int
    nonzero: int
    distinct: int
    least: float
    most: float
    nonfinite: int
