from __future__ import annotations

from netcount.layers.data._images import Images
from netcount.layers.layer import ONE


class ImgReader(Images):
    """One image file, num times.  -> num×3×H×W; the file knows H×W unless transform_param crops.

    Source: imgreader_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "ImgReader"
    source = "FlowNet2"
    params: tuple[str, ...] = ("reader_param",)
    batch_field = "num"
    tops = ONE
