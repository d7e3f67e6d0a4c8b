"""Sources whose images lie in a database or a list: what their parameters tell of the shapes."""

from __future__ import annotations

from collections.abc import Mapping

from netcount.layers.base import Source, check_transform, child_of
from netcount.layers.layer import TWO, Arity
from netcount.prototxt.message import Message
from netcount.shape import Shape

COLOURS = 3


class Images(Source):
    """A source of images N×C×H×W and, mostly, of one label an image.

    Height and width come from transform_param's crop_size or resize_param (the first, where
    MobileNet-YOLO has several), or from new_height and new_width; the batch from batch_size.
    Channels are 3 unless the parameters say grey, and where only the database decides, `assumed` says so.
    """

    params: tuple[str, ...] = ()
    tops = Arity(1, 2)

    def read(self, message: Message) -> None:
        """Batch, height and width, channels; None for what is not told."""
        param = child_of(message, *self.params)
        transform = check_transform(self)
        self.check(transform)
        self.batch = param.integer("batch_size")
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
            self.assumed = (
                f"{COLOURS} channels are assumed, only the database knows; --input-shape "
                f"{self.message.texts('top')[0]}=N,C,H,W says otherwise"
            )
        return COLOURS

    knows_colour = True
    """Whether its own parameters say the channels; force_gray and force_color are for databases."""

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Images and labels; nothing is assumed of an image shape that is given."""
        if 0 in given or self.extent is None:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """Top 0 is the image; the label has one number an image."""
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


class Data(Images):
    """Images of an LMDB or LevelDB (data_layer.cpp).  The database decides the channels."""

    type = "Data"
    params = ("data_param",)
    knows_colour = False


class ImageData(Images):
    """Images of a list of files (image_data_layer.cpp)."""

    type = "ImageData"
    params = ("image_data_param",)
    tops = TWO

    def check(self, transform: Message) -> None:
        """new_height and new_width come together and leave room for the crop."""
        self.pair("new")
        param = self.message.child("image_data_param")
        height, width = param.integer("new_height"), param.integer("new_width")
        if not param.integer("batch_size"):
            self.refuse("batch_size must be positive", "image_data_param.batch_size")
        crop = transform.integer("crop_size")
        if height and crop > min(height, width):
            self.refuse(f"crop_size {crop} is larger than {height}×{width}", "transform_param.crop_size")


class WindowData(Images):
    """Cropped windows of images, N×3×crop×crop, and a label each (window_data_layer.cpp)."""

    type = "WindowData"
    params = ("window_data_param",)
    tops = TWO

    def read(self, message: Message) -> None:
        """crop_size is a must."""
        super().read(message)
        if self.extent is None:
            self.refuse("needs a crop_size in transform_param", "transform_param")


class MemoryData(Source):
    """Data handed over in memory: the shape is declared (memory_data_layer.cpp)."""

    type = "MemoryData"
    tops = TWO

    def read(self, message: Message) -> None:
        """batch_size × channels × height × width, all positive."""
        check_transform(self)
        param = message.child("memory_data_param")
        names = ("batch_size", "channels", "height", "width")
        self.shape = Shape(param.integer(name) for name in names)
        if not all(self.shape):
            self.refuse(
                f"batch_size, channels, height and width must be positive, not {self.shape}",
                "memory_data_param",
            )

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The declared shape, and one label an image."""
        if index == 0:
            return self.shape
        return Shape(((given.get(0) or self.shape)[0],))


class AnnotatedData(Images):
    """SSD's images with boxes: the label is 1×1×boxes×8, one box until data come.

    With MobileNet-YOLO's yolo_data_type 1 it is N×1×300×5.  Its third top are maps of the classes,
    as many as its label map has unless there is a single_class (annotated_data_layer.cpp of both).
    """

    type = "AnnotatedData"
    source = "SSD"
    params = ("data_param",)
    tops = Arity(1, 3)
    knows_colour = False

    def check(self, transform: Message) -> None:
        """An image of its own size makes a batch of its own."""
        batch = self.message.child("data_param").integer("batch_size")
        for resize in transform.children("resize_param")[:1]:
            if resize.text("resize_mode") == "FIT_SMALL_SIZE" and batch != 1:
                self.refuse(
                    f"resize_mode FIT_SMALL_SIZE needs a batch_size of 1, not {batch}", "data_param.batch_size"
                )

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """One box of eight numbers, as SSD's layer sets it up before data come."""
        if self.message.child("annotated_data_param").integer("yolo_data_type") == 1:
            return Shape((images, 1, 300, 5))
        return Shape((1, 1, 1, 8))

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The maps N×1×H×W, by a size of their own or a part of the image's; the width goes first."""
        image = given.get(0) or super().shape_of(0, given)
        param = self.message.child("annotated_data_param")
        if index < 2:
            return super().shape_of(index, given)
        if image is None or len(image) != 4 or not param.flag("single_class"):
            return None
        own = param.integer("seg_resize_width"), param.integer("seg_resize_height")
        part = param.integer("seg_scales")
        if not all(own) and part < 1:
            self.refuse(f"seg_scales {part} must be positive", "annotated_data_param.seg_scales")
        return Shape((image[0], 1, *(own if all(own) else (image[2] // part, image[3] // part))))


class VideoData(Images):
    """SSD's frames of a camera or a video file; or snippets of a list of videos, known by its source.

    The frames of a snippet are channels: segments·length·3, or ·2 for a flow's x and y.  Sources:
    video_data_layer.cpp of SSD and of the Caffe of Temporal Segment Networks (Wang et al. 2016).
    """

    type = "VideoData"
    source = "SSD, TSN"

    def read(self, message: Message) -> None:
        """Which fork's it is."""
        self.snippets = message.child("video_data_param").has("source")
        self.params = ("video_data_param",) if self.snippets else ("data_param",)
        super().read(message)

    def _channels(self, param: Message, transform: Message) -> int:
        """Of all frames of a snippet, or of one frame."""
        if not self.snippets:
            return super()._channels(param, transform)
        grey = 1 if param.flag("grayscale") else COLOURS
        return (
            param.integer("num_segments")
            * param.integer("new_length")
            * (2 if param.text("modality") == "FLOW" else grey)
        )

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """One an image."""
        return Shape((images, 1, 1, 1) if self.snippets else (images,))


class DenseImageData(Images):
    """SegNet's images with a label image of the same height and width.

    -> N×3×H×W, N×1×H×W.  Source: dense_image_data_layer.cpp of SegNet's Caffe.
    """

    type = "DenseImageData"
    source = "SegNet"
    params = ("dense_image_data_param",)
    tops = TWO

    def check(self, transform: Message) -> None:
        """Heights and widths come together."""
        for form in ("new", "crop"):
            self.pair(form)

    def _extent(self, param: Message, transform: Message) -> tuple[int, int] | None:
        """crop_size, then the layer's own crop, then new_height and new_width."""
        if not transform.integer("crop_size") and param.integer("crop_height"):
            return param.integer("crop_height"), param.integer("crop_width")
        return super()._extent(param, transform)

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """N×1×H×W."""
        height, width = data[2:4] if data and len(data) == 4 else self.extent or (0, 0)
        return Shape((images, 1, height, width)) if height else None


class ImageSegData(Images):
    """DeepLab's images, label images N×1×H×W and the data's own extents N×1×1×2.

    Source: image_seg_data_layer.cpp of DeepLab's Caffe.
    """

    type = "ImageSegData"
    source = "DeepLab"
    params = ("image_data_param",)
    tops = Arity(1, 3)

    def check(self, transform: Message) -> None:
        """A mean by values only, and a crop by one number or by both."""
        self.pair("new")
        if transform.has("mean_file"):
            self.refuse("knows no mean_file", "transform_param.mean_file")
        sides = [transform.has(f"crop_{side}") for side in ("height", "width")]
        if any(sides) and (transform.has("crop_size") or not all(sides)):
            self.refuse("needs crop_size, or both crop_height and crop_width", "transform_param")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """Image, label image, and height and width of the image."""
        if index == 2:
            images = given[0][0] if given.get(0) else self.batch
            return Shape((images, 1, 1, 2)) if images else None
        return super().shape_of(index, given)

    def label(self, images: int, data: Shape | None) -> Shape | None:
        """N×1×H×W."""
        height, width = data[2:4] if data and len(data) == 4 else self.extent or (0, 0)
        return Shape((images, 1, height, width)) if height else None
