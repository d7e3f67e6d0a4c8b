"""What changed between two nets: layers added, removed, renamed, changed, and what each costs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from netcount.analysis.count import Count
from netcount.analysis.figures import COMPARED, KEPT, NetFigures, layer_figure
from netcount.prototxt.message import Message
from netcount.prototxt.tree import Tree

SHARED = 0.5
"""Nets of which at least this share of the layers with madds have a counterpart are versions of one net."""
_SKIPPED = frozenset({"name", "type", "bottom", "top", "param", "include", "exclude", "phase"})
_LEARNING = ("filler", "loss_weight", "propagate_down", "blobs_lr", "weight_decay")


class LayerFacts(NamedTuple):
    """What is compared of a layer.

    fields: what the file sets, by path such as "convolution_param.num_output", without what only
    matters in training.  sources: the layers its bottoms come from.  line: 0 where it is not known.
    figures: those that comparisons keep.  tops: the shapes it makes.
    """

    name: str
    type: str
    line: int
    fields: Mapping[str, str]
    sources: tuple[str, ...]
    figures: Mapping[str, int]
    tops: tuple[tuple[int, ...], ...]


class NetFacts(NamedTuple):
    """What is compared of a net.  `totals`: all its figures."""

    label: str
    file: str
    phase: str
    batch: int | None
    convention: str
    totals: Mapping[str, int]
    layers: tuple[LayerFacts, ...]


class LayerChange(NamedTuple):
    """One layer that differs.

    kind: "added", "removed", "renamed", "changed" (fields: path -> (before, after), None where it
    is not set; "type" and "bottoms" are paths too), or "resized" (same settings, other cost,
    because other shapes come in).  before, after: the layer, None where it does not exist.
    """

    kind: str
    before: LayerFacts | None
    after: LayerFacts | None
    fields: Mapping[str, tuple[str | None, str | None]]

    @property
    def layer(self) -> LayerFacts:
        """The layer as it is now, or as it was."""
        facts = self.after or self.before
        assert facts is not None
        return facts

    def delta(self, figure: str) -> int:
        """By how much a figure of the layer grew."""
        after, before = (layer.figures.get(figure, 0) if layer else 0 for layer in (self.after, self.before))
        return after - before

    @property
    def reshaped(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """The first shape the layer makes that is another, before and after; None where none is."""
        pairs = zip(self.before.tops if self.before else (), self.after.tops if self.after else (), strict=False)
        return next((pair for pair in pairs if pair[0] != pair[1]), None)


class Comparison(NamedTuple):
    """Several nets against the first.

    Attributes:
        nets: All of them.
        changes: To each of the others, dearest first.
        versions: Whether each of the others is a version of the first; if not, no layer of it is taken for
            one of the first's: all are added, and all of the first's removed.
    """

    nets: tuple[NetFacts, ...]
    changes: tuple[tuple[LayerChange, ...], ...]
    versions: tuple[bool, ...] = ()


def facts(count: Count, label: str | None = None) -> NetFacts:
    """What is compared of a counted net; its label is the file's name unless told."""
    net, totals = count.net, NetFigures(count)
    layers = tuple(
        LayerFacts(
            row.name,
            row.type,
            row.line,
            dict(_flat(node.message)),
            tuple(net.nodes[blob.producer].name if blob.producer >= 0 else blob.name for blob in node.bottoms),
            {figure.key: layer_figure(figure, row) for figure in KEPT},
            tuple(top.shape for top in row.tops),
        )
        for row, node in zip(count.layers, net.nodes, strict=True)
    )
    return NetFacts(
        label or net.file,
        net.file,
        net.phase,
        net.batch,
        count.convention.name,
        {figure.key: totals[figure.key] for figure in COMPARED},
        layers,
    )


def told_apart(nets: Sequence[NetFacts]) -> list[NetFacts]:
    """With the shortest file names that still differ for labels."""
    labels = [os.path.basename(net.label) for net in nets]
    if len(set(labels)) < len(labels):
        return list(nets)
    return [net._replace(label=label) for net, label in zip(nets, labels, strict=True)]


def compared(nets: Sequence[NetFacts]) -> Comparison:
    """All nets against the first."""
    first, *others = nets
    differences: list[tuple[LayerChange, ...]] = []
    versions = []
    for other in others:
        differing = tuple(changes(first, other))
        versions.append(_are_versions(first, other, differing))
        differences.append(differing if versions[-1] else _unpaired(first, other))
    return Comparison(tuple(nets), tuple(differences), tuple(versions))


def _are_versions(before: NetFacts, after: NetFacts, changes: Sequence[LayerChange]) -> bool:
    """Whether two nets are versions of one: enough of their costly layers are the same or changed ones."""
    costly = [sum(bool(layer.figures.get("madds")) for layer in net.layers) for net in (before, after)]
    figure = "madds" if all(costly) else None
    total = sum(costly) if figure else len(before.layers) + len(after.layers)
    alone = [change for change in changes if change.kind in ("added", "removed")]
    if figure:
        alone = [change for change in alone if change.layer.figures.get(figure)]
    return not total or total - len(alone) >= SHARED * total


def _unpaired(before: NetFacts, after: NetFacts) -> tuple[LayerChange, ...]:
    """All layers of one net removed, all of the other added, the dearest first."""
    changes = [LayerChange("removed", layer, None, {}) for layer in before.layers]
    changes += [LayerChange("added", None, layer, {}) for layer in after.layers]
    return tuple(sorted(changes, key=lambda change: (-abs(change.delta("madds")), -abs(change.delta("params")))))


def changes(before: NetFacts, after: NetFacts) -> list[LayerChange]:
    """The layers that differ, largest change of madds first, then of params, then by position."""
    both = pairs(before.layers, after.layers)
    names = {old.name: new.name for old, new in both}
    followed = {id(new): old for old, new in both}
    paired = {id(old) for old, _ in both}
    differences: list[LayerChange] = []
    for new in after.layers:
        old = followed.get(id(new))
        if old is None:
            differences.append(LayerChange("added", None, new, {}))
        elif change := _change(old, new, names):
            differences.append(change)
    differences += [LayerChange("removed", old, None, {}) for old in before.layers if id(old) not in paired]
    return sorted(differences, key=lambda change: (-abs(change.delta("madds")), -abs(change.delta("params"))))


def _change(old: LayerFacts, new: LayerFacts, names: Mapping[str, str]) -> LayerChange | None:
    fields: dict[str, tuple[str | None, str | None]] = {}
    if old.type != new.type:
        fields["type"] = (old.type, new.type)
    for path in {**old.fields, **new.fields}:
        if old.fields.get(path) != new.fields.get(path):
            fields[path] = (old.fields.get(path), new.fields.get(path))
    if tuple(names.get(name, name) for name in old.sources) != new.sources:
        fields["bottoms"] = (", ".join(old.sources), ", ".join(new.sources))
    if fields:
        return LayerChange("changed", old, new, fields)
    if old.name != new.name:
        return LayerChange("renamed", old, new, {})
    if old[5:] != new[5:]:
        return LayerChange("resized", old, new, {})
    return None


def pairs(before: Sequence[LayerFacts], after: Sequence[LayerFacts]) -> list[tuple[LayerFacts, LayerFacts]]:
    """Which layer became which: by name, then equal ones in equal order among the rest."""
    waiting: dict[str, deque[LayerFacts]] = {}
    for new in after:
        waiting.setdefault(new.name, deque()).append(new)
    made = []
    old_rest = []
    for old in before:
        if namesakes := waiting.get(old.name):
            made.append((old, namesakes.popleft()))
        else:
            old_rest.append(old)
    left = {id(new) for queue in waiting.values() for new in queue}
    new_rest = [new for new in after if id(new) in left]
    return made + _alike(old_rest, new_rest)


MOST_COMPARED = 2_000_000
"""Pairs of layers up to which the longest equal stretches are looked for: it takes as long as there are pairs."""


def _alike(before: Sequence[LayerFacts], after: Sequence[LayerFacts]) -> list[tuple[LayerFacts, LayerFacts]]:
    """Equal layers in equal order, by the longest stretches; of very many the n-th of a kind is the n-th one."""
    old, new = ([_signature(layer) for layer in layers] for layers in (before, after))
    pairs: list[tuple[LayerFacts, LayerFacts]] = []
    if len(old) * len(new) <= MOST_COMPARED:
        for start, other, length in SequenceMatcher(None, old, new, False).get_matching_blocks():
            pairs += zip(before[start : start + length], after[other : other + length], strict=True)
        return pairs
    waiting: dict[object, deque[LayerFacts]] = {}
    for layer, signature in zip(after, new, strict=True):
        waiting.setdefault(signature, deque()).append(layer)
    for layer, signature in zip(before, old, strict=True):
        if alike := waiting.get(signature):
            pairs.append((layer, alike.popleft()))
    return pairs


def _signature(layer: LayerFacts) -> tuple[str, tuple[tuple[str, str], ...]]:
    return layer.type, tuple(sorted(layer.fields.items()))


def _flat(message: Message, prefix: str = "") -> list[tuple[str, str]]:
    """What a message sets that matters to shape and cost, by path."""
    pairs: list[tuple[str, str]] = []
    for name, value in message.values.items():
        if (not prefix and name in _SKIPPED) or any(word in name for word in _LEARNING):
            continue
        values = value if isinstance(value, list) else [value]
        if name.startswith("?"):  # fields that no schema knows, for custom layers
            for tree in values:
                if isinstance(tree, Tree):  # else a mark of the upgrade's
                    pairs += _loose(tree, f"{prefix}{name[1:]}.")
            continue
        messages = [part for part in values if isinstance(part, Message)]
        for index, part in enumerate(messages):
            number = f"[{index}]" if len(messages) > 1 else ""
            pairs += _flat(part, f"{prefix}{name}{number}.")
        if not messages:
            pairs.append((prefix + name, ", ".join(map(_text, values))))
    return pairs


def _loose(tree: Tree, prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value, _ in tree.fields:
        if isinstance(value, Tree):
            pairs += _loose(value, f"{prefix}{name}.")
        else:
            pairs.append((prefix + name, str(value)))
    return pairs


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
