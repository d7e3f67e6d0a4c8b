from __future__ import annotations

from netcount.layers.convolution._volume import Volume
from netcount.layers.convolution.deconvolution import Deconvolution


class Deconvolution3D(Volume, Deconvolution):
    """The transpose of Convolution3D.  N×C×L×H×W -> N×C'×L'×H'×W'; weights C×C'×kl×k×k, bias C'.

    Source: deconvolution3d_layer.cpp of facebookarchive/C3D.
    """

    type = "Deconvolution3D"
    source = "C3D"
