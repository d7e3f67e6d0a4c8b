"""An upgraded NetParameter and the catalogue -> the graph: connections, shapes, batch, shared params."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from netcount.core.errors import Advice, InputError, NetcountError, Problems, Warned, raise_all
from netcount.core.shape import Shape
from netcount.core.suggest import nearest
from netcount.graph.connect import Part, Wiring, unread_fields, wire
from netcount.graph.graph import Blob, Graph, Node, Owner
from netcount.graph.options import LoadOptions
from netcount.graph.propagate import Batch, Shapes, is_input, propagate
from netcount.graph.ways_out import overridable
from netcount.layers.assumed import Assumption
from netcount.layers.bases import Source
from netcount.prototxt.message import Message
from netcount.prototxt.select import Phase, State, select
from netcount.prototxt.unknown_fields import ALL, UnknownField, Verdict, judge


class Attempt(NamedTuple):
    """What comes of building a net, before anybody asks whether it may be built.

    given: the shapes given by the caller, by blob name.  owners: of shared parameter blobs.
    """

    message: Message
    phase: Phase
    wiring: Wiring
    given: Mapping[str, Shape]
    shapes: Shapes
    owners: list[list[Owner | None]]
    verdict: Verdict


def build(
    message: Message,
    options: LoadOptions,
    problems: Iterable[NetcountError] = (),
    unknown: Sequence[UnknownField] = (),
) -> Graph:
    """The net that `message` (an upgraded NetParameter) describes, as Caffe would build it.

    Args:
        message: The upgraded NetParameter.
        options: Which layers to take, for how many images, what is assumed.
        problems: Mistakes found before (by binding), reported together with those found here.
        unknown: Fields that no known Caffe has.

    Raises:
        InputError: Caffe would refuse the net; Errors where there are several reasons.
    """
    mistakes = Problems()
    tried = attempt(message, options, mistakes, problems, unknown)
    raise_all(mistakes)
    return finish(tried, options)


def attempt(
    message: Message,
    options: LoadOptions,
    found: list[NetcountError],
    problems: Iterable[NetcountError] = (),
    unknown: Sequence[UnknownField] = (),
) -> Attempt:
    """Connect the layers and infer their shapes, as far as that goes; every mistake is appended to `found`."""
    own_state = message.child("state")
    merged = State(options.phase, options.level, {*own_state.texts("stage"), *options.stages})
    chosen = select(message.children("layer"), merged, found)
    taken = set(map(id, chosen))
    left_out = [layer for layer in message.children("layer") if id(layer) not in taken]
    verdict = _judged(message, unknown, options, {layer.tree.offset for layer in left_out})
    chosen = _with_given_inputs(chosen, options.input_shapes)
    broken = {problem.layer for problem in verdict.problems}
    wiring = wire(chosen, options, merged.phase, found, left_out, broken)
    replaced = {part.message.tree.offset for part in wiring.assumed if part.replaced}
    layers = {layer.tree.offset: layer for layer in chosen}
    for problem in (*problems, *verdict.problems):
        if problem.layer is None or problem.layer not in replaced:
            layer = layers.get(problem.layer) if problem.layer is not None else None
            found.append(overridable(problem, layer) if layer and not problem.advice else problem)
    given = _named(options.input_shapes, wiring, found)
    shapes = propagate(wiring, given, found)
    owners = _share(wiring, shapes, found)
    return Attempt(message, merged.phase, wiring, given, shapes, owners, verdict)


def finish(tried: Attempt, options: LoadOptions) -> Graph:
    """The graph of an attempt without mistakes, for the batch that is wanted."""
    warnings = [*tried.verdict.warnings]
    if not tried.wiring.parts:
        warnings.append(Warned(f"the net has no layers in phase {tried.phase}", tried.message.place()))
    shapes, actual = _rebatch(tried.wiring, tried.given, tried.shapes, options.batch, warnings)
    return _assemble(
        tried.message, tried.phase, tried.wiring, shapes, tried.owners, actual, warnings, tried.verdict.assumed
    )


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


def _named(given: Mapping[str, Shape], wiring: Wiring, problems: list[NetcountError]) -> dict[str, Shape]:
    """`given` with the anonymous shape under the name of the only input."""
    if "" not in given:
        return dict(given)
    inputs = [
        wiring.blob_names[top]
        for part in _inputs(wiring)
        for top in part.tops[:1] + ([] if part.type != "Input" else part.tops[1:])
    ]
    rest = {name: shape for name, shape in given.items() if name}
    if len(inputs) != 1:
        choice = ", ".join(inputs) if inputs else "none"
        what = f"a shape without a blob name needs one input; here: {choice}"
        problems.append(InputError(what, argument="input_shapes"))
        return rest
    return {**rest, inputs[0]: given[""]}


def _inputs(wiring: Wiring) -> list[Part]:
    """The parts that bring data into the net; constants (DummyData) only where there are no others."""
    sources = [part for part in wiring.parts if is_input(part)]
    return [part for part in sources if part.layer and not part.layer.computes] or sources


def _share(wiring: Wiring, shapes: Shapes, problems: list[NetcountError]) -> list[list[Owner | None]]:
    """The owner of every parameter blob that `param { name: … }` shares (Net::AppendParam)."""
    owners: list[list[Owner | None]] = []
    first: dict[str, Owner] = {}
    rates: dict[tuple[str, str], float] = {}
    for node, (part, blobs) in enumerate(zip(wiring.parts, shapes.params, strict=True)):
        row: list[Owner | None] = [None] * len(blobs)
        owners.append(row)
        for index, spec in enumerate(part.message.values.get("param", ())[: len(blobs)]):
            name: str = spec.get("name")
            if not name:
                continue
            owner = first.setdefault(name, Owner(node, index))
            if owner != (node, index):
                row[index] = owner
                shape, theirs = blobs[index].shape, shapes.params[owner.node][owner.index].shape
                permissive = spec.get("share_mode") == "PERMISSIVE"
                if shape.count() != theirs.count() or not (permissive or shape == theirs):
                    problems.append(_unshareable(part, name, shape, wiring.parts[owner.node], theirs))
            for rate in ("lr_mult", "decay_mult"):
                if spec.has(rate) and rates.setdefault((name, rate), spec.get(rate)) != spec.get(rate):
                    problems.append(
                        spec.error(
                            f'shared param "{name}" has {rate} {spec.get(rate)} here and '
                            f"{rates[name, rate]} at its owner",
                            rate,
                        )
                    )
    return owners


def _unshareable(part: Part, name: str, shape: Shape, owner: Part, theirs: Shape) -> InputError:
    line = owner.message.place().line
    return part.message.error(
        f'{part.type} "{part.name}": cannot share param "{name}": {shape} here and {theirs} in its '
        f'owner "{owner.name}" (line {line})',
        "param",
    )


def _rebatch(
    wiring: Wiring,
    given: Mapping[str, Shape],
    declared: Shapes,
    wanted: int | None,
    warnings: list[Warned],
) -> tuple[Shapes, int | None]:
    """Shapes for the wanted batch, or the declared ones and a warning where they cannot be had."""
    current = _batch_of(wiring, declared)
    if wanted is None or current is None or current == wanted:
        return declared, current
    why = None
    slow = next((p for p in wiring.parts if p.layer is not None and p.layer.time_major), None)
    if slow is not None:
        why = f'axis 0 of recurrent layer "{slow.name}" is time'
    else:
        problems: list[NetcountError] = []
        batched = propagate(wiring, given, problems, Batch(current, wanted))
        if problems:
            why = f"with {wanted} it would not build ({problems[0].what})"
        else:
            why = _obstacle(wiring, declared, batched, Batch(current, wanted))
        if why is None:
            return batched, wanted
    warnings.append(
        Warned(
            f"the batch of {current} cannot be changed to {wanted}: {why}; "
            f"all figures are for the batch of {current} that the file declares"
        )
    )
    return declared, current


def _batch_of(wiring: Wiring, shapes: Shapes) -> int | None:
    """Axis 0 of the first input."""
    for part in _inputs(wiring):
        for top in part.tops:
            shape = shapes.blobs[top]
            if shape:
                return shape[0]
    return None


def _obstacle(wiring: Wiring, before: Shapes, after: Shapes, batch: Batch) -> str | None:
    """What differs otherwise than by axis 0 in proportion to the batch, or None."""
    for index, (old, new) in enumerate(zip(before.blobs, after.blobs, strict=True)):
        if old == new or old is None or new is None:
            continue
        scaled = old[0] * batch.wanted == new[0] * batch.declared
        if not scaled or old[1:] != new[1:]:
            return f'blob "{wiring.blob_names[index]}" would become {new} from {old}'
    for part, old_params, new_params in zip(wiring.parts, before.params, after.params, strict=True):
        if [blob.shape for blob in old_params] != [blob.shape for blob in new_params]:
            return f'the weights of "{part.name}" would change'
    return None


def _assemble(
    message: Message,
    phase: Phase,
    wiring: Wiring,
    shapes: Shapes,
    owners: list[list[Owner | None]],
    batch: int | None,
    warnings: list[Warned],
    ignored: Sequence[Warned],
) -> Graph:
    assumptions = (*ignored, *_notes(wiring.assumed))
    blobs: list[Blob] = []
    for index, name in enumerate(wiring.blob_names):
        shape = shapes.blobs[index]
        assert shape is not None  # every broken layer has been reported
        blobs.append(Blob(index, name, shape, wiring.producers[index], wiring.overwrites[index]))
    nodes = []
    inputs: list[int] = []
    for index, part in enumerate(wiring.parts):
        layer = part.layer
        assert layer is not None
        node = Node(
            index,
            part.name,
            part.type,
            layer,
            tuple([blobs[b] for b in part.bottoms]),
            tuple([blobs[t] for t in part.tops]),
            tuple(shapes.params[index]),
            tuple(owners[index]),
        )
        nodes.append(node)
        if layer.warning:
            warnings.append(Warned(f'{part.type} "{part.name}": {layer.warning}', node.place))
        if not part.bottoms and isinstance(layer, Source):
            if is_input(part):
                inputs.extend(part.tops)
            if layer.assumed:
                other = Advice("input_shapes", "N,C,H,W", node.tops[0].name, "give its shape with")
                warnings.append(Warned(f'{part.type} "{part.name}": {layer.assumed}', node.place, (other,)))
    return Graph(
        name=message.text("name"),
        file=message.tree.source.file,
        phase=phase,
        batch=batch,
        nodes=tuple(nodes),
        blobs=tuple(blobs),
        inputs=tuple(inputs),
        outputs=tuple(wiring.outputs()),
        warnings=(*warnings, *assumptions),
        assumptions=assumptions,
        complete=all(part.complete for part in wiring.assumed) and not ignored,
    )


def _notes(parts: Sequence[Part]) -> list[Warned]:
    """What was assumed: one note for each type and assumption."""
    groups: dict[tuple[str, Assumption], list[Part]] = {}
    for part in parts:
        if part.assumption is not None:
            groups.setdefault((part.type, part.assumption), []).append(part)
    notes = []
    for (kind, assumption), members in groups.items():
        names = f'"{members[0].name}"' + (f" and {len(members) - 1} more" if len(members) > 1 else "")
        if assumption.like is not None:
            what = f"read and counted as {assumption.like}"
        elif assumption.has_cost:
            what = "with the shape and the cost given"
        else:
            known = "" if members[0].known else "not known, "
            what = f"{known}its shape is assumed and its cost not counted"
        notes.append(Warned(f"{kind} {names}: {what}", members[0].message.place()))
    return notes
