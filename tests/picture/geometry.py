"""What a placed picture must keep to, measured on its coordinates alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from netcount.picture.layout import Layout
from netcount.picture.strips import Link

Piece = tuple[int, int, int, int]
"""Left, top, right and bottom of a straight piece of a line."""


def pieces(route: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    for (x, y), (other_x, other_y) in pairwise(route):
        yield min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)


def overlaps(placed: Layout) -> list[tuple[int, int]]:
    """Pairs of boxes that share a point."""
    found = []
    order = sorted(range(len(placed.boxes)), key=lambda index: placed.boxes[index].y)
    for at, index in enumerate(order):
        one = placed.boxes[index]
        for other in order[at + 1 :]:
            two = placed.boxes[other]
            if two.y > one.y + one.height:
                break
            if one.x <= two.x + two.width and two.x <= one.x + one.width:
                found.append((index, other))
    return found


def lines_through_boxes(placed: Layout) -> list[tuple[int, int]]:
    """Routes and boxes that share a point, but for the ends of the route."""
    found = []
    for number, route in enumerate(placed.routes):
        for left, top, right, bottom in pieces(route):
            for index, box in enumerate(placed.boxes):
                inside = box.x <= right and left <= box.x + box.width
                # a line may begin and end on a box's border
                if inside and box.y < bottom and top < box.y + box.height:
                    found.append((number, index))
    return found


def coinciding(placed: Layout, links: Sequence[Link]) -> list[tuple[int, int]]:
    """Routes of different outputs that run along each other for more than a point."""
    found = []
    lines = [(number, piece) for number, route in enumerate(placed.routes) for piece in pieces(route)]
    for at, (number, (left, top, right, bottom)) in enumerate(lines):
        for other, (l2, t2, r2, b2) in lines[at + 1 :]:
            if links[number][:2] == links[other][:2]:
                continue
            across, down = min(right, r2) - max(left, l2), min(bottom, b2) - max(top, t2)
            if (across > 0 and down == 0 and top == bottom == t2 == b2) or (
                down > 0 and across == 0 and left == right == l2 == r2
            ):
                found.append((number, other))
    return found


def crossings(placed: Layout, links: Sequence[Link]) -> int:
    """Points where lines of different outputs cross."""
    flat: dict[tuple[int, int], set[Piece]] = {}
    steep: dict[tuple[int, int], set[Piece]] = {}
    for link, route in zip(links, placed.routes, strict=True):
        for piece in pieces(route):
            (flat if piece[1] == piece[3] else steep).setdefault(link[:2], set()).add(piece)
    lines = sorted((piece[0], piece[1], piece[3], net) for net, found in steep.items() for piece in found)
    number = 0
    for net, found in flat.items():
        points = set()
        for left, y, right, _ in found:
            for x, top, bottom, other in lines:
                if x >= right:
                    break
                if x > left and top < y < bottom and other != net:
                    points.add((x, y))
        number += len(points)
    return number
