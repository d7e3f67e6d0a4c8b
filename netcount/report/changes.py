"""The picture of what one net changes of another: `netcount graph A --diff B`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netcount.analysis.compare import LayerChange, compared, facts, pairs, told_apart
from netcount.core.units import plural
from netcount.picture.layout import layout
from netcount.picture.picture import Arrow, Picture
from netcount.picture.strips import Link
from netcount.report.formats.amounts import signed
from netcount.report.formats.text import clipped, visible
from netcount.report.picture import MOST_CELLS, Drawing, Label, Line, box_size, drawing

KINDS: Mapping[str, str] = {
    "added": "added",
    "removed": "removed",
    "changed": "changed",
    "resized": "other input",
    "renamed": "renamed",
}
"""What happens to a layer, as `compare` calls it, and in the legend: the tones of such a picture."""
SAME = ""
_MOST_LINES = 2


class _Pair(NamedTuple):
    """Two nets, layer by layer: by index, what became of those of the first, and what is new in the second."""

    follower: Mapping[int, int]
    removed: Mapping[int, LayerChange]
    changes: Mapping[int, LayerChange]


class Changes(NamedTuple):
    """What one net changes of another.

    Attributes:
        drawing: The second net, with what is added, changed and, in boxes of their own, removed since the first.
        plain: What is written in each of its boxes where it does not show what changed.
        layers: By index in the second net's outline what became of a layer, in words; nothing of those that are as
            they were.
    """

    drawing: Drawing
    plain: tuple[tuple[Line, ...], ...]
    layers: Mapping[int, tuple[str, ...]]


def changes_drawing(before: Picture, after: Picture) -> Drawing:
    """The picture of `changes`."""
    return changes(before, after).drawing


def changes(before: Picture, after: Picture) -> Changes:
    """What the second of two nets, both of them whole, changes of the first."""
    pair, counts = _paired(before, after)
    boxes, home = list(after.boxes), _homes(before, after, pair)
    removals = _removed_from_boxes(before, pair, home)
    ghosts = {}
    for index, box in enumerate(before.boxes):
        if index not in home:
            ghosts[index] = len(boxes)
            boxes.append(box._replace(layers=(), state="removed", message=None))
    arrows = [*after.arrows, *_ghostly(before, after, {**home, **ghosts}, set(ghosts.values()), len(boxes))]
    base = drawing(after, "none")
    labels = [
        _label(label, [pair.changes.get(_node(after, layer)) for layer in box.layers], removals.get(index, []))
        for index, (label, box) in enumerate(zip(base.labels, after.boxes, strict=True))
    ]
    plain = [label.lines for label in base.labels]
    if ghosts:
        old = drawing(before, "none").labels
        plain += [old[index].lines for index in ghosts]
        labels += [Label(old[index].lines, "removed", old[index].about) for index in ghosts]
    tones = {label.tone for label in labels}
    first, second = told_apart([facts(before.counted), facts(after.counted)])
    facts_of = ", ".join(f"{number} {KINDS[kind]}" for kind, number in counts.items()) or "no layer differs"
    links = [Link(arrow.source, arrow.port, arrow.target) for arrow in arrows]
    drawn = base._replace(
        picture=after._replace(boxes=tuple(boxes), arrows=tuple(arrows)),
        colour="changes",
        facts=(f"{visible(first.label)} -> {visible(second.label)}", facts_of, *base.facts[1:]),
        labels=tuple(labels),
        notes=(*base.notes, *[""] * (len(arrows) - len(base.notes))),
        legend=(("", "layers"), *((kind, words) for kind, words in KINDS.items() if kind in tones)),
        placed=layout([box_size(label) for label in labels], links),
    )
    nodes = [_node(after, index) for index in range(len(after.outline.layers))]
    layers = {index: _words(pair.changes[node]) for index, node in enumerate(nodes) if node in pair.changes}
    return Changes(drawn, tuple(plain), layers)


def _paired(before: Picture, after: Picture) -> tuple[_Pair, dict[str, int]]:
    """What corresponds, and how many layers changed in which way."""
    first, second = (facts(picture.counted) for picture in (before, after))
    comparison = compared([first, second])
    (changes,), (version,) = comparison.changes, comparison.versions
    old, new = ({id(layer): index for index, layer in enumerate(net.layers)} for net in (first, second))
    follower = {}
    if version:
        follower = {old[id(one)]: new[id(other)] for one, other in pairs(first.layers, second.layers)}
    removed = {old[id(change.before)]: change for change in changes if change.after is None}
    changed = {new[id(change.after)]: change for change in changes if change.after is not None}
    counts = {kind: sum(change.kind == kind for change in changes) for kind in KINDS}
    return _Pair(follower, removed, changed), {kind: number for kind, number in counts.items() if number}


def _node(picture: Picture, layer: int) -> int:
    node = picture.outline.layers[layer].node
    return -1 if node is None else node


def _homes(before: Picture, after: Picture, pair: _Pair) -> dict[int, int]:
    """The box of the second picture that each box of the first has become, unless it is removed whole."""
    place = {_node(after, layer): index for index, box in enumerate(after.boxes) for layer in box.layers}
    home = {}
    for index, box in enumerate(before.boxes):
        kept = [
            pair.follower[node] for node in (_node(before, layer) for layer in box.layers) if node in pair.follower
        ]
        if kept:
            home[index] = place[kept[0]]
    return home


def _removed_from_boxes(before: Picture, pair: _Pair, home: Mapping[int, int]) -> dict[int, list[str]]:
    """The types of the layers that boxes of the second picture have lost."""
    lost: dict[int, list[str]] = {}
    for index, other in home.items():
        for layer in before.boxes[index].layers:
            if _node(before, layer) in pair.removed:
                lost.setdefault(other, []).append(before.outline.layers[layer].type)
    return lost


def _label(label: Label, changes: Sequence[LayerChange | None], lost: Sequence[str]) -> Label:
    """What is written in a box, and how it is coloured: as its first layer that differs, dearest kinds first."""
    known = [change for change in changes if change is not None]
    kinds = {change.kind for change in known}
    every = [change.kind if change else SAME for change in changes]
    if every and set(every) == {"added"}:
        tone = "added"
    elif lost or kinds & {"added", "changed"}:
        tone = "changed"
    else:
        tone = next((kind for kind in ("resized", "renamed") if kind in kinds), SAME)
    lines = list(label.lines)
    if tone != "added":
        texts = [f"+ {visible(change.layer.type)}" for change in known if change.kind == "added"]
        texts += [f"− {visible(kind)}" for kind in lost]
        texts += [text for change in known for text in _fields(change)]
        texts += [text for change in known for text in _old_name(change)]
        lines += [Line(clipped(text, MOST_CELLS), "more") for text in texts[:_MOST_LINES]]
        if len(texts) > _MOST_LINES:
            lines.append(Line(f"and {plural(len(texts) - _MOST_LINES, 'more change')}", "more"))
        for figure in ("madds", "params"):
            delta = sum(change.delta(figure) for change in known)
            if delta:
                lines.append(Line(f"{signed(figure, delta)} {figure}", "value"))
    return Label(tuple(lines), tone, label.about)


def _words(change: LayerChange) -> tuple[str, ...]:
    """What became of a layer: its kind, its fields, its name, its figures."""
    deltas = {figure: change.delta(figure) for figure in ("madds", "params")}
    figures = [f"{signed(figure, delta)} {figure}" for figure, delta in deltas.items() if delta]
    return (KINDS[change.kind], *_fields(change), *_old_name(change), *figures)


def _fields(change: LayerChange) -> list[str]:
    """The fields that differ, by their own names: `kernel_size 7 -> 3`."""
    texts = []
    for path, values in change.fields.items():
        was, now = ("unset" if value is None else value for value in values)
        texts.append(visible(f"{path.rpartition('.')[2]} {was} -> {now}"))
    return texts


def _old_name(change: LayerChange) -> list[str]:
    before, after = change.before, change.after
    return [f'was "{visible(before.name)}"'] if before and after and before.name != after.name else []


def _ghostly(
    before: Picture, after: Picture, home: Mapping[int, int], ghosts: set[int], number: int
) -> list[Arrow]:
    """The arrows of what is removed, but for those that would close a circle with those of the net now."""
    below: list[set[int]] = [set() for _ in range(number)]
    ports: dict[tuple[int, str], int] = {}
    free = [0] * number
    for arrow in after.arrows:
        below[arrow.source].add(arrow.target)
        ports[arrow.source, arrow.name] = arrow.port
        free[arrow.source] = max(free[arrow.source], arrow.port + 1)
    arrows: dict[tuple[int, int, int], Arrow] = {}
    for arrow in before.arrows:
        source, target = home[arrow.source], home[arrow.target]
        if source == target or not {source, target} & ghosts or _leads(below, target, source):
            continue
        port = ports.get((source, arrow.name))
        if port is None:
            port = ports[source, arrow.name] = free[source]
            free[source] += 1
        below[source].add(target)
        arrows[source, port, target] = arrow._replace(source=source, port=port, target=target, changes=False)
    return list(arrows.values())


def _leads(below: list[set[int]], start: int, end: int) -> bool:
    """Whether arrows lead from one box to another."""
    seen, waiting = {start}, [start]
    while waiting:
        box = waiting.pop()
        if box == end:
            return True
        new = below[box] - seen
        seen |= new
        waiting += new
    return False
