"""Which gradients Caffe computes, and which blobs have memory for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netcount.core.errors import Warned
from netcount.graph.graph import Graph, Node

NO_LOSS = Warned("nothing here leads from params to a loss, so that there is no backward pass")


class Gradients(NamedTuple):
    """What Net::Init and the backward passes of a net come to.

    layers: whether Caffe computes a layer's backward pass.  bottoms, params: of each layer, which gradients
    it then computes.  splits: of each blob version how many copies a Split that Caffe inserts behind it makes.
    diffs: for each layer the elements of the diffs that are made for its tops, those of a Split behind them
    included.  joins: for each layer the adds by which Splits behind its tops join
    their gradients.  logged: elements of all tops, which Caffe's log calls the memory required for data.
    """

    layers: tuple[bool, ...]
    bottoms: tuple[tuple[bool, ...], ...]
    params: tuple[tuple[bool, ...], ...]
    splits: tuple[int, ...]
    diffs: tuple[int, ...]
    joins: tuple[int, ...]
    logged: int


class _Step:
    """A layer of the net as Caffe builds it; node: None for a Split that it inserts.

    bottoms, tops: Caffe's blobs, of which a top in place is none of its own.  losses: whether each top is one.
    """

    __slots__ = ("bottoms", "losses", "needed", "node", "owner", "passes", "tops")

    def __init__(
        self, node: Node | None, owner: int, bottoms: list[int], tops: list[int], losses: list[bool]
    ) -> None:
        self.node = node
        self.owner = owner
        self.bottoms = bottoms
        self.tops = tops
        self.losses = losses
        self.passes = [False] * len(bottoms)
        self.needed = False

    @property
    def rates(self) -> list[bool]:
        """Whether each parameter blob learns: lr_mult as the file has it (a BatchNorm sets its own too late)."""
        if self.node is None:
            return []
        specs = self.node.message.children("param")
        return [
            specs[index].number("lr_mult") != 0 if index < len(specs) else True
            for index in range(len(self.node.params))
        ]


class _Blobs:
    """Caffe's blobs: for each its elements, and the blob whose diff is its own."""

    def __init__(self) -> None:
        self.elements: list[int] = []
        self.diff: list[int] = []
        self.owner: list[int] = []

    def add(self, elements: int, owner: int, diff: int | None = None) -> int:
        """A blob that a layer makes.  diff: the blob that it shares its diff with."""
        self.elements.append(elements)
        self.owner.append(owner)
        self.diff.append(len(self.diff) if diff is None else diff)
        return len(self.elements) - 1


def gradients(net: Graph) -> Gradients:
    """What Caffe computes backward in a net, and keeps for it.

    Sources: Net::Init, AppendBottom (net.cpp), InsertSplits (insert_splits.cpp), SetLossWeights (layer.hpp).
    """
    blobs = _Blobs()
    splits = _splits(net)
    steps = list(_steps(net, splits, blobs))
    learning = _forward(net, steps, len(blobs.elements))
    _backward(steps)
    if net.force_backward:
        _forced(steps, learning)
    diffs = [0] * len(net.nodes)
    for blob in _made(steps, blobs, learning):
        diffs[blobs.owner[blob]] += blobs.elements[blob]
    joins = [0] * len(net.nodes)
    for step in steps:
        if step.node is None and step.needed and step.passes[0]:
            joins[step.owner] += (len(step.tops) - 1) * blobs.elements[step.bottoms[0]]
    own = [step for step in steps if step.node is not None]
    logged = sum(top.shape.count() for node in net.nodes for top in node.tops)
    logged += sum(count * net.blobs[index].shape.count() for index, count in enumerate(splits))
    return Gradients(
        tuple([step.needed for step in own]),
        tuple([tuple([step.needed and passes for passes in step.passes]) for step in own]),
        tuple([tuple([step.needed and learns for learns in learning[step.owner]]) for step in own]),
        tuple(splits),
        tuple(diffs),
        tuple(joins),
        logged,
    )


def _splits(net: Graph) -> list[int]:
    """How many tops the Split behind each blob version has: one for each that reads it, if there are several."""
    uses = [len(readers) for readers in net.readers]
    for node in net.nodes:
        for top, weight in zip(node.tops, node.message.numbers("loss_weight"), strict=False):
            uses[top.index] += bool(weight)
    return [number if number > 1 else 0 for number in uses]


def _steps(net: Graph, splits: Sequence[int], blobs: _Blobs) -> Iterator[_Step]:
    """The layers, with a Split behind each that makes a blob which several read."""
    home: dict[int, int] = {}
    copies: dict[int, list[int]] = {}
    for node in net.nodes:
        bottoms = [copies[blob.index].pop(0) if splits[blob.index] else home[blob.index] for blob in node.bottoms]
        tops = []
        for position, top in enumerate(node.tops):
            elements = top.shape.count()
            if top.overwrites is not None:
                home[top.index] = blob = bottoms[position]
                blobs.elements[blob] = max(blobs.elements[blob], elements)
            else:
                shared = bottoms[0] if bottoms and node.layer.shares_diff else None
                home[top.index] = blobs.add(elements, node.index, None if shared is None else blobs.diff[shared])
            tops.append(home[top.index])
        given = node.message.numbers("loss_weight")
        taken = any(
            weight and splits[top.index] for top, weight in zip(node.tops, given, strict=False)
        )  # the Split has the weights then
        weights = [1.0] if node.layer.weighs and (taken or not given) else [] if taken else given
        losses = [bool(weight) for weight in weights][: len(tops)]
        yield _Step(node, node.index, bottoms, tops, losses + [False] * (len(tops) - len(losses)))
        for position, top in enumerate(node.tops):
            if splits[top.index]:
                made = [blobs.add(top.shape.count(), node.index) for _ in range(splits[top.index])]
                weighted = position < len(given) and bool(given[position])
                copies[top.index] = made[1:] if weighted else [*made]
                yield _Step(None, node.index, [home[top.index]], made, [weighted] + [False] * (len(made) - 1))


def _forward(net: Graph, steps: Sequence[_Step], blobs: int) -> list[list[bool]]:
    """Which layers have something below or in them that learns; of each layer, which parameter blobs do."""
    need = [False] * blobs
    learning: list[list[bool]] = [[] for _ in net.nodes]
    for step in steps:
        given = step.node.message.get("propagate_down") if step.node is not None else []
        step.passes = [need[blob] for blob in step.bottoms]
        step.needed = any(step.passes) or any(step.rates)
        step.passes = [bool(flag) for flag in given] or step.passes
        if step.node is not None:
            learning[step.owner] = step.rates
        if step.needed:
            for top in step.tops:
                need[top] = True
    return learning


def _backward(steps: Sequence[_Step]) -> None:
    """Take back what does not contribute to a loss, or is asked for by nobody."""
    under_loss: set[int] = set()
    skipped: set[int] = set()
    for step in reversed(steps):
        contributes = any(loss or top in under_loss for top, loss in zip(step.tops, step.losses, strict=True))
        if step.needed and all(top in skipped for top in step.tops):
            step.needed = False
            step.passes = [False] * len(step.bottoms)
        step.needed = step.needed and contributes
        for position, blob in enumerate(step.bottoms):
            if contributes:
                under_loss.add(blob)
            else:
                step.passes[position] = False
            if not step.passes[position]:
                skipped.add(blob)


def _forced(steps: Sequence[_Step], learning: list[list[bool]]) -> None:
    """force_backward: everything, but for bottoms such as labels."""
    for step in steps:
        step.needed = True
        barred = step.node.layer.never_backward if step.node is not None else frozenset[int]()
        step.passes = [passes or place not in barred for place, passes in enumerate(step.passes)]
        if step.node is not None:
            learning[step.owner] = [True] * len(learning[step.owner])


def _made(steps: Sequence[_Step], blobs: _Blobs, learning: Sequence[Sequence[bool]]) -> set[int]:
    """The blobs whose diff is written or read at some time; SyncedMemory takes memory only then."""
    made: set[int] = set()
    for step in steps:
        made.update(blobs.diff[top] for top, loss in zip(step.tops, step.losses, strict=True) if loss)
        if not step.needed:
            continue
        node = step.node
        learns = node is not None and any(learning[step.owner])
        if (any(step.passes) or learns) and not (node is not None and node.layer.weighs):
            made.update(blobs.diff[top] for top in step.tops)
        makes = node is not None and node.layer.makes_diffs
        for place, (blob, passes) in enumerate(zip(step.bottoms, step.passes, strict=True)):
            if passes or (makes and node is not None and place not in node.layer.extents_only):
                made.add(blobs.diff[blob])
    return made
