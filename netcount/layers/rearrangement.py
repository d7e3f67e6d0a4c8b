"""Forks' and rarer ways to move values about: flip, reorganize, shuffle, pick images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import Moving, legacy
from netcount.layers.layer import TWO
from netcount.lazy import np
from netcount.prototxt.message import Message
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class BatchReindex(Moving):
    """Images picked by index.  (N×*S, M indices) -> M×*S.  Source: batch_reindex_layer.cpp."""

    type = "BatchReindex"
    bottoms = TWO

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """As many images as indices."""
        data, index = bottoms
        if len(index) != 1:
            self.refuse(f"{self.named(1)} {index} must have one axis", "bottom", 1)
        return [Shape((index[0], *data[1:]))]

    def indices(self, bottoms: Sequence[Shape]) -> dict[int, int]:
        """The indices: images."""
        return {1: bottoms[0].count(0, 1)}

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """An index outside the batch is refused, as by Caffe."""
        data, index = bottoms
        if not data.ndim:  # which Caffe too sees only now
            self.refuse(f"{self.named(0)} has no axis to pick from", "bottom")
        picked = index.astype(np.int64)
        if picked.size and not (picked.min() >= 0 and picked.max() < len(data)):
            self.refuse(f"an index lies outside the batch of {len(data)}", "bottom", 1)
        return [data[picked]]


class Flip(Moving):
    """Mirrors height, width or both.  N×C×H×W.  Source: flip_layer.cpp of happynear's Caffe."""

    type = "Flip"
    source = "happynear"

    def read(self, message: Message) -> None:
        """Which axes."""
        param = message.child("flip_param")
        self.height, self.width = param.flag("flip_height"), param.flag("flip_width")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape."""
        legacy(self, bottoms[0], 0)
        return [bottoms[0]]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """By numpy."""
        (x,) = bottoms
        axes = [axis for axis, wanted in ((2, self.height), (3, self.width)) if wanted and axis < x.ndim]
        return [np.flip(x, tuple(axes))]


class Reorg(Moving):
    """Space to channels, in YOLO v2's own order.  N×C×H×W -> N×(C·s²)×(H/s)×(W/s).

    reverse goes the other way.  The values of the input are taken in order as C/s² channels of s times
    the extents, and their blocks told apart.  Without a stride it is 2, as in caffe-yolo9000, where
    other forks ask for one.  Source: reorg_layer.cpp of YOLO forks, after darknet.
    """

    type = "Reorg"
    source = "YOLO forks"
    in_place = False

    def read(self, message: Message) -> None:
        """stride and direction."""
        param = message.child("reorg_param")
        self.stride = param.integer("stride") if param.has("stride") else 2
        self.reverse = param.flag("reverse")
        if self.stride < 1:
            self.refuse("stride must be positive", "reorg_param.stride")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Channels grow as the extents shrink."""
        n, c, h, w = legacy(self, bottoms[0], 0)
        s = self.stride
        if self.reverse:
            return [Shape((n, c // (s * s), h * s, w * s))]
        return [Shape((n, c * s * s, h // s, w // s))]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Blocks of s×s; the offset within a block is the slowest of the new channels."""
        (x,) = bottoms
        n, c, h, w = (*x.shape, 1, 1, 1, 1)[:4]
        s = self.stride
        if c % (s * s) or (not self.reverse and (h % s or w % s)):
            self.refuse(f"{c}×{h}×{w} cannot be divided by stride {s}", "reorg_param.stride")
        if self.reverse:
            parts = x.reshape(n, s, s, c // (s * s), h, w)
            return [np.ascontiguousarray(parts.transpose(0, 3, 4, 1, 5, 2)).reshape(n, -1, h * s, w * s)]
        parts = x.reshape(n, c // (s * s), h, s, w, s)
        moved = parts.transpose(0, 3, 5, 1, 2, 4)
        return [np.ascontiguousarray(moved).reshape(n, c * s * s, h // s, w // s)]


class ShuffleChannel(Moving):
    """Mixes the channels of groups.  N×C×H×W.

    Source: shuffle_channel_layer.cpp of ShuffleNet's Caffe; Zhang et al. 2017, arXiv 1707.01083.
    """

    type = "ShuffleChannel"
    source = "ShuffleNet forks"

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

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Groups and their members change places."""
        (x,) = bottoms
        n, c, h, w = (*x.shape, 1, 1, 1, 1)[:4]
        parts = x.reshape(n, self.group, c // self.group, h * w)
        return [np.ascontiguousarray(parts.swapaxes(1, 2)).reshape(n, c, h, w)]
