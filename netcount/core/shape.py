"""Shapes of blobs, in Caffe's axis order."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

INT_MAX = 2**31 - 1
MAX_AXES = 32
"""Caffe's kMaxBlobAxes (include/caffe/blob.hpp)."""


class Shape(tuple[int, ...]):
    """The extents of a blob, any number of axes; a loss has none and holds one number.

    >>> x = Shape((10, 3, 227, 224))
    >>> x.count(), x.count(1), x.count(1, 3), x.hwc()
    (1525440, 152544, 681, '227×224×3')
    >>> x.axis(-1), Shape().count()
    (3, 1)
    """

    __slots__ = ()

    def count(self, start: int = 0, end: int | None = None) -> int:
        """Number of elements of the axes from `start` to before `end` (Caffe's Blob::count)."""
        return prod(self[start:end] if start or end is not None else self)

    def axis(self, index: int) -> int:
        """`index` counted from the front; -1 is the last axis.  IndexError when there is none."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"axis {index} is outside {self} with {len(self)} axes")
        return index + len(self) if index < 0 else index

    def replaced(self, axis: int, extent: int) -> Shape:
        """The same shape with another extent at `axis` (>= 0)."""
        return Shape((*self[:axis], extent, *self[axis + 1 :]))

    def hwc(self, images: int | None = None) -> str:
        """As people read it, for one image: N×C×H×W becomes `H×W×C`, batch left out.

        With `images` given, a first axis that is not the batch (300 boxes of one image) is told in front.

        >>> Shape((1, 3, 8, 9)).hwc(1), Shape((300, 256, 6, 7)).hwc(1), Shape((300, 5)).hwc(1)
        ('8×9×3', '300·6×7×256', '300·5')
        """
        if len(self) < 2:
            return str(self)
        n, channels, *spatial = self
        several = "" if images is None or n == images else f"{n}·"
        return several + "×".join(str(extent) for extent in (*spatial, channels))

    def __str__(self) -> str:
        return "×".join(map(str, self)) if self else "scalar"


def oversized(extents: Iterable[int]) -> str | None:
    """Why Caffe's Blob::Reshape would refuse these extents, or None."""
    total = 1
    axes = 0
    for extent in extents:
        axes += 1
        if extent < 0:
            return f"extent {extent} is negative"
        if extent > INT_MAX // (total or 1):
            return f"blob size exceeds INT_MAX ({INT_MAX})"
        total *= extent
    if axes > MAX_AXES:
        return f"{axes} axes are more than Caffe's {MAX_AXES}"
    return None
