"""Receptive fields: which pixels of an input a blob's values depend on."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

from netcount.graph.graph import Blob, Graph, Node
from netcount.layers.sight import Sight, Span

LONGEST = 4096
"""Positions of an axis that are listed one by one; beyond it the view of all together stands for each."""


class Field(NamedTuple):
    """What the values of one blob see of one input, axis by spatial axis of the input.

    Padding counts as part of a field, that of the blobs between too, so that values in a corner have fields of
    the same size; the gaps of a dilation count too.  Where every value sees the same, as behind a layer that looks
    at a whole plane, no padding counts.

    Attributes:
        input: The blob that no layer computes.
        largest: Along all paths together.
        smallest: Along the path that sees least.
    """

    input: Blob
    largest: tuple[Sight, ...]
    smallest: tuple[Sight, ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """Those of the input."""
        return tuple(self.input.shape[2:])

    @property
    def size(self) -> tuple[int, ...]:
        """The most pixels, first to last, that a value sees along each axis."""
        return tuple(max(sizes(sight)) for sight in self.largest)

    @property
    def least(self) -> tuple[int, ...]:
        """The same for the value that sees least, by the path that sees least."""
        return tuple(min(sizes(sight)) for sight in self.smallest)

    @property
    def stride(self) -> tuple[Fraction | None, ...]:
        """Pixels by which the field moves from one value to the next; None where it does not, or unevenly."""
        return tuple(
            Fraction(sight.advance, len(sight.spans)) if sight.advance else None for sight in self.largest
        )

    @property
    def offset(self) -> tuple[Fraction | None, ...]:
        """The centre of the first value's field, in pixels from the centre of the input's first pixel."""
        spans = [sight.at(0) for sight in self.largest]
        return tuple(None if span is None else Fraction(sum(span), 2) for span in spans)

    @property
    def pad(self) -> tuple[int | None, ...]:
        """Pixels by which the first value's field begins before the input; negative where it begins within."""
        spans = [sight.at(0) for sight in self.largest]
        return tuple(None if span is None else -span[0] for span in spans)


def fields(net: Graph) -> list[tuple[Field, ...]]:
    """Of each blob version its fields, one for each input with spatial axes that it depends on."""
    seen: list[dict[int, Field]] = [{} for _ in net.blobs]
    for node in net.nodes:
        for position, top in enumerate(node.tops):
            if node.bottoms:
                seen[top.index] = _of_top(node, position, seen)
            elif len(top.shape) > 2 and top.shape.count(2) > 1:
                own = tuple(Sight(axis, 1, ((0, 0),)) for axis in range(2, len(top.shape)))
                seen[top.index] = {top.index: Field(top, own, own)}
    return [tuple(by_input.values()) for by_input in seen]


def _of_top(node: Node, position: int, seen: list[dict[int, Field]]) -> dict[int, Field]:
    shape = node.tops[position].shape
    made: dict[int, Field] = {}
    for index, bottom in enumerate(node.bottoms):
        if not seen[bottom.index] or index in node.layer.extents_only:
            continue
        near = node.layer.sights(node.bottom_shapes, node.top_shapes, index, position)
        for key, field in seen[bottom.index].items():
            largest = tuple(through(near, sight, shape) for sight in field.largest)
            smallest = tuple(through(near, sight, shape) for sight in field.smallest)
            before = made.get(key)
            if before is not None:
                pairs = zip(before.largest, largest, strict=True)
                largest = tuple(joined(one, other, shape) for one, other in pairs)
                least = zip(before.smallest, smallest, strict=True)
                smallest = tuple(min(pair, key=lambda sight: max(sizes(sight))) for pair in least)
            made[key] = Field(field.input, _within(largest, field.input), _within(smallest, field.input))
    return made


def _within(sights: tuple[Sight, ...], image: Blob) -> tuple[Sight, ...]:
    """What sees one span whatever the value: of the image alone, as there is no corner to hold even."""
    extents = image.shape[2:]
    return tuple(
        sight if sight.axis is not None else _standing(_cut(sight.spans[0], extent))
        for sight, extent in zip(sights, extents, strict=True)
    )


def _cut(span: Span, extent: int) -> Span:
    if span is None or span[0] >= extent or span[1] < 0:
        return None
    return max(0, span[0]), min(extent - 1, span[1])


def sizes(sight: Sight) -> list[int]:
    """How many positions each value sees."""
    return [0 if span is None else span[1] - span[0] + 1 for span in sight.spans]


def through(near: list[Sight], far: Sight, shape: tuple[int, ...]) -> Sight:
    """What a top of this shape sees of an input's axis.

    Args:
        near: Of each axis of the layer's bottom what the top sees.
        far: What the bottom sees of the input's axis.
        shape: The top's.
    """
    if far.axis is None:
        return far
    step = near[far.axis]
    if step.axis is None:
        return _standing(over(far, step.spans[0]))
    if far.advance and step.advance:
        turns = len(far.spans) // gcd(step.advance, len(far.spans))
        count, advance = len(step.spans) * turns, far.advance * step.advance * turns // len(far.spans)
    else:
        count, advance = max(1, shape[step.axis]), 0
    if count > LONGEST:
        return _standing(over(far, _of_all(step, shape)))
    return Sight(step.axis, advance, tuple(over(far, step.at(position)) for position in range(count)))


def joined(one: Sight, other: Sight, shape: tuple[int, ...]) -> Sight:
    """What a value sees that sees along both ways."""
    if one == other:
        return one
    axes = [sight.axis for sight in (one, other) if sight.axis is not None]
    if len(axes) == 2 and one.advance * len(other.spans) == other.advance * len(one.spans) != 0:
        count = lcm(len(one.spans), len(other.spans))
        advance = one.advance * count // len(one.spans)
    else:
        count, advance = max([1, *(shape[axis] for axis in axes)]), 0
    spans = []
    if len(set(axes)) < 2 and count <= LONGEST:
        spans = [_hull([one.at(position), other.at(position)]) for position in range(count)]
    if not spans or (not advance and len(set(spans)) == 1):
        return _standing(_hull([_of_all(one, shape), _of_all(other, shape)]))
    return Sight(axes[0], advance, tuple(spans))


def _of_all(sight: Sight, shape: tuple[int, ...]) -> Span:
    """What all values of a blob of this shape see together."""
    return over(sight, (0, 0 if sight.axis is None else max(0, shape[sight.axis] - 1)))


def over(sight: Sight, positions: Span) -> Span:
    """What all positions from the first to the last see together.

    >>> over(Sight(2, 2, ((-1, 1),)), (0, 3))
    (-1, 7)
    """
    if positions is None:
        return None
    first, last = positions
    turn = len(sight.spans)
    if not sight.advance:  # a list ends, a turn goes on
        first, last = (min(max(position, 0), turn - 1) for position in positions)
    if turn == 1:
        return _hull([sight.at(first), sight.at(last)])
    begins = range(first, min(last, first + turn - 1) + 1)
    ends = range(max(first, last - turn + 1), last + 1)
    return _hull([sight.at(position) for position in (*begins, *ends)])


def _hull(spans: list[Span]) -> Span:
    ends = [span for span in spans if span is not None]
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def _standing(span: Span) -> Sight:
    return Sight(None, 0, (span,))
