"""Whether what a net needs in memory fits into what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from netcount.analysis._support.tiling import ChainTiling, LayerTiling
from netcount.core.shape import Shape

MemoryPart = Literal["all", "activations", "scratch", "weights"]
"""What is held against a size: one of three, or "all" of them together."""
PARTS: tuple[MemoryPart, ...] = ("activations", "scratch", "weights", "all")


class OverLayer(NamedTuple):
    """A layer that needs more than there is.

    Attributes:
        name: Its name.
        line: Its line in the file.
        bytes: What it needs.
    """

    name: str
    line: int
    bytes: int


class OverBlob(NamedTuple):
    """A blob that is larger than all there is.

    Attributes:
        name: The blob's name, or for weights the name of their layer.
        role: "activation", "weight", "bias" or "statistic".
        shape: In Caffe's order.
        bytes: Its size.
    """

    name: str
    role: str
    shape: Shape
    bytes: int


class MemoryNeed(NamedTuple):
    """A part of what a net needs, held against what there is.

    Attributes:
        what: "activations" at their peak, "scratch" of the layer with most, all "weights", or "all": weights,
            and activations and scratch where they are largest together.
        bytes: The most of it that is needed at once.
        layer: The layer that needs it; None for weights, which stay.
        line: That layer's line.
        over: The layers that need more than there is, in the order of the net; of weights those whose own do.
        fits: Whether it fits.
    """

    what: MemoryPart
    bytes: int
    layer: str | None
    line: int | None
    over: tuple[OverLayer, ...]
    fits: bool


class MemoryVerdict(NamedTuple):
    """A net's memory held against a size.

    Attributes:
        limit_bytes: What there is.
        what: The part that the verdict is about.
        needs: The three parts, and all together.
        blobs: The blobs that are larger than all there is, alone.
        tilings: What it takes to compute by rows the layers whose activations are over it.
        chains: What it takes to compute such layers together that follow each other.
    """

    limit_bytes: int
    what: MemoryPart
    needs: tuple[MemoryNeed, ...]
    blobs: tuple[OverBlob, ...]
    tilings: tuple[LayerTiling, ...] = ()
    chains: tuple[ChainTiling, ...] = ()

    @property
    def asked(self) -> MemoryNeed:
        """The part that the verdict is about."""
        return next(need for need in self.needs if need.what == self.what)

    @property
    def fits(self) -> bool:
        """Whether that part fits."""
        return self.asked.fits


def need_of(
    what: MemoryPart, layers: Sequence[OverLayer], limit_bytes: int, stays: int | None = None
) -> MemoryNeed:
    """A part, from what each layer needs of it.  stays: the need of the net, where it is of no layer."""
    most = max(layers, key=lambda layer: layer.bytes, default=None) if stays is None else None
    need = stays if stays is not None else most.bytes if most else 0
    over = tuple(layer for layer in layers if layer.bytes > limit_bytes)
    place = most if need else None
    return MemoryNeed(what, need, place and place.name, place and place.line, over, need <= limit_bytes)


def verdict_of(
    limit_bytes: int,
    what: MemoryPart,
    layers: Mapping[MemoryPart, Sequence[OverLayer]],
    weight_bytes: int,
    blobs: Sequence[OverBlob],
) -> MemoryVerdict:
    """The verdict about a net, from what its layers need of each part and how large its blobs are."""
    stays = {"weights": weight_bytes}
    return MemoryVerdict(
        limit_bytes,
        what,
        tuple(need_of(part, layers[part], limit_bytes, stays.get(part)) for part in PARTS),
        tuple(dict.fromkeys(blob for blob in blobs if blob.bytes > limit_bytes)),
    )
