from __future__ import annotations

from netcount.core.shape import Shape
from netcount.layers.data._images import COLOURS, Images
from netcount.prototxt.message import Message


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
