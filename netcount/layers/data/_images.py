"""Sources whose images lie in a database or a list: what their parameters tell of the shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Source, check_transform, child_of
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

COLOURS = 3


class Images(Source):
    """A source of images N×C×H×W and, mostly, of one label per image.

    Height and width come from transform_param's crop_size or resize_param (the first, where
    MobileNet-YOLO has several), or from new_height and new_width; the batch from batch_size.
    Channels are 3 unless the parameters say grey, and where only the database decides, `assumed` says so.
    """

    params: tuple[str, ...] = ()
    batch_field = "batch_size"
    tops: ClassVar[Arity] = Arity(1, 2)
    batch: int
    extent: tuple[int, int] | None
    channels: int

    def read(self, message: Message) -> None:
        """Batch, height and width, channels; None for what is not told."""
        param = child_of(message, *self.params)
        transform = check_transform(self)
        self.check(transform)
        self.batch = param.integer(self.batch_field)
        self.extent = self._extent(param, transform)
        self.channels = self._channels(param, transform)

    def check(self, transform: Message) -> None:
        """Refuse what the fork's own set-up refuses."""

    def pair(self, form: str) -> None:
        """Refuse a height without a width, and the other way round."""
        name = self.params[0]
        param = self.message.child(name)
        if (param.integer(f"{form}_height") > 0) != (param.integer(f"{form}_width") > 0):
            self.refuse(f"{form}_height and {form}_width must be set together", name)

    def _extent(self, param: Message, transform: Message) -> tuple[int, int] | None:
        for height, width in (("crop_h", "crop_w"), ("crop_height", "crop_width")):
            if transform.has(height) and transform.has(width):
                return transform.integer(height), transform.integer(width)
        if transform.integer("crop_size"):  # the one in the data's own parameters is read in old forms only
            return transform.integer("crop_size"), transform.integer("crop_size")
        for resize in transform.children("resize_param")[:1]:
            fits = resize.text("resize_mode") != "FIT_SMALL_SIZE"  # then the image decides
            if fits and resize.integer("height") and resize.integer("width"):
                return resize.integer("height"), resize.integer("width")
        if _has(param, "new_height") and param.integer("new_height") and param.integer("new_width"):
            return param.integer("new_height"), param.integer("new_width")
        return None

    def _channels(self, param: Message, transform: Message) -> int:
        if self.knows_colour:
            return 1 if _has(param, "is_color") and not param.flag("is_color") else COLOURS
        if transform.flag("force_gray"):
            return 1
        if not transform.flag("force_color"):
            self.assumed = f"{COLOURS} channels are assumed, only the database knows"
        return COLOURS

    knows_colour = True
    """Whether its own parameters say the channels; force_gray and force_color are for databases."""

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Images and labels; nothing is assumed of an image shape that is given."""
        if 0 in given or self.extent is None:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """Top 0 is the image; the label has one number per image."""
        if index == 0:
            if self.extent is None or not self.batch:
                return None
            return Shape((self.batch, self.channels, *self.extent))
        images = given[0][0] if given.get(0) else self.batch
        return self.label(images, given.get(0)) if images else None

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """The label's shape."""
        return Shape((images,))


def _has(message: Message, field: str) -> bool:
    return field in message.values
