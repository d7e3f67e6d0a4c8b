from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.errors import Advice
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Arity, Wanted, Window, WorkingMemory
from netcount.layers.sight import Sight, same, whole, windowed
from netcount.layers.window import covered, pooled, spatial_text
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


PARAM = "pooling_param"


def window_ops(method: str, seen: int, outputs: int) -> OpCount:
    """Operations for windows that see `seen` elements together."""
    if method == "MAX":
        return OpCount(compares=seen)
    if method == "AVE":
        return OpCount(adds=seen, divs=outputs)
    return OpCount(adds=2 * seen, muls=seen, divs=outputs, compares=outputs)


def gradient_ops(method: str, forward: OpCount, outputs: int) -> OpCount | None:
    """Operations of the gradients of windows whose values cost `forward`; None where Caffe has none on the CPU."""
    if method == "MAX":
        return OpCount(adds=outputs)
    return OpCount(adds=forward.adds, divs=forward.adds) if method == "AVE" else None


def reduced(method: str, x: Array, starts: Sequence[range], kernel: Sequence[int], pad: Sequence[int]) -> Array:
    """`x` (N, C, H, W) with one value for each window."""
    from netcount.kernels.window_reduce import largest, mean, quadratic_mean  # only to execute

    if method == "MAX":
        return largest(x, starts, kernel)
    if method == "AVE":
        return mean(x, starts, kernel, pad)
    return quadratic_mean(x, starts, kernel)


class Pooling(NoBlobs):
    """Largest (MAX), or average (AVE), value of each window.  N×C×H×W -> N×C×H'×W'.

    The output is rounded up unless round_mode is FLOOR; windows are clipped at the input's edge
    (an average still divides by the padded window).  A second top of MAX is the mask: where in the
    H×W plane the value stood.  STOCHASTIC weighs each value with itself, as Caffe does in phase
    TEST.  Source: pooling_layer.cpp.
    """

    type = "Pooling"
    tops: ClassVar[Arity] = Arity(1, 2)
    method: str
    whole: bool
    floor: bool
    kernel: tuple[int, int]
    pad: tuple[int, int]
    stride: tuple[int, int]

    @classmethod
    def variant(cls, message: Message) -> str | None:
        """Forks' pooling over more axes, known by fields that only they have."""
        param = message.child(PARAM)
        if any(param.has(field) for field in ("kernel_depth", "temporal_stride")):
            return "Pooling3D"
        more = any(param.has(field) for field in ("dilation", "kernel_size_3d", "stride_3d", "pad_3d"))
        return "PoolingND" if more or param.integer("axis") != 1 else None

    def read(self, message: Message) -> None:
        """Method, window and rounding; `ceil_mode: false` is a fork's name for FLOOR."""
        param = message.child(PARAM)
        self.method = param.text("pool")
        self.whole = param.flag("global_pooling")
        self.floor = param.text("round_mode") == "FLOOR" or not param.flag("ceil_mode")
        if self.top_count > 1 and self.method != "MAX":
            self.refuse(f"a second top (the mask) is for MAX, not {self.method}", "top", 1)
        self.kernel = self._kernel(param)
        self.pad = self._pair(param, "pad")
        self.stride = self._pair(param, "stride")
        if self.whole and (any(self.pad) or self.stride != (1, 1)):
            self.refuse(
                f"global pooling takes pad 0 and stride 1, not {spatial_text(self.pad)} and "
                f"{spatial_text(self.stride)}",
                f"{PARAM}.global_pooling",
            )
        if 0 in self.stride:
            self.refuse(f"stride {spatial_text(self.stride)} must be positive", self._field("stride"))
        if any(self.pad):
            self._check_pad()

    def _check_pad(self) -> None:
        if self.method == "STOCHASTIC":
            self.refuse("padding is for MAX and AVE, not STOCHASTIC", self._field("pad"))
        for pad, kernel in zip(self.pad, self.kernel, strict=True):
            if pad >= kernel:
                self.refuse(f"pad {pad} must be less than kernel {kernel}", self._field("pad"))

    def _field(self, name: str) -> str:
        """The path of the field that gives this part of the window."""
        param = self.message.child(PARAM)
        one = "kernel_size" if name == "kernel" else name
        return f"{PARAM}.{one if param.has(one) or not param.has(f'{name}_h') else f'{name}_h'}"

    def _kernel(self, param: Message) -> tuple[int, int]:
        fields = [name for name in ("kernel_size", "kernel_h", "kernel_w") if param.has(name)]
        if self.whole:
            if fields:
                self.refuse(f"global pooling takes no {fields[0]}", f"{PARAM}.{fields[0]}")
            return (0, 0)
        one = "kernel_size" in fields
        if one == ("kernel_h" in fields and "kernel_w" in fields):
            given = " and ".join(fields) or "neither"
            self.refuse(
                f"needs either kernel_size or both kernel_h and kernel_w, not {given}",
                f"{PARAM}.{fields[0]}" if fields else PARAM,
            )
        names = ("kernel_size", "kernel_size") if one else ("kernel_h", "kernel_w")
        kernel = param.integer(names[0]), param.integer(names[1])
        for name, extent in zip(names, kernel, strict=True):
            if not 0 < extent < 2**31:
                self.refuse(f"{name} {extent} must be positive", f"{PARAM}.{name}")
        return kernel

    def _pair(self, param: Message, name: str) -> tuple[int, int]:
        high, wide = f"{name}_h", f"{name}_w"
        fields = [field for field in (name, high, wide) if param.has(field)]
        if fields not in ([], [name], [high, wide]):
            self.refuse(
                f"needs either {name} or both {high} and {wide}, not {' and '.join(fields)}",
                f"{PARAM}.{fields[-1]}",
            )
        if len(fields) < 2:
            return (param.integer(name),) * 2
        return param.integer(high), param.integer(wide)

    def _over(self, bottom: Sequence[int]) -> tuple[int, int]:
        """The kernel; the whole extent for global pooling."""
        return (bottom[2], bottom[3]) if self.whole else self.kernel

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        (bottom,) = bottoms
        if len(bottom) != 4:
            lead = "to pool over all axes behind the channels, as some forks do,"
            advice = [Advice("assume", "PoolingND", "Pooling", lead)] if len(bottom) > 4 else []
            self.refuse(f"needs 4 axes N×C×H×W, not {bottom}", "bottom", advice=advice)
        n, c, *spatial = bottom
        kernel = self._over(bottom)
        if 0 in kernel:
            self.refuse(f"global pooling needs elements, not {bottom}", f"{PARAM}.global_pooling")
        extents = pooled(spatial, kernel, self.stride, self.pad, self.floor)
        if min(extents) < 0:
            self.refuse(
                f"kernel {spatial_text(kernel)} with stride {spatial_text(self.stride)} and pad "
                f"{spatial_text(self.pad)} makes {spatial_text(extents)} of {spatial_text(spatial)}; "
                "an extent must not be negative",
                self._field("kernel"),
            )
        return [Shape((n, c, *extents))] * self.top_count

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """For each element of each clipped window a compare (MAX), or an add (AVE), or an add, a
        square and another add (STOCHASTIC); for each window a div (not MAX), and a compare before
        it (STOCHASTIC)."""
        (bottom,) = bottoms
        n, c, *spatial = bottom
        seen = n * c
        for axis in zip(spatial, tops[0][2:], self._over(bottom), self.stride, self.pad, strict=True):
            seen *= covered(*axis)
        return window_ops(self.method, seen, tops[0].count())

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """MAX: an add an output, where its value stood.  AVE: a div and an add for each element of each window.
        Caffe has none for STOCHASTIC on the CPU, where it is not written down."""
        return (
            gradient_ops(self.method, self.ops(bottoms, tops), tops[0].count()) if wanted.bottoms[0] else NOTHING
        )

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride and pad."""
        return Window(self._over(bottoms[0]), self.stride, self.pad, (1, 1))

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """The window's elements, of one channel; of the whole plane for global pooling."""
        if self.whole:
            return [same(0), same(1), *map(whole, bottoms[0][2:])]
        axes = zip((2, 3), self.kernel, self.stride, self.pad, (1, 1), strict=True)
        return [same(0), same(1), *(windowed(*axis) for axis in axes)]

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The rows' values, before the columns are merged; for STOCHASTIC also squares and sums."""
        (bottom,) = bottoms
        rows = tops[0].count(0, 3) * bottom[3]
        if self.method == "STOCHASTIC":
            rows += bottom.count() + 2 * tops[0].count()
        return WorkingMemory(forward=rows)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Rows first, then columns; the mask looks at every element of the kernel by itself."""
        from netcount.kernels.window_reduce import places, where_largest

        (x,) = bottoms
        kernel = self._over(x.shape)
        starts = places(x.shape[2:], kernel, self.stride, self.pad, self.floor)
        if self.top_count > 1:
            return list(where_largest(x, starts, kernel))
        return [reduced(self.method, x, starts, kernel, self.pad)]
