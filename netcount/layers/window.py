"""Sliding-window geometry, for any number of spatial axes, as Caffe reads and computes it.

Sources: base_conv_layer.cpp, im2col_layer.cpp, pooling_layer.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from netcount.layers.layer import Layer
from netcount.prototxt.message import Message

CONVOLUTION = "convolution_param"


Window4: TypeAlias = "tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]"


class WindowParam:
    """A ConvolutionParameter's kernel, stride, pad and dilation, before the axes are known."""

    __slots__ = ("dilation", "kernel", "known", "layer", "pad", "stride", "two_axes")

    def __init__(self, layer: Layer, param: Message) -> None:
        self.layer = layer
        values = param.values
        self.two_axes: str | None = None
        self.known: dict[int, Window4] = {}
        self.kernel = self._extents(values, param, "kernel_size", "kernel_h", "kernel_w", 0)
        self.stride = self._extents(values, param, "stride", "stride_h", "stride_w", 1)
        self.pad = self._extents(values, param, "pad", "pad_h", "pad_w", 0)
        self.dilation: list[int] = values.get("dilation", [1])
        for name, extents in (("kernel", self.kernel), ("stride", self.stride)):
            if 0 in extents:
                field = f"{name}_size" if name == "kernel" else name
                layer.refuse(f"{name} must not be 0", f"{CONVOLUTION}.{field}")
        if 0 in self.dilation:
            layer.refuse("dilation must not be 0", f"{CONVOLUTION}.dilation")

    def _extents(
        self, values: dict[str, object], param: Message, many: str, high: str, wide: str, default: int
    ) -> list[int]:
        if high in values or wide in values:
            if many in values:
                self.layer.refuse(f"{many} and {high}/{wide} exclude each other", f"{CONVOLUTION}.{many}")
            self.two_axes = high if high in values else wide
            return [param.integer(high), param.integer(wide)]
        if many in values:
            return param.integers(many)
        return [default] if many != "kernel_size" else []

    def over(self, axes: int) -> Window4:
        """Kernel, stride, pad and dilation for that many spatial axes."""
        known = self.known.get(axes)
        if known is None:
            known = self.known[axes] = self._over(axes)
        return known

    def _over(self, axes: int) -> Window4:
        if self.two_axes and axes != 2:
            self.layer.refuse(
                f"{self.two_axes} is for 2 spatial axes, not {axes}", f"{CONVOLUTION}.{self.two_axes}"
            )
        if axes and not self.kernel:
            self.layer.refuse("needs a kernel_size, or kernel_h and kernel_w", CONVOLUTION)
        return (
            self._spread(self.kernel, axes, "kernel_size"),
            self._spread(self.stride, axes, "stride"),
            self._spread(self.pad, axes, "pad"),
            self._spread(self.dilation, axes, "dilation"),
        )

    def _spread(self, extents: list[int], axes: int, field: str) -> tuple[int, ...]:
        if len(extents) == 1:
            return tuple(extents) * axes
        if len(extents) != axes:
            self.layer.refuse(
                f"{field} is given {len(extents)} times for {axes} spatial axes; give one, or one an "
                "axis",
                f"{CONVOLUTION}.{field}",
            )
        return tuple(extents)


def convolved(extent: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Output extent of a convolution; the division rounds toward zero, as C++ does.

    >>> convolved(227, 3, 2, 0, 1), convolved(4, 5, 2, 0, 1)
    (113, 1)
    """
    room = extent + 2 * pad - (dilation * (kernel - 1) + 1)
    return (room // stride if room >= 0 else -(-room // stride)) + 1


def deconvolved(extent: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Output extent of a deconvolution.

    >>> deconvolved(10, 4, 2, 1, 1)
    20
    """
    return stride * (extent - 1) + dilation * (kernel - 1) + 1 - 2 * pad


def pooled(extent: int, kernel: int, stride: int, pad: int, floor: bool) -> int:
    """Output extent of a pooling: rounded up (or down), the last window clipped where it would
    start in the padding behind the input.

    >>> pooled(113, 3, 2, 0, False), pooled(113, 3, 2, 0, True), pooled(6, 2, 2, 1, False)
    (56, 56, 4)
    """
    room = extent + 2 * pad - kernel
    steps = room // stride if floor else -(-room // stride)
    if pad and steps * stride >= extent + pad:
        steps -= 1
    return steps + 1


def covered(extent: int, outputs: int, kernel: int, stride: int, pad: int) -> int:
    """Input elements that all windows of one axis see together, the padding left out."""
    return sum(
        max(0, min(start + kernel, extent) - max(start, 0))
        for start in range(-pad, outputs * stride - pad, stride)
    )


def is_depthwise(group: int, channels: int) -> bool:
    """Whether each group sees one channel."""
    return group > 1 and group == channels


def spatial_text(extents: Sequence[int]) -> str:
    """Extents for a message: 9×11."""
    return "×".join(map(str, extents))
