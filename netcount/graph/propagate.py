"""Shape propagation: a wiring and the shapes given from outside -> a shape for every blob version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netcount.core.errors import Advice, Errors, InputError, MissingShapeError, NetcountError, PredictionsError
from netcount.core.shape import Shape, oversized
from netcount.graph.connect import Part, Wiring
from netcount.graph.known import Known
from netcount.graph.ways_out import overridable
from netcount.layers.assumed import Assumed
from netcount.layers.bases import CHECK_WINDOWS, Source
from netcount.layers.layer import Layer, ParamBlob


class Shapes(NamedTuple):
    """What propagation found: a shape for each blob version, parameter blobs for each part.

    None stands where a mistake (already told) keeps the shape from being known.
    """

    blobs: list[Shape | None]
    params: list[list[ParamBlob]]


class Batch(NamedTuple):
    """Inputs whose first axis is `declared` get `wanted` there instead."""

    declared: int
    wanted: int


def propagate(
    wiring: Wiring,
    given: Mapping[str, Shape],
    problems: list[NetcountError],
    batch: Batch | None = None,
    answers: Known | None = None,
) -> Shapes:
    """Infer all shapes in the order of the net.

    given: shapes for tops of sources and of layers whose output depends on data.  Mistakes are
    appended to `problems`; what depends on a broken layer is passed over.  answers: those of layers from before.
    """
    known: list[Shape | None] = [None] * len(wiring.blob_names)
    params: list[list[ParamBlob]] = []
    unused = dict.fromkeys(given)
    own_ways = weighted = wiring.weighted
    if given:
        own_ways = weighted | {index for index, name in enumerate(wiring.blob_names) if name in given}
    for part in wiring.parts:
        layer = part.layer
        bottoms = [known[blob] for blob in part.bottoms]
        if layer is None or None in bottoms:
            params.append([])
            for blob in part.tops:
                unused.pop(wiring.blob_names[blob], None)
            continue
        key = None
        if answers is not None and bottoms and own_ways.isdisjoint(part.tops):
            key = answers.key(layer, bottoms)  # type: ignore[arg-type]
            if key in answers.placed:
                tops, own = answers.placed[key]
                for blob, shape in zip(part.tops, tops, strict=True):
                    known[blob] = shape
                params.append(own)
                continue
        try:
            tops = _tops(wiring, part, layer, bottoms, given, unused)  # type: ignore[arg-type]
            if batch and is_input(part):
                tops = [_rebatched(top, batch) for top in tops]
            for position, (blob, shape) in enumerate(zip(part.tops, tops, strict=True)):
                if why := oversized(shape):
                    layer.refuse(f'top {position} "{wiring.blob_names[blob]}" {shape}: {why}')
                if blob in weighted and not shape.count():
                    layer.refuse(
                        f'top {position} "{wiring.blob_names[blob]}" {shape} has a loss_weight but no elements',
                        "loss_weight",
                        position,
                    )
                known[blob] = shape
            own = layer.blobs(bottoms)  # type: ignore[arg-type]
            _check_params(part, layer, own)
            params.append(own)
            if answers is not None and key is not None:
                answers.placed[key] = tops, own
        except NetcountError as problem:
            if isinstance(problem, PredictionsError):
                from netcount.graph.heads import misfit  # only a detector's mistake needs it

                problem = problem.changed(problem.what + misfit(wiring, part, known, params, problem))
            problems.append(_with_hint(wiring, part, known, given, problem))
            params.append([])
    problems.extend(_unused(wiring, unused))
    return Shapes(known, params)


def _tops(
    wiring: Wiring,
    part: Part,
    layer: Layer,
    bottoms: list[Shape],
    given: Mapping[str, Shape],
    unused: dict[str, None],
) -> list[Shape]:
    """The tops' shapes, given ones before inferred ones."""
    if not given:
        return layer.infer(bottoms)
    named = {index: wiring.blob_names[blob] for index, blob in enumerate(part.tops)}
    told = {index: given[name] for index, name in named.items() if name in given}
    if not told:
        return layer.infer(bottoms)
    if is_input(part):
        assert isinstance(layer, Source)
        for index in told:
            unused.pop(named[index], None)
        return layer.infer_given(told)
    shapes = layer.infer(bottoms)
    if layer.data_dependent(bottoms) is None:
        return shapes
    for index, shape in told.items():
        unused.pop(named[index], None)
        shapes[index] = shape
    return shapes


def _with_hint(
    wiring: Wiring,
    part: Part,
    known: list[Shape | None],
    given: Mapping[str, Shape],
    problem: NetcountError,
) -> NetcountError:
    """The problem with its cause: a Slice that cut a bottom, or a shape that only custom told."""
    if not isinstance(problem, Errors):
        what = problem.what
        cut = cut_from(wiring, part, known, what)
        if cut:
            what = what.removesuffix(CHECK_WINDOWS) + cut
        blob = _assumed_origin(wiring, part, known, given)
        if blob is None:
            problem = problem.changed(what)
        else:
            name = wiring.blob_names[blob]
            problem = problem.changed(
                f'{what}; "{name}" is only assumed to be {known[blob]}',
                advice=[Advice("input_shapes", "N,C,H,W", name, "give its shape with")],
            )
    return problem if part.replaced else overridable(problem, part.message)


def cut_from(wiring: Wiring, part: Part, known: Sequence[Shape | None], what: str | None = None) -> str:
    """That a Slice cut a bottom of a layer from another blob, or nothing.

    Args:
        wiring: The net's graph.
        part: The layer.
        known: Shapes by blob version.
        what: What is wrong with the layer; the bottom has to be named in it.
    """
    for blob in part.bottoms:
        maker = wiring.parts[wiring.producers[blob]] if wiring.producers[blob] >= 0 else None
        name = wiring.blob_names[blob]
        if maker and maker.layer and maker.layer.cuts and (what is None or f'"{name}"' in what):
            (whole,) = maker.bottoms
            line = maker.message.place().line
            return (
                f'; "{name}" is what {maker.type} "{maker.name}" (line {line}) cuts from '
                f'"{wiring.blob_names[whole]}" {known[whole]}'
            )
    return ""


def _assumed_origin(
    wiring: Wiring, part: Part, known: list[Shape | None], given: Mapping[str, Shape]
) -> int | None:
    """A bottom whose shape only custom tells; else images before it, in any distance, of which only custom
    tells the size."""
    makers = {blob: wiring.parts[wiring.producers[blob]] for blob in part.bottoms if wiring.producers[blob] >= 0}
    for blob, maker in makers.items():
        if wiring.blob_names[blob] not in given and _by_custom(wiring, maker, known):
            return blob
    seen: set[int] = set()
    left = [*part.bottoms]
    while left:
        blob = left.pop()
        if blob in seen or wiring.producers[blob] < 0:
            continue
        seen.add(blob)
        maker = wiring.parts[wiring.producers[blob]]
        left.extend(maker.bottoms)
        layer = maker.layer
        if isinstance(layer, Source) and layer.sizes_assumed and layer.assumed and maker.tops[:1] == [blob]:
            return blob
    return None


def _by_custom(wiring: Wiring, maker: Part, known: list[Shape | None]) -> bool:
    layer, bottoms = maker.layer, [known[blob] for blob in maker.bottoms]
    if layer is None or None in bottoms:
        return False
    if isinstance(layer, Source):
        return layer.assumed is not None
    return layer.data_dependent(bottoms) is not None  # type: ignore[arg-type]


def is_input(part: Part) -> bool:
    """Whether a part brings data into the net, in a shape that the caller may choose."""
    return not part.bottoms and isinstance(part.layer, Source) and not part.layer.learned


def _rebatched(shape: Shape, batch: Batch) -> Shape:
    if shape and shape[0] == batch.declared:
        return Shape((batch.wanted, *shape[1:]))
    return shape


def _check_params(part: Part, layer: Layer, own: list[ParamBlob]) -> None:
    if isinstance(layer, Assumed):
        return  # its blobs are not known
    specs = len(part.message.values.get("param", ()))
    if specs > len(own):
        layer.refuse(f"has {len(own)} parameter blobs but {specs} param {{ … }} entries", "param", len(own))
    for index, blob in enumerate(own):
        if why := oversized(blob.shape):
            layer.refuse(f"parameter blob {index} {blob.shape}: {why}")
        if blob.filler is not None:
            blob.filler.check(blob.shape)


def _unused(wiring: Wiring, unused: dict[str, None]) -> list[NetcountError]:
    problems: list[NetcountError] = []
    for name in unused:
        blob = wiring.current.get(name)
        if blob is None:
            known = ", ".join(
                wiring.blob_names[top] for part in wiring.parts if is_input(part) for top in part.tops
            )
            hint = f"; the inputs are {known}" if known else "; the net has no inputs"
            problems.append(InputError(f'the net has no blob "{name}"{hint}', argument="input_shapes"))
        else:
            part = wiring.parts[wiring.producers[blob]]
            makes = f'computes "{name}" from its bottoms' if part.bottoms else f'has "{name}" as its weights'
            problems.append(
                part.message.error(
                    f'"{part.name}" {makes}; only inputs, and outputs whose size depends on data, can be given',
                    argument="input_shapes",
                )
            )
    return problems


def missing(problems: list[NetcountError]) -> list[NetcountError]:
    """Those problems that are about shapes the file does not tell."""
    return [problem for problem in problems if isinstance(problem, MissingShapeError)]
