"""The located tree: what a prototxt says before any schema is asked."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TypeAlias

from netcount.core.errors import Place


class Source:
    """A text and its name; turns offsets into lines and columns when somebody asks."""

    __slots__ = ("_breaks", "_latest", "file", "text")
    file: str
    text: str

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._latest = (0, 1)  # an offset and its line
        self._breaks: list[int] = []  # where lines end, once somebody asks backwards

    def place(self, offset: int) -> Place:
        """Line and column of a character, both counted from 1."""
        return Place(self.file, self.line(offset), offset - self.text.rfind("\n", 0, offset))

    def line(self, offset: int) -> int:
        """The line of a character, counted from 1: from the latest answer on, or where that was behind it, by the
        offsets of all line breaks."""
        before, line = self._latest
        if offset >= before:
            line += self.text.count("\n", before, offset)
            self._latest = (offset, line)
            return line
        if not self._breaks:
            self._breaks = [match.start() for match in re.finditer("\n", self.text)]
        return bisect_left(self._breaks, offset) + 1


_NONE: frozenset[str] = frozenset()


class Tree:
    """A message as written: its fields in order, unknown ones included.

    A field is (name, value, offset of the name).  A value is a sub-tree or a scalar's raw text:
    a number, an identifier, or one or more string literals with their quotes.  `lists` names the
    fields that were written as `[a, b]`.  `end` is the offset of the brace that closes the message;
    of one without braces (a whole file) that at which it begins.
    """

    __slots__ = ("end", "fields", "lists", "offset", "source")
    end: int
    offset: int
    source: Source

    def __init__(self, source: Source, offset: int) -> None:
        self.source = source
        self.offset = self.end = offset
        self.fields: list[Field] = []
        self.lists: frozenset[str] = _NONE

    def place(self, offset: int | None = None) -> Place:
        """Where the tree starts, or where `offset` is."""
        return self.source.place(self.offset if offset is None else offset)


Field: TypeAlias = "tuple[str, Tree | str, int]"
