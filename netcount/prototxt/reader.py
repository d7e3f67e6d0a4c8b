"""Protobuf's text format -> a located tree of fields.

The rules are those of protobuf's own C++ parser, which Caffe reads its files with (text format
specification, https://protobuf.dev/reference/protobuf/textformat-spec/): comments from `#`, an
optional `:` before a message, `{}` or `<>` around one, one optional `,` or `;` after a field,
`[a, b]` for repeated fields, adjacent string literals that join.

One regular expression takes a whole field at a time; what it does not match (lists, escapes,
adjacent strings, mistakes) goes the slower way, token by token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NoReturn

from netcount.core.errors import Advice, InputError
from netcount.prototxt.tree import Source, Tree

_SKIP = r"(?:[ \t\r\n\v\f]++|\#[^\n\0]*+)*+"
_NUMBER = r"(?:0[xX][0-9a-fA-F]++|(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?[fF]?)"
_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*+"
_PLAIN_STRING = r'"[^"\\\n\0]*+"|' r"'[^'\\\n\0]*+'"
_STRING = r'"(?:[^"\\\n\0]|\\[^\n\0])*+"|' r"'(?:[^'\\\n\0]|\\[^\n\0])*+'"

_FIELD = re.compile(
    rf"{_SKIP}(?:"
    rf"({_IDENTIFIER}){_SKIP}(?:"
    rf":{_SKIP}({_PLAIN_STRING}|-?(?:{_NUMBER}|{_IDENTIFIER})(?![A-Za-z0-9_.])){_SKIP}[,;]?"
    rf"|:?{_SKIP}([{{<])"
    rf")|([}}>]){_SKIP}[,;]?)"
)
_SPACE = re.compile(_SKIP)
_CLOSER = {"{": "}", "<": ">"}
_MAX_LISTS = 32


@cache
def _any_token() -> re.Pattern[str]:
    """What the fast pattern leaves over; compiled where that happens, as most nets do without."""
    return re.compile(
        rf"({_STRING})|(-{_SKIP}(?:{_NUMBER}|{_IDENTIFIER})(?![A-Za-z0-9_.]))|({_NUMBER})(?![A-Za-z0-9_.])"
        rf"|({_IDENTIFIER})|([{{}}<>\[\]:,;])"
    )


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*)\$)")


def read(text: str, file: str) -> Tree:
    """The tree of a prototxt.  `file` is its name for messages; InputError at the first mistake."""
    return _Reader(Source(text, file)).read()


def after_separator(text: str, position: int) -> int:
    """Where the value begins that a ':', ',' or '[' (with space and comments) leads to."""
    while True:
        match = _SPACE.match(text, position)
        position = match.end() if match else position
        if text[position : position + 1] not in (":", ",", "["):
            return position
        position += 1


def after_space(text: str, position: int) -> int:
    """The first character from `position` on that is neither space nor part of a comment."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def token_span(text: str, position: int) -> tuple[int, int]:
    """Where the number or word at `position` stands: from there to its end."""
    match = _any_token().match(text, position)
    return position, match.end() if match else position


def defined(text: str, values: Mapping[str, str]) -> str:
    """The text with `$NAME$` and `${NAME}` replaced by the values given; others stay as they are.

    >>> defined("dim: $HEIGHT$ dim: ${W} # $OTHER$", {"HEIGHT": "320", "W": "448"})
    'dim: 320 dim: 448 # $OTHER$'
    """
    return _placeholder().sub(lambda match: values.get(match[1] or match[2], match[0]), text) if values else text


class _Reader:
    """The state of one reading: the message being filled and those around it."""

    def __init__(self, source: Source, depth: int = 0) -> None:
        self.source = source
        self.text = source.text
        self.depth = depth
        self.continues = False  # whether a string literal just taken may go on in the next one
        self.tree = Tree(source, 0)
        self.root = self.tree
        self.around: list[tuple[Tree, str, int]] = []  # outer tree, its closer, offset of the opener

    def read(self) -> Tree:
        position: int | None = 0
        while position is not None:
            position = self._slowly(self._fast(position))
        return self.root

    def _fast(self, position: int) -> int:
        """Take fields while the one regular expression matches; where it stopped."""
        source, tree, around = self.source, self.tree, self.around
        fields = tree.fields
        match = _FIELD.scanner(self.text, position).match  # type: ignore[attr-defined]
        last = 0
        value = ""
        latest = None
        while field := match():
            latest = field
            last = field.lastindex
            if last == 2:
                name, value = field.group(1, 2)
                fields.append((name, value, field.start(1)))
            elif last == 3:
                inner = Tree(source, field.start(1))
                fields.append((field.group(1), inner, inner.offset))
                around.append((tree, _CLOSER[field.group(3)], field.start(3)))
                tree = inner
                fields = tree.fields
            else:
                if not around or around[-1][1] != field.group(4):
                    self._stray(field.group(4), field.start(4), around)
                tree.end = field.start(4)
                tree = around.pop()[0]
                fields = tree.fields
        if latest is not None:
            position = latest.end()
        self.tree = tree
        separated = self.text[position - 1 : position] in (",", ";")
        self.continues = last == 2 and value[0] in "\"'" and not separated
        return position

    def _stray(self, closer: str, offset: int, around: list[tuple[Tree, str, int]]) -> None:
        if not around:
            self._fail(f"'{closer}' closes nothing", offset)
        opener = self.source.place(around[-1][2])
        self._fail(f"'{closer}' where '{around[-1][1]}' is needed to close line {opener.line}", offset)

    def _slowly(self, position: int) -> int | None:
        """Take one field, or a continued string, token by token; None at the end of the text."""
        start = self._skip(position)
        if start == len(self.text):
            if self.around:
                opener = self.source.place(self.around[-1][2])
                self._fail(f"the file ends inside the message opened in line {opener.line}", start)
            return None
        if self.continues and self.text[start] in "\"'":
            name, value, offset = self.tree.fields[-1]
            more, end = self._scalar(start)
            self.tree.fields[-1] = (name, f"{value} {more}", offset)
            return self._separator(end)
        return self._field(start)

    def _field(self, start: int) -> int:
        name, end = self._token(start)
        if not re.fullmatch(_IDENTIFIER, name):
            self._fail(f"a field's name is needed here, not {_shown(name)}", start)
        position = self._skip(end)
        colon = self.text.startswith(":", position)
        if colon:
            position = self._skip(position + 1)
        opener = self.text[position : position + 1]
        if opener in _CLOSER:
            inner = Tree(self.source, start)
            self.tree.fields.append((name, inner, start))
            self.around.append((self.tree, _CLOSER[opener], position))
            self.tree = inner
            return position + 1
        if opener == "[":
            return self._separator(self._list(name, start, position, colon))
        if not colon:
            what = _shown(opener) if opener else "the end of the file"
            self._fail(f"after \"{name}\" a ':' and a value, or a '{{', is needed, not {what}", position)
        value, end = self._scalar(position)
        self.tree.fields.append((name, value, start))
        return self._separator(end)

    def _list(self, name: str, start: int, position: int, colon: bool) -> int:
        """`[a, b]` or `[{…}, {…}]` of one repeated field; where it ends."""
        opened = position
        self.tree.lists |= {name}
        position = self._skip(position + 1)
        before = len(self.tree.fields)
        while True:
            character = self.text[position : position + 1]
            if character == "]" and len(self.tree.fields) == before:
                self.tree.fields.append((name, "[]", start))
                return position + 1
            if character in _CLOSER and character:
                position = self._listed_message(name, position)
            elif not character:
                self._fail("the list is not closed", opened)
            elif not colon:
                self._fail(f"after \"{name}\" a ':' is needed before a list of values", opened)
            else:
                value, position = self._scalar(position)
                self.tree.fields.append((name, value, start))
            position = self._skip(position)
            character = self.text[position : position + 1]
            if character == "]":
                return position + 1
            if character != ",":
                self._fail("a ',' or ']' is needed in a list", position)
            position = self._skip(position + 1)

    def _listed_message(self, name: str, position: int) -> int:
        """A message inside a list, read by a reader of its own; where it ends."""
        closer = _CLOSER[self.text[position]]
        if self.depth == _MAX_LISTS:
            self._fail(f"lists of messages are nested more than {_MAX_LISTS} deep", position)
        inner = _Reader(self.source, self.depth + 1)
        inner.root = inner.tree = Tree(self.source, position)
        inner.around.append((Tree(self.source, position), closer, position))
        at: int | None = position + 1
        while inner.around and at is not None:
            at = inner._one(at)
        assert at is not None  # the end of the text inside a message is an error
        self.tree.fields.append((name, inner.root, position))
        return at

    def _one(self, position: int) -> int | None:
        """Take one field or one closer."""
        start = self._skip(position)
        if self.text[start : start + 1] in ("}", ">"):
            if self.text[start] != self.around[-1][1]:
                self._stray(self.text[start], start, self.around)
            self.tree.end = start
            self.tree = self.around.pop()[0]
            return start + 1 if not self.around else self._separator(start + 1)
        return self._slowly(position)

    def _scalar(self, position: int) -> tuple[str, int]:
        """The raw text of a value, adjacent string literals joined by a space, and its end."""
        token, end = self._token(position)
        if token[0] in "\"'":
            parts = [token]
            while self.text[(after := self._skip(end)) : after + 1] in ('"', "'"):
                part, end = self._token(after)
                parts.append(part)
            return " ".join(parts), end
        if not (token[0].isalnum() or token[0] in "_.-"):
            self._fail(f"a value is needed here, not {_shown(token)}", position)
        if token[0] == "-":
            token = "-" + token[1:][self._skip_in(token[1:]) :]
        return token, end

    def _skip_in(self, text: str) -> int:
        match = _SPACE.match(text)
        return match.end() if match else 0

    def _token(self, position: int) -> tuple[str, int]:
        match = _any_token().match(self.text, position)
        if match:
            return match.group(), match.end()
        character = self.text[position : position + 1]
        if not character:
            self._fail("the file ends where a value is needed", position)
        if character in ("'", '"'):
            self._fail("the string is not closed on its line", position)
        if character.isdigit() or character in ".-":
            self._fail(f"{_shown(_word(self.text, position))} is not a number", position)
        if character == "\ufeff":
            self._fail("the file begins with a byte order mark, which Caffe does not read", position)
        placeholder = _placeholder().match(self.text, position)
        if placeholder:
            rest = [placeholder, *_placeholder().finditer(self.text, placeholder.end())]
            names = list(dict.fromkeys(match[1] or match[2] for match in rest))[:20]
            lead = "set its value:" if len(names) == 1 else "give the values:"
            raise InputError(
                f"{placeholder[0][:80]} is a placeholder that a script fills in",
                self.source.place(position),
                advice=[
                    Advice("define", "VALUE", name[:80], "and" if number else lead)
                    for number, name in enumerate(names)
                ],
            )
        self._fail(f"{_shown(character)} has no meaning here", position)

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def _separator(self, position: int) -> int:
        after = self._skip(position)
        return after + 1 if self.text[after : after + 1] in (",", ";") else position

    def _fail(self, message: str, offset: int) -> NoReturn:
        raise InputError(message, self.source.place(offset))


def _word(text: str, position: int) -> str:
    match = re.compile(r"[\w.+-]+").match(text, position)
    return match.group()[:40] if match else text[position]


def _shown(text: str) -> str:
    """A piece of the text for a message, on one line and with nothing a terminal would obey."""
    return "the end of the file" if not text else repr(text)
