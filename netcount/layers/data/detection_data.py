from __future__ import annotations

from netcount.layers.data.image_gt_data import ImageGtData
from netcount.prototxt.message import Message


class DetectionData(ImageGtData):
    """Cascade R-CNN's images with the truth of each of its branches.

    -> N×C×H×W, for each stride N×(2+coord_num)×(H/stride)×(W/stride), rounded, and with output_gt_boxes
    boxes G×8×1×1, of which Caffe sets up one.  Height and width are the crop's or the resized image's:
    with a short and a long side it is set up as upright; else the list of images knows them.
    Source: detection_data_layer.cpp of cascade-rcnn.
    """

    type = "DetectionData"
    source = "cascade-rcnn"
    param = "detection_data_param"
    rate = "stride"
    box = 8

    def _extent(self, param: Message) -> tuple[int, int] | None:
        pairs = (
            ("crop_height", "crop_width"),
            ("crop_long_size", "crop_short_size"),
            ("resize_height", "resize_width"),
            ("long_size", "short_size"),
        )
        sides = [tuple(map(param.integer, pair)) if all(map(param.has, pair)) else () for pair in pairs]
        for cropped, resized in ((0, 1), (2, 3)):
            if sides[cropped] and sides[resized]:
                first, second = pairs[cropped][0], pairs[resized][0]
                self.refuse(f"{first} and {second} exclude each other", f"{self.param}.{second}")
        if param.has("resize_ratio") and (sides[2] or sides[3]):
            self.refuse("resize_ratio takes the place of another size", f"{self.param}.resize_ratio")
        return next(((high, wide) for high, wide in filter(None, sides) if high and wide), None)

    def cells(self, side: int, rate: int) -> int:
        """To the nearest number, halves up."""
        return (2 * side + rate) // (2 * rate)
