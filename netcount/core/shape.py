"""Shapes of blobs, in Caffe's axis order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        return type(self)((*self[:axis], extent, *self[axis + 1 :]))

    def permuted(self, order: Sequence[int]) -> Shape:
        """The same axes in another order; `Reordered` where the plane of an image is no longer at the end.

        >>> Shape((1, 16, 8, 9)).permuted((0, 2, 3, 1)).hwc(), Shape((1, 16, 8, 9)).permuted((1, 0, 2, 3)).hwc()
        ('[1×8×9×16]', '8×9×1')
        """
        image = self.is_image and tuple(order[2:]) == (2, 3)
        return (Shape if image else Reordered)(self[axis] for axis in order)

    @property
    def is_image(self) -> bool:
        """Whether the blob is N×C×H×W: four axes, of which the last two are spatial."""
        return len(self) == 4

    def hwc(self, images: int | None = None) -> str:
        """As people read it: N×C×H×W becomes `H×W×C` for one image, batch left out.

        With `images` given, a first axis that is not the batch (300 boxes of one image) stands in front.
        Any other blob is shown in Caffe's order, all of it, in brackets.

        >>> Shape((1, 3, 8, 9)).hwc(1), Shape((300, 256, 6, 7)).hwc(1)
        ('8×9×3', '300·6×7×256')
        >>> Shape((300, 5)).hwc(1), Shape((1, 3, 16, 8, 9)).hwc(1), Shape().hwc()
        ('[300×5]', '[1×3×16×8×9]', 'scalar')
        """
        if not self.is_image:
            return f"[{self}]" if self else str(self)
        n, channels, high, wide = self
        several = "" if images is None or n == images else f"{n}·"
        return f"{several}{high}×{wide}×{channels}"

    def __str__(self) -> str:
        return "×".join(map(str, self)) if self else "scalar"


class Reordered(Shape):
    """A shape whose last two axes are not those of an image's plane, though there may be four (Permute).

    >>> Reordered((1, 8, 9, 16)).hwc(1), Reordered((1, 8, 9, 16)) == (1, 8, 9, 16)
    ('[1×8×9×16]', True)
    """

    __slots__ = ()

    @property
    def is_image(self) -> bool:
        """Never."""
        return False


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
