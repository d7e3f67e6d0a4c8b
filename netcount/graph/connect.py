"""Messages + catalogue -> layers that know which blobs they read and make (Caffe's Net::Init)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any

from netcount.core.errors import Advice, InputError, NetcountError
from netcount.core.suggest import nearest
from netcount.graph.options import LoadOptions
from netcount.graph.ways_out import overridable, unknown_types
from netcount.layers.assumed import Assumed, Assumption
from netcount.layers.layer import Layer, give_all
from netcount.layers.registry import python_key
from netcount.prototxt.bind import BROKEN
from netcount.prototxt.message import Message
from netcount.prototxt.select import State, way_in
from netcount.prototxt.unknown_fields import UnknownField


class Part:
    """A layer and its blobs by index, before any shape is known; `layer` None when it is broken."""

    __slots__ = ("assumption", "bottoms", "known", "layer", "message", "name", "tops", "type")
    known: bool
    message: Message

    def __init__(self, message: Message) -> None:
        self.assumption: Assumption | None = None
        self.known = True
        self.message = message
        self.name: str = message.get("name")
        self.type: str = message.get("type")
        self.layer: Layer | None = None
        self.bottoms: list[int] = []
        self.tops: list[int] = []

    @property
    def replaced(self) -> bool:
        """Whether what the caller says takes the layer's place, whatever its fields."""
        return self.assumption is not None and self.assumption.like is None

    @property
    def complete(self) -> bool:
        """Whether nothing of its cost is missing."""
        return self.assumption is None or self.assumption.like is not None or self.assumption.has_cost


class Wiring:
    """The graph of a net: parts, and for every blob version its name, producer and forerunner."""

    __slots__ = (
        "assumed", "blob_names", "by_connections", "current", "missing", "overwrites", "parts", "producers",
        "readers", "weighted",
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
        self.by_connections: dict[Hashable, Any] = {}
        """What is found about the connections alone, whatever the numbers of the layers."""

    def add_blob(self, name: str, producer: int, overwrites: int | None = None) -> int:
        """A new blob version; its index."""
        self.blob_names.append(name)
        self.producers.append(producer)
        self.overwrites.append(overwrites)
        self.readers.append(0)
        return len(self.blob_names) - 1

    def with_parts(self, parts: Mapping[int, Part]) -> Wiring:
        """The same connections with other parts in the place of some, by index."""
        other = Wiring.__new__(Wiring)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.parts = [parts.get(index, part) for index, part in enumerate(self.parts)]
        return other

    def outputs(self) -> list[int]:
        """Blob versions nobody reads but the loss, by name; automatic tops are no outputs."""
        ends = (b for b in self.current.values() if not self.readers[b] or b in self.weighted)
        return sorted(ends, key=self.blob_names.__getitem__)


def wire(
    messages: Sequence[Message],
    options: LoadOptions,
    state: State,
    problems: list[NetcountError],
    left_out: Sequence[Message] = (),
    broken: Collection[int | None] = (),
) -> Wiring:
    """Connect the layers.

    Every mistake is appended to `problems`; a broken layer stays as a part without a Layer, so that what
    depends on it is not reported as well.

    Args:
        messages: The layers of the net.
        options: The types that are known, and what is assumed.
        state: What their rules were held against.
        problems: Takes the mistakes.
        left_out: Layers that the state leaves out; they help to say which layer would make a blob.
        broken: Offsets of layers in which a mistake is known already.
    """
    wiring = Wiring()
    unknown: list[Message] = []
    for message in messages:
        part = Part(message)
        _connect_bottoms(wiring, part, messages, left_out, state, problems)
        try:
            make = _maker(part, options)
        except NetcountError as problem:
            problems.append(problem)
            make, unfit = None, True
        else:
            if part.assumption is not None:
                wiring.assumed.append(part)
            fields_broken = BROKEN in message.values or (broken and message.tree.offset in broken)
            unfit = bool(fields_broken) and not part.replaced
        if make is None and not unfit:
            unknown.append(message)
        top_count = _connect_tops(wiring, part, make, problems)
        if make is not None and not unfit:
            try:
                part.layer = _set_up(part, make, top_count, state.phase)
            except NetcountError as problem:
                problems.append(problem if part.replaced else overridable(problem, message))
        wiring.parts.append(part)
    _check_loss_weights(wiring, problems)
    if unknown:
        problems.append(unknown_types(unknown, options.catalogue))
    for name in _unused(options.assume, wiring):
        known = [*dict.fromkeys([p.type for p in wiring.parts] + [p.name for p in wiring.parts])]
        problems.append(
            InputError(f'no layer has the type or name "{name}"{nearest(name, known)}', argument="assume")
        )
    return wiring


Make = Callable[[Message, int, str], Layer]


def _unused(assume: Mapping[str, Assumption], wiring: Wiring) -> list[str]:
    """Assumptions about types and names that no layer has."""
    if not assume:
        return []
    names = {name for part in wiring.parts for name in names_of(part.message)}
    return [name for name, what in assume.items() if not (what.ignored or what.optional) and name not in names]


def names_of(message: Message) -> tuple[str, ...]:
    """What an assumption may call a layer: its name, its type, and a Python layer by its class."""
    kind: str = message.get("type")
    python = (python_key(message).removeprefix("Python:"),) if kind == "Python" else ()
    return (message.get("name"), kind, *python)


def assumption_for(message: Message, assume: Mapping[str, Assumption]) -> Assumption | None:
    """What is assumed of a layer, by its name before its type."""
    for name in names_of(message) if assume else ():
        if name in assume and not assume[name].ignored:
            return assume[name]
    return None


def remade(part: Part, message: Message, options: LoadOptions, phase: str) -> Part:
    """The part with its layer read from another message, which has the same bottoms and tops.

    Raises:
        InputError: Caffe would refuse the layer.
    """
    made = Part(message)
    made.bottoms, made.tops = part.bottoms, part.tops
    make = _maker(made, options)
    if make is None:
        raise unknown_types([message], options.catalogue)
    made.layer = _set_up(made, make, len(part.tops), phase)
    return made


def _maker(part: Part, options: LoadOptions) -> Make | None:
    layer = options.catalogue.find(part.message)
    assumption = assumption_for(part.message, options.assume) if options.assume else None
    if assumption is None:
        return layer
    part.assumption, part.known = assumption, layer is not None
    if assumption.like is None:
        return lambda message, tops, phase: Assumed(message, tops, phase, assumption)
    like = options.catalogue.get(assumption.like)
    if like is None:
        known = [key for key in options.catalogue if not key.startswith("Python:")]
        raise InputError(
            f'there is no layer type "{assumption.like}"{nearest(assumption.like, known)}', argument="assume"
        )
    return like


def _connect_bottoms(
    wiring: Wiring,
    part: Part,
    messages: Sequence[Message],
    left_out: Sequence[Message],
    state: State,
    problems: list[NetcountError],
) -> None:
    for index, name in enumerate(part.message.values.get("bottom", ())):
        blob = wiring.current.get(name)
        if blob is None:
            blob = wiring.missing.get(name)
        if blob is None:
            problems.append(_unknown_bottom(wiring, part, index, name, messages, left_out, state))
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
    state: State,
) -> InputError:
    makers, others = ([layer for layer in layers if _makes(layer, name)] for layers in (messages, left_out))
    advice: list[Advice] = []
    if makers and all(m is not part.message for m in makers):
        line = makers[0].place().line
        hint = f'; it is made only later, by "{makers[0].text("name")}" (line {line})'
    elif others:
        left_out_layer = others[0]
        hint = (
            f'; "{left_out_layer.text("name")}" (line {left_out_layer.place().line}), which makes it, is left out '
            "by its include or exclude rules"
        )
        advice = [*way_in(left_out_layer, state), *give_all("input_shapes", "N,C,H,W", [name])]
    else:
        hint = nearest(name, [n for n in wiring.current if n != name])
        advice = give_all("input_shapes", "N,C,H,W", [name])
        if hint:
            advice = [advice[0]._replace(lead="otherwise give it with")]
        else:
            own = name in part.message.values.get("top", ())
            hint = "; only this layer itself makes it" if own else "; nothing makes it"
    message = f'{part.type} "{part.name}": unknown bottom "{name}"{hint}'
    return part.message.error(message, "bottom", index, advice=advice)


def _makes(layer: Message, blob: str) -> bool:
    """Whether a layer makes a blob, and does not only work on it in place."""
    values = layer.values
    return blob in values.get("top", ()) and blob not in values.get("bottom", ())


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
            f"{len(part.bottoms)} bottoms; give it once per bottom or not at all",
            "propagate_down",
        )
    first = values.get("top", ())[:1]
    if first and not layer.in_place and first == values.get("bottom", ())[:1]:
        layer.refuse("cannot work in place: top 0 is bottom 0", "top")
    return layer


def _check_loss_weights(wiring: Wiring, problems: list[NetcountError]) -> None:
    """One weight per top, or none.  Of a layer whose weighted top is read they are not looked at: the
    Split that Caffe puts behind that top takes it over, and the layer keeps none."""
    for part in wiring.parts:
        layer = part.layer
        given: Sequence[float] = part.message.values.get("loss_weight", ())
        if layer is None or not (given or layer.weighs) or part.replaced:
            continue
        split = any(weight and wiring.readers[top] for top, weight in zip(part.tops, given, strict=False))
        weights = 0 if split else len(given)
        if (weights or layer.weighs) and (weights or 1) != len(part.tops):
            problems.append(
                layer.error(
                    f"loss_weight is given {weights} times for {len(part.tops)} tops; give one per top",
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


def unread_fields(messages: Sequence[Message], options: LoadOptions) -> list[UnknownField]:
    """Parameter messages that no schema knows, in layers whose type is known and reads none of its own.

    Layers of unknown, assumed and custom types may bring such a message.
    """
    fields = []
    for message in messages:
        if "?" not in "".join(message.values):
            continue
        made = options.catalogue.find(message)
        if made is None or options.catalogue.custom(made) or assumption_for(message, options.assume):
            continue
        for name in message.values:
            if name[0] == "?":
                at, tree = message.place_offset(name[1:]), message.tree
                fields.append(UnknownField("LayerParameter", name[1:], message.values[name][0], tree, at, tree))
    return fields
