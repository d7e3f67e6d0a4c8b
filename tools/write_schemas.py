"""Write netcount/schemas and the tables of docs/json.md from the types of the documents.

Run it after each change of netcount.report.document_types.py or of the table of figures:
python tools/write_schemas.py
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from netcount.analysis.conventions import KNOWN
from netcount.analysis.figures import FIGURES, SHARES
from netcount.budget.limits import LIST_RULES, rule_names
from netcount.report.document_types import DOCUMENTS, INLINE, Keywords
from netcount.targets.figures import LAYER, NET, PAIRS
from netcount.targets.profile import ARRAYS, COMBINED, EFFECTS, KEPT, TRAFFIC
from netcount.targets.profile import SCHEMA as TARGET

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "netcount" / "schemas"
PAGE = ROOT / "docs" / "json.md"
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
MOST_VALUES = 8
"""A field of more values than this is shown as its type."""
_MARKS = re.compile(r"(<!-- made by tools/write_schemas\.py -->\n).*?(<!-- end -->)", re.DOTALL)


def part_name(part: type) -> str:
    """ParamBlob -> param_blob."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part.__name__).lower()


def sentence(part: type) -> str:
    """The docstring on one line."""
    return " ".join((inspect.getdoc(part) or "").split())


def fields_of(part: type) -> dict[str, tuple[Any, bool]]:
    """Name -> type and whether it is always there, in the order of the document; `schema` first."""
    written = get_type_hints(part, include_extras=True)
    fields = {name: (_bare(kind), get_origin(kind) is not NotRequired) for name, kind in written.items()}
    inline = INLINE.get(part)
    if inline is not None:
        more = {name: (kind, inline.required) for name, kind in inline.fields.items()}
        at = list(fields).index(inline.after) + 1 if inline.after else 0
        items = list(fields.items())
        fields = dict([*items[:at], *more.items(), *items[at:]])
    return dict(sorted(fields.items(), key=lambda item: item[0] != "schema"))


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is NotRequired else kind


def taken_apart(kind: Any) -> tuple[Any, dict[str, Any], str]:
    """A type without its annotations, their keywords, and what they say of it."""
    keywords: dict[str, Any] = {}
    about = ""
    while get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        for note in notes:
            if isinstance(note, Keywords):
                keywords = {**dict(note), **keywords}
            else:
                about = about or note
    return kind, keywords, about


class Schema:
    """One JSON Schema, whose parts collect in `$defs`."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}

    def document(self, name: str, part: type) -> dict[str, Any]:
        """The schema of a whole document."""
        whole = self._object(part)
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"https://netcount.invalid/schemas/{name}.json",
            "title": sentence(part),
            **whole,
            "$defs": self.parts,
        }

    def _object(self, part: type) -> dict[str, Any]:
        fields = fields_of(part)
        required = [name for name, (_, always) in fields.items() if always]
        return {
            "type": "object",
            "additionalProperties": False,
            **({"required": required} if required else {}),
            "properties": {name: self.of(kind) for name, (kind, _) in fields.items()},
        }

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of one type."""
        kind, keywords, about = taken_apart(kind)
        found = {**self._bare(kind), **keywords}
        return {**found, "description": about} if about else found

    def _bare(self, kind: Any) -> dict[str, Any]:
        if kind in PLAIN:
            return {"type": PLAIN[kind]}
        if is_typeddict(kind):
            name = part_name(kind)
            if name not in self.parts:
                self.parts[name] = {}  # a place in the order; parts do not hold themselves
                self.parts[name] = {**self._object(kind), "description": sentence(kind)}
            return {"$ref": f"#/$defs/{name}"}
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin in (Union, types.UnionType) and arguments[1:] == (type(None),):
            inner = self.of(arguments[0])
            if isinstance(inner.get("type"), str):
                return {**inner, "type": [inner["type"], "null"]}
            return {"anyOf": [inner, {"type": "null"}]}
        raise TypeError(f"no JSON Schema for {kind}")


def config_schema() -> dict[str, Any]:
    """The schema of netcount.toml: written by hand, but for the limits and the conventions' names."""
    found: dict[str, Any] = json.loads((SCHEMAS / "config.json").read_text(encoding="utf-8"))
    found["$defs"]["limits"]["properties"] = {rule: _limit(rule) for rule in rule_names()}
    found["properties"]["convention"]["propertyNames"] = {"not": {"enum": list(KNOWN)}}
    return found


def _limit(rule: str) -> dict[str, Any]:
    if rule in LIST_RULES:
        return {"type": "array", "minItems": 1, "items": {"type": "string"}}
    if rule.startswith("max_increase_"):
        return {"$ref": "#/$defs/increase"}
    figure = rule.split("_", 1)[1]
    if figure in SHARES:
        return {"$ref": "#/$defs/shares", "description": f"Of the net's {SHARES[figure].key}, by kernel size."}
    return {"$ref": "#/$defs/quantity", "description": f"The {FIGURES[figure].meaning}."}


def target_schema() -> dict[str, Any]:
    """The schema of a target's profile, as an editor for TOML reads it."""
    text = {"type": "string", "minLength": 1}
    several = {"anyOf": [text, {"type": "array", "minItems": 1, "items": text}]}
    effect = {"enum": list(EFFECTS)}
    expression = {**text, "description": "An expression over figures."}
    above_zero = {"type": "number", "exclusiveMinimum": 0}
    positive = {"anyOf": [above_zero, text], "description": "A number, or a text with a unit."}
    one = {"type": ["number", "string", "boolean"]}
    bound = {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}], "description": "1..7, or a value."}

    def table(properties: dict[str, Any], *required: str) -> dict[str, Any]:
        found = {"type": "object", "additionalProperties": False, "required": list(required)}
        return {**found, "properties": properties}

    def tables(properties: dict[str, Any], *required: str) -> dict[str, Any]:
        return {"type": "array", "items": table(properties, *required)}

    def rules(figures: Iterable[str], **more: Any) -> dict[str, Any]:
        common = {"when": expression, "require": expression, "effect": effect, "source": text, "note": text}
        items = table({**more, **common, **dict.fromkeys(figures, bound)})
        return {"type": "array", "items": {**items, "patternProperties": FIELDS}}

    def named(properties: dict[str, Any], *required: str) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": table(properties, *required)}

    numbers = ("clock_hz", "bandwidth", "sram", "weight_bits", "activation_bits", "products")
    hardware = table(
        {
            **{key: table(dict.fromkeys(names, positive), *names) for key, names in ARRAYS.items()},
            **dict.fromkeys(numbers, positive),
            "combine": {"enum": list(COMBINED)},
            "keeps": {"enum": list(KEPT)},
            "traffic": {"enum": list(TRAFFIC)},
            "source": text,
        }
    )
    constants = {"type": "object", "additionalProperties": {"type": "number"}}
    formula = {"type": several, "when": expression}
    memory = {"name": text, "size": positive, "each": {"enum": ["layer", "net"]}, **formula, "need": expression}
    speed = dict.fromkeys(("cores", "clock_hz", "bandwidth"), positive)
    properties = {
        "schema": {"const": TARGET},
        **dict.fromkeys(("name", "vendor", "toolchain", "version", "reliability"), text),
        **dict.fromkeys(("sources", "unchecked", "precision"), several),
        "unlisted": {"enum": ["accepted", *EFFECTS], "description": "What becomes of a type that no list has."},
        "outside": {**effect, "description": "What a broken rule means where it does not say."},
        "types": table({**dict.fromkeys(("accepted", "ignored", "fused", *EFFECTS), several), "source": text}),
        "constants": constants,
        "function": named({"arguments": several, "value": expression}, "value"),
        "rule": rules([*PAIRS, *LAYER], type=several),
        "file": rules(NET),
        "memory": tables({**memory, "effect": effect, "source": text, "note": text}, "name", "size", "need"),
        "hardware": hardware,
        "cycles": tables({**formula, "value": expression}, "value"),
        "board": tables({"name": text, "variant": text, **speed, "source": text}, "name"),
        "measured": tables({"net": text, "ms": above_zero, "board": text, "source": text}, "net", "ms"),
        "variant": named({"name": text, "constants": constants, "hardware": hardware}),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://netcount.invalid/schemas/target.json",
        "title": "A target's profile, for netcount fit.",
        **table(properties, "schema", "name", "toolchain", "version", "reliability"),
    }


FIELDS = {r"^[a-z_0-9]+\.[a-z_0-9.]+$": {"description": "A field of the layer's parameters."}}
"""Keys of a rule that are paths of fields."""


def schemas() -> dict[str, str]:
    """The text of each file by name."""
    made = {name: Schema().document(name, part) for name, part in DOCUMENTS.items()}
    made["config"] = config_schema()
    made["target"] = target_schema()
    return {name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in made.items()}


# ---- the page


def words(kind: Any) -> str:
    """A type for people, parts as links."""
    kind, keywords, _ = taken_apart(kind)
    values = keywords.get("enum", ())
    if 0 < len(values) < MOST_VALUES:
        return " or ".join(f"`{value}`" for value in values)
    if kind in PLAIN:
        return PLAIN[kind]
    if is_typeddict(kind):
        return f"[{part_name(kind)}](#{part_name(kind)})"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {words(arguments[0])}"
    if origin is dict:
        return f"object of {words(arguments[1])}"
    return f"{words(arguments[0])} or null"


def about(kind: Any) -> str:
    """What the annotations say of a type, on whatever level."""
    _, _, said = taken_apart(kind)
    return said


def table(part: type) -> str:
    """A row per field."""
    rows = [
        f"| `{name}` | {words(kind)}{'' if always else ', where there is one'} | {about(kind)} |"
        for name, (kind, always) in fields_of(part).items()
    ]
    return "\n".join(["| field | type | |", "|---|---|---|", *rows])


def parts_of(part: type, seen: dict[str, type]) -> None:
    """The parts that a document holds, in the order in which they are met."""
    for kind, _ in fields_of(part).values():
        for inner in _inside(kind):
            if part_name(inner) not in seen:
                seen[part_name(inner)] = inner
                parts_of(inner, seen)


def _inside(kind: Any) -> Iterator[type]:
    kind, _, _ = taken_apart(kind)
    if is_typeddict(kind):
        yield kind
    elif get_origin(kind) is not Literal:
        for argument in get_args(kind):
            yield from _inside(argument)


def tables() -> str:
    """All documents, then all parts, by name."""
    blocks = []
    seen: dict[str, type] = {}
    for name, part in DOCUMENTS.items():
        schema = get_args(get_type_hints(part)["schema"])[0]
        blocks += [f"### {schema}", f"{sentence(part)} (`netcount/schemas/{name}.json`)", table(part)]
        parts_of(part, seen)
    blocks += ["## Parts", "What stands in the documents above."]
    for name, part in sorted(seen.items()):
        blocks += [f"### {name}", sentence(part), table(part)]
    return "\n\n".join(blocks)


def page() -> str:
    """docs/json.md with its tables made anew."""
    return _MARKS.sub(lambda marks: f"{marks[1]}\n{tables()}\n\n{marks[2]}", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for name, text in schemas().items():
        (SCHEMAS / f"{name}.json").write_text(text, encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
