"""A net's outline -> boxes and arrows: layers stand in the box of the one they follow, blocks may be folded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from netcount.graph.partial import Outline
from netcount.picture.strips import Link, ordered

FOLLOWERS = frozenset(
    "AbsVal BatchNorm Bias BN BNLL ChannelScale Clip Dropout ELU Exp HardSigmoid Log Mish NegReLU Power PReLU "
    "ReLU ReLU6 Scale SELU Sigmoid SpatialDropout SpatialDropoutLayer Swish TanH Threshold".split()
)
"""Types that are drawn in the box of the layer before them also where they make a blob of their own."""


class Box(NamedTuple):
    """Some layers that are drawn as one.

    layers: their indices in the outline, in the order of the file.  block: the block they are, if they are one.
    """

    layers: tuple[int, ...]
    block: str | None = None


class Diagram(NamedTuple):
    """What is drawn.

    Attributes:
        boxes: In the order of their first layers.
        links: The arrows, in the order of the layers' bottoms; an output's port is its number in its box.
        blobs: For each link the blob version that it hands on.
        kept_open: Blocks that are not folded, though they should be: other layers stand on the way through them.
    """

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    blobs: tuple[int, ...]
    kept_open: tuple[str, ...] = ()


def diagram(
    outline: Outline, fuse: bool = True, blocks: Mapping[int, str] | None = None, folded: Collection[str] = ()
) -> Diagram:
    """The boxes and arrows of a net.

    Args:
        outline: Its layers.
        fuse: Whether layers stand in the box of the layer that they follow.
        blocks: The block of each layer that is in one.
        folded: The blocks to draw as one box each.
    """
    groups = _fused(outline) if fuse else [[index] for index in range(len(outline.layers))]
    homes = {group[0]: (blocks or {}).get(group[0]) for group in groups}
    sizes: dict[str, int] = {}
    for name in homes.values():
        if name is not None:
            sizes[name] = sizes.get(name, 0) + 1
    wanted = {name for name in folded if sizes.get(name, 0) > 1}
    kept_open: list[str] = []
    while True:
        boxes = _folded(groups, homes, wanted)
        links, blobs = _links(outline, boxes)
        circles = _in_circles(len(boxes), links)
        circular = {box.block for index, box in enumerate(boxes) if index in circles and box.block is not None}
        if not circular:
            return Diagram(tuple(boxes), tuple(links), tuple(blobs), tuple(sorted(kept_open)))
        wanted -= circular
        kept_open += circular


def _fused(outline: Outline) -> list[list[int]]:
    """The layers of each box; a layer joins the one that makes what it alone reads."""
    producers: dict[int, int] = {}
    readers: dict[int, int] = {}
    for index, layer in enumerate(outline.layers):
        for blob in layer.tops:
            producers[blob] = index
        for blob in layer.bottoms:
            readers[blob] = readers.get(blob, 0) + 1
    home: list[list[int]] = []
    groups: list[list[int]] = []
    for index, layer in enumerate(outline.layers):
        group = None
        if len(layer.bottoms) == len(layer.tops) == 1 and (layer.in_place or layer.type in FOLLOWERS):
            (bottom,) = layer.bottoms
            before = producers.get(bottom)
            if before is not None and readers[bottom] == 1 and len(outline.layers[before].tops) == 1:
                group = home[before]
        if group is None:
            group = []
            groups.append(group)
        group.append(index)
        home.append(group)
    return groups


def _folded(groups: Sequence[list[int]], homes: Mapping[int, str | None], folded: Collection[str]) -> list[Box]:
    members: dict[str, list[int]] = {}
    boxes: list[Box | str] = []
    for group in groups:
        block = homes[group[0]]
        if block is None or block not in folded:
            boxes.append(Box(tuple(group)))
        else:
            if block not in members:
                members[block] = []
                boxes.append(block)
            members[block] += group
    return [Box(tuple(sorted(members[box])), box) if isinstance(box, str) else box for box in boxes]


def _links(outline: Outline, boxes: Sequence[Box]) -> tuple[list[Link], list[int]]:
    home = {layer: index for index, box in enumerate(boxes) for layer in box.layers}
    ports: list[dict[int, int]] = [{} for _ in boxes]
    producers = {blob: home[index] for index, layer in enumerate(outline.layers) for blob in layer.tops}
    links: dict[Link, int] = {}
    for index, layer in enumerate(outline.layers):
        target = home[index]
        for blob in layer.bottoms:
            source = producers.get(blob)
            if source is not None and source != target:
                port = ports[source].setdefault(blob, len(ports[source]))
                links.setdefault(Link(source, port, target), blob)
    return list(links), list(links.values())


def _in_circles(number: int, links: Sequence[Link]) -> set[int]:
    """The boxes that lie on a circle of arrows, or between two circles."""
    below: list[list[int]] = [[] for _ in range(number)]
    above: list[list[int]] = [[] for _ in range(number)]
    for link in links:
        below[link.source].append(link.target)
        above[link.target].append(link.source)
    return set(range(number)) - set(ordered(below)) - set(ordered(above))
