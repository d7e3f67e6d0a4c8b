"""The fields of a prototxt as they are written: where each begins and ends, so that a text can be edited whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from netcount.core.errors import InputError
from netcount.prototxt.edit import Span
from netcount.prototxt.reader import after_separator, after_space, token_span

Value: TypeAlias = "Block | Span"
"""A message, or where a scalar stands: the first character of its text and the one after its last."""

GONE = "\0"
"""Stands in an edited text for what was taken out, until the line it stood on is tidied."""

_OPEN, _CLOSE = "{<", "}>"
_DEEPEST = 64
_COMMENT = re.compile(r"#[^\n]*")
_STRING_OR_COMMENT = re.compile(r"#[^\n]*+|" r'"(?:[^"\\\n]|\\.)*+"' "|" r"'(?:[^'\\\n]|\\.)*+'")
_ONLY_GONE = re.compile(r"^[ \t]*\0[ \t\0]*(?:\n|\Z)", re.MULTILINE)
_AT_END = re.compile(r"[ \t]*\0[ \t\0]*$", re.MULTILINE)
_INSIDE = re.compile(r"\0[ \t\0]*")


class Written(NamedTuple):
    """A field as written; `name: [a, b]` is one field of two values.

    Attributes:
        name: Its name.
        start: Where the name begins.
        end: Behind its last value and the separator that may follow.
        values: Its values in order.
    """

    name: str
    start: int
    end: int
    values: tuple[Value, ...]

    @property
    def span(self) -> Span:
        """Where all of it stands."""
        return self.start, self.end

    @property
    def name_span(self) -> Span:
        """Where its name stands."""
        return self.start, self.start + len(self.name)

    @property
    def blocks(self) -> list[Block]:
        """Those of its values that are messages."""
        return [value for value in self.values if isinstance(value, Block)]

    def raw(self, text: str) -> list[str]:
        """The texts of its scalars."""
        return [text[start:end] for start, end in (v for v in self.values if not isinstance(v, Block))]


class Block(NamedTuple):
    """A message as written.

    Attributes:
        start: Where its opening brace stands; where the text begins, for a whole file.
        end: Behind its closing brace.
        fields: What it holds.
    """

    start: int
    end: int
    fields: tuple[Written, ...]

    def of(self, *names: str) -> list[Written]:
        """Its fields of these names."""
        return [field for field in self.fields if field.name in names]


def written(text: str) -> Block:
    """The fields of a text that `reader.read` has read without an error.

    Raises:
        InputError: Messages are nested deeper than any net needs.
    """
    fields, position = _fields(text, 0, 0)
    return Block(0, position, fields)


def _fields(text: str, position: int, depth: int) -> tuple[tuple[Written, ...], int]:
    """The fields up to the end of the text or the closing brace, and where that stands."""
    if depth > _DEEPEST:
        raise InputError(f"messages are nested more than {_DEEPEST} deep")
    fields: list[Written] = []
    while True:
        position = after_space(text, position)
        if position >= len(text) or text[position] in _CLOSE:
            return tuple(fields), position
        start, end = token_span(text, position)
        name = text[start:end]
        values, end = _values(text, end, depth)
        after = after_space(text, end)
        if text[after : after + 1] in (",", ";"):
            end = after + 1
        fields.append(Written(name, start, end, values))
        position = end


def _values(text: str, position: int, depth: int) -> tuple[tuple[Value, ...], int]:
    position = after_space(text, position)
    if text[position] == ":":
        position = after_space(text, position + 1)
    if text[position] != "[":
        value, position = _value(text, position, depth)
        return (value,), position
    values: list[Value] = []
    position = after_separator(text, position)
    while text[position] != "]":
        value, position = _value(text, position, depth)
        values.append(value)
        position = after_separator(text, position)
    return tuple(values), position + 1


def _value(text: str, position: int, depth: int) -> tuple[Value, int]:
    if text[position] in _OPEN:
        fields, end = _fields(text, position + 1, depth + 1)
        return Block(position, end + 1, fields), end + 1
    start, end = token_span(text, position)
    while text[start] in "\"'" and text[(after := after_space(text, end)) : after + 1] in ('"', "'"):
        _, end = token_span(text, after)
    return (start, end), end


def comment_spans(text: str) -> list[Span]:
    """Where the comments of a whole text stand; a # inside a string begins none."""
    return [match.span() for match in _STRING_OR_COMMENT.finditer(text) if match[0][0] == "#"]


def comments(text: str, block: Block) -> list[str]:
    """The comments inside a message, in order; a # inside a string is none."""
    texts: list[str] = []
    position = block.start
    while position < block.end:
        after = after_space(text, position)
        texts += _COMMENT.findall(text[position:after])
        position = max(token_span(text, after)[1], after + 1)
    return texts


def retold(text: str, edits: Mapping[Span, str], tidy: bool = True) -> str:
    """The text with spans replaced; lines of which only space is left are taken out (see `GONE`), if `tidy`."""
    parts = []
    position = 0
    for (start, end), new in sorted(edits.items()):
        if start < position:
            continue  # inside of what is replaced already
        parts += [text[position:start], new]
        position = end
    made = "".join([*parts, text[position:]])
    if not tidy:
        return made
    return _INSIDE.sub("", _AT_END.sub("", _ONLY_GONE.sub("", made)))


def indent_at(text: str, offset: int) -> str | None:
    """The space before the first character of a line; None where something else stands before `offset`."""
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    return before if not before.strip() else None


def message_text(name: str, fields: Sequence[str], indent: str | None) -> str:
    """A message of these fields, a line each where it stands at the beginning of a line of its own."""
    if indent is None:
        return f"{name} {{ {' '.join(fields)} }}"
    inner = "".join(f"{indent}  {field}\n" for field in fields)
    return f"{name} {{\n{inner}{indent}}}"
