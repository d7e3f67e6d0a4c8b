from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving, legacy
from netcount.layers.sight import Sight, each, whole
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class ShuffleChannel(Moving):
    """Mixes the channels of groups.  N×C×H×W.

    Source: shuffle_channel_layer.cpp of ShuffleNet's Caffe; Zhang et al. 2017, arXiv 1707.01083.
    """

    type = "ShuffleChannel"
    source = "ShuffleNet forks"
    group: int

    def read(self, message: Message) -> None:
        """The number of groups."""
        self.group = message.child("shuffle_channel_param").integer("group")
        if self.group < 1:
            self.refuse("group must be positive", "shuffle_channel_param.group")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape; missing axes become 1."""
        shape = legacy(self, bottoms[0], 0)
        if shape[1] % self.group:
            self.refuse(
                f"the channels of {bottoms[0]} cannot be divided by group {self.group}",
                "shuffle_channel_param.group",
            )
        return [Shape(shape)]

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Any channel at the same place."""
        sights = each(bottoms[0])
        sights[1:2] = [whole(bottoms[0][1])]
        return sights

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Groups and their members change places."""
        (x,) = bottoms
        n, c, h, w = (*x.shape, 1, 1, 1, 1)[:4]
        parts = x.reshape(n, self.group, c // self.group, h * w)
        return [np.ascontiguousarray(parts.swapaxes(1, 2)).reshape(n, c, h, w)]
