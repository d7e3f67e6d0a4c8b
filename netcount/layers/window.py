"""Sliding-window geometry, for any number of spatial axes, as Caffe reads and computes it.

Sources: base_conv_layer.cpp, im2col_layer.cpp, pooling_layer.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NoReturn, TypeAlias

from netcount.layers.layer import Factors, Layer, layer_error
from netcount.prototxt.message import Message

CONVOLUTION = "convolution_param"

Window4: TypeAlias = "tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]"
"""Kernel, stride, pad and dilation, an extent a spatial axis."""


class WindowParam:
    """A ConvolutionParameter's kernel, stride, pad and dilation, before the axes are known.

    Each is a list as the file gives it: one extent for all spatial axes, or one per axis.
    """

    __slots__ = ("dilation", "fields", "kernel", "known", "message", "name", "pad", "stride")
    fields: dict[str, str]
    kernel: list[int]
    message: Message
    name: str
    pad: list[int]
    stride: list[int]

    def __init__(self, layer: Layer, param: Message, name: str = CONVOLUTION) -> None:
        """The window in `param`, which the layer's message holds under `name`."""
        self.message, self.name = layer.message, name  # not the layer, which holds this
        self.fields = {"kernel": "kernel_size", "stride": "stride", "pad": "pad"}
        self.known: dict[int, Window4] = {}
        self.kernel = self._given(param, "kernel", [])
        self.stride = self._given(param, "stride", [1])
        self.pad = self._given(param, "pad", [0])
        self.dilation: list[int] = param.values.get("dilation") or self._holes(param)

    def _given(self, param: Message, name: str, default: list[int]) -> list[int]:
        """The repeated field, or the pair with _h and _w (an unset one of them is 0)."""
        values = param.values
        many, high, wide = self.fields[name], f"{name}_h", f"{name}_w"
        if high not in values and wide not in values:
            extents: list[int] = values.get(many, default)
            return extents
        self.fields[name] = pair = high if high in values else wide
        if many in values:
            self._refuse(
                f"{many} {values[many]} and {pair} {values[pair]} exclude each other; give one of them",
                f"{self.name}.{many}",
            )
        return [param.integer(high), param.integer(wide)]

    def _holes(self, param: Message) -> list[int]:
        """DeepLab's first form of a dilation: `hole`, or `hole_h` and `hole_w` (conv_layer.cpp)."""
        values = param.values
        if "hole_h" in values or "hole_w" in values:
            self.fields["dilation"] = "hole_h" if "hole_h" in values else "hole_w"
            return [param.integer("hole_h"), param.integer("hole_w")]
        if "hole" in values:
            self.fields["dilation"] = "hole"
            return [values["hole"]]
        return [1]

    def _refuse(self, what: str, field: str) -> NoReturn:
        raise layer_error(self.message, what, field)

    def over(self, axes: int) -> Window4:
        """Kernel, stride, pad and dilation for that many spatial axes, checked."""
        known = self.known.get(axes)
        if known is None:
            known = self.known[axes] = self._over(axes)
        return known

    def _over(self, axes: int) -> Window4:
        for field in self.fields.values():
            if field[-2:] in ("_h", "_w") and axes != 2:
                self._refuse(f"{field} is for 2 spatial axes, not {axes}", f"{self.name}.{field}")
        if axes and not self.kernel:
            self._refuse("needs a kernel_size, or kernel_h and kernel_w", self.name)
        kernel = self._spread(self.kernel, axes, "kernel")
        stride = self._spread(self.stride, axes, "stride")
        self._positive("kernel", kernel, 1)
        self._positive("stride", stride, 1 if self.fields["stride"] == "stride" else 0)  # 0 until it divides
        return (
            kernel,
            stride,
            self._spread(self.pad, axes, "pad"),
            self._spread(self.dilation, axes, "dilation"),
        )

    def _spread(self, extents: list[int], axes: int, name: str) -> tuple[int, ...]:
        if len(extents) == 1:
            return tuple(extents) * axes
        if len(extents) != axes:
            field = self.fields.get(name, name)
            self._refuse(
                f"{field} is given {len(extents)} times for {axes} spatial axes; give one, or one per axis",
                f"{self.name}.{field}",
            )
        return tuple(extents)

    def _positive(self, name: str, extents: Sequence[int], least: int) -> None:
        if any(not least <= extent < 2**31 for extent in extents):
            self._refuse(
                f"{name} {spatial_text(extents)} must be positive on every axis",
                f"{self.name}.{self.fields[name]}",
            )

    def convolved(self, extents: Sequence[int]) -> tuple[int, ...]:
        """A convolution's output extents; refused where one is negative."""
        self._positive("stride", self.over(len(extents))[1], 1)
        made = tuple([convolved(*one) for one in zip(extents, *self.over(len(extents)), strict=True)])
        return self._possible(made, extents)

    def deconvolved(self, extents: Sequence[int]) -> tuple[int, ...]:
        """A deconvolution's output extents; refused where one is negative."""
        made = tuple([deconvolved(*one) for one in zip(extents, *self.over(len(extents)), strict=True)])
        return self._possible(made, extents)

    def _possible(self, made: tuple[int, ...], extents: Sequence[int]) -> tuple[int, ...]:
        if made and min(made) < 0:
            kernel, stride, pad, dilation = map(spatial_text, self.over(len(extents)))
            self._refuse(
                f"kernel {kernel} with stride {stride}, pad {pad} and dilation {dilation} makes "
                f"{spatial_text(made)} of {spatial_text(extents)}; an extent must not be negative",
                f"{self.name}.{self.fields['kernel']}",
            )
        return made


def convolved(extent: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Output extent of a convolution; the division rounds toward zero, as C++ does.

    >>> convolved(227, 3, 2, 0, 1), convolved(4, 5, 2, 0, 1), convolved(9, 3, 1, 1, 2)
    (113, 1, 7)
    """
    room = extent + 2 * pad - (dilation * (kernel - 1) + 1)
    return (room // stride if room >= 0 else -(-room // stride)) + 1


def deconvolved(extent: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Output extent of a deconvolution.

    >>> deconvolved(10, 4, 2, 1, 1)
    20
    """
    return stride * (extent - 1) + dilation * (kernel - 1) + 1 - 2 * pad


def pooled(
    extents: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    floor: bool,
) -> list[int]:
    """Output extents of a pooling: rounded up, or down.

    With padding on any axis, the last window of every axis is dropped where it would start behind
    the input.  An extent can come out as 0, or negative for a kernel far larger than the input.

    >>> pooled((113, 6), (3, 2), (2, 2), (0, 0), False), pooled((6, 6), (2, 3), (2, 2), (1, 0), False)
    ([56, 3], [4, 3])
    >>> pooled((3, 4), (1, 2), (3, 3), (0, 1), False), pooled((3, 4), (1, 2), (3, 3), (0, 0), False)
    ([1, 2], [2, 2])
    """
    clip = any(pad)
    made = []
    for e, k, s, p in zip(extents, kernel, stride, pad, strict=True):
        room = e + 2 * p - k
        steps = room // s if floor else -(-room // s)
        if clip and steps * s >= e + p:
            steps -= 1
        made.append(steps + 1)
    return made


def covered(extent: int, outputs: int, kernel: int, stride: int, pad: int) -> int:
    """Input elements that all windows of one axis see together, the padding left out.

    >>> covered(9, 5, 3, 2, 1), covered(5, 3, 2, 2, 0)
    (13, 5)
    """
    windows = min(outputs, -(-(extent + pad) // stride))  # the others start behind the input
    end = kernel - pad
    whole = min(windows, max(0, (extent - end) // stride + 1))  # these end within the input
    inside = min(windows, -(-pad // stride))  # from this one on they start within it
    ends = whole * end + stride * _below(whole) + (windows - whole) * extent
    return ends - stride * (_below(windows) - _below(inside)) + (windows - inside) * pad


def _below(number: int) -> int:
    """The sum of the whole numbers below it."""
    return number * (number - 1) // 2


def is_depthwise(group: int, channels: int) -> bool:
    """Whether each group sees one channel."""
    return group > 1 and group == channels


def spatial_factors(before: str, extents: Sequence[int], after: str = "") -> Factors:
    """Extents under the letters of their axes.

    >>> spatial_factors("k", (3, 5)), spatial_factors("", (9,), "'")
    ((('kh', 3), ('kw', 5)), (("W'", 9),))
    """
    return tuple(zip(_axis_names(before, len(extents), after), extents, strict=True))


@lru_cache
def _axis_names(before: str, axes: int, after: str) -> tuple[str, ...]:
    letters = ("", "w", "hw", "dhw")[axes] if axes < 4 else map(str, range(axes))
    return tuple(f"{before}{letter if before else letter.upper()}{after}" for letter in letters)


def spatial_text(extents: Sequence[int]) -> str:
    """Extents for a message: 9×11."""
    return "×".join(map(str, extents))
