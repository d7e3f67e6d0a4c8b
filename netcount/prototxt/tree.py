"""The located tree: what a prototxt says before any schema is asked."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TypeAlias

from netcount.errors import Place


class Source:
    """A text and its name; turns offsets into lines and columns when somebody asks."""

    __slots__ = ("_starts", "file", "text")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._starts: list[int] | None = None

    def place(self, offset: int) -> Place:
        """Line and column of a character, both counted from 1."""
        line = self.line(offset)
        assert self._starts is not None
        return Place(self.file, line, offset - self._starts[line - 1] + 1)

    def line(self, offset: int) -> int:
        """The line of a character, counted from 1."""
        if self._starts is None:
            lengths = [len(line) + 1 for line in self.text.split("\n")]
            self._starts = list(accumulate(lengths[:-1], initial=0))
        return bisect_right(self._starts, offset)


_NONE: frozenset[str] = frozenset()


class Tree:
    """A message as written: its fields in order, unknown ones included.

    A field is (name, value, offset of the name).  A value is a sub-tree or a scalar's raw text:
    a number, an identifier, or one or more string literals with their quotes.  `lists` names the
    fields that were written as `[a, b]`.
    """

    __slots__ = ("fields", "lists", "offset", "source")

    def __init__(self, source: Source, offset: int) -> None:
        self.source = source
        self.offset = offset
        self.fields: list[Field] = []
        self.lists: frozenset[str] = _NONE

    def place(self, offset: int | None = None) -> Place:
        """Where the tree starts, or where `offset` is."""
        return self.source.place(self.offset if offset is None else offset)


Field: TypeAlias = "tuple[str, Tree | str, int]"
