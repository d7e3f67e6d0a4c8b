"""One block of memory for a whole run, planned before it: where each buffer lies in it, as engines do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from netcount.analysis._support.liveness import buffers, lives_of, usage
from netcount.analysis.count import Count
from netcount.core.units import bytes_of

ArenaMethod: TypeAlias = Literal["size", "order"]
"""In which order buffers are placed: the largest first, or as they are made."""
METHODS: tuple[ArenaMethod, ...] = ("size", "order")
ALIGN = 16
"""What offsets are multiples of, unless another number is wanted: as in TensorFlow Lite Micro."""

MOST_ALIGN = 2**20


class ArenaBuffer(NamedTuple):
    """A part of the arena, for some of the layers.

    Attributes:
        name: Of the first blob in it, or of the layer whose scratch it is.
        kind: "activations", or the "scratch" of a layer.
        blobs: The blobs that live in it, one after the other or as one.
        first: The index of the layer that makes it.
        last: The index of the last layer that needs it.
        offset: Where it begins, in bytes.
        bytes: Its size, a multiple of the alignment.
    """

    name: str
    kind: Literal["activations", "scratch"]
    blobs: tuple[str, ...]
    first: int
    last: int
    offset: int
    bytes: int

    def meets(self, other: ArenaBuffer) -> bool:
        """Whether there is a layer during which both are needed."""
        return self.first <= other.last and other.first <= self.last


class Arena(NamedTuple):
    """The plan of a net's memory.

    counted: the net.  bits: of a value.  align: what offsets and sizes are multiples of.  buffers: in the order
    in which they are made.  homes: of each blob version the index of its buffer.  scratch: of each layer the
    index of its scratch, or None.  sizes: how large the arena is by each method.  bound_bytes: what is needed
    at once by some layer: no plan is smaller.  peak_bytes: the same without alignment, by liveness.
    """

    counted: Count
    bits: int
    align: int
    buffers: tuple[ArenaBuffer, ...]
    homes: tuple[int, ...]
    scratch: tuple[int | None, ...]
    sizes: Mapping[ArenaMethod, int]
    bound_bytes: int
    peak_bytes: int
    limit_bytes: int | None = None

    @property
    def method(self) -> ArenaMethod:
        """The order that gives the smaller arena; the plan is its."""
        return min(METHODS, key=lambda method: self.sizes[method])

    @property
    def total_bytes(self) -> int:
        """How large the arena is."""
        return self.sizes[self.method]

    @property
    def fits(self) -> bool | None:
        """Whether it fits into the size that was given; None where none was."""
        return None if self.limit_bytes is None else self.total_bytes <= self.limit_bytes


def arena(
    counted: Count, bits: int = 32, align: int = ALIGN, *, scratch: bool = True, limit_bytes: int | None = None
) -> Arena:
    """Plan a net's memory greedily: each buffer into the smallest gap that holds it, else behind the others.

    Pisarchyk and Lee 2020, arXiv 2001.03288, "greedy by size for offset calculation".  A buffer lives as
    `memory` says, inputs from their layer on, outputs to the end.

    Args:
        counted: The net.
        bits: Of a value.
        align: What offsets and sizes are multiples of, in bytes.
        scratch: Plan the layers' im2col columns too.
        limit_bytes: What there is.
    """
    net = counted.net
    home = buffers(net, in_place=True)
    names: dict[int, list[str]] = {}
    for blob in net.blobs:
        names.setdefault(home[blob.index], []).append(blob.name)
    index: dict[int, int] = {}
    plan: list[ArenaBuffer] = []
    for buffer, life in lives_of(net, in_place=True).items():
        index[buffer] = len(plan)
        size = _aligned(bytes_of(life.elements, bits), align)
        blobs = tuple(dict.fromkeys(names[buffer]))
        plan.append(ArenaBuffer(life.blob.name, "activations", blobs, life.first, life.last, 0, size))
    columns = [
        node.layer.working_memory(node.bottom_shapes, node.top_shapes).columns if scratch else 0
        for node in net.nodes
    ]
    own: list[int | None] = []
    for node, elements in zip(net.nodes, columns, strict=True):
        own.append(len(plan) if elements else None)
        if elements:
            size = _aligned(bytes_of(elements, bits), align)
            plan.append(ArenaBuffer(node.name, "scratch", (), node.index, node.index, 0, size))
    placed = {method: _placed(plan, method) for method in METHODS}
    sizes = {method: max((one.offset + one.bytes for one in placed[method]), default=0) for method in METHODS}
    live = [0] * len(net.nodes)
    for one in plan:
        for step in range(one.first, min(one.last + 1, len(live))):
            live[step] += one.bytes
    peak = max(
        (elements + more for elements, more in zip(usage(net, in_place=True), columns, strict=True)), default=0
    )
    answer = Arena(
        counted,
        bits,
        align,
        (),
        tuple(index[home[blob.index]] for blob in net.blobs),
        tuple(own),
        sizes,
        max(live, default=0),
        bytes_of(peak, bits),
        limit_bytes,
    )
    return answer._replace(buffers=tuple(placed[answer.method]))


def _aligned(size: int, align: int) -> int:
    return -(-size // align) * align


def _placed(plan: Sequence[ArenaBuffer], method: ArenaMethod) -> list[ArenaBuffer]:
    """The buffers with their offsets, in the order of `plan`."""
    keys = {
        "size": lambda i: (-plan[i].bytes, plan[i].first, i),
        "order": lambda i: (plan[i].first, -plan[i].bytes, i),
    }
    done: dict[int, ArenaBuffer] = {}
    alive: defaultdict[int, list[int]] = defaultdict(list)  # what is placed, by the layers that it is needed in
    for position in sorted(range(len(plan)), key=keys[method]):
        one = plan[position]
        met = {index for layer in range(one.first, one.last + 1) for index in alive[layer]}
        beside = sorted((done[index].offset, done[index].offset + done[index].bytes) for index in met)
        done[position] = one._replace(offset=_gap(beside, one.bytes))
        for layer in range(one.first, one.last + 1):
            alive[layer].append(position)
    return [done[position] for position in range(len(plan))]


def _gap(taken: Sequence[tuple[int, int]], size: int) -> int:
    """Where the smallest gap between stretches begins that holds so much; else where the last one ends."""
    best: tuple[int, int] | None = None
    end = 0
    for start, stop in taken:
        if start - end >= size and (best is None or start - end < best[0]):
            best = start - end, end
        end = max(end, stop)
    return end if best is None else best[1]
