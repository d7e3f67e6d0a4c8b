"""A net built again with other numbers, without its text being read and its layers being connected again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netcount.core.errors import InputError, NetcountError
from netcount.core.shape import Shape
from netcount.graph.connect import Part
from netcount.graph.draft import Draft
from netcount.graph.graph import Graph, Node
from netcount.graph.known import Known, frozen
from netcount.graph.load import draft_text
from netcount.prototxt import read_net
from netcount.prototxt.edit import Span, edited
from netcount.prototxt.message import Message
from netcount.prototxt.tree import Source
from netcount.prototxt.unknown_fields import UnknownField

MOST_PARTS = 50_000
"""Layers with other numbers that are kept; then all are forgotten."""


class Numbers(NamedTuple):
    """Other numbers for fields of one layer's parameters: the name of their message, and field by field."""

    param: str
    fields: tuple[tuple[str, int], ...]


class Variants:
    """The variants of one net.  What a variant shares with earlier ones is not asked again.

    A layer with other numbers is made by the same steps as the layers of a file, from a message that
    differs in the same fields as the edited text does; shapes, batch and shared blobs are worked out as for
    any net (`Draft.graph`).
    """

    def __init__(self, draft: Draft, net: Graph, source: Source) -> None:
        self.draft = draft
        self.net = net
        self.source = source
        self.known = Known(draft.options.catalogue)
        self._parts: dict[tuple[int, Numbers], Part] = {}
        self._alone: dict[int, bool] = {}

    def built(
        self,
        numbers: Mapping[int, Numbers],
        reread: Mapping[int, Part],
        input_shapes: Mapping[str, Shape],
    ) -> Graph:
        """The net with these numbers, by node, and with the layers that `reread` made anew.

        InputError where Caffe would refuse it; the place is that in the net's own text.
        """
        if len(self._parts) > MOST_PARTS:
            self._parts.clear()
        self.known.trim()
        parts = {index: self._part(index, one) for index, one in numbers.items()}
        return self.draft.changed({**parts, **reread}, input_shapes).graph(self.known)

    def _part(self, index: int, numbers: Numbers) -> Part:
        part = self._parts.get((index, numbers))
        if part is None:
            part = self.draft.remade(index, _with_numbers(self.net.nodes[index].message, numbers))
            self._parts[index, numbers] = part
        return part

    def reread(self, edits: Mapping[Span, str]) -> dict[int, Part]:
        """The layers whose text is edited, as the edited text describes them."""
        touched = self._touched(edits)
        if touched is not None:
            messages = {index: self._read(self.net.nodes[index], own) for index, own in touched.items()}
        else:  # a size of the net itself (`input_dim`), or layers that an upgrade reads together
            text = edited(self.source, edits)
            parts = draft_text(text, self.draft.options, self.source.file).wiring.parts
            if len(parts) != len(self.net.nodes):
                raise InputError(f"{self.source.file}: edited, the net would have other layers")
            messages = {
                node.index: part.message
                for node, part in zip(self.net.nodes, parts, strict=True)
                if frozen(node.message) != frozen(part.message)
            }
        return {index: self.draft.remade(index, message) for index, message in messages.items()}

    def _touched(self, edits: Mapping[Span, str]) -> dict[int, dict[Span, str]] | None:
        """The edits by the node in whose text they stand; None where one stands in none that can be read alone."""
        touched: dict[int, dict[Span, str]] = {}
        left = dict(edits)
        for node in self.net.nodes if edits else ():
            tree = node.message.tree
            own = {span: new for span, new in left.items() if tree.offset < span[0] < tree.end}
            if own and self._stands_alone(node):
                touched[node.index] = own
                for span in own:
                    del left[span]
        return None if left else touched

    def _stands_alone(self, node: Node) -> bool:
        """Whether the layer's own text, read alone, gives the message that the whole file gives."""
        if node.index not in self._alone:
            try:
                self._alone[node.index] = frozen(self._read(node, {})) == frozen(node.message)
            except NetcountError:
                self._alone[node.index] = False
        return self._alone[node.index]

    def _read(self, node: Node, edits: Mapping[Span, str]) -> Message:
        """The layer as its own text says, edited; its line is that of the file."""
        tree = node.message.tree
        start, end = tree.offset, tree.end + 1
        within = {(first - start, last - start): new for (first, last), new in edits.items()}
        text = edited(Source(self.source.text[start:end], self.source.file), within)
        problems: list[NetcountError] = []
        unknown: list[UnknownField] = []
        net = read_net("\n" * (tree.source.line(start) - 1) + text, self.source.file, problems, unknown)
        if problems or len(net.children("layer")) != 1:
            raise InputError(f'{node.type} "{node.name}" cannot be read alone', node.place)
        return net.children("layer")[0]


def _with_numbers(message: Message, numbers: Numbers) -> Message:
    param = message.child(numbers.param)
    changed = Message(param.type, {**param.values, **dict(numbers.fields)}, param.tree)
    return Message(message.type, {**message.values, numbers.param: changed}, message.tree)
