"""What the boxes of a PriorBox ask of a detector: the channels of its heads, and how many boxes there are."""

from __future__ import annotations

from typing import NamedTuple

from netcount.graph.graph import Blob, Graph, Node
from netcount.layers.detection.prior_box import PriorBox

_DETECTORS = frozenset({"DetectionOutput", "MultiBoxLoss"})
_LOCATIONS, _CONFIDENCES, _PRIORS = range(3)
"""Which bottom of a detector holds what."""


class Priors(NamedTuple):
    """The boxes of one PriorBox, and what a detector that reads them wants of its heads there.

    Attributes:
        boxes: At each position of the feature map.
        positions: Of the feature map.
        detector: The name of the DetectionOutput or MultiBoxLoss that reads them; None where none does.
        line: Of the detector.
        all_boxes: That the detector reads, of this and every other PriorBox.
        coordinates: Values that locate a box; classes times as many where classes share no locations.
        classes: Confidences of a box.
    """

    boxes: int
    positions: int
    detector: str | None = None
    line: int = 0
    all_boxes: int = 0
    coordinates: int = 4
    classes: int | None = None

    @property
    def number(self) -> int:
        """Boxes that the layer makes."""
        return self.boxes * self.positions

    @property
    def location_channels(self) -> int:
        """Channels of the convolution that locates these boxes."""
        return self.coordinates * self.boxes

    @property
    def confidence_channels(self) -> int | None:
        """Channels of the convolution that classifies them; None where nothing says how many classes there are."""
        return None if self.classes is None else self.classes * self.boxes


def priors_of(net: Graph, node: Node) -> tuple[Priors, ...]:
    """Of a PriorBox one for each detector that reads it, or one without a detector; of another layer none."""
    if not isinstance(node.layer, PriorBox):
        return ()
    boxes = len(node.layer.boxes)
    positions = node.tops[0].shape.count() // (8 * boxes)
    known = [
        Priors(
            boxes,
            positions,
            detector.name,
            detector.place.line,
            number,
            detector.bottoms[_LOCATIONS].shape.count(1) // number,
            detector.bottoms[_CONFIDENCES].shape.count(1) // number,
        )
        for detector in _detectors(net, node.tops[0])
        if (number := detector.bottoms[_PRIORS].shape.count() // 8)
    ]
    return tuple(known) or (Priors(boxes, positions),)


def _detectors(net: Graph, blob: Blob) -> list[Node]:
    """The detectors that read a blob of priors, behind what joins it with others."""
    detectors: dict[int, Node] = {}
    left, seen = [blob], {blob.index}
    while left:
        at = left.pop()
        for index in net.readers[at.index]:
            reader = net.nodes[index]
            if reader.type in _DETECTORS:
                if reader.bottoms[_PRIORS].index == at.index:
                    detectors[index] = reader
                continue
            if not reader.params and not reader.layer.extents_only:
                left += [top for top in reader.tops if top.index not in seen]
                seen.update(top.index for top in reader.tops)
    return [detectors[index] for index in sorted(detectors)]
