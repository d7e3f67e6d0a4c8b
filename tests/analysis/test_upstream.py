"""Sums over all that a layer depends on are those of a plain search, and a chain is walked once for all in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netcount.analysis._support.upstream import Upstream
from tests.helpers import examples


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[list[int]], set[int]]:
    """The producers of each node, all before it, and the nodes that are left out."""
    reach = draw(st.integers(1, 12))
    producers = [
        draw(st.lists(st.integers(max(0, node - reach), node - 1), max_size=3)) if node else []
        for node in range(draw(st.integers(1, 24)))
    ]
    return producers, draw(st.sets(st.integers(0, len(producers) - 1), max_size=5))


@examples(60)
@given(graphs())
def test_sums_are_those_of_a_search(graph: tuple[list[list[int]], set[int]]) -> None:
    producers, without = graph
    upstream = Upstream(producers, lambda node: (1, 1 << node), without)
    for node in range(len(producers)):
        if node in without:
            continue
        seen, left = {node}, [node]
        while left:
            for producer in producers[left.pop()]:
                if producer not in seen | without:
                    seen.add(producer)
                    left.append(producer)
        assert upstream.sums(node) == (len(seen), sum(1 << one for one in seen))


def test_a_chain_of_blocks_is_walked_once_for_all_its_ends() -> None:
    producers: list[list[int]] = [[]]
    ends, at = [], 0
    for _ in range(40):
        inside, joined = len(producers), len(producers) + 1
        producers += [[at], [inside, at], [joined]]
        ends.append(joined + 1)
        at = joined
    walked: list[int] = []

    def cost(node: int) -> tuple[int]:
        walked.append(node)
        return (1,)

    upstream = Upstream(producers, cost)
    assert [upstream.sums(end) for end in reversed(ends)] == [(2 * n + 2,) for n in range(40, 0, -1)]
    assert sorted(walked) == list(range(len(producers)))
