from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.data._images import COLOURS, Images
from netcount.prototxt.message import Message

C3D = ("root_folder", "use_image", "use_temporal_jitter", "sampling_rate", "show_data", "use_multiple_label")
"""Fields that only C3D's video_data_param has."""


class VideoData(Images):
    """SSD's frames of a camera or a video file; or snippets of a list of videos, known by its source.

    Temporal Segment Networks (Wang et al. 2016): the frames of a snippet are channels, segments·length·3,
    or ·2 for a flow's x and y.  C3D, known by its own fields or by image_data_param: they are an axis of
    their own, N×3×L×H×W.  Sources: video_data_layer.cpp of SSD, of TSN's Caffe and of facebookarchive/C3D.
    """

    type = "VideoData"
    source = "SSD, TSN, C3D"
    volumes: bool
    snippets: bool
    params: tuple[str, ...]
    length: int
    labels: int

    def read(self, message: Message) -> None:
        """Which fork's it is."""
        param = message.child("video_data_param")
        older = message.has("image_data_param")
        self.volumes = older or any(param.has(field) for field in C3D)
        self.snippets = param.has("source") and not self.volumes
        first = (
            "image_data_param" if older else "video_data_param" if self.snippets or self.volumes else "data_param"
        )
        self.params = (first,)
        self.length = message.child(first).integer("new_length") if self.volumes else 1
        if self.volumes and not self.length:
            self.refuse("needs a new_length", f"{first}.new_length")
        many = not older and param.flag("use_multiple_label")
        self.labels = param.integer("num_of_labels") if many else 1
        super().read(message)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """C3D's frames stand behind the channels."""
        shape = super().shape_of(index, given)
        if shape is None or index or not self.volumes:
            return shape
        return Shape((*shape[:2], self.length, *shape[2:]))

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
        """One an image; of C3D several where it says so, and in the older form 1×1×1×1 each."""
        if self.volumes and self.params == ("image_data_param",):
            return Shape((images, 1, 1, 1, 1))
        if self.labels > 1:
            return Shape((images, self.labels))
        return Shape((images, 1, 1, 1) if self.snippets else (images,))
