from __future__ import annotations

from netcount.layers.data._images import Images


class Data(Images):
    """Images of an LMDB or LevelDB (data_layer.cpp).  The database decides the channels."""

    type = "Data"
    params: tuple[str, ...] = ("data_param",)
    knows_colour = False
