from __future__ import annotations

from netcount.layers.bases import Source
from netcount.layers.layer import ONE
from netcount.prototxt.message import Message


class FloatReader(Source):
    """Numbers of a file, num times.  -> num×C×H×W; only the file knows them.

    Source: floatreader_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "FloatReader"
    source = "FlowNet2"
    tops = ONE
    knows = "only the file of numbers knows"

    def read(self, message: Message) -> None:
        """Nothing that tells the extents."""
