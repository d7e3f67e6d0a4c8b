"""What every picture keeps to, for any boxes and arrows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.picture.layout import Layout, layout
from netcount.picture.strips import Link, Strips
from netcount.picture.tracks import Bus, crossings, heights
from tests.helpers import examples
from tests.picture.geometry import coinciding, lines_through_boxes, overlaps
from tests.picture.geometry import crossings as crossings_of

SIZE = (120, 48)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[Link]]:
    """Boxes of any size and arrows in no circle; the boxes are not numbered from top to bottom."""
    number = draw(st.integers(1, 24))
    sizes = draw(st.lists(st.tuples(st.integers(8, 90), st.integers(8, 40)), min_size=number, max_size=number))
    names = draw(st.permutations(range(number)))
    most = draw(st.sampled_from([2, number]))
    links = []
    for target in range(1, number):
        for above in draw(st.lists(st.integers(1, min(target, most)), max_size=4)):
            links.append(Link(names[target - above], draw(st.integers(0, 2)), names[target]))
    return sizes, links


def longest_path(number: int, links: Sequence[Link]) -> int:
    """Boxes on a longest path, by trying."""
    below: dict[int, set[int]] = {box: set() for box in range(number)}
    for link in links:
        below[link.source].add(link.target)
    known: dict[int, int] = {}

    def length(box: int) -> int:
        if box not in known:
            known[box] = 1 + max((length(other) for other in below[box]), default=0)
        return known[box]

    return max(length(box) for box in range(number))


@given(pictures())
@examples(200)
def test_no_two_boxes_overlap_and_no_line_passes_through_one(
    picture: tuple[list[tuple[int, int]], list[Link]],
) -> None:
    placed = layout(*picture)
    assert not overlaps(placed)
    assert not lines_through_boxes(placed)
    for box, (width, height) in zip(placed.boxes, picture[0], strict=True):
        assert box.width >= width
        assert box.height == height
        assert 0 <= box.x <= box.x + box.width <= placed.width
        assert 0 <= box.y <= box.y + box.height <= placed.height
    for route in placed.routes:
        assert all(0 <= x <= placed.width and 0 <= y <= placed.height for x, y in route)


@given(pictures())
@examples(200)
def test_lines_lead_down_from_box_to_box(picture: tuple[list[tuple[int, int]], list[Link]]) -> None:
    sizes, links = picture
    placed = layout(sizes, links)
    for link, route in zip(links, placed.routes, strict=True):
        source, target = placed.boxes[link.source], placed.boxes[link.target]
        (x, y), (end_x, end_y) = route[0], route[-1]
        assert source.x < x < source.x + source.width
        assert target.x < end_x < target.x + target.width
        assert y == source.y + source.height
        assert end_y == target.y
        heights_on_the_way = [y for _, y in route]
        assert heights_on_the_way == sorted(heights_on_the_way)
        assert all((a == c) != (b == d) for (a, b), (c, d) in pairwise(route))
        assert route[-2][1] < end_y, "it arrives from above"


@given(pictures())
@examples(100)
def test_lines_of_different_outputs_never_coincide(picture: tuple[list[tuple[int, int]], list[Link]]) -> None:
    sizes, links = picture
    wide = [(width + 600, height) for width, height in sizes]  # with room for every line's end
    assert not coinciding(layout(wide, links), links)


@given(pictures())
@examples(200)
def test_the_longest_path_is_one_straight_column(picture: tuple[list[tuple[int, int]], list[Link]]) -> None:
    sizes, links = picture
    placed = layout(sizes, links)
    strips = Strips(len(sizes), links)
    chains = [strip for index, strip in enumerate(strips.all) if strip.parent == index]
    assert len(chains) == len(strips.parts)
    assert max(len(chain.boxes) for chain in chains) == longest_path(len(sizes), links)
    for chain in chains:
        middles = {placed.boxes[box].x + placed.boxes[box].width // 2 for box in chain.boxes}
        assert len(middles) == 1
        assert all(placed.main[box] for box in chain.boxes)
        for box, following in pairwise(chain.boxes):
            straight = [
                route
                for link, route in zip(links, placed.routes, strict=True)
                if (link.source, link.target) == (box, following) and len(route) == 2
            ]
            assert straight, "no bend on the main chain"


@given(pictures())
@examples(50)
def test_the_same_picture_every_time(picture: tuple[list[tuple[int, int]], list[Link]]) -> None:
    assert layout(*picture) == layout(*picture)


def middles(placed: Layout) -> list[int]:
    return [box.x + box.width // 2 for box in placed.boxes]


def test_branches_stand_in_the_order_in_which_they_are_read() -> None:
    """An Inception module: 0 forks, 7 joins the branches 1, 2-3, 4-5 and 6."""
    links = [Link(*link) for link in [(0, 0, 1), (0, 0, 2), (2, 0, 3), (0, 0, 4), (4, 0, 5), (0, 0, 6)]]
    links += [Link(end, 0, 7) for end in (1, 3, 5, 6)]
    placed = layout([SIZE] * 8, links)
    x = middles(placed)
    assert x[1] < x[2] == x[3] == x[0] == x[7]
    assert {x[4] == x[5], x[4] > x[0], x[6] > x[0]} == {True}
    assert crossings_of(placed, links) == 0


def test_skips_are_nested() -> None:
    """A U-Net: every box of the way down is read again on the way up."""
    links = [Link(box, 0, box + 1) for box in range(11)] + [Link(box, 0, 11 - box) for box in range(5)]
    placed = layout([SIZE] * 12, links)
    assert len(set(middles(placed))) == 1
    assert crossings_of(placed, links) == 0
    furthest = [max(x for x, _ in route) for route in placed.routes[11:]]
    assert furthest == sorted(furthest, reverse=True)


def test_one_output_that_many_read_is_one_line() -> None:
    links = [Link(box, 0, box + 1) for box in range(9)] + [Link(0, 0, box) for box in (3, 6, 9)]
    placed = layout([SIZE] * 10, links)
    lanes = {x for route in placed.routes[9:] for x, _ in route[2:-2]}
    assert len(lanes) == 1


def test_what_only_brings_something_in_stands_above_its_reader() -> None:
    links = [Link(box, 0, box + 1) for box in range(6)] + [Link(7, 0, 6)]
    placed = layout([SIZE] * 8, links)
    assert placed.boxes[7].y == placed.boxes[5].y


def test_parts_that_do_not_hang_together_stand_side_by_side_in_rows() -> None:
    placed = layout([SIZE] * 400, [])
    assert not overlaps(placed)
    assert placed.width < 6 * placed.height
    assert placed.height < 6 * placed.width


def test_no_boxes_no_picture() -> None:
    assert layout([], []) == Layout(0, 0, [], [], [], [])


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        layout([SIZE] * 3, [Link(0, 0, 1), Link(1, 0, 2), Link(2, 0, 1)])


buses = st.builds(Bus, st.integers(0, 60), st.lists(st.integers(0, 60), min_size=1, max_size=3).map(tuple))


@given(st.lists(buses, max_size=60))
@examples(100)
def test_lines_at_one_height_are_apart(lines: list[Bus]) -> None:
    tracks, number = heights(lines)
    sideways = [index for index, line in enumerate(lines) if line.left < line.right]
    assert all(tracks[index] < number for index in sideways)
    for at, index in enumerate(sideways):
        for other in sideways[at + 1 :]:
            if tracks[index] == tracks[other]:
                one, two = lines[index], lines[other]
                assert one.right < two.left or two.right < one.left


def test_the_better_of_two_orders_is_taken() -> None:
    near, far = Bus(10, (30,)), Bus(0, (20,))
    assert crossings(near, far) == 0
    assert crossings(far, near) == 2
    tracks, _ = heights([far, near])
    assert tracks == [1, 0]
