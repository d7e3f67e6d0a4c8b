"""A net that cannot be finished, as far as it goes: what is known of its layers, and what is wrong with others."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from netcount.core.errors import NetcountError, each
from netcount.core.gc_pause import paused
from netcount.graph.build import draft
from netcount.graph.connect import Part, Wiring
from netcount.graph.draft import Attempt, finish, share
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from netcount.graph.propagate import Shapes
from netcount.graph.solver import message_of
from netcount.graph.ways_out import unknown_types
from netcount.prototxt.reader import defined, read
from netcount.prototxt.unknown_fields import UnknownField


class Outlined(NamedTuple):
    """A layer of which at least the connections are known.

    Attributes:
        name, type: As in the file.
        line, end_line: Where it begins and ends in the file.
        bottoms, tops: The versions of blobs that it reads and makes, as numbers; an in-place top is a new one.
        in_place: Whether its first top overwrites its first bottom.
        node: Its index in the graph; None where it is broken or depends on what is.
        message: What is wrong with it, if something is.
    """

    name: str
    type: str
    line: int
    end_line: int
    bottoms: tuple[int, ...]
    tops: tuple[int, ...]
    in_place: bool
    node: int | None
    message: str | None = None


class Outline(NamedTuple):
    """The layers of a net, finished or not.

    Attributes:
        graph: The layers that can be finished, as a net of their own.
        layers: All of them, in the order of the file.
        blobs: The name of each blob version.
        error: Why the net cannot be finished, if it cannot.
    """

    graph: Graph
    layers: tuple[Outlined, ...]
    blobs: tuple[str, ...]
    error: NetcountError | None = None


def outline_of(graph: Graph) -> Outline:
    """The outline of a net that is finished."""
    layers = []
    for node in graph.nodes:
        tree = node.message.tree
        line, end = tree.source.line(tree.offset), tree.source.line(tree.end)
        bottoms, tops = ([blob.index for blob in blobs] for blobs in (node.bottoms, node.tops))
        in_place = bool(node.tops) and node.tops[0].overwrites is not None
        layers.append(Outlined(node.name, node.type, line, end, tuple(bottoms), tuple(tops), in_place, node.index))
    return Outline(graph, tuple(layers), tuple([blob.name for blob in graph.blobs]))


def outlined(text: str, options: LoadOptions, file: str) -> Outline:
    """The outline of a text: of the whole net, or of what there is of it.

    Raises:
        NetcountError: The text cannot be read at all.
    """
    try:
        return outline_of(load_text(text, options, file))
    except NetcountError as refusal:
        error = refusal
    try:
        return outline_text(text, options, file, error)
    except NetcountError:
        raise error from None


def outline_text(text: str, options: LoadOptions, file: str, error: NetcountError) -> Outline:
    """The outline of a net that was refused with `error`.

    Raises:
        NetcountError: The text cannot be read at all.
    """
    with paused():
        problems: list[NetcountError] = []
        unknown: list[UnknownField] = []
        message, own_level = message_of(
            read(defined(text, options.define), file), problems, unknown, options.phase
        )
        if own_level and not options.level:
            options = options._replace(level=own_level)
        mistakes: list[NetcountError] = []
        tried = draft(message, options, mistakes, problems, unknown).attempt(mistakes)
        messages = _messages(tried.wiring.parts, mistakes, options)
        lost = _lost(tried.wiring, tried.shapes, messages)
        reduced = _without(tried, lost)
        graph = finish(reduced, options)
    numbers = iter(range(len(graph.nodes)))
    layers = []
    for index, part in enumerate(tried.wiring.parts):
        tree = part.message.tree
        layers.append(
            Outlined(
                part.name,
                part.type,
                tree.source.line(tree.offset),
                tree.source.line(tree.end),
                tuple(part.bottoms),
                tuple(part.tops),
                bool(part.tops) and tried.wiring.overwrites[part.tops[0]] is not None,
                None if index in lost else next(numbers),
                messages.get(index),
            )
        )
    return Outline(graph, tuple(layers), tuple(tried.wiring.blob_names), error)


def _messages(parts: Sequence[Part], problems: Iterable[NetcountError], options: LoadOptions) -> dict[int, str]:
    """What is wrong with each broken layer, by the places of the mistakes."""
    messages: dict[int, str] = {}
    starts = sorted((part.message.place()[1:], index) for index, part in enumerate(parts))
    by_offset = {part.message.tree.offset: index for index, part in enumerate(parts)}
    for problem in (single for several in problems for single in each(several)):
        index = by_offset.get(problem.layer) if problem.layer is not None else None
        if index is None and problem.place is not None and problem.place.line:
            at = bisect_right(starts, (problem.place[1:], len(parts))) - 1
            if at >= 0:
                tree = parts[starts[at][1]].message.tree
                inside = problem.place[1:] <= tree.place(tree.end)[1:]
                index = starts[at][1] if inside else None
        if index is not None:
            messages.setdefault(index, problem.message)
    for index, part in enumerate(parts):
        if part.layer is None and options.catalogue.find(part.message) is None and part.assumption is None:
            messages[index] = unknown_types([part.message], options.catalogue).message
    return messages


def _lost(wiring: Wiring, shapes: Shapes, broken: Iterable[int]) -> set[int]:
    """The parts that are broken, and those that depend on them."""
    lost = set(broken)
    for index, part in enumerate(wiring.parts):
        producers = [wiring.producers[blob] for blob in part.bottoms]
        if (
            part.layer is None
            or any(producer < 0 or producer in lost for producer in producers)
            or any(shapes.blobs[blob] is None for blob in part.tops)
        ):
            lost.add(index)
    return lost


def _without(tried: Attempt, lost: set[int]) -> Attempt:
    """The attempt as if some parts, with all that depend on them, were not in the file."""
    whole = Wiring()
    blobs: dict[int, int] = {}
    kept: dict[int, int] = {}
    before = tried.wiring
    mistakes: list[NetcountError] = []
    for index, old in enumerate(before.parts):
        if index in lost:
            continue
        kept[index] = len(whole.parts)
        part = Part(old.message)
        part.assumption, part.known, part.layer = old.assumption, old.known, old.layer
        part.bottoms = [blobs[blob] for blob in old.bottoms]
        for blob in part.bottoms:
            whole.readers[blob] += 1
        for blob in old.tops:
            overwritten = before.overwrites[blob]
            name = before.blob_names[blob]
            new = whole.add_blob(name, kept[index], None if overwritten is None else blobs[overwritten])
            blobs[blob] = new
            part.tops.append(new)
            whole.current[name] = new
            if blob in before.weighted:
                whole.weighted.add(new)
        whole.parts.append(part)
        if old in before.assumed:
            whole.assumed.append(part)
    shapes = Shapes([tried.shapes.blobs[blob] for blob in blobs], [tried.shapes.params[index] for index in kept])
    owners = share(whole, shapes, [])
    given = {name: shape for name, shape in tried.given.items() if name in whole.current}
    verdict = tried.verdict._replace(problems=mistakes)
    return tried._replace(wiring=whole, given=given, shapes=shapes, owners=owners, verdict=verdict)
