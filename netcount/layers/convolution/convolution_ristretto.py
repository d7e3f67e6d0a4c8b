from __future__ import annotations

from netcount.layers.convolution.convolution import Convolution


class ConvolutionRistretto(Convolution):
    """Convolution whose values and weights are rounded to few bits; the same shapes, weights and products.

    The rounding of quantization_param is neither counted nor repeated here.  Source:
    conv_ristretto_layer.cpp of pmgysel/caffe (Gysel et al. 2016), which inherits the layer's set-up.
    """

    type = "ConvolutionRistretto"
    source = "Ristretto"
