"""Messages of Caffe's format whose every field knows its place in the text.

A `Message` is what binding (`bind.py`) makes of a located tree: values have the types of the
schema, an unset field answers with the schema's default, and `error` points at the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from netcount.core.errors import Advice, InputError, Place
from netcount.prototxt.schema import field_of
from netcount.prototxt.tree import Tree
from netcount.prototxt.values import loose_value

T = TypeVar("T")


class Message:
    """One message: `values` holds what the file sets (a list where the field is repeated).

    Enum values are their names, strings are str, sub-messages are Messages.  `tree` is where the
    fields stand in the text; a message made by an upgrade keeps the tree it was made from.
    """

    __slots__ = ("tree", "type", "values")
    tree: Tree
    type: str
    values: dict[str, Any]

    def __init__(self, type: str, values: dict[str, Any], tree: Tree) -> None:
        self.type = type
        self.values = values
        self.tree = tree

    def has(self, name: str) -> bool:
        """Whether the file sets the field (for a repeated one: at least once)."""
        return name in self.values

    def get(self, name: str) -> Any:
        """The field's value, the schema's default when unset; an empty list when repeated."""
        if name in self.values:
            return self.values[name]
        _, kind, type_name, repeated, default = field_of(self.type, name)
        if repeated:
            return []
        return Message(type_name, {}, self.tree) if kind == "message" else default

    # The same, with the type that the caller knows the field to have.

    def integer(self, name: str) -> int:
        """An integer field."""
        value: int = self.get(name)
        return value

    def number(self, name: str) -> float:
        """A float or double field."""
        value: float = self.get(name)
        return value

    def flag(self, name: str) -> bool:
        """A bool field."""
        value: bool = self.get(name)
        return value

    def text(self, name: str) -> str:
        """A string field, or an enum field's name."""
        value: str = self.get(name)
        return value

    def child(self, name: str) -> Message:
        """A message field; an empty message when unset."""
        value: Message = self.get(name)
        return value

    def integers(self, name: str) -> list[int]:
        """A repeated integer field."""
        value: list[int] = self.get(name)
        return value

    def numbers(self, name: str) -> list[float]:
        """A repeated float or double field."""
        value: list[float] = self.get(name)
        return value

    def texts(self, name: str) -> list[str]:
        """A repeated string or enum field."""
        value: list[str] = self.get(name)
        return value

    def children(self, name: str) -> list[Message]:
        """A repeated message field."""
        value: list[Message] = self.get(name)
        return value

    def extra(self, name: str, field: str, default: T) -> T:
        """`field` of a message `name { … }` that no schema knows (a custom layer's own parameters).

        The value is converted to the type of `default`; InputError at its place when it can't be.
        """
        for tree in self.values.get("?" + name, ()):
            for field_name, value, offset in tree.fields:
                if field_name == field:
                    return loose_value(value, default, tree.place(offset))
        return default

    def place(self, field: str | None = None, index: int = 0) -> Place:
        """Where the message starts, or where the `index`-th occurrence of a field stands.

        `field` may be a path such as "convolution_param.pad".
        """
        tree = self.tree
        offset = tree.offset
        for name in field.split(".") if field else ():
            fields = [f for f in tree.fields if f[0] == name]
            if not fields:
                break
            _, value, offset = fields[min(index, len(fields) - 1)]
            if not isinstance(value, Tree):
                break
            tree = value
        return tree.place(offset)

    def place_offset(self, field: str) -> int:
        """The offset of the first occurrence of a field, or of the message."""
        return next((at for name, _, at in self.tree.fields if name == field), self.tree.offset)

    def error(
        self,
        message: str,
        field: str | None = None,
        index: int = 0,
        *,
        argument: str | None = None,
        advice: Sequence[Advice] = (),
    ) -> InputError:
        """An error that points at `field`, or at the message where that field is unset."""
        return InputError(message, self.place(field, index), argument=argument, advice=advice)

    def refuse(self, message: str, field: str | None = None, index: int = 0) -> NoReturn:
        """Raise what `error` makes."""
        raise self.error(message, field, index)

    def __repr__(self) -> str:
        return f"<{self.type} at {self.place()}>"
