from __future__ import annotations

from netcount.layers.convolution.convolution import Convolution


class DepthwiseConvolution(Convolution):
    """A fork's faster kernel for a Convolution whose `group` is its channels; otherwise the same.

    It takes `group` as the file gives it.  Source: depthwise_conv_layer.hpp of several forks, which
    inherits Caffe's set-up unchanged.
    """

    type = "DepthwiseConvolution"
    source = "MobileNet forks"
