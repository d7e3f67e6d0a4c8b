from __future__ import annotations

from netcount.layers.convolution._volume import Volume


class Convolution3D(Volume):
    """A filter over each window of a volume.  N×C×L×H×W -> N×C'×L'×H'×W'; weights C'×C×kl×k×k, bias C'.

    Source: convolution3d_layer.cpp of facebookarchive/C3D and antran89/New-C3D-Caffe (Tran et al. 2015).
    """

    type = "Convolution3D"
    source = "C3D"
