"""V0 and V1 nets and legacy inputs -> the current form, in the file's own text.

What `upgrade.py` does with messages is done here with what is written: comments and layout stay.  `same` tells
whether two texts are one net to it, so that a text is only given out when both roads lead to the same place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netcount.core.errors import InputError
from netcount.prototxt.edit import Span
from netcount.prototxt.message import Message
from netcount.prototxt.schema import enum_values, fields_of
from netcount.prototxt.upgrade import DATA_PARAMS, KEPT_OF_V0, MOVED_TO_TRANSFORM, PARAM_SPECS, V1_TYPES
from netcount.prototxt.upgrade_v0 import MOVES, PARAMS, TRANSFORM, TYPES
from netcount.prototxt.values import V1_TYPE, string_value
from netcount.prototxt.written import (
    GONE,
    Block,
    Written,
    comments,
    indent_at,
    message_text,
    retold,
    written,
)

Edits = dict[Span, str]
_INPUTS = ("input", "input_dim", "input_shape")


def modernized(text: str) -> str:
    """The text of a net, of any age and without mistakes, in the current form.

    A solver's own nets are brought forward too, and its `solver_type`.

    Raises:
        InputError: A part is written in a way that cannot be kept.
    """
    whole = written(text)
    for step in (_from_v0, _from_v1, _with_input_layer, _with_fixed_statistics, _with_solver_type):
        edits: Edits = {}
        for net in (whole, *_inline_nets(whole)):
            step(text, net, edits)
        if edits:
            text = retold(text, edits)
            whole = written(text)
    return text


def _inline_nets(whole: Block) -> list[Block]:
    fields = whole.of("net_param", "train_net_param", "test_net_param")
    return [block for field in fields for block in field.blocks]


def _remove(text: str, field: Written, edits: Edits) -> None:
    """Take a field out; the comments inside it stay, on lines of their own."""
    kept = [comment for block in field.blocks for comment in comments(text, block)]
    behind = "" if text[field.end : field.end + 1] in ("", "\n") else "\n"
    edits[field.span] = GONE + ("\n".join(kept) + behind if kept else "")


def _scalar(text: str, block: Block, name: str) -> str | None:
    """The text of a scalar field, as the file has it."""
    return next((raw for field in block.of(name) for raw in field.raw(text)), None)


def _string(text: str, block: Block, name: str) -> str:
    raw = _scalar(text, block, name)
    return string_value(raw) if raw is not None else ""


def _v1_type(raw: str) -> str:
    """The name of a V1 type that a file gives by name, or by number."""
    numbers = {str(number): name for name, number in enum_values(V1_TYPE).items()}
    return numbers.get(raw, raw)


def _from_v0(text: str, net: Block, edits: Edits) -> None:
    """`layers { layer { type: "conv" … } }` -> V1."""
    connections = [(field, block) for field in net.of("layers") for block in field.blocks]
    if not any(block.of("layer") for _, block in connections):
        return
    for field in net.fields:
        if field.name not in (*KEPT_OF_V0, "layers"):
            _remove(text, field, edits)
    paddings: dict[str, Block] = {}
    for field, connection in connections:
        inner = next((block for part in connection.of("layer") for block in part.blocks), None)
        kind = _string(text, inner, "type") if inner else ""
        pad: str | None = None
        for bottom in connection.of("bottom"):
            for span in bottom.values:
                padding = paddings.get(_literal(text, span))
                if padding is not None and not isinstance(span, Block):
                    (block,) = [block for part in padding.of("layer") for block in part.blocks]
                    pad = _scalar(text, block, "pad") or "0"
                    (source,) = [raw for part in padding.of("bottom") for raw in part.raw(text)]
                    edits[span] = source
        for top in connection.of("top"):
            for span in top.values:
                paddings.pop(_literal(text, span), None)
                if kind == "padding":
                    paddings[_literal(text, span)] = connection
        if kind == "padding":
            if len(field.blocks) != 1:
                raise InputError("a list of layers with a padding layer in it cannot be kept as it is written")
            _remove(text, field, edits)
        elif inner is not None:
            _unwrap(text, connection, inner, kind, pad, edits)


def _literal(text: str, span: Any) -> str:
    return string_value(text[span[0] : span[1]])


_OWN = ("name", "blobs", "blobs_lr", "weight_decay")


def _unwrap(text: str, connection: Block, inner: Block, kind: str, pad: str | None, edits: Edits) -> None:
    """A V0 layer's own fields into the message around it, those of its kind into a parameter message."""
    for field in connection.fields:
        if field.name not in ("bottom", "top", "layer"):
            _remove(text, field, edits)
    (outer,) = connection.of("layer")
    edits[outer.start, inner.start + 1] = GONE
    edits[inner.end - 1, outer.end] = GONE
    moved: list[tuple[Written, str]] = []
    transformed: list[tuple[Written, str]] = []
    for field in inner.fields:
        target, kinds = MOVES.get(field.name, ("", ()))
        if field.name == "type":
            edits[field.span] = f"type: {TYPES.get(kind, kind)}"
        elif field.name in _OWN or (field.name == "hdf5_output_param" and kind == "hdf5_output"):
            continue
        elif kind in kinds:
            moved.append((field, "" if field.name == "pad" and pad is not None else target))
        elif field.name in TRANSFORM:
            transformed.append((field, TRANSFORM[field.name]))
        else:
            _remove(text, field, edits)
    param = PARAMS[kind][0] if kind in PARAMS else ""
    given = [f"pad: {pad}"] if pad is not None else []
    surplus = _surplus(text, outer, inner)
    _gather(text, param, moved, given, inner, surplus, edits)
    _gather(text, "transform_param", transformed, [], inner, surplus, edits)
    _dedent(text, outer, inner, [field.span for field, _ in (*moved, *transformed)], surplus, edits)


def _gather(
    text: str,
    name: str,
    fields: Sequence[tuple[Written, str]],
    more: Sequence[str],
    inner: Block,
    surplus: str,
    edits: Edits,
) -> None:
    """A message in the place of the first of some fields, which holds them under other names ("" drops one)."""
    parts = [
        new + text[field.start + len(field.name) : field.end].rstrip(",; \t\n") for field, new in fields if new
    ]
    parts += more
    if not parts:
        return
    if not fields:  # a pad that a padding layer gave to a layer without any field of its kind
        at = inner.end - 1
        edits[at, at] = message_text(name, parts, None) + " "
        return
    first = fields[0][0]
    indent = indent_at(text, first.start)
    if indent is not None and surplus:  # the lines of a message inside stand two spaces to the right, then
        indent = indent.removesuffix(surplus)
        parts = [part.replace(f"\n{indent}{surplus}", f"\n{indent}  ") for part in parts]
    edits[first.span] = message_text(name, parts, indent)
    for field, _ in fields[1:]:
        edits[field.span] = GONE


def _surplus(text: str, outer: Written, inner: Block) -> str:
    """The space by which a message's fields stand to the right of it; none where they share its line."""
    here = indent_at(text, outer.start)
    there = indent_at(text, inner.fields[0].start) if inner.fields else None
    return there[len(here) :] if here is not None and there is not None and there.startswith(here) else ""


def _dedent(text: str, outer: Written, inner: Block, moved: Sequence[Span], surplus: str, edits: Edits) -> None:
    """Lines of a message whose braces go stand as far to the right as the message stood."""
    here = indent_at(text, outer.start) or ""
    line = text.find("\n", inner.start) + 1
    while surplus and 0 < line < inner.end:
        if text.startswith(here + surplus, line) and not any(a < line < b for a, b in moved):
            edits[line, line + len(surplus)] = ""
        line = text.find("\n", line) + 1


def _from_v1(text: str, net: Block, edits: Edits) -> None:
    """`layers { type: CONVOLUTION blobs_lr: 1 … }` -> `layer { type: "Convolution" param { lr_mult: 1 } … }`."""
    known = fields_of("LayerParameter")
    old = fields_of("V1LayerParameter")
    for field in net.of("layers"):
        edits[field.name_span] = "layer"
        for block in field.blocks:
            specs: list[Written] = []
            kind = _v1_type(_scalar(text, block, "type") or "")
            for inner in block.fields:
                if inner.name in dict(PARAM_SPECS):
                    specs.append(inner)
                elif inner.name == "type":
                    edits[inner.span] = f'type: "{V1_TYPES.get(kind, kind)}"'
                elif inner.name == "layer" or (inner.name in old and inner.name not in known):
                    _remove(text, inner, edits)
            _write_specs(text, specs, edits)
            if kind in DATA_PARAMS:
                _move_transform(text, block, DATA_PARAMS[kind], edits)


def _write_specs(text: str, fields: Sequence[Written], edits: Edits) -> None:
    """One `param { … }` for each parameter blob, in the place of V1's lists."""
    given: dict[str, list[str]] = {}
    for field in fields:
        given.setdefault(dict(PARAM_SPECS)[field.name], []).extend(field.raw(text))
    count = max(map(len, given.values()), default=0)
    specs = [
        " ".join(f"{name}: {values[index]}" for name, values in given.items() if index < len(values))
        for index in range(count)
    ]
    if fields:
        indent = indent_at(text, fields[0].start)
        joint = " " if indent is None else f"\n{indent}"
        edits[fields[0].span] = joint.join(f"param {{ {spec} }}" for spec in specs) or GONE
    for field in fields[1:]:
        edits[field.span] = GONE


def _move_transform(text: str, layer: Block, param: str, edits: Edits) -> None:
    """crop_size and the like of the data parameters, into transform_param."""
    moved = [f for data in layer.of(param) for block in data.blocks for f in block.of(*MOVED_TO_TRANSFORM)]
    if not moved:
        return
    fields = [text[field.start : field.end].rstrip(",; \t\n") for field in moved]
    for field in moved:
        edits[field.span] = GONE
    there = layer.of("transform_param")
    if there:
        (block,) = there[0].blocks
        for old in block.of(*(field.name for field in moved)):
            edits[old.span] = GONE
        edits[block.end - 1, block.end - 1] = " ".join(fields) + " "
        return
    start = layer.of(param)[0].start
    indent = indent_at(text, start)
    after = " " if indent is None else f"\n{indent}"
    edits[start, start] = message_text("transform_param", fields, indent) + after


def _with_input_layer(text: str, net: Block, edits: Edits) -> None:
    """`input: … input_dim: …` -> one Input layer named "input", before all others."""
    inputs = net.of("input")
    if not inputs and not net.of("input_dim", "input_shape"):
        return
    layers = [field for field in net.of("layer") if field.values]
    names = [raw for field in inputs for raw in field.raw(text)]
    for field in net.of(*_INPUTS):
        _remove(text, field, edits)
    shapes = _shapes(text, net, len(names))
    if not shapes:
        read, made = (
            {_literal(text, span) for f in layers for b in f.blocks for x in b.of(what) for span in x.values}
            for what in ("bottom", "top")
        )
        names = [name for name in names if string_value(name) in read - made]
    if not names:
        return
    fields = ['name: "input"', 'type: "Input"', *(f"top: {name}" for name in names)]
    inner = "  ".join(f"shape {{ {shape} }}" for shape in shapes)
    fields.append(f"input_param {{ {inner} }}" if inner else "input_param { }")
    first = min([inputs[0].start, *(field.start for field in layers)])
    indent = indent_at(text, first)
    layer = message_text("layer", fields, indent)
    if first == inputs[0].start:
        edits[inputs[0].span] = layer + edits[inputs[0].span].removeprefix(GONE)
    else:
        edits[first, first] = layer + (" " if indent is None else f"\n{indent}")


def _shapes(text: str, net: Block, count: int) -> list[str]:
    given = [block for field in net.of("input_shape") for block in field.blocks][:count]
    if given:
        return [" ".join(f"dim: {raw}" for field in block.of("dim") for raw in field.raw(text)) for block in given]
    dims = [raw for field in net.of("input_dim") for raw in field.raw(text)]
    if 0 < len(dims) < 4 * count:
        raise InputError(f"input_dim has {len(dims)} numbers for {count} inputs; Caffe would read past their end")
    return [" ".join(f"dim: {raw}" for raw in dims[at : at + 4]) for at in range(0, min(len(dims), 4 * count), 4)]


def _with_fixed_statistics(text: str, net: Block, edits: Edits) -> None:
    """BatchNorm's three `param` of old files, with the rates set to 0."""
    for layer in [block for field in net.of("layer") for block in field.blocks]:
        specs = [block for field in layer.of("param") for block in field.blocks]
        if len(specs) != 3 or _string(text, layer, "type") != "BatchNorm":
            continue
        for spec in specs:
            missing = []
            for name in ("lr_mult", "decay_mult"):
                raw = _scalar(text, spec, name)
                if raw is None:
                    missing.append(f"{name}: 0")
                elif float(raw.rstrip("fF")) != 0:
                    (field,) = spec.of(name)
                    edits[field.span] = f"{name}: 0"
            if missing:
                edits[spec.end - 1, spec.end - 1] = " ".join(missing) + " "


def _with_solver_type(text: str, net: Block, edits: Edits) -> None:
    """A solver's `solver_type: NESTEROV` -> `type: "Nesterov"` (UpgradeSolverType)."""
    numbers = enum_values("SolverParameter.SolverType")
    for field in net.of("solver_type"):
        (raw,) = field.raw(text)
        name = next((known for known, number in numbers.items() if raw in (known, str(number))), raw)
        if name in _SOLVERS:
            edits[field.span] = f'type: "{_SOLVERS[name]}"'


_SOLVERS = {
    "SGD": "SGD",
    "NESTEROV": "Nesterov",
    "ADAGRAD": "AdaGrad",
    "RMSPROP": "RMSProp",
    "ADADELTA": "AdaDelta",
    "ADAM": "Adam",
}


def same(a: Message, b: Message) -> bool:
    """Whether two upgraded nets say the same: every field of every layer, wherever it stands."""
    return _layers_and_more(a) == _layers_and_more(b)


def _layers_and_more(net: Message) -> dict[str, Any]:
    """An upgraded net without the legacy inputs, which stand as a layer too."""
    plain: dict[str, Any] = _plain(net)
    return {name: value for name, value in plain.items() if name not in _INPUTS}


def _plain(value: Any) -> Any:
    """Values without places; an empty list says what an unset field says."""
    if isinstance(value, Message):
        return {
            name: _plain(inner)
            for name, inner in value.values.items()
            if inner != [] and name not in _NOTES and name[0] != "!"
        }
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return repr(value)  # a NaN is the same as itself
    if hasattr(value, "fields"):
        return [(name, _plain(inner)) for name, inner, _ in value.fields]
    return value


_NOTES: Mapping[str, None] = {"?dropped": None, "?past_the_end": None}
