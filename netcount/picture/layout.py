"""Where the boxes and the lines of a picture stand.

The boxes of the longest path stand in one straight column, and everything else nested beside it.  Lines go down in
columns of their own and to the side between ranks, where no box is: none passes through a box, no two coincide.
The same boxes and links always give the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isqrt
from typing import NamedTuple, TypeAlias

from netcount.core.gc_pause import paused
from netcount.picture.columns import LANE, place_columns
from netcount.picture.strips import Link, Net, Strips
from netcount.picture.tracks import Bus, heights

TRACK = 8
"""Between two lines that go to the side."""
ABOVE_TRACKS = 22
"""From a box down to the first line that goes to the side: room for a shape."""
BELOW_TRACKS = 18
"""From the last line that goes to the side down to a box: room for an arrow's head."""
GAP = 34
"""Between two ranks with straight lines only."""
PORT = 14
"""Between two lines that enter a box, or leave it."""
PARTS = 48
"""Between two parts of a net that do not hang together."""
_WIDEST = 480
"""No box is made wider than this for its lines alone."""

Turn: TypeAlias = "tuple[Net, int | None, int]"
"""Where a line may go to the side: an output, the strip it comes down in (None: its box), the rank above."""


class Rect(NamedTuple):
    """A placed box: its upper left corner, and its size."""

    x: int
    y: int
    width: int
    height: int


class Layout(NamedTuple):
    """A placed picture, from (0, 0) on.

    Attributes:
        width, height: Its size.
        boxes: In the order given.
        routes: For each link its corners, from the box it leaves to the one it enters; every second piece
            goes straight down.
        main: For each box whether it stands on a longest path.
        floors: For each box where the gap below it begins: no box beside it reaches further down.
    """

    width: int
    height: int
    boxes: list[Rect]
    routes: list[list[tuple[int, int]]]
    main: list[bool]
    floors: list[int]


def layout(sizes: Sequence[tuple[int, int]], links: Iterable[Link]) -> Layout:
    """Place boxes of these widths and heights.

    Args:
        sizes: Of each box; it may become wider where many lines enter or leave it.
        links: From box to box, in the order in which a box reads its inputs.

    Raises:
        ValueError: The links form a circle.
    """
    links = list(links)
    with paused():
        return _placed(sizes, links)


def _placed(sizes: Sequence[tuple[int, int]], links: Sequence[Link]) -> Layout:
    strips = Strips(len(sizes), links)
    widths = [_width(strips, box, width) for box, (width, _) in enumerate(sizes)]
    place_columns(strips, widths)
    x = [strips.all[strips.at[box]].x for box in range(len(sizes))]
    ends = _Ends(strips, widths, x)
    shelf = _Shelf(strips, widths, [height for _, height in sizes], x, ends)
    boxes = [
        Rect(left + x[box] - widths[box] // 2, top, widths[box], sizes[box][1])
        for box, (left, top) in enumerate(zip(shelf.left, shelf.top, strict=True))
    ]
    routes = [shelf.route(strips, ends, link, boxes[link.source]) for link in links]
    main = [strips.all[strips.at[box]].parent == strips.at[box] for box in range(len(sizes))]
    return Layout(shelf.width, shelf.height, boxes, routes, main, shelf.floor)


def _width(strips: Strips, box: int, wanted: int) -> int:
    """A width, even, with room for the lines that enter and leave."""
    most = max(len(strips.inputs[box]), len(strips.outputs[box]))
    wanted = max(wanted, min(_WIDEST, PORT * most + PORT))
    return wanted + wanted % 2


class _Ends:
    """Where lines leave boxes and enter them, on the x axis.

    Attributes:
        leaves: By output.
        enters: By output and the box it enters.
    """

    def __init__(self, strips: Strips, widths: Sequence[int], x: Sequence[int]) -> None:
        self.leaves: dict[Net, int] = {}
        self.enters: dict[tuple[Net, int], int] = {}
        for box, nets in enumerate(strips.outputs):
            if nets:
                straight = next((net for net in nets if net in strips.carriers), nets[0])
                wanted = [(self._towards(strips, x, net), net) for net in nets]
                for net, at in _spread(wanted, straight, x[box], widths[box] // 2, PORT // 2).items():
                    self.leaves[net] = at
        for box, nets in enumerate(strips.inputs):
            if nets:
                straight = strips.main[box] or nets[0]
                wanted = [(self.comes(strips, net, box), net) for net in nets]
                for net, at in _spread(wanted, straight, x[box], widths[box] // 2, 0).items():
                    self.enters[net, box] = at

    def comes(self, strips: Strips, net: Net, target: int) -> int:
        """Where a line comes from into the gap above its target."""
        strip = strips.taken_by(net, target)
        return self.leaves[net] if strip is None else strips.all[strip].x

    def _towards(self, strips: Strips, x: Sequence[int], net: Net) -> int:
        lane = strips.lanes.get(net)
        if lane is not None:
            return strips.all[lane].x
        targets = strips.targets[net]
        return sum([x[target] for target in targets]) // len(targets)


def _spread(wanted: list[tuple[int, Net]], straight: Net, x: int, half: int, shift: int) -> dict[Net, int]:
    """Ends of lines on a box's side: one in the middle, the others beside it in the order of where they go."""
    places = {straight: x}
    others = [pair for pair in wanted if pair[1] != straight]
    left = sorted([pair for pair in others if pair[0] < x], reverse=True)
    right = sorted([pair for pair in others if pair[0] >= x])
    for sign, pairs in ((-1, left), (1, right)):
        for number, (_, net) in enumerate(pairs, 1):
            away = PORT * number - shift
            if PORT * len(pairs) > half - 6:
                away = max(1, (half - 6) * number // len(pairs) - shift * (half - 6) // (PORT * len(pairs)))
            places[net] = x + sign * away
    return places


class _Rows:
    """The ranks of one part below each other.

    Attributes:
        top: For each rank its upper side.
        floor: For each rank where the gap below it begins.
        height: Of all.
        tracks: Where lines go to the side.
    """

    def __init__(self, strips: Strips, members: Sequence[int], tall: Sequence[int], ends: _Ends) -> None:
        gaps: dict[int, dict[Turn, list[int]]] = {}
        for box in members:
            for net in strips.outputs[box]:
                for target in strips.targets[net]:
                    for strip, gap, start, end in hops(strips, ends, net, target):
                        gaps.setdefault(gap, {}).setdefault((net, strip, gap), [start]).append(end)
        deep: dict[int, int] = {}
        for box in members:
            rank = strips.rank[box]
            deep[rank] = max(deep.get(rank, 0), tall[box])
        self.top: dict[int, int] = {}
        self.floor: dict[int, int] = {}
        self.tracks: dict[Turn, int] = {}
        y = 0
        for rank in range(min(deep), max(deep) + 1):
            self.top[rank] = y
            y += deep[rank]
            self.floor[rank] = y
            turns = gaps.get(rank, {})
            numbers, used = heights([Bus(line[0], tuple(dict.fromkeys(line[1:]))) for line in turns.values()])
            for turn, number in zip(turns, numbers, strict=True):
                self.tracks[turn] = y + ABOVE_TRACKS + TRACK * number
            y += max(GAP, ABOVE_TRACKS + TRACK * (used - 1) + BELOW_TRACKS)
        self.height = self.top[max(deep)] + deep[max(deep)]


class _Shelf:
    """The parts of a net side by side, and rows of them below each other where they would be too wide.

    Attributes:
        left: For each box where x = 0 of its part stands.
        top: For each box its upper side.
        floor: For each box where the gap below it begins.
        tracks: Where lines go to the side.
    """

    def __init__(
        self, strips: Strips, widths: Sequence[int], tall: Sequence[int], x: Sequence[int], ends: _Ends
    ) -> None:
        self.left = [0] * len(widths)
        self.top = [0] * len(widths)
        self.floor = [0] * len(widths)
        self.tracks: dict[Turn, int] = {}
        self.width = self.height = 0
        spans = []
        for members in strips.parts:
            nets = [net for box in members for net in strips.outputs[box]]
            lines = [ends.leaves[net] for net in nets]
            lines += [strips.all[strips.lanes[net]].x for net in nets if net in strips.lanes]
            low = min([x[box] - widths[box] // 2 for box in members] + [at - LANE // 2 for at in lines])
            high = max([x[box] + widths[box] // 2 for box in members] + [at + LANE // 2 for at in lines])
            spans.append((low, high))
        rows = [_Rows(strips, members, tall, ends) for members in strips.parts]
        area = sum(
            [(high - low + PARTS) * (part.height + PARTS) for (low, high), part in zip(spans, rows, strict=True)]
        )
        widest = max([high - low for low, high in spans] + [isqrt(2 * area)])
        at = down = deepest = 0
        for members, (low, high), part in zip(strips.parts, spans, rows, strict=True):
            if at and at + high - low > widest:
                at, down, deepest = 0, down + deepest + PARTS, 0
            for box in members:
                self.left[box] = at - low
                self.top[box] = part.top[strips.rank[box]] + down
                self.floor[box] = part.floor[strips.rank[box]] + down
            for turn, y in part.tracks.items():
                self.tracks[turn] = y + down
            at += high - low
            self.width = max(self.width, at)
            deepest = max(deepest, part.height)
            self.height = max(self.height, down + deepest)
            at += PARTS

    def route(self, strips: Strips, ends: _Ends, link: Link, source: Rect) -> list[tuple[int, int]]:
        """The corners of a link's line."""
        net = (link.source, link.port)
        left = self.left[link.source]
        corners = [(left + ends.leaves[net], source.y + source.height)]
        for strip, gap, start, end in hops(strips, ends, net, link.target):
            if start != end:
                y = self.tracks[net, strip, gap]
                corners += [(left + start, y), (left + end, y)]
        corners.append((left + ends.enters[net, link.target], self.top[link.target]))
        return corners


def hops(strips: Strips, ends: _Ends, net: Net, target: int) -> list[tuple[int | None, int, int, int]]:
    """The gaps in which a line may go to the side, on its way to a target.

    For each: the strip it comes down in (None: its box), the rank above the gap, and x before and after.
    """
    leave, enter = ends.leaves[net], ends.enters[net, target]
    rank = strips.rank
    above = rank[target] - 1
    taken = strips.taken_by(net, target)
    if taken is None:
        return [(None, above, leave, enter)]
    x = strips.all[taken].x
    carrier = strips.carriers.get(net)
    steps: list[tuple[int | None, int, int, int]]
    if carrier is None:
        steps = [(None, rank[net[0]], leave, x)]
    elif taken == carrier.strip:
        steps = []
    elif carrier.reach == rank[net[0]] + 1:
        steps = [(None, rank[net[0]], leave, x)]
    else:
        steps = [(carrier.strip, carrier.reach - 1, strips.all[carrier.strip].x, x)]
    return [*steps, (taken, above, x, enter)]
