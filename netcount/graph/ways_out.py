"""Ways out where a layer's type is unknown, or a fork reads a known one in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from netcount.core.errors import MAX_PROBLEMS, Advice, Errors, MissingShapeError, NetcountError, UnknownTypeError
from netcount.core.suggest import nearest
from netcount.layers.assumed import IDENTITY
from netcount.layers.bases import Source
from netcount.layers.layer import Layer
from netcount.layers.registry import Catalogue, module_name, python_key
from netcount.prototxt.message import Message

SHAPE = "N,C,H,W"
_LOSS = "(?i)loss"
_CHANGES_SHAPE = (
    "(?i)data|input|accuracy|shuffle|concat|slice|split|pool|conv|sampl|resiz|scal(?:e|ing)up|interp|proposal|crop"
    "|shape|permute|transpose|flatten|roi|lstm|rnn|gru|inner|fc|dense|embed|detect|output|reorg|warp|corr|match"
    "|anchor|box|target|mask|gather|reduc|matmul|patch|unfold|expand|tile|argmax|topk|nms"
)
"""Words in the name of a layer type whose tops seldom have the shape of its bottom."""


def label_of(message: Message) -> str:
    """How a layer's type is called in messages, and what `assume` calls it: a Python layer by its class."""
    kind = message.text("type")
    return python_key(message).replace("Python:", "Python ", 1) if kind == "Python" else kind


def unknown_types(layers: Sequence[Message], catalogue: Catalogue) -> UnknownTypeError:
    """The error for layers of unknown types: all of them with their lines, and the way out that fits each."""
    by_type: dict[str, list[Message]] = {}
    for message in layers:
        by_type.setdefault(label_of(message), []).append(message)
    known = [key for key in catalogue if not key.startswith("Python:")]
    shown = []
    advice: list[Advice] = []
    for label, members in islice(by_type.items(), MAX_PROBLEMS):
        lines = ", ".join(str(message.place("type").line) for message in members[:8])
        more = ", …" if len(members) > 8 else ""
        word = "line" if len(members) == 1 else "lines"
        shown.append(f'"{label}" ({word} {lines}{more}{nearest(label, known)})')
        advice += _ways(members, catalogue, known)
    if len(by_type) > len(shown):
        shown.append(f"and {len(by_type) - len(shown)} more")
    plural = "s" if len(by_type) > 1 else ""
    first = layers[0]
    leads = ["say what to take it for:" if len(advice) == 1 else "say what to take them for:", "and"]
    advice = [one._replace(lead=leads[number > 0]) for number, one in enumerate(advice)]
    if first.texts("top") and all(one.value != SHAPE for one in advice):
        advice.append(Advice("assume", SHAPE, first.text("name") or label_of(first), "give a layer's shape:"))
    return UnknownTypeError(
        f"unknown layer type{plural} {', '.join(shown)}; a class for it can be installed (entry point "
        'group "netcount.layers")',
        first.place("type"),
        advice=advice,
    )


def _ways(members: Sequence[Message], catalogue: Catalogue, known: Iterable[str]) -> list[Advice]:
    """What to assume of all layers of one unknown type."""
    first = members[0]
    label = first.text("type") if first.text("type") != "Python" else label_of(first).removeprefix("Python ")
    if all(not message.texts("top") for message in members):
        return [Advice("assume", IDENTITY, label)]
    like = _like(members, catalogue, known)
    if like:
        return [Advice("assume", like, label)]
    if re.search(_LOSS, label):
        return [Advice("assume", "1", label)]
    simple = all(message.texts("bottom") and len(message.texts("top")) == 1 for message in members)
    if simple and not re.search(_CHANGES_SHAPE, label):
        return [Advice("assume", IDENTITY, label)]
    named = {message.text("name"): message for message in members}
    return [Advice("assume", SHAPE, name or label) for name in named]


def _like(members: Sequence[Message], catalogue: Catalogue, known: Iterable[str]) -> str | None:
    """A known type that all these layers can be read as: one of the same parameter message, or one that
    the unknown type's name begins or ends with."""
    label = members[0].text("type")
    params = {name.removesuffix("_param") for name in members[0].values if name.endswith("_param")}
    lower = label.lower()
    candidates = [
        key
        for key in known
        if module_name(key) in params
        or (len(key) > 2 and (lower.startswith(key.lower()) or lower.endswith(key.lower())))
    ]
    for key in sorted(candidates, key=lambda key: (module_name(key) not in params, -len(key), key)):
        layer = catalogue.get(key)
        if layer is not None and not issubclass(layer, Source) and all(_reads(layer, one) for one in members):
            return key
    return None


def _reads(layer: type[Layer], message: Message) -> bool:
    """Whether a class takes a layer's parameters and as many bottoms and tops as it has."""
    bottoms, tops = len(message.texts("bottom")), len(message.texts("top"))
    if not (layer.bottoms.admits(bottoms) and layer.tops.admits(max(tops, layer.auto_tops))):
        return False
    if layer.equal_bottoms_tops and bottoms != tops:
        return False
    try:
        layer(message, max(tops, layer.auto_tops), "TEST")
    except NetcountError:
        return False
    return True


def overridable(problem: NetcountError, message: Message) -> NetcountError:
    """A layer's mistake with the way out for those whose Caffe accepts it: a shape for its tops."""
    name = message.text("name") or label_of(message)
    if isinstance(problem, (Errors, MissingShapeError)) or not name:
        return problem
    tops = message.texts("top")
    value = SHAPE if tops and not re.search(_LOSS, label_of(message)) else "1" if tops else IDENTITY
    changed = problem.changed(advice=[Advice("assume", value, name, "where your Caffe accepts it, try")])
    changed.layer = problem.layer
    return changed
