from __future__ import annotations

from collections.abc import Sequence

from netcount.core.shape import Shape
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.layer import ONE


class ConvolutionDepthwise(Convolution):
    """A fork's depthwise convolution: one filter per channel; `group` and num_output are not read.

    N×C×H×W -> N×C×H'×W'; weights C×1×*K, bias C.  Source: conv_dw_layer.cpp of several forks.
    """

    type = "ConvolutionDepthwise"
    source = "ConvolutionDepthwise fork"
    bottoms = ONE
    tops = ONE

    def check_numbers(self) -> None:
        """Nothing: neither number is used."""

    def numbers(self, channels: int) -> tuple[int, int]:
        """One output channel and one group a channel."""
        return channels, channels

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×H'×W'."""
        (bottom,) = bottoms
        if len(bottom) != 4 or self.axis_given not in (1, -3):
            self.refuse(f"needs 4 axes N×C×H×W and axis 1, not {bottom} and {self.axis_given}", "bottom")
        return super().infer(bottoms)
