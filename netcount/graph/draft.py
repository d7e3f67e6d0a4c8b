"""A net whose layers are connected and whose shapes are still open, and the graph that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netcount.core.errors import Advice, InputError, NetcountError, Problems, Warned, raise_all
from netcount.core.shape import Shape
from netcount.graph.connect import Part, Wiring, remade
from netcount.graph.graph import Blob, Graph, Node, Owner
from netcount.graph.known import Known
from netcount.graph.options import LoadOptions
from netcount.graph.propagate import Batch, Shapes, cut_from, is_input, propagate
from netcount.layers.assumed import Assumption
from netcount.layers.bases import Source
from netcount.prototxt.message import Message
from netcount.prototxt.select import Phase
from netcount.prototxt.unknown_fields import Verdict


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


class Draft(NamedTuple):
    """A net whose layers are read and connected; `graph` infers its shapes.

    Numbers of its layers can be changed, and the net be built again, without the text being read and the
    layers being connected again: `changed`.

    Attributes:
        message: The upgraded NetParameter.
        phase: The phase that its layers were taken for.
        options: How it was read.
        wiring: The layers, and the blobs between them.
        given: Shapes from outside, by the names of blobs.
        problems: The mistakes that were found; a net that has any does not become a graph.
        verdict: What becomes of the fields that no known Caffe has.
    """

    message: Message
    phase: Phase
    options: LoadOptions
    wiring: Wiring
    given: Mapping[str, Shape]
    problems: Sequence[NetcountError]
    verdict: Verdict

    def graph(self, known: Known | None = None) -> Graph:
        """The net with its shapes, as Caffe would build it.  known: answers of layers from before.

        Raises:
            InputError: Caffe would refuse the net; Errors where there are several reasons.
        """
        problems = Problems(self.problems)
        tried = self.attempt(problems, known)
        raise_all(problems)
        return finish(tried, self.options, known)

    def attempt(self, problems: list[NetcountError], known: Known | None = None) -> Attempt:
        """The shapes, as far as they can be inferred; every mistake is appended to `problems`."""
        shapes = propagate(self.wiring, self.given, problems, answers=known)
        owners = share(self.wiring, shapes, problems)
        return Attempt(self.message, self.phase, self.wiring, self.given, shapes, owners, self.verdict)

    def changed(self, parts: Mapping[int, Part], input_shapes: Mapping[str, Shape] | None = None) -> Draft:
        """The same net with other layers in the place of some, by index, and for inputs of other shapes.

        The layers have the type, bottoms and tops of those they replace (`remade`).  input_shapes: as in
        LoadOptions, for the same blobs.  InputError where they fit no input.
        """
        given = self.given
        if input_shapes is not None and input_shapes != self.options.input_shapes:
            problems: list[NetcountError] = []
            given = named(input_shapes, self.wiring, problems)
            raise_all(problems)
        wiring = self.wiring.with_parts(parts) if parts else self.wiring
        return self._replace(wiring=wiring, given=given)

    def remade(self, index: int, message: Message) -> Part:
        """The layer of that index as another message describes it.  InputError where Caffe refuses that."""
        return remade(self.wiring.parts[index], message, self.options, self.phase)


def finish(tried: Attempt, options: LoadOptions, known: Known | None = None) -> Graph:
    """The graph of an attempt without mistakes, for the batch that is wanted."""
    warnings = [*tried.verdict.warnings]
    if not tried.wiring.parts:
        warnings.append(Warned(f"the net has no layers in phase {tried.phase}", tried.message.place()))
    shapes, actual = _rebatch(tried.wiring, tried.given, tried.shapes, options.batch, warnings, known)
    return _assemble(tried, shapes, actual, warnings)


def named(given: Mapping[str, Shape], wiring: Wiring, problems: list[NetcountError]) -> dict[str, Shape]:
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


def share(wiring: Wiring, shapes: Shapes, problems: list[NetcountError]) -> list[list[Owner | None]]:
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
                    cut = cut_from(wiring, part, shapes.blobs)
                    problems.append(_unshareable(part, name, shape, wiring.parts[owner.node], theirs, cut))
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


def _unshareable(part: Part, name: str, shape: Shape, owner: Part, theirs: Shape, cut: str) -> InputError:
    line = owner.message.place().line
    return part.message.error(
        f'{part.type} "{part.name}": cannot share param "{name}": {shape} here and {theirs} in its '
        f'owner "{owner.name}" (line {line}){cut}',
        "param",
    )


def _rebatch(
    wiring: Wiring,
    given: Mapping[str, Shape],
    declared: Shapes,
    wanted: int | None,
    warnings: list[Warned],
    known: Known | None,
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
        batched = propagate(wiring, given, problems, Batch(current, wanted), known)
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


def _assemble(tried: Attempt, shapes: Shapes, batch: int | None, warnings: list[Warned]) -> Graph:
    wiring, ignored = tried.wiring, tried.verdict.assumed
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
            tuple(tried.owners[index]),
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
        name=tried.message.text("name"),
        file=tried.message.tree.source.file,
        phase=tried.phase,
        batch=batch,
        nodes=tuple(nodes),
        blobs=tuple(blobs),
        inputs=tuple(inputs),
        outputs=tuple(wiring.outputs()),
        warnings=(*warnings, *assumptions),
        assumptions=assumptions,
        complete=all(part.complete for part in wiring.assumed) and not ignored,
        force_backward=tried.message.flag("force_backward"),
        by_connections=wiring.by_connections,
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
