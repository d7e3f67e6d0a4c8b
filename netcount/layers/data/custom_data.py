from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message


class CustomData(Source):
    """Data of an LMDB or LevelDB whose channels slice_point deals to several tops.
    -> N×C×H×W each[, labels N×1×1×1].

    Only the database knows H×W and the last top's channels.
    Source: custom_data_layer.cpp of lmb-freiburg/flownet2.
    """

    type = "CustomData"
    source = "FlowNet2"
    tops: ClassVar[Arity] = Arity(1, None)
    knows = "only the database knows"
    batch: int
    channels: list[int]
    labels: bool

    def read(self, message: Message) -> None:
        """Batch, and where the channels are cut."""
        param = message.child("data_param")
        self.batch = param.integer("batch_size")
        points = param.integers("slice_point")
        self.channels = [b - a for a, b in pairwise([0, *points])]
        if any(number < 1 for number in self.channels):
            self.refuse("slice_point must rise from 1", "data_param.slice_point")
        slices = len(points) + 1
        if self.top_count != slices and (points or self.top_count != 2):
            self.refuse(f"{len(points)} slice_points make {slices} tops, not {self.top_count}", "top")
        self.labels = self.top_count > slices
        if param.integer("crop_size"):
            self.refuse("cannot crop", "data_param.crop_size")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """As a slice that is given, with channels of its own; labels as many as images."""
        like = next((shape for shape in given.values() if len(shape) == 4), None)
        images = like[0] if like else self.batch
        if self.labels and index:
            return Shape((images, 1, 1, 1)) if images else None
        if like is None or index >= len(self.channels):
            return None
        return Shape((images, self.channels[index], *like[2:]))
