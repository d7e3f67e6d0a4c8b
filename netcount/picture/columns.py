"""Strips -> their sides and their x: each main chain in the middle, what hangs on it nested beside it.

Contours as in Reingold & Tilford 1981: a strip is moved, with all that hangs on it, towards its parent until they
touch.
"""

from __future__ import annotations

from collections.abc import Sequence

from netcount.picture.strips import Strips

LANE = 14
"""Width of a strip that holds lines only."""
APART = 16
"""Between two strips."""
_FAR = 1 << 60


def place_columns(strips: Strips, widths: Sequence[int]) -> None:
    """Set `side` and `x` of every strip; main chains stand at 0."""
    children: list[list[int]] = [[] for _ in strips.all]
    for index, strip in enumerate(strips.all):
        if strip.parent != index:
            children[strip.parent].append(index)
    roots = [index for index, strip in enumerate(strips.all) if strip.parent == index]
    downwards = list(roots)
    for index in downwards:
        downwards += children[index]
    for index in downwards:
        if strips.all[index].parent != index:
            strips.all[index].side = _side(strips, index)
    outlines: list[_Outline | None] = [None] * len(strips.all)
    for index in reversed(downwards):
        own = _own(strips, index, widths)
        beside = [(child, outlines[child]) for child in children[index]]
        for child, outline in sorted(beside, key=lambda pair: (_length(pair[1]), pair[0])):
            assert outline is not None  # children come before their parents here
            strips.all[child].x = own.touch(outline, strips.all[child].side)
            outlines[child] = None
        outlines[index] = own
    for index in downwards:
        strip = strips.all[index]
        if strip.parent != index:
            strip.x += strips.all[strip.parent].x


class _Outline:
    """How far something reaches to the left and to the right of its middle, by half-rank from `first` on.

    `lane`: it is as wide as a line all the way.
    """

    __slots__ = ("first", "lane", "left", "right")

    def __init__(self, first: int, left: list[int], right: list[int], lane: bool) -> None:
        self.first, self.left, self.right, self.lane = first, left, right, lane

    def touch(self, other: _Outline, side: int) -> int:
        """Move `other` to this side until it touches, and take it in; where its middle is then."""
        before = max(0, self.first - other.first)
        after = max(0, other.first + len(other.left) - self.first - len(self.left))
        if before or after:
            self.first -= before
            self.left = [_FAR] * before + self.left + [_FAR] * after
            self.right = [-_FAR] * before + self.right + [-_FAR] * after
        self.lane = False
        start = other.first - self.first
        end = start + len(other.left)
        near_left, near_right = self.left[start:end], self.right[start:end]
        if other.lane and -_FAR not in near_right:  # the same as below, but fast: there may be thousands
            half = LANE // 2
            if side > 0:
                x = max(near_right) + half + APART
                self.right[start:end] = [x + half] * (end - start)
            else:
                x = min(near_left) - half - APART
                self.left[start:end] = [x - half] * (end - start)
            return x
        if side > 0:
            room = max([mine - theirs for mine, theirs in zip(near_right, other.left, strict=True)])
            x = room + APART if room > -_FAR // 2 else 0
        else:
            room = min([mine - theirs for mine, theirs in zip(near_left, other.right, strict=True)])
            x = room - APART if room < _FAR // 2 else 0
        self.left[start:end] = [min(a, b + x) for a, b in zip(near_left, other.left, strict=True)]
        self.right[start:end] = [max(a, b + x) for a, b in zip(near_right, other.right, strict=True)]
        return x


def _length(outline: _Outline | None) -> tuple[int, int]:
    assert outline is not None
    return len(outline.left), outline.first


def _own(strips: Strips, index: int, widths: Sequence[int]) -> _Outline:
    strip = strips.all[index]
    right = [LANE // 2] * (strip.last - strip.first + 1)
    for box in strip.boxes:
        half, at = widths[box] // 2, 2 * strips.rank[box] - strip.first
        right[at] = half
        if len(strips.inputs[box]) > 1:
            right[at - 1] = max(right[at - 1], half)
        if len(strips.outputs[box]) > 1:
            right[at + 1 : at + 2] = [half]
    return _Outline(strip.first, [-half for half in right], right, not strip.boxes)


def _side(strips: Strips, index: int) -> int:
    """On which side of its parent a strip stands: where what reads it has the arrow come from."""
    strip = strips.all[index]
    net = strip.net
    if net is None:
        return 1
    target = strips.targets[net][0]
    if strips.at[target] == strip.parent:
        inputs = strips.inputs[target]
        main = strips.main[target]
        return -1 if main is not None and inputs.index(net) < inputs.index(main) else 1
    ways = [_way_up(strips, start) for start in (strips.at[target], strip.parent)]
    down, own = ways
    while len(down) > 1 and len(own) > 1 and down[-2] == own[-2]:
        down.pop()
        own.pop()
    if len(own) == 1:  # the reader hangs on the same parent
        beside = down[-2]
        return strips.all[beside].side if beside != index else 1
    return -strips.all[own[-2]].side


def _way_up(strips: Strips, index: int) -> list[int]:
    way = [index]
    while strips.all[index].parent != index:
        index = strips.all[index].parent
        way.append(index)
    return way
