from __future__ import annotations

from collections.abc import Sequence

from netcount.core.shape import Shape
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.filler import Filler
from netcount.layers.layer import ONE, ParamBlob
from netcount.layers.window import CONVOLUTION, WindowParam
from netcount.prototxt.message import Message


class Volume(Convolution):
    """How C3D's Caffe reads the window of a volume: one number for H and W, another for the length.

    convolution3d_param or, in V1 form, convolution_param; filter_group only parts the work.
    """

    bottoms = ONE
    tops = ONE
    axis_given = 1
    group = 1
    num_output: int
    bias: bool
    geometry: WindowParam
    weight_filler: Filler
    bias_filler: Filler | None

    def read(self, message: Message) -> None:
        """num_output, bias and the window."""
        name = "convolution3d_param" if message.has("convolution3d_param") else CONVOLUTION
        param = message.child(name)
        self.num_output, self.bias = param.integer("num_output"), param.flag("bias_term")
        self.geometry = WindowParam(self, message.child(CONVOLUTION))
        size, stride, pad = (
            self._extent(param, *field) for field in (("kernel_size", 0), ("stride", 1), ("pad", 0))
        )
        self.geometry.kernel = [param.integer("kernel_depth"), size, size]
        self.geometry.stride = [param.integer("temporal_stride"), stride, stride]
        self.geometry.pad = [param.integer("temporal_pad"), pad, pad]
        self.geometry.dilation = [1]
        self.weight_filler = Filler(param, "weight_filler")
        self.bias_filler = Filler(param, "bias_filler") if self.bias else None
        self.check_numbers()
        if 0 in self.geometry.kernel:
            self.refuse("needs a positive kernel_size and kernel_depth", name)
        if param.integer("filter_group") < 1 or self.num_output % param.integer("filter_group"):
            self.refuse(f"filter_group must divide num_output {self.num_output}", f"{name}.filter_group")

    def _extent(self, param: Message, field: str, default: int) -> int:
        value = param.values.get(field, default)
        return value if isinstance(value, int) else int(value[0])

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C'×L'×H'×W'."""
        if len(bottoms[0]) != 5:
            self.refuse(f"needs 5 axes N×C×L×H×W, not {bottoms[0]}", "bottom")
        return super().infer(bottoms)

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """As the convolution's; C3D stores the bias as 1×1×1×1×C'."""
        weight, *bias = super().blobs(bottoms)
        return [weight, *[blob._replace(forms=(Shape((1, 1, 1, 1, *blob.shape)),)) for blob in bias]]
