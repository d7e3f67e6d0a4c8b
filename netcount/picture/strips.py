"""Boxes and arrows -> ranks from top to bottom, and strips: boxes that stand in one straight column.

Ranks by longest path as in Sugiyama, Tagawa & Toda 1981 (step 1).  In place of a chain of dummy boxes a long arrow
has one strip for its whole way, so that it is straight, and the work does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import NamedTuple, TypeAlias


class Link(NamedTuple):
    """An arrow: output number `port` of the box `source` goes into the box `target`."""

    source: int
    port: int
    target: int


Net: TypeAlias = "tuple[int, int]"
"""A box and one of its outputs: all arrows that leave there are one tree of lines."""


class Strip:
    """A straight column.

    Half-ranks count both: box rank r is 2r, the gap below it 2r + 1.

    Attributes:
        boxes: What stands in it; none in the lane of a long arrow.
        first, last: The half-ranks it reaches over.
        parent: The index of the strip it stands beside; its own for a main chain.
        net: The output that goes straight down at its end, if one does.
        side: -1 left of its parent, 1 right.
        x: Its middle.
    """

    __slots__ = ("boxes", "first", "last", "net", "parent", "side", "x")
    boxes: list[int]
    first: int
    last: int
    net: Net | None
    parent: int
    side: int
    x: int

    def __init__(self, boxes: list[int], first: int, last: int, parent: int, net: Net | None = None) -> None:
        self.boxes, self.first, self.last, self.parent, self.net = boxes, first, last, parent, net
        self.side, self.x = 1, 0


class Carrier(NamedTuple):
    """The strip of a box in which one of its outputs goes straight on, down to the gap above rank `reach`."""

    strip: int
    reach: int


class Strips:
    """The strips of some boxes, and by which of them every output goes.

    Attributes:
        rank: Of each box, from 0.
        all: The strips; a main chain stands before everything that hangs on it.
        at: The strip of each box.
        targets: The boxes that read an output, by Net, in the order of the links.
        carriers: Outputs that go straight on in their own box's strip.
        lanes: Outputs that have a strip of their own for what lies further below.
        inputs: The outputs that each box reads, in the order of the links.
        main: For each box the input that comes from straight above, or from where its strip begins.
    """

    rank: list[int]
    at: list[int]
    parts: list[list[int]]

    def __init__(self, boxes: int, links: Iterable[Link]) -> None:
        self.targets: dict[Net, list[int]] = {}
        self.inputs: list[list[Net]] = [[] for _ in range(boxes)]
        for source, port, target in links:
            net = (source, port)
            if net not in self.inputs[target]:
                self.inputs[target].append(net)
                self.targets.setdefault(net, []).append(target)
        self.outputs: list[list[Net]] = [[] for _ in range(boxes)]
        for net in self.targets:
            self.outputs[net[0]].append(net)
        for nets in self.outputs:
            nets.sort()
        self._below = [
            list(dict.fromkeys(target for net in nets for target in self.targets[net])) for nets in self.outputs
        ]
        self._above = [list(dict.fromkeys(source for source, _ in nets)) for nets in self.inputs]
        self.rank = [0] * boxes
        self.at = [-1] * boxes
        self.all: list[Strip] = []
        self.carriers: dict[Net, Carrier] = {}
        self.lanes: dict[Net, int] = {}
        self.main: list[Net | None] = [None] * boxes
        self._order = ordered(self._below)
        if len(self._order) < boxes:
            raise ValueError("the boxes depend on each other in a circle")
        self._height = [0] * boxes
        for box in self._order:
            self.rank[box] = max([self.rank[above] + 1 for above in self._above[box]], default=0)
        for box in reversed(self._order):
            self._height[box] = max([self._height[below] + 1 for below in self._below[box]], default=0)
        self.parts = parts(self._order, self._below, self._above)
        for members in self.parts:
            self._part(members)

    def _part(self, members: list[int]) -> None:
        """The strips of boxes that hang together, given in an order in which arrows go forward."""
        height = self._height
        tall = max(height[box] for box in members)
        box = min(box for box in members if height[box] == tall)
        chain = [box]
        while height[box]:
            box = next(below for below in self._below[box] if height[below] == height[box] - 1)
            chain.append(box)
        fed = set(chain)
        for box in members:
            if not fed.isdisjoint(self._above[box]):
                fed.add(box)
        for box in reversed(members):  # what only brings something in stands just above what reads it
            if box not in fed and self._below[box]:
                self.rank[box] = min(self.rank[below] for below in self._below[box]) - 1
        root = len(self.all)
        self._strip(chain, root)
        pending = []
        for box in members:
            if self.at[box] < 0:
                pending.append(len(self.all))
                self._strip(self._run(box, fed), root)
        for index in pending:
            self.all[index].parent = self._parent(index, fed, root)
        self._hang(pending, root)
        for index in (root, *pending):
            self._join(index)
        for box in members:
            for net in self.outputs[box]:
                self._lane(net)

    def _strip(self, boxes: list[int], parent: int) -> None:
        index = len(self.all)
        self.all.append(Strip(boxes, 2 * self.rank[boxes[0]], 2 * self.rank[boxes[-1]], parent))
        for box in boxes:
            self.at[box] = index

    def _run(self, box: int, fed: set[int]) -> list[int]:
        """A box and, again and again, the one below it from which most is still to come."""
        run = [box]
        while True:
            free = [b for b in self._below[box] if self.at[b] < 0 and (b in fed) == (box in fed)]
            if not free:
                return run
            box = max(free, key=self._height.__getitem__)
            run.append(box)

    def _parent(self, index: int, fed: set[int], root: int) -> int:
        """The strip that hands something to this one; of one that only brings something in, its reader's."""
        boxes = self.all[index].boxes
        if boxes[0] in fed:
            return self.at[max((a for a in self._above[boxes[0]] if a in fed), key=self.rank.__getitem__)]
        around = [*self._below[boxes[-1]], *self._above[boxes[0]], *(b for box in boxes for b in self._below[box])]
        return next((self.at[other] for other in around if self.at[other] != index), root)

    def _hang(self, pending: list[int], root: int) -> None:
        """See that the parents lead up to the main chain, in no circle."""
        home = {root: root}

        def top(index: int) -> int:
            way = []
            while home.get(index, index) != index:
                way.append(index)
                index = home[index]
            for passed in way:
                home[passed] = index
            return index

        for index in pending:
            strip = self.all[index]
            if top(strip.parent) == index:
                strip.parent = root
            home[index] = strip.parent

    def _join(self, index: int) -> None:
        """Which outputs go straight on within a strip, and how far it reaches."""
        strip = self.all[index]
        first, last = strip.boxes[0], strip.boxes[-1]
        if self.inputs[first]:
            strip.first -= 1
            self.main[first] = max(self.inputs[first], key=lambda net: self.rank[net[0]])
        for box, following in pairwise(strip.boxes):
            net = next(net for net in self.inputs[following] if net[0] == box)
            self.main[following] = net
            self.carriers[net] = Carrier(index, self.rank[following])
        if self.outputs[last]:
            net = strip.net = self.outputs[last][0]
            reach = max(self.rank[target] for target in self.targets[net])
            self.carriers[net] = Carrier(index, reach)
            strip.last = 2 * reach - 1

    def _lane(self, net: Net) -> None:
        """A strip for an output that goes further down than its box's own strip takes it."""
        source = net[0]
        carrier = self.carriers.get(net)
        near = carrier.reach if carrier else self.rank[source] + 1
        furthest = max(self.rank[target] for target in self.targets[net])
        if furthest > near:
            self.lanes[net] = len(self.all)
            self.all.append(Strip([], 2 * near - 1, 2 * furthest - 1, self.at[source], net))

    def taken_by(self, net: Net, target: int) -> int | None:
        """The strip by which an output comes down to a target; None where it is the next rank."""
        carrier = self.carriers.get(net)
        if self.rank[target] == self.rank[net[0]] + 1:
            return None
        return carrier.strip if carrier and self.rank[target] <= carrier.reach else self.lanes[net]


def ordered(below: Sequence[Sequence[int]]) -> list[int]:
    """The boxes in an order in which arrows go forward, smallest index first; without those in circles."""
    waiting = [0] * len(below)
    for targets in below:
        for target in targets:
            waiting[target] += 1
    ready = [box for box, number in enumerate(waiting) if not number]
    heapify(ready)
    order = []
    while ready:
        box = heappop(ready)
        order.append(box)
        for target in below[box]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, target)
    return order


def parts(order: Sequence[int], below: Sequence[Sequence[int]], above: Sequence[Sequence[int]]) -> list[list[int]]:
    """The boxes that hang together, part by part; in each in the order given."""
    part = [-1] * len(order)
    components: list[list[int]] = []
    for start in range(len(order)):
        if part[start] < 0:
            part[start] = len(components)
            stack = [start]
            while stack:
                box = stack.pop()
                for other in (*below[box], *above[box]):
                    if part[other] < 0:
                        part[other] = len(components)
                        stack.append(other)
            components.append([])
    for box in order:
        components[part[box]].append(box)
    return components
