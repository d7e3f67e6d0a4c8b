from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.bases import NoBlobs
from netcount.layers.layer import Arity, Wanted, WorkingMemory
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


PARAM = "unpooling_param"


class Unpooling(NoBlobs):
    """Undoes a pooling.  (N×C×H×W[, mask]) -> N×C×H'×W'.  No weights.

    tum-vision/fusenet: values go where the mask says, the rest is 0; output_h and output_w, or scale.
    HyeonwooNoh/caffe (DeconvNet), known by kernel_size, kernel_h or unpool: unpool_size, or unpool_h and
    unpool_w, or as far as the last window reaches; MAX as above, without a mask to each window's first
    element; AVE and TILE to all of the window.  Source: unpooling_layer.cpp of both.
    """

    type = "Unpooling"
    source = "FuseNet, DeconvNet"
    bottoms: ClassVar[Arity] = Arity(1, 2)
    in_place = False
    window_given: bool
    method: str
    factor: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]

    def read(self, message: Message) -> None:
        """Method, window and the extents to make."""
        param = message.child(PARAM)
        masked = len(message.texts("bottom")) > 1
        self.window_given = any(param.has(name) for name in ("kernel_size", "kernel_h", "kernel_w", "unpool"))
        self.method, self.factor = param.text("unpool"), param.integer("scale")
        self.extents: tuple[int, int] | None = None
        self.kernel, self.stride, self.pad = (
            self._pair(param, one, sides)
            for one, sides in (("kernel_size", "kernel"), ("stride", "stride"), ("pad", "pad"))
        )
        if not self.window_given:
            if param.has("output_h") and param.has("output_w"):
                self.extents = (param.integer("output_h"), param.integer("output_w"))
            if not masked or (self.extents is None and not self.factor) or 0 in (self.extents or ()):
                self.refuse("needs a pooling mask as bottom 1, and output_h and output_w or scale", PARAM)
            return
        if param.has("unpool_size"):
            self.extents = (param.integer("unpool_size"),) * 2
        elif param.has("unpool_h") and param.has("unpool_w"):
            self.extents = (param.integer("unpool_h"), param.integer("unpool_w"))
        if 0 in (*self.kernel, *self.stride, *(self.extents or ())):
            self.refuse("kernel, stride and extents must be positive", PARAM)
        if any(self.pad):
            self.refuse("takes no padding", f"{PARAM}.pad")

    def _pair(self, param: Message, one: str, sides: str) -> tuple[int, int]:
        if param.has(f"{sides}_h") or param.has(f"{sides}_w"):
            return param.integer(f"{sides}_h"), param.integer(f"{sides}_w")
        return param.integer(one), param.integer(one)

    def _made(self, spatial: Sequence[int]) -> list[int]:
        if self.extents:
            return list(self.extents)
        if not self.window_given:
            return [extent * self.factor for extent in spatial]
        return [(e - 1) * s + k for e, k, s in zip(spatial, self.kernel, self.stride, strict=True)]

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        data, *mask = bottoms
        if len(data) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {data}", "bottom")
        if mask and mask[0] != data:
            self.refuse(f"{self.named(1)} {mask[0]} must be as {self.named(0)} {data}", "bottom", 1)
        return [Shape((*data[:2], *self._made(data[2:])))]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The mask: positions of the plane that is made."""
        made = self._made(bottoms[0][2:])
        return {1: made[0] * made[1]} if len(bottoms) > 1 else {}

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None for MAX; else an add (AVE: and a div) for each element of each window."""
        if self.method == "MAX":
            return NOTHING
        seen = bottoms[0].count(0, 2)
        for e, made, k, s in zip(bottoms[0][2:], tops[0][2:], self.kernel, self.stride, strict=True):
            seen *= sum(max(0, min(k, made - place * s)) for place in range(e))
        return OpCount(adds=seen, divs=seen if self.method == "AVE" else 0)

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None for MAX; else an add for each element of each window, and a div a window."""
        if self.method == "MAX" or not wanted.bottoms[0]:
            return NOTHING
        return OpCount(adds=self.ops(bottoms, tops).adds, divs=bottoms[0].count())

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The positions of a mask, in 64 bits."""
        data, *mask = bottoms
        return WorkingMemory(forward=2 * data.count() if self.method == "MAX" and mask else 0)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Scattered by the mask, or over the windows."""
        data, *mask = bottoms
        images, channels, *spatial = data.shape
        high, wide = self._made(spatial)
        out = np.zeros((images, channels, high, wide), dtype=np.float32)
        if self.method == "MAX" and mask:
            positions = mask[0].reshape(images * channels, -1).astype(np.int64)
            if positions.size and not (positions.min() >= 0 and positions.max() < high * wide):
                self.refuse("the mask points outside the output", "bottom", 1)
            np.put_along_axis(
                out.reshape(images * channels, -1), positions, data.reshape(len(positions), -1), axis=1
            )
            return [out]
        for h in range(spatial[0]):
            for w in range(spatial[1]):
                down, right = h * self.stride[0], w * self.stride[1]
                if self.method == "MAX":
                    out[:, :, min(down, high - 1), min(right, wide - 1)] = data[:, :, h, w]
                    continue
                part = out[:, :, down : down + self.kernel[0], right : right + self.kernel[1]]
                area = max(1, part.shape[2] * part.shape[3])
                part += (data[:, :, h, w] / np.float32(area if self.method == "AVE" else 1))[:, :, None, None]
        return [out]
