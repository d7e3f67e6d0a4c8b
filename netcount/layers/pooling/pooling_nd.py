from __future__ import annotations

from netcount.layers.pooling._volume import Volume
from netcount.prototxt.message import Message


class PoolingND(Volume):
    """Largest, or average, value of each window over all axes behind the channels.  N×C×*S -> N×C×*O.

    The window is in pooling_nd_param (3D U-Net's Caffe) or in pooling_param, where naibaf7/caffe has
    `dilation` and intel/caffe kernel_size_3d, stride_3d and pad_3d, also for their Pooling.  Extents are
    rounded up; with padding on an axis (Intel's: on any) a last window is dropped where it would start
    behind the input.  No weights.  Sources: pooling_nd_layer.cpp and pooling_layer.cpp of naibaf7/caffe,
    pooling_layer.cpp of intel/caffe.
    """

    type = "PoolingND"
    source = "naibaf7, 3D U-Net, Intel"
    method: str
    whole: bool
    axis_given: int
    together: bool
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]

    def read(self, message: Message) -> None:
        """Method and window."""
        self.param = "pooling_nd_param" if message.has("pooling_nd_param") else "pooling_param"
        param = message.child(self.param)
        self.method, self.whole = param.text("pool"), param.flag("global_pooling")
        self.axis_given = param.integer("axis")
        names: tuple[str, ...] = ("kernel_size", "stride", "pad")
        if self.param == "pooling_param" and any(param.has(f"{name}_3d") for name in names):
            names, self.together = tuple(f"{name}_3d" for name in names), True
        defaults: tuple[tuple[int, ...], ...] = ((), (1,), (0,))
        self.kernel, self.stride, self.pad = (
            self._extents(param, many, sides, default)
            for many, sides, default in zip(names, ("kernel", "stride", "pad"), defaults, strict=True)
        )
        self.dilation = tuple(param.integers("dilation")) or (1,)
        if self.whole and self.kernel:
            self.refuse("global pooling takes no kernel", f"{self.param}.global_pooling")
        self.check_window(param)

    def _extents(self, param: Message, many: str, sides: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A number, or one per axis; or the pair with _h and _w."""
        high, wide = f"{sides}_h", f"{sides}_w"
        if self.param == "pooling_param" and (param.has(high) or param.has(wide)):
            if param.has(many):
                self.refuse(f"{many} and {high} exclude each other; give one of them", f"{self.param}.{many}")
            return param.integer(high), param.integer(wide)
        value = param.values.get(many, default)
        return (value,) if isinstance(value, int) else tuple(value)
