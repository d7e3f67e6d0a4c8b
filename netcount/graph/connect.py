"""Messages + catalogue -> layers that know which blobs they read and make (Caffe's Net::Init)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from netcount.core.errors import MAX_PROBLEMS, Advice, InputError, NetcountError, UnknownTypeError
from netcount.core.shape import Shape
from netcount.core.suggest import nearest
from netcount.layers.assumed import IDENTITY, Assumed
from netcount.layers.layer import Layer, give_all
from netcount.layers.registry import Catalogue
from netcount.prototxt.bind import BROKEN, unknown_field
from netcount.prototxt.message import Message
from netcount.prototxt.select import way_in


class Part:
    """A layer and its blobs by index, before any shape is known; `layer` None when it is broken."""

    __slots__ = ("bottoms", "layer", "message", "name", "tops", "type")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.name: str = message.get("name")
        self.type: str = message.get("type")
        self.layer: Layer | None = None
        self.bottoms: list[int] = []
        self.tops: list[int] = []


class Wiring:
    """The graph of a net: parts, and for every blob version its name, producer and forerunner."""

    __slots__ = (
        "assumed", "blob_names", "current", "missing", "overwrites", "parts", "producers", "readers", "weighted",
    )  # fmt: skip

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.blob_names: list[str] = []
        self.producers: list[int] = []
        self.overwrites: list[int | None] = []
        self.readers: list[int] = []
        self.weighted: set[int] = set()
        """Blobs with a loss_weight, which Caffe splits off as if one more layer read them."""
        self.current: dict[str, int] = {}
        self.missing: dict[str, int] = {}
        self.assumed: list[Part] = []

    def add_blob(self, name: str, producer: int, overwrites: int | None = None) -> int:
        """A new blob version; its index."""
        self.blob_names.append(name)
        self.producers.append(producer)
        self.overwrites.append(overwrites)
        self.readers.append(0)
        return len(self.blob_names) - 1

    def outputs(self) -> list[int]:
        """Blob versions nobody reads but the loss, by name; automatic tops are no outputs."""
        ends = (b for b in self.current.values() if not self.readers[b] or b in self.weighted)
        return sorted(ends, key=self.blob_names.__getitem__)


def wire(
    messages: Sequence[Message],
    catalogue: Catalogue,
    phase: str,
    assume: Mapping[str, Sequence[Shape]],
    problems: list[NetcountError],
    left_out: Sequence[Message] = (),
) -> Wiring:
    """Connect the layers; those `left_out` by the state only help to say who would make a blob.

    Every mistake is appended to `problems`; a broken layer stays as a part
    without a Layer, so that what depends on it is not reported as well."""
    wiring = Wiring()
    unknown: list[Part] = []
    unused = dict(assume)
    for message in messages:
        part = Part(message)
        _connect_bottoms(wiring, part, messages, left_out, problems)
        broken = BROKEN in message.values
        make = _maker(part, catalogue, assume, unused, wiring)
        if make is None and not broken:
            unknown.append(part)
        top_count = _connect_tops(wiring, part, make, problems)
        if make is not None and not broken:
            try:
                part.layer = _set_up(part, make, top_count, phase)
            except NetcountError as problem:
                problems.append(problem)
        wiring.parts.append(part)
    _check_loss_weights(wiring, problems)
    if unknown:
        problems.append(_unknown_types(unknown, catalogue))
    for name in unused:
        known = [*dict.fromkeys([p.type for p in wiring.parts] + [p.name for p in wiring.parts])]
        problems.append(
            InputError(f'no unknown layer has the type or name "{name}"{nearest(name, known)}', argument="assume")
        )
    return wiring


Make = Callable[[Message, int, str], Layer]


def _maker(
    part: Part,
    catalogue: Catalogue,
    assume: Mapping[str, Sequence[Shape]],
    unused: dict[str, Sequence[Shape]],
    wiring: Wiring,
) -> Make | None:
    found = catalogue.find(part.message)
    if found is not None:
        return found
    for key in (part.name, part.type):
        if key in assume:
            unused.pop(key, None)
            shapes = assume[key]
            wiring.assumed.append(part)
            return lambda message, tops, phase: Assumed(message, tops, phase, shapes)
    return None


def _connect_bottoms(
    wiring: Wiring,
    part: Part,
    messages: Sequence[Message],
    left_out: Sequence[Message],
    problems: list[NetcountError],
) -> None:
    for index, name in enumerate(part.message.values.get("bottom", ())):
        blob = wiring.current.get(name)
        if blob is None:
            blob = wiring.missing.get(name)
        if blob is None:
            problems.append(_unknown_bottom(wiring, part, index, name, messages, left_out))
            blob = wiring.missing[name] = wiring.add_blob(name, -1)
        wiring.readers[blob] += 1
        part.bottoms.append(blob)


def _unknown_bottom(
    wiring: Wiring,
    part: Part,
    index: int,
    name: str,
    messages: Sequence[Message],
    left_out: Sequence[Message],
) -> InputError:
    makers, others = (
        [layer for layer in layers if name in layer.values.get("top", ())] for layers in (messages, left_out)
    )
    advice: list[Advice] = []
    if makers and all(m is not part.message for m in makers):
        line = makers[0].place().line
        hint = f'; it is made only later, by "{makers[0].text("name")}" (line {line})'
    elif makers:
        hint = "; it is made by this layer itself"
    elif others:
        left_out_layer = others[0]
        hint = (
            f'; "{left_out_layer.text("name")}" (line {left_out_layer.place().line}), which makes it, is left out '
            "by its include or exclude rules"
        )
        way = way_in(left_out_layer)
        advice = [*([way] if way else []), *give_all("input_shapes", "N,C,H,W", [name])]
    else:
        hint = nearest(name, [n for n in wiring.current if n != name])
        if not hint:
            hint = "; nothing makes it"
            advice = give_all("input_shapes", "N,C,H,W", [name])
    message = f'{part.type} "{part.name}": unknown bottom "{name}"{hint}'
    return part.message.error(message, "bottom", index, advice=advice)


def _connect_tops(wiring: Wiring, part: Part, make: Make | None, problems: list[NetcountError]) -> int:
    """Add the part's tops, in-place ones as new versions; how many there are in all."""
    names = part.message.values.get("top", ())
    own_index = len(wiring.parts)
    weights = part.message.values.get("loss_weight", ())
    for index, name in enumerate(names):
        before = wiring.current.get(name)
        in_place = before is not None and index < len(part.bottoms) and part.bottoms[index] == before
        if before is not None and (not in_place or wiring.readers[before] > 1 or before in wiring.weighted):
            problems.append(_made_twice(wiring, part, index, before, in_place))
        blob = wiring.add_blob(name, own_index, before if in_place else None)
        if weights and any(weights[index : index + 1]):
            wiring.weighted.add(blob)
        wiring.current[name] = blob
        part.tops.append(blob)
    wanted: int = getattr(make, "auto_tops", 0)
    while len(part.tops) < wanted:
        part.tops.append(wiring.add_blob("(automatic)", own_index))
    return len(part.tops)


def _made_twice(wiring: Wiring, part: Part, index: int, before: int, in_place: bool) -> InputError:
    name = wiring.blob_names[before]
    producer = wiring.producers[before]
    maker = wiring.parts[producer] if 0 <= producer < len(wiring.parts) else part
    if in_place:
        reader = "the loss" if before in wiring.weighted else "another layer"
        reason = f"is overwritten in place while {reader} reads it too"
    else:
        reason = f'is made already by "{maker.name}" (line {maker.message.place().line})'
    return part.message.error(f'{part.type} "{part.name}": top "{name}" {reason}', "top", index)


def _set_up(part: Part, make: Make, top_count: int, phase: str) -> Layer:
    message = part.message
    own_phase: str = message.get("phase") if "phase" in message.values else phase
    if isinstance(make, type):
        _check_arity(part, make, top_count)
    layer = make(message, top_count, own_phase)
    values = message.values
    if "propagate_down" in values and len(values["propagate_down"]) != len(part.bottoms):
        layer.refuse(
            f"propagate_down is given {len(values['propagate_down'])} times for "
            f"{len(part.bottoms)} bottoms; give it once a bottom or not at all",
            "propagate_down",
        )
    first = values.get("top", ())[:1]
    if first and not layer.in_place and first == values.get("bottom", ())[:1]:
        layer.refuse("cannot work in place: top 0 is bottom 0", "top")
    return layer


def _check_loss_weights(wiring: Wiring, problems: list[NetcountError]) -> None:
    """One weight a top, or none.  Of a layer whose weighted top is read they are not looked at: the
    Split that Caffe puts behind that top takes it over, and the layer keeps none."""
    for part in wiring.parts:
        layer = part.layer
        given: Sequence[float] = part.message.values.get("loss_weight", ())
        if layer is None or not (given or layer.weighs):
            continue
        split = any(weight and wiring.readers[top] for top, weight in zip(part.tops, given, strict=False))
        weights = 0 if split else len(given)
        if (weights or layer.weighs) and (weights or 1) != len(part.tops):
            problems.append(
                layer.error(
                    f"loss_weight is given {weights} times for {len(part.tops)} tops; give one a top",
                    "loss_weight",
                )
            )


def _check_arity(part: Part, made: type[Layer], top_count: int) -> None:
    bottom_count = len(part.bottoms)
    if made.bottoms.admits(bottom_count) and made.tops.admits(top_count) and not made.equal_bottoms_tops:
        return
    for what, number, arity in (
        ("bottom", bottom_count, made.bottoms),
        ("top", top_count, made.tops),
    ):
        if not arity.admits(number):
            name = f'{part.type} "{part.name}"'
            raise part.message.error(
                f"{name} takes {arity} {what}{'' if str(arity) == '1' else 's'}, not {number}", what
            )
    if made.equal_bottoms_tops and bottom_count != top_count:
        raise part.message.error(
            f'{part.type} "{part.name}" needs as many tops as bottoms, not {top_count} for {bottom_count}',
            "top",
        )


def check_fields(messages: Sequence[Message], catalogue: Catalogue, problems: list[NetcountError]) -> None:
    """Refuse unknown parameter messages, also of layers that the state leaves out: they are for
    custom and for unknown layer types only."""
    for message in messages:
        if min(message.values, default="a") >= "A":  # "?" stands before all letters
            continue
        for name in message.values:
            if name[0] == "?":
                made = catalogue.find(message)
                if made is not None and not catalogue.custom(made):
                    at = message.place_offset(name[1:])
                    problems.append(unknown_field(message.tree, "LayerParameter", name[1:], at))


def _unknown_types(parts: list[Part], catalogue: Catalogue) -> UnknownTypeError:
    by_type: dict[str, list[Part]] = {}
    for part in parts:
        label = part.type
        if label == "Python":
            param = part.message.child("python_param")
            label = f"Python {param.text('module')}.{param.text('layer')}"
        by_type.setdefault(label, []).append(part)
    known = [key for key in catalogue if not key.startswith("Python:")]
    told = []
    for label, found in islice(by_type.items(), MAX_PROBLEMS):
        lines = ", ".join(str(part.message.place("type").line) for part in found[:8])
        more = ", …" if len(found) > 8 else ""
        word = "line" if len(found) == 1 else "lines"
        told.append(f'"{label}" ({word} {lines}{more}{nearest(label, known)})')
    if len(by_type) > len(told):
        told.append(f"and {len(by_type) - len(told)} more")
    plural = "s" if len(told) > 1 else ""
    first = parts[0]
    return UnknownTypeError(
        f"unknown layer type{plural} {', '.join(told)}; a class for it can be installed (entry point "
        'group "netcount.layers")',
        first.message.place("type"),
        advice=(
            Advice("assume", IDENTITY, first.type or "TYPE", "assume what it does:"),
            Advice("assume", "N,C,H,W", first.name or "LAYER", ""),
        ),
    )
