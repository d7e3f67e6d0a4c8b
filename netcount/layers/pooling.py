"""Pooling: one value for each window, without weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import NoBlobs
from netcount.layers.column import padded, taps
from netcount.layers.layer import Arity, Window
from netcount.layers.window import covered, pooled
from netcount.lazy import np
from netcount.opcount import OpCount
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run

PARAM = "pooling_param"
LOWEST = -3.4028234663852886e38
"""-FLT_MAX, what Caffe's maximum starts from."""
SMALLEST = 1.1754943508222875e-38
"""FLT_MIN, what Caffe's stochastic sum starts from."""


class Pooling(NoBlobs):
    """Largest (MAX), or average (AVE), value of each window.  N×C×H×W -> N×C×H'×W'.

    The output is rounded up unless round_mode is FLOOR; windows are clipped at the input's edge
    (an average still divides by the padded window).  A second top of MAX is the mask of positions.
    Source: pooling_layer.cpp.
    """

    type = "Pooling"
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """Method, window and rounding."""
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
            self.refuse("global pooling takes no pad, and stride 1", f"{PARAM}.global_pooling")
        if 0 in self.stride:
            self.refuse("stride must not be 0", f"{PARAM}.stride")
        if any(self.pad):
            if self.method == "STOCHASTIC":
                self.refuse("padding is for MAX and AVE, not STOCHASTIC", f"{PARAM}.pad")
            for pad, kernel in zip(self.pad, self.kernel, strict=True):
                if pad >= kernel:
                    self.refuse(f"pad {pad} must be less than kernel {kernel}", f"{PARAM}.pad")

    def _kernel(self, param: Message) -> tuple[int, int]:
        both = param.has("kernel_h") and param.has("kernel_w")
        if self.whole:
            for field in ("kernel_size", "kernel_h", "kernel_w"):
                if param.has(field):
                    self.refuse(f"global pooling takes no {field}", f"{PARAM}.{field}")
            return (0, 0)
        if param.has("kernel_size") == both:
            self.refuse(
                "needs a kernel_size, or kernel_h and kernel_w, and not both", f"{PARAM}.kernel_size"
            )
        kernel = (param.integer("kernel_h"), param.integer("kernel_w"))
        if param.has("kernel_size"):
            kernel = (param.integer("kernel_size"),) * 2
        if 0 in kernel:
            self.refuse("kernel must not be 0", f"{PARAM}.kernel_size")
        return kernel

    def _pair(self, param: Message, name: str) -> tuple[int, int]:
        high, wide = f"{name}_h", f"{name}_w"
        one, two = param.has(name), (param.has(high), param.has(wide))
        if any(two) and (one or not all(two)):
            self.refuse(f"needs {name}, or {high} and {wide}, and not both", f"{PARAM}.{high}")
        if not two[0]:
            return (param.integer(name),) * 2
        return param.integer(high), param.integer(wide)

    def _over(self, bottom: Sequence[int]) -> tuple[int, int]:
        """The kernel; the whole extent for global pooling."""
        return (bottom[2], bottom[3]) if self.whole else self.kernel

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        (bottom,) = bottoms
        if len(bottom) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {bottom}", "bottom")
        n, c, *spatial = bottom
        extents = []
        for extent, kernel, stride, pad in zip(
            spatial, self._over(bottom), self.stride, self.pad, strict=True
        ):
            outputs = pooled(extent, kernel, stride, pad, self.floor)
            if outputs < 0 or (pad and (outputs - 1) * stride >= extent + pad):
                self.refuse(
                    f"its window {kernel} does not fit into {bottom} with pad {pad}; the output would "
                    f"be {outputs}",
                    f"{PARAM}.kernel_size",
                )
            extents.append(outputs)
        return [Shape((n, c, *extents))] * self.top_count

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare for each element of each window (MAX); an add each and a div a window (AVE);
        add, square and sum each, and a div a window (STOCHASTIC)."""
        (bottom,) = bottoms
        top = tops[0]
        n, c, *spatial = bottom
        seen = n * c
        for axis in zip(spatial, top[2:], self._over(bottom), self.stride, self.pad, strict=True):
            seen *= covered(*axis)
        if self.method == "MAX":
            return OpCount(compares=seen)
        if self.method == "AVE":
            return OpCount(adds=seen, divs=top.count())
        return OpCount(adds=2 * seen, muls=seen, divs=top.count())

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """Kernel, stride and pad."""
        return Window(self._over(bottoms[0]), self.stride, self.pad, (1, 1))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The taps of all windows at once, one after the other."""
        (x,) = bottoms
        kernel = self._over(x.shape)
        outputs, behind = [], []
        for extent, k, s, p in zip(x.shape[2:], kernel, self.stride, self.pad, strict=True):
            limit = extent + p if p else extent + s  # no window starts in the padding behind
            first = range(0, extent + 2 * p - k + 1, s)
            number = len(first)
            if not self.floor and (extent + 2 * p - k) % s and number * s < limit:
                number += 1
            if p and number and (number - 1) * s >= limit:
                number -= 1
            outputs.append(number)
            behind.append(max(0, (number - 1) * s + k - extent - 2 * p))
        if self.method == "MAX":
            return self._largest(x, kernel, outputs, behind)
        views = [v for _, v in taps(padded(x, self.pad, 0.0, behind), kernel, self.stride, outputs, (1, 1))]
        if self.method == "AVE":
            total = np.zeros(views[0].shape, dtype=np.float32)
            for view in views:
                total += view
            return [total / self._divisor(x.shape[2:], kernel, outputs)]
        values = np.full(views[0].shape, SMALLEST, dtype=np.float32)
        squares = np.zeros_like(values)
        for view in views:
            values += view
            squares += view * view
        return [squares / values]

    def _divisor(
        self, extents: Sequence[int], kernel: Sequence[int], outputs: Sequence[int]
    ) -> Array:
        """How many elements each window has, padding counted but nothing beyond it."""
        sizes = []
        for extent, k, s, p, number in zip(
            extents, kernel, self.stride, self.pad, outputs, strict=True
        ):
            start = np.arange(number) * s - p
            sizes.append((np.minimum(start + k, extent + p) - start).astype(np.float32))
        return np.outer(*sizes)

    def _largest(
        self, x: Array, kernel: Sequence[int], outputs: Sequence[int], behind: Sequence[int]
    ) -> list[Array]:
        source = padded(x, self.pad, LOWEST, behind)
        top = None
        mask = None
        columns = np.arange(outputs[1]) * self.stride[1] - self.pad[1]
        rows = (np.arange(outputs[0]) * self.stride[0] - self.pad[0])[:, None]
        for number, view in taps(source, kernel, self.stride, outputs, (1, 1)):
            if top is None:
                top = np.full(view.shape, LOWEST, dtype=np.float32)
                if self.top_count > 1:
                    mask = np.full(view.shape, -1, dtype=np.float32)
            if mask is not None:
                down, right = divmod(number, kernel[1])
                position = ((rows + down) * x.shape[3] + columns + right).astype(np.float32)
                np.copyto(mask, position, where=view > top)
            np.maximum(top, view, out=top)
        assert top is not None
        return [top] if mask is None else [top, mask]


class SPP(NoBlobs):
    """Spatial pyramid pooling: 2^l × 2^l windows at each level, flattened and joined.

    N×C×H×W -> N×(C·Σ4^l); one level alone keeps N×C×1×1.  Source: spp_layer.cpp.
    """

    type = "SPP"
    in_place = True

    def read(self, message: Message) -> None:
        """Height of the pyramid and method."""
        param = message.child("spp_param")
        self.height = param.integer("pyramid_height")
        self.method = param.text("pool")
        if not 0 < self.height < 16:
            self.refuse(f"pyramid_height {self.height} is out of range", "spp_param.pyramid_height")

    def _levels(self, extents: Sequence[int]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Kernel and pad of each level, for H and W."""
        found = []
        for level in range(self.height):
            bins = 2**level
            kernel = [-(-extent // bins) for extent in extents]
            pad = [(k * bins - e + 1) // 2 for k, e in zip(kernel, extents, strict=True)]
            found.append(((kernel[0], kernel[1]), (pad[0], pad[1])))
        return found

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """All levels in one row."""
        (bottom,) = bottoms
        if len(bottom) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {bottom}", "bottom")
        n, c, *spatial = bottom
        if self.height == 1:
            return [Shape((n, c, 1, 1))]
        bins = 0
        for kernel, pad in self._levels(spatial):
            level = 1
            for extent, k, p in zip(spatial, kernel, pad, strict=True):
                if p >= k:
                    self.refuse(
                        f"pyramid_height {self.height} is too much for {bottom}: pad {p} of a level is "
                        f"not less than its kernel {k}",
                        "spp_param.pyramid_height",
                    )
                level *= pooled(extent, k, k, p, floor=False)
            bins += level
        return [Shape((n, c * bins))]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """A compare (MAX) or an add (AVE) for each element at each level; AVE: a div an output."""
        (bottom,) = bottoms
        seen = bottom.count() * self.height
        if self.method == "MAX":
            return OpCount(compares=seen)
        return OpCount(adds=seen, divs=tops[0].count())

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Each level pooled, flattened, and joined."""
        (x,) = bottoms
        levels = []
        for kernel, pad in self._levels(x.shape[2:]):
            pool = Pooling.__new__(Pooling)
            pool.method, pool.whole, pool.floor, pool.top_count = self.method, False, False, 1
            pool.kernel, pool.stride, pool.pad = kernel, kernel, pad
            levels.append(pool.forward([x], [], run)[0])
        if self.height == 1:
            return levels
        return [np.concatenate([level.reshape(len(x), -1) for level in levels], axis=1)]
