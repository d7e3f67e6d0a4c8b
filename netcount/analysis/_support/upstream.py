"""What stands above layers: sums over all that each of them depends on, every layer counted once."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

_TOP = -1  # above all nodes; the last entry of each list below


class Upstream:
    """Sums over a node and all that it depends on.

    A node's gate is the last node on all ways to it. What stands above the node is what stands above its gate, the
    gate, and what lies between the two: a chain, of layers or of blocks, is walked once for all nodes of it. Only
    strands that run side by side from one gate are walked again for each node that joins them.

    Args:
        producers: For each node the nodes whose tops it reads; they come before it.
        cost: What is summed, by node: always as many numbers.
        without: Nodes that are not counted, nor what is above them alone.
    """

    def __init__(
        self,
        producers: Sequence[Sequence[int]],
        cost: Callable[[int], tuple[int, ...]],
        without: Container[int] = (),
    ) -> None:
        self._producers = [[one for one in own if one not in without] for own in producers]
        self._cost = cost
        self._sums: dict[int, tuple[int, ...]] = {}
        count = len(self._producers) + 1
        self._gates = [_TOP] * count
        self._depths = [0] * count
        self._far = [_TOP] * count  # a gate of a gate … of the node's, by which a search skips what is between
        for node, own in enumerate(self._producers):
            self._set_gate(node, own)

    def sums(self, node: int) -> tuple[int, ...]:
        """The sums for a node that is not left out, its own cost included."""
        pending = []
        while node != _TOP and node not in self._sums:
            pending.append(node)
            node = self._gates[node]
        for one in reversed(pending):
            rows = [self._cost(each) for each in self._down_from_gate(one)]
            if (gate := self._gates[one]) != _TOP:
                rows.append(self._sums[gate])
            self._sums[one] = tuple(map(sum, zip(*rows, strict=True)))
        return self._sums[pending[0] if pending else node]

    def _down_from_gate(self, node: int) -> set[int]:
        """The node, and those that it depends on and that stand below its gate."""
        gate = self._gates[node]
        seen, left = {node}, [node]
        while left:
            for producer in self._producers[left.pop()]:
                if producer != gate and producer not in seen:
                    seen.add(producer)
                    left.append(producer)
        return seen

    def _set_gate(self, node: int, producers: Sequence[int]) -> None:
        gate = producers[0] if producers else _TOP
        for producer in producers[1:]:
            gate = self._last_of_both(gate, producer)
        far = self._far[gate]
        further = self._far[far]
        steps = self._depths[gate] - self._depths[far], self._depths[far] - self._depths[further]
        self._gates[node], self._depths[node] = gate, self._depths[gate] + 1
        self._far[node] = further if steps[0] == steps[1] else gate  # so a search takes about log n steps

    def _last_of_both(self, one: int, other: int) -> int:
        """The last node among two nodes and their gates, up to the top, that both have."""
        gates, depths, far = self._gates, self._depths, self._far
        while one != other:
            if depths[one] < depths[other]:
                one, other = other, one
            if depths[one] > depths[other]:
                one = far[one] if depths[far[one]] >= depths[other] else gates[one]
            elif far[one] != far[other]:
                one, other = far[one], far[other]
            else:
                one, other = gates[one], gates[other]
        return one
