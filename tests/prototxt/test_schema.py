"""The schema: caffe.proto, the table made from it, and the facts they were made from."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from netcount.prototxt import schema_table
from netcount.prototxt.protobuf import message_class
from netcount.prototxt.schema import fields_of, message_types
from netcount.prototxt.schema_table import ENUMS, REQUIRED
from tests.helpers import SHARED

PROTO = Path(schema_table.__file__).with_name("caffe.proto")
FACTS = SHARED / "schema" / "caffe_fields.json"
REPEATED_BY_A_FORK = {("TransformationParameter", "resize_param")}
"""One in SSD, of which the facts are, and several, to draw from, in MobileNet-YOLO."""
PRIVATE = 20000  # fields above it have no number, or not the number, of the fork they are from

needs_facts = pytest.mark.skipif(
    not FACTS.is_file(), reason="the facts about Caffe's schema (../shared/schema) are not here"
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pb2.FileDescriptorProto:
    """caffe.proto as protoc understands it."""
    target = tmp_path_factory.mktemp("schema") / "caffe.desc"
    assert protoc.main(["", f"-I{PROTO.parent}", f"--descriptor_set_out={target}", PROTO.name]) == 0
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file
    return file


def every_message(outer: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All messages of a file, or inside one, with their full names."""
    for message in outer.nested_type if prefix else outer.message_type:
        yield prefix + message.name, message
        yield from every_message(message, f"{prefix}{message.name}.")


def test_the_table_has_the_messages_of_the_proto(compiled: Any) -> None:
    found = {name: [f.name for f in message.field] for name, message in every_message(compiled)}
    assert {name: list(fields) for name, fields in ((name, fields_of(name)) for name in message_types())} == found


def test_the_table_has_the_fields_of_the_proto(compiled: Any) -> None:
    for name, message in every_message(compiled):
        for field in message.field:
            number, kind, type_name, repeated, default = fields_of(name)[field.name]
            where = f"{name}.{field.name}"
            assert number == field.number, where
            assert kind == field.Type.Name(field.type).removeprefix("TYPE_").lower(), where
            assert type_name == field.type_name.removeprefix(".caffe."), where
            assert repeated == (field.label == field.LABEL_REPEATED), where
            assert same(default, declared(field, kind, type_name, repeated)), where


def test_the_table_has_the_required_fields_of_the_proto(compiled: Any) -> None:
    found = {name: tuple(f.name for f in m.field if f.label == 2) for name, m in every_message(compiled)}
    assert {name: fields for name, fields in found.items() if fields} == REQUIRED


def declared(field: Any, kind: str, type_name: str, repeated: bool) -> Any:
    """The default that proto2 gives a field."""
    text = field.default_value
    if repeated or kind == "message":
        return None
    if kind == "enum":
        return text or next(iter(ENUMS[type_name]))
    if kind in ("string", "bytes"):
        return text if kind == "string" else text.encode()
    if kind == "bool":
        return text == "true"
    return float(text or 0) if kind in ("float", "double") else int(text or 0)


def test_the_table_has_the_enums_of_the_proto(compiled: Any) -> None:
    enums = [("", enum) for enum in compiled.enum_type]
    enums += [(f"{name}.", e) for name, message in every_message(compiled) for e in message.enum_type]
    found = {prefix + enum.name: {v.name: v.number for v in enum.value} for prefix, enum in enums}
    assert found == ENUMS
    assert [list(v) for v in found.values()] == [list(ENUMS[name]) for name in found]


@pytest.mark.parametrize("name", message_types())
def test_the_classes_have_the_fields_and_defaults_of_the_table(name: str) -> None:
    message = message_class(name)()
    fields = message.DESCRIPTOR.fields_by_name
    assert list(fields) == list(fields_of(name))
    for field, (number, kind, type_name, repeated, default) in fields_of(name).items():
        assert fields[field].number == number
        if kind != "message" and not repeated:
            expected = ENUMS[type_name][default] if kind == "enum" else default
            assert same(getattr(message, field), expected), field


def same(one: Any, other: Any) -> bool:
    """Equal and of one type; floats as float32 has them."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("<f", one) == struct.pack("<f", other)
    return bool(one == other)


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What is known of Caffe's format and that of its forks."""
    found: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))
    return found


@needs_facts
def test_every_field_of_the_facts_is_in_the_table(facts: dict[str, Any]) -> None:
    for name, fields in facts["messages"].items():
        assert fields.keys() <= fields_of(name).keys()
        for field, fact in fields.items():
            _, kind, type_name, repeated, default = fields_of(name)[field]
            expected = fact_kind(facts, fact["type"])
            assert (kind, type_name) == expected, f"{name}.{field}"
            several = fact["label"] == "repeated" or (name, field) in REPEATED_BY_A_FORK
            assert repeated == several, f"{name}.{field}"
            assert same(default, fact_default(fact, *expected)), f"{name}.{field}"


def fact_kind(facts: dict[str, Any], type: str) -> tuple[str, str]:
    if type in facts["messages"]:
        return "message", type
    return ("enum", type) if type in facts["enums"] else (type, "")


def fact_default(fact: dict[str, Any], kind: str, type_name: str) -> Any:
    if fact["label"] == "repeated" or kind == "message":
        return None
    if kind == "enum":
        return fact.get("default", next(iter(ENUMS[type_name])))
    zero = {"string": "", "bytes": b"", "bool": False, "float": 0.0, "double": 0.0}.get(kind, 0)
    return fact.get("default", zero)


@needs_facts
def test_a_number_is_the_fact_or_private_because_another_field_has_it(facts: Any) -> None:
    rank = {None: 0, "SSD": 1}  # stock Caffe's number wins, then SSD's
    for name, fields in facts["messages"].items():
        owners = {fields_of(name)[field][0]: fact for field, fact in fields.items()}
        for field, fact in fields.items():
            number = fields_of(name)[field][0]
            if number != fact["number"]:
                owner = owners[fact["number"]]
                assert number > PRIVATE, f"{name}.{field}"
                assert rank.get(owner.get("from"), 2) <= rank.get(fact.get("from"), 2), field


@needs_facts
def test_what_no_fact_knows_has_a_private_number_and_names_its_fork(facts: Any) -> None:
    forks = forks_in_proto()
    for name, fields in ((name, fields_of(name)) for name in message_types()):
        known = facts["messages"].get(name, {})
        for field, (number, *_) in fields.items():
            if field in known:
                fork = known[field].get("from")
                assert forks[name, field] == (fork or ""), f"{name}.{field}"
            else:
                assert number > PRIVATE, f"{name}.{field}"
                assert forks[name, field], f"{name}.{field}"


def forks_in_proto() -> dict[tuple[str, str], str]:
    """(message, field) -> the fork that the comment behind it names."""
    found: dict[tuple[str, str], str] = {}
    inside: list[str] = []
    for line in PROTO.read_text(encoding="utf-8").splitlines():
        if opened := re.match(r"\s*(?:message|enum) (\w+) \{", line):
            inside.append(opened[1])
        elif line.strip() == "}":
            inside.pop()
        elif field := re.match(r"\s*(?:optional|repeated|required) \S+ (\w+) = ", line):
            fork = re.search(r"// fork: ([^,]+)", line)
            found[".".join(inside), field[1]] = fork[1] if fork else ""
    return found


@needs_facts
def test_every_enum_value_of_the_facts_is_in_the_table(facts: dict[str, Any]) -> None:
    for name, values in facts["enums"].items():
        numbers = {v: n["number"] if isinstance(n, dict) else n for v, n in values.items()}
        others = {value: number for value, number in ENUMS[name].items() if value not in numbers}
        assert numbers == {value: ENUMS[name][value] for value in numbers}, name
        assert all(number > PRIVATE for number in others.values()), name
