"""A net and its count -> what is drawn of it: boxes with their figures, arrows with their blobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from netcount.analysis._support.liveness import usage
from netcount.analysis._support.names import block_of
from netcount.analysis.blocks import members_of_blocks
from netcount.analysis.count import Count
from netcount.core.errors import InputError
from netcount.core.suggest import unknown
from netcount.core.units import FLOAT_BYTES
from netcount.graph.graph import Blob
from netcount.graph.partial import Outline, Outlined
from netcount.layers.layer import Window
from netcount.picture.boxes import Diagram, diagram

ALL = "all"
"""For `collapse`: every block."""
FAMILIES = (
    "convolution", "pooling", "normalization", "activation", "shape", "recurrent", "detection", "loss", "data",
)  # fmt: skip
"""The families of layer types, by the folders they stand in."""
OTHER = "other"
"""The family of types that netcount does not know itself."""


class PictureBox(NamedTuple):
    """A box.

    Attributes:
        name: Of its first layer, or of the block it is.
        type: Of its first layer; empty for a block.
        family: Of that type; of a block, that of its costliest layer.
        window: Of its first layer, where it has one.
        followers: The types of the other layers in it; none for a block.
        layers: Its layers, as indices in the outline.
        tops: What other boxes, or the caller, get of it; shapes are known unless `state` says otherwise.
        params, madds, activations: The sums over its layers.
        live_bytes: The most activations, in float32, that are alive while one of its layers runs.
        state: "known"; "broken" where a layer of it is wrong; "unknown" where it depends on one that is.
        message: What is wrong with it, if something is.
    """

    name: str
    type: str
    family: str
    window: Window | None
    followers: tuple[str, ...]
    layers: tuple[int, ...]
    tops: tuple[Blob, ...]
    params: int
    madds: int
    activations: int
    live_bytes: int
    state: str
    message: str | None
    is_block: bool


class Arrow(NamedTuple):
    """An arrow from box to box.

    Attributes:
        source, port, target: The boxes, and the number of the output in the first.
        blob: What it hands on; the name alone where its shape is not known.
        changes: Whether its shape is another than what the source box reads, so that a reader wants to see it.
    """

    source: int
    port: int
    target: int
    name: str
    blob: Blob | None
    changes: bool


class Picture(NamedTuple):
    """What is drawn of a net.

    Attributes:
        counted: The layers that could be counted.
        outline: All layers, and why the net could not be finished, if it could not.
        boxes, arrows: In the order of the file.
        live: For each layer of the count the bytes of activations, in float32, that are alive while it runs.
        blocks: The blocks of the net with their layers, as indices in the outline.
        folded: Those that are drawn as one box.
        kept_open: Those that should be, and are not, as that would make a circle of arrows.
    """

    counted: Count
    outline: Outline
    boxes: tuple[PictureBox, ...]
    arrows: tuple[Arrow, ...]
    live: tuple[int, ...]
    blocks: Mapping[str, tuple[int, ...]]
    folded: tuple[str, ...]
    kept_open: tuple[str, ...]

    @property
    def peak_bytes(self) -> int:
        """The most activations that are alive at once, in float32."""
        return max((box.live_bytes for box in self.boxes), default=0)


def picture(count: Count, outline: Outline, fuse: bool = True, collapse: Collection[str] = ()) -> Picture:
    """What to draw of a net.

    Args:
        count: The count of the outline's graph.
        outline: Its layers.
        fuse: Whether layers stand in the box of the layer that they follow.
        collapse: The blocks to draw as one box each; "all" for every one.

    Raises:
        InputError: There is no block of a name in `collapse`.
    """
    return _picture(count, outline, fuse, collapse, _blocks(count, outline), _live(count))


def open_and_folded(count: Count, outline: Outline, fuse: bool = True) -> tuple[Picture, Picture]:
    """The pictures with no block folded and with every one, in little more time than one of them."""
    homes, live = _blocks(count, outline), _live(count)
    opened = _picture(count, outline, fuse, (), homes, live)
    return opened, _picture(count, outline, fuse, (ALL,), homes, live)


def _live(count: Count) -> tuple[int, ...]:
    return tuple([FLOAT_BYTES * elements for elements in usage(count.net, in_place=True)])


def _picture(
    count: Count,
    outline: Outline,
    fuse: bool,
    collapse: Collection[str],
    homes: Mapping[int, str],
    live: tuple[int, ...],
) -> Picture:
    members: dict[str, list[int]] = {}
    for index, name in sorted(homes.items()):
        members.setdefault(name, []).append(index)
    for name in collapse:
        if name != ALL and name not in members:
            raise InputError(unknown("block", name, members), argument="collapse")
    folded = members if ALL in collapse else collapse
    drawn = diagram(outline, fuse, homes, folded)
    boxes = tuple([_box(count, outline, box.layers, box.block, live) for box in drawn.boxes])
    return Picture(
        count,
        outline,
        boxes,
        tuple(_arrows(count, outline, drawn)),
        live,
        {name: tuple(layers) for name, layers in members.items()},
        tuple([box.block for box in drawn.boxes if box.block is not None]),
        drawn.kept_open,
    )


def _blocks(count: Count, outline: Outline) -> dict[int, str]:
    """The block of each layer of the outline that is in one; names tell where nothing else is known."""
    names = members_of_blocks(count)
    by_node = {index: name for name, indices in names.items() for index in indices}
    members = {}
    for index, layer in enumerate(outline.layers):
        name = by_node.get(layer.node) if layer.node is not None else block_of(layer.name)
        if name is not None and name in names:
            members[index] = name
    return members


def _box(
    count: Count, outline: Outline, indices: Sequence[int], block: str | None, live: Sequence[int]
) -> PictureBox:
    layers = [outline.layers[index] for index in indices]
    rows = [count.layers[layer.node] for layer in layers if layer.node is not None]
    head = layers[0]
    costliest = head
    if block is not None:
        costliest = max(layers, key=lambda layer: count.layers[layer.node].madds if layer.node is not None else 0)
    message = next((layer.message for layer in layers if layer.message), None)
    state = "broken" if message else "unknown" if any(layer.node is None for layer in layers) else "known"
    return PictureBox(
        head.name if block is None else block,
        head.type if block is None else "",
        _family(count, costliest),
        count.layers[head.node].window if head.node is not None and block is None else None,
        tuple([layer.type for layer in layers[1:]]) if block is None else (),
        tuple(indices),
        _tops(count, layers),
        sum([row.params for row in rows]),
        sum([row.madds for row in rows]),
        sum([row.activations for row in rows]),
        max([live[layer.node] for layer in layers if layer.node is not None], default=0),
        state,
        message,
        block is not None,
    )


def _tops(count: Count, layers: Sequence[Outlined]) -> tuple[Blob, ...]:
    """The blobs that leave a box."""
    net = count.net
    inside = {layer.node for layer in layers}
    tops = []
    for layer in layers:
        for blob in net.nodes[layer.node].tops if layer.node is not None else ():
            readers = net.readers[blob.index]
            if not readers or any(reader not in inside for reader in readers):
                tops.append(blob)
    return tuple(tops)


def _family(count: Count, layer: Outlined) -> str:
    if layer.node is None:
        return OTHER
    parts = type(count.net.nodes[layer.node].layer).__module__.split(".")
    return parts[2] if parts[:2] == ["netcount", "layers"] and parts[2] in FAMILIES else OTHER


def _arrows(count: Count, outline: Outline, drawn: Diagram) -> list[Arrow]:
    net = count.net
    blobs: dict[int, Blob] = {}
    for layer in outline.layers:
        if layer.node is not None:
            node = net.nodes[layer.node]
            blobs.update(zip((*layer.bottoms, *layer.tops), (*node.bottoms, *node.tops), strict=False))
    arrows = []
    for link, version in zip(drawn.links, drawn.blobs, strict=True):
        blob = blobs.get(version)
        first = outline.layers[drawn.boxes[link.source].layers[0]]
        read = blobs.get(first.bottoms[0]) if first.bottoms else None
        changes = blob is not None and (read is None or read.shape != blob.shape)
        arrows.append(Arrow(link.source, link.port, link.target, outline.blobs[version], blob, changes))
    return arrows
