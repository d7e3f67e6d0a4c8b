"""An upgraded NetParameter and the catalogue -> a draft: the layers of a state, read and connected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from netcount.core.errors import InputError, NetcountError
from netcount.core.shape import Shape
from netcount.core.suggest import nearest
from netcount.graph.connect import unread_fields, wire
from netcount.graph.draft import Draft, named
from netcount.graph.options import LoadOptions
from netcount.graph.ways_out import overridable
from netcount.prototxt.message import Message
from netcount.prototxt.select import State, select
from netcount.prototxt.unknown_fields import ALL, UnknownField, Verdict, judge


def draft(
    message: Message,
    options: LoadOptions,
    mistakes: list[NetcountError],
    problems: Iterable[NetcountError] = (),
    unknown: Sequence[UnknownField] = (),
) -> Draft:
    """The net that `message` (an upgraded NetParameter) describes, its layers connected as Caffe does.

    Args:
        message: The upgraded NetParameter.
        options: Which layers to take, for how many images, what is assumed.
        mistakes: Takes every mistake; they are reported when the draft becomes a graph.
        problems: Mistakes found before (by binding), reported together with those found here.
        unknown: Fields that no known Caffe has.
    """
    own_state = message.child("state")
    merged = State(options.phase, options.level, {*own_state.texts("stage"), *options.stages})
    layers = message.children("layer")
    chosen = select(layers, merged, mistakes)
    left_out: list[Message] = []
    if len(chosen) < len(layers):
        taken = set(map(id, chosen))
        left_out = [layer for layer in layers if id(layer) not in taken]
    verdict = _judged(message, unknown, options, {layer.tree.offset for layer in left_out})
    chosen = _with_given_inputs(chosen, options.input_shapes)
    broken = {problem.layer for problem in verdict.problems}
    wiring = wire(chosen, options, merged, mistakes, left_out, broken)
    replaced = {part.message.tree.offset for part in wiring.assumed if part.replaced}
    told = [*problems, *verdict.problems]
    by_offset = {layer.tree.offset: layer for layer in chosen} if told else {}
    for problem in told:
        if problem.layer is None or problem.layer not in replaced:
            layer = by_offset.get(problem.layer) if problem.layer is not None else None
            mistakes.append(overridable(problem, layer) if layer and not problem.advice else problem)
    given = named(options.input_shapes, wiring, mistakes)
    return Draft(message, merged.phase, options, wiring, given, mistakes, verdict)


def _judged(
    message: Message, unknown: Sequence[UnknownField], options: LoadOptions, left_out: Collection[int]
) -> Verdict:
    """What becomes of the fields that no known Caffe has, and of assumptions about fields that are not there."""
    fields = [*unknown, *unread_fields(message.children("layer"), options)]
    ignored = {name for name, what in options.assume.items() if what.ignored}
    verdict = judge(sorted(fields, key=lambda field: field.offset), ignored, left_out)
    idle = ignored - {field.key for field in fields} - {ALL}
    if idle:  # a field of a layer whose place an assumption takes is there all the same
        idle -= {field.key for field in unread_fields(message.children("layer"), options._replace(assume={}))}
    keys = {field.key for field in fields}
    for name in sorted(idle):
        if options.assume[name].optional:
            continue
        hint = nearest(name, sorted(keys))
        verdict.problems.append(InputError(f'the file has no unknown field "{name}"{hint}', argument="assume"))
    return verdict


def _with_given_inputs(layers: list[Message], given: Mapping[str, Shape]) -> list[Message]:
    """Blobs that are read, made by nobody and given by the caller come from an Input layer."""
    if not given:
        return layers
    made: set[str] = set()
    wanted: list[str] = []
    for layer in layers:
        wanted += [name for name in layer.values.get("bottom", ()) if name in given and name not in made]
        made.update(wanted, layer.values.get("top", ()))
    if not wanted:
        return layers
    tree = type(layers[0].tree)(layers[0].tree.source, 0)
    shapes = [Message("BlobShape", {"dim": list(given[name])}, tree) for name in wanted]
    values: dict[str, Any] = {
        "name": "input",
        "type": "Input",
        "top": wanted,
        "input_param": Message("InputParameter", {"shape": shapes}, tree),
    }
    return [Message("LayerParameter", values, tree), *layers]
