"""Caffe's messages as protobuf classes, made from the schema table when somebody needs them.

Importing google.protobuf costs as much as analyzing a net, so it waits until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from netcount.prototxt.message import Message
from netcount.prototxt.schema import fields_of, message_types
from netcount.prototxt.schema_table import ENUMS

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool

PACKAGE = "caffe"


@cache
def message_class(name: str) -> Any:
    """The protobuf class of a message type, such as "NetParameter"."""
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


def to_protobuf(message: Message) -> Any:
    """A bound message as a protobuf message with the same fields set.

    What the schema does not know (a custom layer's parameters) has no place there and is left out.
    """
    proto = message_class(message.type)()
    for name, value in message.values.items():
        if name[0] in "?!":
            continue
        kind = fields_of(message.type)[name][1]
        if kind == "message":
            target = getattr(proto, name)
            for inner in value if isinstance(value, list) else (value,):
                made = to_protobuf(inner)
                (target.add() if isinstance(value, list) else target).CopyFrom(made)
                if not isinstance(value, list):
                    target.SetInParent()
        elif kind == "enum":
            numbers = ENUMS[fields_of(message.type)[name][2]]
            if isinstance(value, list):
                getattr(proto, name).extend(numbers[one] for one in value)
            else:
                setattr(proto, name, numbers[value])
        elif isinstance(value, list):
            getattr(proto, name).extend(value)
        else:
            setattr(proto, name, value)
    return proto


class WrittenNet(NamedTuple):
    """A net as a protobuf message.  left_out: the messages of layers that no schema knows, by layer."""

    message: Any
    left_out: tuple[tuple[str, str], ...]


def net_to_protobuf(name: str, phase: str, layers: Iterable[Message]) -> WrittenNet:
    """The NetParameter of a net in one phase: its name, its state, and its layers.

    Include and exclude rules are left out, as what they decide is decided.
    """
    net = message_class("NetParameter")()
    left_out: list[tuple[str, str]] = []
    if name:
        net.name = name
    for layer in layers:
        net.state.phase = ENUMS["Phase"][phase]
        made = to_protobuf(layer)
        made.ClearField("include")
        made.ClearField("exclude")
        net.layer.append(made)
        left_out += [(layer.text("name"), field[1:]) for field in layer.values if field[0] == "?"]
    return WrittenNet(net, tuple(left_out))


@cache
def _pool() -> DescriptorPool:
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(name="netcount/caffe.proto", package=PACKAGE, syntax="proto2")
    made: dict[str, DescriptorProto] = {}
    for name in message_types():
        outer, _, own = name.rpartition(".")
        message = (made[outer].nested_type if outer else file.message_type).add(name=own)
        made[name] = message
        for field, row in fields_of(name).items():
            _add_field(message, field, row)
    for name, values in ENUMS.items():
        outer, _, own = name.rpartition(".")
        enum = (made[outer].enum_type if outer else file.enum_type).add(name=own)
        _fill_enum(enum, values)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _fill_enum(enum: EnumDescriptorProto, values: dict[str, int]) -> None:
    if len(set(values.values())) < len(values):
        enum.options.allow_alias = True
    for value, number in values.items():
        enum.value.add(name=value, number=number)


def _add_field(message: DescriptorProto, name: str, row: tuple[int, str, str, bool, Any]) -> None:
    number, kind, type_name, repeated, default = row
    field = message.field.add(name=name, json_name=name, number=number)  # forks' names may differ in "_" alone
    field.type = getattr(field, f"TYPE_{kind.upper()}")
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if type_name:
        field.type_name = f".{PACKAGE}.{type_name}"
    if default is not None and not repeated and kind not in ("message", "bytes"):
        field.default_value = str(default).lower() if kind == "bool" else str(default)
