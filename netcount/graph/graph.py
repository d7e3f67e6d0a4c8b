"""The IR: a net as Caffe would build it, every blob with its shape.  Frozen once made."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import Any, NamedTuple

from netcount.core.errors import Place, Warned
from netcount.core.shape import Shape
from netcount.layers.layer import Layer, ParamBlob
from netcount.prototxt.message import Message
from netcount.prototxt.select import Phase


class Blob(NamedTuple):
    """One version of a blob: an in-place top is a new Blob that remembers which it overwrites.

    `index` is its position in `Net.blobs`, `producer` the index of its node.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants of these
    name: str
    shape: Shape
    producer: int
    overwrites: int | None = None


class Owner(NamedTuple):
    """The node and blob position that a shared parameter blob belongs to."""

    node: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants of these


class Node(NamedTuple):
    """A layer in its net."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants of these
    name: str
    type: str
    layer: Layer
    bottoms: tuple[Blob, ...]
    tops: tuple[Blob, ...]
    params: tuple[ParamBlob, ...]
    owners: tuple[Owner | None, ...]

    @property
    def value_bottoms(self) -> list[Blob]:
        """The bottoms whose values are read, not their shape alone."""
        shapes_only = self.layer.extents_only
        if not shapes_only:
            return list(self.bottoms)
        return [blob for position, blob in enumerate(self.bottoms) if position not in shapes_only]

    @property
    def message(self) -> Message:
        """The LayerParameter it was read from."""
        return self.layer.message

    @property
    def place(self) -> Place:
        """Where it stands in the file."""
        return self.layer.message.place()

    @property
    def bottom_shapes(self) -> list[Shape]:
        """Shapes of the bottoms, in order."""
        return [blob.shape for blob in self.bottoms]

    @property
    def top_shapes(self) -> list[Shape]:
        """Shapes of the tops, in order."""
        return [blob.shape for blob in self.tops]


class Graph:
    """A net in one phase, with one batch.

    nodes: the layers, in the order of the file.  blobs: every blob version.  inputs, outputs: the
    indices of blobs that no layer computes, and of those that no layer reads (sorted by name, as
    Caffe lists them).  complete: False when a layer's shape was assumed rather than known.
    force_backward: whether the file asks for gradients even where nothing learns.
    by_connections: what was found about the connections alone; nets that share them share it.
    """

    by_connections: dict[Hashable, Any]

    def __init__(
        self,
        *,
        name: str,
        file: str,
        phase: Phase,
        batch: int | None,
        nodes: tuple[Node, ...],
        blobs: tuple[Blob, ...],
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        warnings: tuple[Warned, ...],
        assumptions: tuple[Warned, ...] = (),
        complete: bool,
        force_backward: bool = False,
        by_connections: dict[Hashable, Any] | None = None,
    ) -> None:
        self.name = name
        self.file = file
        self.phase = phase
        self.batch = batch
        self.nodes = nodes
        self.blobs = blobs
        self.inputs = inputs
        self.outputs = outputs
        self.warnings = warnings
        self.assumptions = assumptions
        self.complete = complete
        self.force_backward = force_backward
        self.by_connections = {} if by_connections is None else by_connections

    def node(self, name: str) -> Node:
        """The first layer of that name; KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For each blob version the indices of the nodes that read it."""
        readers: list[list[int]] = [[] for _ in self.blobs]
        for node in self.nodes:
            for blob in node.bottoms:
                readers[blob.index].append(node.index)
        return tuple(map(tuple, readers))

    @cached_property
    def output_set(self) -> frozenset[int]:
        """The indices of the outputs, to ask of many blobs whether they are one."""
        return frozenset(self.outputs)

    def learnable(self) -> int:
        """Elements of all distinct parameter blobs, statistics included: Caffe's own count."""
        return sum(
            blob.shape.count()
            for node in self.nodes
            for blob, owner in zip(node.params, node.owners, strict=True)
            if owner is None
        )

    def __repr__(self) -> str:
        return f"<Net {self.name!r}: {len(self.nodes)} layers, {self.phase}>"
