from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Wanted
from netcount.layers.pooling._volume import Volume
from netcount.prototxt.message import Message

SIDES = "lhw"
"""How superxuang's fields name the axes."""


class Pooling3D(Volume):
    """Largest, or average, value of each window of a volume.  N×C×L×H×W -> N×C×L'×H'×W'.  No weights.

    facebookarchive/C3D: kernel_size, stride and pad for H and W, kernel_depth and temporal_stride for L,
    in pooling3d_param or, in V1 form, in pooling_param; padding is for AVE and drops no window.
    superxuang/caffe_3d_faster_rcnn, known by pooling_3d_param: kernel_l, kernel_h and kernel_w, or one
    number for all; padding drops last windows as Caffe's.  Sources: pool3d_layer.cpp and
    pooling3d_layer.cpp of these.
    """

    type = "Pooling3D"
    source = "C3D, superxuang"
    axes: ClassVar[int | None] = 3
    together = True
    method: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    whole: bool

    def read(self, message: Message) -> None:
        """Method and window, by the message that the file has."""
        if message.has("pooling_3d_param"):
            self._read_superxuang(message.child("pooling_3d_param"))
        else:
            self._read_c3d(message)
        self.check_window(message.child(self.param))

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """As Pooling; but C3D keeps no mask for MAX: a compare, a mul and an add for each element that a window
        sees."""
        if self.method != "MAX" or self.param == "pooling_3d_param":
            return super().backward(bottoms, tops, wanted)
        seen = self.ops(bottoms, tops).compares if wanted.bottoms[0] else 0
        return OpCount(adds=seen, muls=seen, compares=seen)

    def _read_c3d(self, message: Message) -> None:
        self.param = "pooling3d_param" if message.has("pooling3d_param") else "pooling_param"
        param = message.child(self.param)
        self.method = param.text("pool")
        size, stride, pad = (param.integer(name) for name in ("kernel_size", "stride", "pad"))
        self.kernel = (param.integer("kernel_depth"), size, size)
        self.stride = (param.integer("temporal_stride"), stride, stride)
        self.pad = (0, pad, pad)
        self.clipped = False
        if not self.kernel[0]:
            self.refuse("needs a positive kernel_depth", f"{self.param}.kernel_depth")
        if not self.stride[0]:
            self.refuse("needs a positive temporal_stride", f"{self.param}.temporal_stride")
        if pad and self.method != "AVE":
            self.refuse(f"padding is for AVE, not {self.method}", f"{self.param}.pad")
        if self.top_count > 1:
            self.refuse("makes 1 top", "top", 1)

    def _read_superxuang(self, param: Message) -> None:
        self.param = "pooling_3d_param"
        self.method, self.whole = param.text("pool"), param.flag("global_pooling")
        self.kernel = self._sides(param, "kernel_size", "kernel")
        self.stride, self.pad = self._sides(param, "stride", "stride"), self._sides(param, "pad", "pad")
        if self.whole and (self.kernel != (0,) or any(self.pad) or {*self.stride} != {1}):
            self.refuse("global pooling takes no kernel, pad 0 and stride 1", f"{self.param}.global_pooling")
        for pad, kernel in zip(self.pad * 3, self.kernel * 3, strict=False):
            if pad >= kernel and not self.whole and pad:
                self.refuse(f"pad {pad} must be less than kernel {kernel}", f"{self.param}.pad")

    def _sides(self, param: Message, one: str, sides: str) -> tuple[int, ...]:
        """One number for all axes, or one each."""
        each = [f"{sides}_{side}" for side in SIDES]
        given = [name for name in each if param.has(name)]
        if given and (param.has(one) or len(given) < len(each)):
            self.refuse(f"needs either {one} or all of {', '.join(each)}", f"{self.param}.{given[0]}")
        return tuple(param.integer(name) for name in each) if given else (param.integer(one),)
