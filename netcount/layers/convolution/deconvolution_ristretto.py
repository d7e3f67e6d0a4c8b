from __future__ import annotations

from netcount.layers.convolution.deconvolution import Deconvolution


class DeconvolutionRistretto(Deconvolution):
    """Deconvolution whose values and weights are rounded to few bits; the same shapes, weights and products.

    The rounding of quantization_param is neither counted nor repeated here.  Source:
    deconv_ristretto_layer.cpp of pmgysel/caffe (Gysel et al. 2016), which inherits the layer's set-up.
    """

    type = "DeconvolutionRistretto"
    source = "Ristretto"
