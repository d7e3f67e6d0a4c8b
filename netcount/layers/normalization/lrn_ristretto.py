from __future__ import annotations

from netcount.layers.normalization.lrn import LRN


class LRNRistretto(LRN):
    """LRN whose values and weights are rounded to few bits; the same shapes, weights and products.

    The rounding of quantization_param is neither counted nor repeated here.  Source:
    lrn_ristretto_layer.cpp of pmgysel/caffe (Gysel et al. 2016), which inherits the layer's set-up.
    """

    type = "LRNRistretto"
    source = "Ristretto"
