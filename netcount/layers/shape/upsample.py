from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


SEGNET_SCALE = 2
"""The default of SegNet's scale; that of the YOLO forks is 1."""


_SEGNET_FIELDS = ("upsample_h", "upsample_w", "scale_h", "scale_w", "pad_out_h", "pad_out_w")


class Upsample(Moving):
    """Enlarges height and width; no arithmetic.  Two forks share the name.

    One bottom (YOLO forks): every value repeated scale×scale times.  Two bottoms (SegNet): values
    go to the positions in a pooling mask, the rest is 0; upsample_h and upsample_w, or scale.
    Sources: upsample_layer.cpp of MobileNet-YOLO and of SegNet's Caffe.
    """

    type = "Upsample"
    source = "YOLO forks, SegNet"
    bottoms = Arity(1, 2)

    def read(self, message: Message) -> None:
        """The factors, and SegNet's extents."""
        param = message.child("upsample_param")
        masked = len(message.texts("bottom")) > 1
        self.scale = param.integer("scale") if param.has("scale") or not masked else SEGNET_SCALE
        self.factors, self.extents, self.cut = (self.scale, self.scale), (0, 0), (False, False)
        if masked:
            self._read_segnet(param)
        elif any(param.has(field) for field in _SEGNET_FIELDS):
            self.refuse("needs a pooling mask as a second bottom for SegNet's fields", "upsample_param")

    def _read_segnet(self, param: Message) -> None:
        """upsample_h and upsample_w, or scale_h and scale_w, or scale; pad_out cuts a row or column."""
        pairs = [[param.has(f"{name}_{axis}") for axis in "hw"] for name in ("upsample", "scale")]
        if all(pairs[0]):
            self.extents = (param.integer("upsample_h"), param.integer("upsample_w"))
            self._above_one(param, "upsample_h", "upsample_w")
            return
        if any(pairs[1]):
            if param.has("scale") or not all(pairs[1]):
                self.refuse("needs upsample_h and upsample_w, scale_h and scale_w, or scale", "upsample_param")
            self.factors = (param.integer("scale_h"), param.integer("scale_w"))
            self._above_one(param, "scale_h", "scale_w")
        elif self.scale < 2:
            self.refuse(f"scale {self.scale} must be more than 1", "upsample_param.scale")
        self.cut = (param.flag("pad_out_h"), param.flag("pad_out_w"))
        for axis, cut, factor in zip("hw", self.cut, self.factors, strict=True):
            if cut and factor != 2:
                self.refuse(f"pad_out_{axis} needs a scale of 2, not {factor}", f"upsample_param.pad_out_{axis}")

    def _above_one(self, param: Message, *fields: str) -> None:
        for field in fields:
            if param.integer(field) < 2:
                self.refuse(f"{field} {param.integer(field)} must be more than 1", f"upsample_param.{field}")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """N×C×(H·scale)×(W·scale), or the extents given."""
        data, *mask = bottoms
        if not mask:
            if len(data) < 2:
                self.refuse(f"needs height and width, not {data}", "bottom")
            *others, high, wide = data
            return [Shape((*others, high * self.scale, wide * self.scale))]
        if len(data) != 4:
            self.refuse(f"needs 4 axes N×C×H×W, not {data}", "bottom")
        if mask[0] != data:
            self.refuse(f"{self.named(1)} {mask[0]} must be as {self.named(0)} {data}", "bottom", 1)
        n, c, *spatial = data
        return [Shape((n, c, *self._masked(spatial)))]

    def _masked(self, spatial: Sequence[int]) -> list[int]:
        if all(self.extents):
            return list(self.extents)
        return [e * f - cut for e, f, cut in zip(spatial, self.factors, self.cut, strict=True)]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Repeated, or scattered by the mask."""
        data, *mask = bottoms
        if not mask:
            return [data.repeat(self.scale, axis=-2).repeat(self.scale, axis=-1)]
        n, c, *spatial = data.shape
        high, wide = self._masked(spatial)
        out = np.zeros((n * c, high * wide), dtype=np.float32)
        positions = mask[0].reshape(n * c, -1).astype(np.int64)
        if positions.size and not (positions.min() >= 0 and positions.max() < high * wide):
            self.refuse("the mask points outside the output", "bottom", 1)
        np.put_along_axis(out, positions, data.reshape(n * c, -1), axis=1)
        return [out.reshape(n, c, high, wide)]
