from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Arity, Wanted, Window, WorkingMemory
from netcount.layers.pooling.pooling import gradient_ops, window_ops
from netcount.layers.sight import Sight, same, whole, windowed
from netcount.layers.window import spatial_text
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Volume(NoBlobs):
    """Largest, or average, value of each window over any number of axes behind `axis`; rounded up.

    An average is divided by the window with its padding, but nothing beyond it.  A subclass reads the
    window; kernel, stride, pad and dilation are one extent for all axes, or one per axis.
    """

    tops: ClassVar[Arity] = Arity(1, 2)
    param: str
    method: str
    whole: bool = False
    axis_given: int = 1
    axes: ClassVar[int | None] = None
    """How many axes there are, where a fork knows but one number."""
    clipped: bool = True
    """Whether with padding a last window behind the input is dropped."""
    together: bool = False
    """Whether padding on one axis drops the last windows of all."""
    kernel: Sequence[int]
    stride: Sequence[int]
    pad: Sequence[int]
    dilation: Sequence[int] = (1,)

    def check_window(self, param: Message) -> None:
        """Refuse what no window can be."""
        for name, extents in (("kernel_size", self.kernel), ("stride", self.stride), ("dilation", self.dilation)):
            if not self.whole and (not extents or min(extents) < 1):
                self.refuse(f"{name} must be positive on every axis", f"{self.param}.{name}")
        if self.top_count > 1 and self.method != "MAX":
            self.refuse(f"a second top (the mask) is for MAX, not {self.method}", "top", 1)

    def _over(self, spatial: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Kernel, stride, pad and dilation of each axis."""
        axes = len(spatial)
        given = (spatial if self.whole else self.kernel, self.stride, self.pad, self.dilation)
        return tuple(tuple(extents) if len(extents) == axes else tuple(extents) * axes for extents in given)

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The extents behind `axis`, each by its own window."""
        (bottom,) = bottoms
        axis = self.axis(bottom, self.axis_given, f"{self.param}.axis") + 1
        spatial = bottom[axis:]
        if not spatial or (self.axes and len(spatial) != self.axes):
            what = "axes behind the channels" if self.axes is None else f"{self.axes} axes behind the channels"
            self.refuse(f"needs {what}, not {bottom}", "bottom")
        given_extents = {
            "kernel_size": self.kernel,
            "stride": self.stride,
            "pad": self.pad,
            "dilation": self.dilation,
        }
        for name, extents in given_extents.items():
            if len(extents) not in (1, len(spatial)) and not self.whole:
                given = f"{name} is given {len(extents)} times for {len(spatial)} spatial axes"
                self.refuse(f"{given}; give one, or one per axis", f"{self.param}.{name}")
        kernel, stride, pad, dilation = self._over(spatial)
        made = []
        for e, k, s, p, d in zip(spatial, kernel, stride, pad, dilation, strict=True):
            steps = -(-(e + 2 * p - (k - 1) * d - 1) // s)
            drops = self.clipped and (any(pad) if self.together else p > 0)
            made.append(steps + 1 - (drops and steps * s >= e + p))
            if drops and (made[-1] - 1) * s >= e + p:  # Caffe takes off one window, and checks the rest
                told = f"pad {spatial_text(pad)} puts a window of stride {spatial_text(stride)} behind {bottom}"
                self.refuse(told, f"{self.param}.pad")
        if min(made) < 1:
            self.refuse(
                f"kernel {spatial_text(kernel)} with stride {spatial_text(stride)} and pad {spatial_text(pad)} "
                f"makes {spatial_text(made)} of {spatial_text(spatial)}",
                f"{self.param}.kernel_size",
            )
        return [Shape((*bottom[:axis], *made))] * self.top_count

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """As Pooling: for each element that a window sees a compare or an add; a div a window for AVE."""
        axis = bottoms[0].axis(self.axis_given) + 1
        seen = bottoms[0].count(0, axis)
        spatial = bottoms[0][axis:]
        for extent, outputs, *axes in zip(spatial, tops[0][axis:], *self._over(spatial), strict=True):
            seen *= seen_along(extent, outputs, *axes)
        return window_ops(self.method, seen, tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """As Pooling."""
        return (
            gradient_ops(self.method, self.ops(bottoms, tops), tops[0].count()) if wanted.bottoms[0] else NOTHING
        )

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride, pad and dilation."""
        return Window(*self._over(bottoms[0][bottoms[0].axis(self.axis_given) + 1 :]))  # type: ignore[arg-type]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The window's elements, of one channel; of the whole volume for global pooling."""
        axis = bottoms[0].axis(self.axis_given) + 1
        if self.whole:
            return [*map(same, range(axis)), *map(whole, bottoms[0][axis:])]
        moving = enumerate(zip(*self._over(bottoms[0][axis:]), strict=True), axis)
        return [*map(same, range(axis)), *(windowed(at, *one) for at, one in moving)]

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """For MAX a mask that is no top, which values are larger, and positions; for AVE sums and the windows'
        sizes; for STOCHASTIC sums, and squares or their sums."""
        axis = bottoms[0].axis(self.axis_given) + 1
        top, plane = tops[0].count(), tops[0].count(axis)
        if self.method == "MAX":
            larger = ceil(top / 2)  # this tap's and the last one's, a byte each
            masks = 2 - self.top_count
            return WorkingMemory(forward=masks * top + larger + 2 * bottoms[0].count(axis) + plane)
        if self.method == "AVE":
            return WorkingMemory(forward=top + plane)
        return WorkingMemory(forward=max(bottoms[0].count() + top, ceil(2.25 * top)))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Element by element of the kernel."""
        from netcount.kernels.window_reduce import summed, where_largest

        (bottom,) = bottoms
        axis = self.axis_given % bottom.ndim + 1
        spatial = bottom.shape[axis:]
        x = bottom.reshape(-1, 1, *spatial)
        kernel, stride, pad, dilation = self._over(spatial)
        starts = self._starts(spatial, kernel, stride, pad, dilation)
        if self.method == "MAX":
            made = list(where_largest(x, starts, kernel, dilation))[: self.top_count]
        elif self.method == "AVE":
            sizes = [
                [sum(begin + o * d < e + p for o in range(k)) for begin in begins]
                for begins, e, k, p, d in zip(starts, spatial, kernel, pad, dilation, strict=True)
            ]
            with np.errstate(invalid="ignore"):  # a window behind the input has size 0 in these forks too
                total = summed(x, starts, kernel, dilation)
                made = [total / reduce(np.multiply.outer, [np.asarray(size, np.float32) for size in sizes])]
        else:
            sums, squares = (summed(values, starts, kernel, dilation) for values in (x, x * x))
            made = [np.divide(squares, sums, out=np.zeros_like(sums), where=sums > 0)]
        return [y.reshape(*bottom.shape[:axis], *y.shape[2:]) for y in made]

    def _starts(self, spatial: Sequence[int], *window: Sequence[int]) -> list[range]:
        """Where the windows of each axis start."""
        from netcount.kernels.window_reduce import places

        kernel, stride, pad, dilation = window
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        if self.clipped and self.together:
            return places(spatial, spans, stride, pad, floor=False)
        starts = []
        for e, k, s, p in zip(spatial, spans, stride, pad, strict=True):
            if self.clipped:
                starts += places([e], [k], [s], [p], floor=False)
            else:
                (begins,) = places([e + 2 * p], [k], [s], [0], floor=False)
                starts.append(range(-p, begins.stop - p, s))
        return starts


def seen_along(extent: int, outputs: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Input elements that all windows of one axis see together, the padding left out.

    >>> seen_along(9, 5, 3, 2, 1, 1), seen_along(9, 3, 3, 2, 0, 2)
    (13, 9)
    """
    total = 0
    for tap in range(0, kernel * dilation, dilation):
        first, last = -((tap - pad) // stride), -((tap - pad - extent) // stride)
        total += max(0, min(outputs, last) - max(0, first))
    return total
