"""A layer computed strip by strip of its rows, as chips do whose memory does not hold its blobs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from netcount.analysis._support.receptive import over
from netcount.core.units import bytes_of
from netcount.graph.graph import Blob, Graph, Node
from netcount.layers.sight import Sight

ROWS = 2
"""The axis of a top that is cut: the height of N×C×H×W."""
NO_ROWS = "its tops have no rows to compute one by one"
WHOLE = "each row of its tops depends on all of its bottoms"


class Strips(NamedTuple):
    """A way to cut a layer: strips of so many rows of its tops, the last one of what is left.

    Attributes:
        rows: Of the tops, in each strip but the last.
        number: How many strips.
        bytes: What the largest strip needs: those rows, and the rows of the bottoms that they depend on.
        bottom_rows: The most rows of a bottom that a strip reads.
        halo: The most rows of a bottom that two neighbours both read.
        again_bytes: What all strips together read more than once.
        again_madds: What all strips of a chain together compute more than once, of the layers but the last.
    """

    rows: int
    number: int
    bytes: int
    bottom_rows: int
    halo: int
    again_bytes: int
    again_madds: int = 0


class LayerTiling(NamedTuple):
    """What it takes to compute by rows a layer whose activations are over a size.

    Attributes:
        name: The layer.
        line: Its line in the file.
        rows: Of its tops.
        least: One row at a time, the smallest strip; None where the layer cannot be cut.
        fitting: The strips with most rows that fit; None where not even one row does.
        reason: Why it cannot be cut; empty where it can.
    """

    name: str
    line: int
    rows: int
    least: Strips | None
    fitting: Strips | None
    reason: str = ""


class ChainTiling(NamedTuple):
    """Layers over a size that follow each other, computed together, strip by strip of the last one's rows.

    What lies between them is never there as a whole: only the bottom of the first and the top of the last are.

    Attributes:
        layers: Their names, in order.
        line: The first one's line in the file.
        rows: Of the last one's top.
        least: One row of it at a time; `bytes` are those of the layer with the largest strips.
        fitting: The strips with most rows that fit.
    """

    layers: tuple[str, ...]
    line: int
    rows: int
    least: Strips
    fitting: Strips


class _Part(NamedTuple):
    """A blob of which a strip needs some rows.  sight: what a top's row sees of them; None for a top itself."""

    sights: tuple[Sight, ...]
    extent: int
    row: int

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """The first and the last row that some rows of the tops need."""
        ends = [span for sight in self.sights if (span := over(sight, (first, last))) is not None]
        if not ends:
            return None
        start, stop = max(0, min(end[0] for end in ends)), min(self.extent - 1, max(end[1] for end in ends))
        return (start, stop) if start <= stop else None


def layer_tiling(node: Node, line: int, bits: int, limit_bytes: int) -> LayerTiling:
    """How a layer can be cut so that a strip of its activations fits into so many bytes.

    A bottom that a top overwrites in place, and one under several names, is held once.
    """
    cut = _Cut.of(node, bits)
    if isinstance(cut, str):
        return LayerTiling(
            node.name, line, node.tops[0].shape[ROWS] if _has_rows(node.tops) else 0, None, None, cut
        )
    least = cut.strips(1)
    fitting = least if least.bytes <= limit_bytes else None
    for rows in range(cut.rows, 1, -1) if fitting else ():
        if cut.fits(rows, limit_bytes):
            fitting = cut.strips(rows)
            break
    return LayerTiling(node.name, line, cut.rows, least, fitting)


def chain_tilings(
    net: Graph, over_it: Collection[int], madds: Sequence[int], bits: int, limit_bytes: int
) -> Iterator[ChainTiling]:
    """Chains of layers over a size: each the only one that reads the one top of the one before, and as many as
    can be computed together by single rows.

    Args:
        net: The net.
        over_it: The indices of the layers whose activations are over the size.
        madds: Of every layer.
        bits: Of a value.
        limit_bytes: The size.
    """
    links: list[tuple[Node, _Link]] = []
    for node in net.nodes:
        link = _link(node, bits) if node.index in over_it else None
        (last,) = links[-1][0].tops if links else (None,)
        follows = link is not None and last is not None and node.bottoms[0].index == last.index
        alone = follows and last is not None and net.readers[last.index] == (node.index,)
        if link is not None and alone and _Chain([*(one for _, one in links), link], bits).fits(1, limit_bytes):
            links.append((node, link))
            continue
        yield from _chain_tiling(links, madds, bits, limit_bytes)
        links = [] if link is None else [(node, link)]
    yield from _chain_tiling(links, madds, bits, limit_bytes)


def _chain_tiling(
    links: Sequence[tuple[Node, _Link]], madds: Sequence[int], bits: int, limit_bytes: int
) -> Iterator[ChainTiling]:
    if len(links) < 2:
        return
    chain = _Chain([link for _, link in links], bits)
    nodes = [node for node, _ in links]
    own = [madds[node.index] for node in nodes]
    rows = next(rows for rows in range(chain.rows, 0, -1) if chain.fits(rows, limit_bytes))
    names = tuple(node.name for node in nodes)
    yield ChainTiling(names, nodes[0].place.line, chain.rows, chain.strips(1, own), chain.strips(rows, own))


def _link(node: Node, bits: int) -> _Link | None:
    """A layer as a part of a chain; None where it has several bottoms or tops, or cannot be cut."""
    if len(node.bottoms) != 1 or len(node.tops) != 1:
        return None
    cut = _Cut.of(node, bits)
    return None if isinstance(cut, str) else cut.link()


class _Link(NamedTuple):
    """A layer of a chain.  rows, row: of its top.  adds: what a row of the top takes beside the bottom's rows."""

    part: _Part
    rows: int
    row: int
    adds: int


class _Chain:
    """Layers that follow each other, ready to be cut together."""

    def __init__(self, links: Sequence[_Link], bits: int) -> None:
        self._links = links
        self._bits = bits
        self.rows = links[-1].rows

    def _spans(self, first: int, last: int) -> list[tuple[int, int]]:
        """The rows that a strip needs of the first bottom and of every top; (0, -1) for none."""
        spans = [(first, last)]
        for link in reversed(self._links):
            first, last = spans[-1]
            spans.append((link.part.span(first, last) if first <= last else None) or (0, -1))
        return spans[::-1]

    def _strips(self, rows: int) -> Iterator[list[tuple[int, int]]]:
        for first in range(0, self.rows, rows):
            yield self._spans(first, min(first + rows, self.rows) - 1)

    def _bytes(self, spans: Sequence[tuple[int, int]]) -> int:
        """What the layer with the largest strips holds."""
        counts = [last - first + 1 for first, last in spans]
        pairs = zip(self._links, pairwise(counts), strict=True)
        return bytes_of(max(read * link.part.row + made * link.adds for link, (read, made) in pairs), self._bits)

    def fits(self, rows: int, limit_bytes: int) -> bool:
        """Whether every strip of so many rows does."""
        return all(self._bytes(spans) <= limit_bytes for spans in self._strips(rows))

    def strips(self, rows: int, madds_of: Sequence[int]) -> Strips:
        """The strips of so many rows, with what is read and computed again.  madds_of: each layer, as a whole."""
        strips = list(self._strips(rows))
        halo, again, before = 0, 0, -1
        for (first, last), *_ in strips:
            shared = max(0, min(before, last) - first + 1)
            halo, again, before = max(halo, shared), again + shared * self._links[0].part.row, max(before, last)
        madds = 0
        for place, (link, number) in enumerate(zip(self._links, madds_of, strict=True), 1):
            made = sum(spans[place][1] - spans[place][0] + 1 for spans in strips)
            madds += max(0, number * (made - link.rows) // link.rows)
        most = max(spans[0][1] - spans[0][0] + 1 for spans in strips)
        size = max(self._bytes(spans) for spans in strips)
        return Strips(rows, len(strips), size, most, halo, bytes_of(again, self._bits), madds)


def _has_rows(tops: Sequence[Blob]) -> bool:
    return bool(tops) and all(len(top.shape) > ROWS and top.shape.count() for top in tops)


class _Cut:
    """A layer, ready to be cut.

    whole: elements of bottoms that are there for each strip.  own: elements of a row of the tops.
    """

    def __init__(self, rows: int, bits: int, own: int, whole: int, parts: Sequence[_Part], in_place: int) -> None:
        self.rows = rows
        self._bits = bits
        self._own = own
        self._whole = whole
        self._parts = parts
        self._in_place = in_place

    @classmethod
    def of(cls, node: Node, bits: int) -> _Cut | str:
        """The layer, or why it cannot be cut."""
        tops = node.tops
        if not node.bottoms or not _has_rows(tops) or len({top.shape[ROWS] for top in tops}) > 1:
            return NO_ROWS
        rows = tops[0].shape[ROWS]
        if rows < 2:
            return NO_ROWS
        overwritten = {top.overwrites for top in tops}
        parts: dict[int, _Part] = {}
        whole, in_place = 0, 0
        for position, bottom in enumerate(node.bottoms):
            if position in node.layer.extents_only:
                continue
            moving = [
                (axis, sight)
                for top in range(len(tops))
                for axis, sight in enumerate(node.layer.sights(node.bottom_shapes, node.top_shapes, position, top))
                if sight.axis == ROWS
            ]
            axes = {axis for axis, _ in moving}
            if len(axes) != 1 or len(moving) != len(tops):
                whole += bottom.shape.count()
                continue
            (axis,) = axes
            extent = bottom.shape[axis]
            row = bottom.shape.count() // extent if extent else 0
            before = parts.get(bottom.index)
            sights = tuple(sight for _, sight in moving)
            parts[bottom.index] = _Part((*(before.sights if before else ()), *sights), extent, row)
            if bottom.index in overwritten and bottom.shape == tops[0].shape:
                in_place += row
        if not parts:
            return WHOLE
        own = sum(top.shape.count() // rows for top in tops)
        return cls(rows, bits, own, whole, list(parts.values()), in_place)

    def link(self) -> _Link | None:
        """The same as a part of a chain, where it has one bottom that is cut."""
        if self._whole or len(self._parts) != 1:
            return None
        return _Link(self._parts[0], self.rows, self._own, self._own - self._in_place)

    def _starts(self, rows: int) -> range:
        return range(0, self.rows, rows)

    def _elements(self, first: int, last: int) -> int:
        """What the strip from one row to another holds at once."""
        read = 0
        for part in self._parts:
            span = part.span(first, last)
            read += 0 if span is None else (span[1] - span[0] + 1) * part.row
        return self._whole + read + (last - first + 1) * (self._own - self._in_place)

    def _bytes(self, rows: int) -> Iterator[int]:
        """What each strip of so many rows needs."""
        for first in self._starts(rows):
            yield bytes_of(self._elements(first, min(first + rows, self.rows) - 1), self._bits)

    def fits(self, rows: int, limit_bytes: int) -> bool:
        """Whether every strip of so many rows does; larger ones can, as their windows reach over the edges."""
        return all(size <= limit_bytes for size in self._bytes(rows))

    def strips(self, rows: int) -> Strips:
        """The strips of so many rows, with what neighbours both read."""
        most, halo, again = 0, 0, 0
        for part in self._parts:
            before = -1
            for first in self._starts(rows):
                span = part.span(first, min(first + rows, self.rows) - 1)
                if span is None:
                    continue
                most = max(most, span[1] - span[0] + 1)
                shared = max(0, min(before, span[1]) - span[0] + 1)
                halo = max(halo, shared)
                again += shared * part.row
                before = max(before, span[1])
        number = len(self._starts(rows))
        again += (number - 1) * self._whole
        return Strips(rows, number, max(self._bytes(rows)), most, halo, bytes_of(again, self._bits))
