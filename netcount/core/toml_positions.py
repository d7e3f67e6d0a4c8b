"""Where the keys of a TOML text stand: the standard library's parser does not say."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from netcount.core.errors import InputError, Place, reason
from netcount.core.files import read_bytes

MAX_BYTES = 2**19

Key: TypeAlias = "str | int"

MAX_PARTS = 8
"""Names of a dotted key: tomllib takes as long as the square of their number."""
MAX_DEPTH = 64
"""Arrays and tables inside each other: every element's path is as long."""


class Spot(NamedTuple):
    """Where a key, a table's head or an element of an array begins, and where a key's value does."""

    line: int
    column: int
    value_line: int
    value_column: int


_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}(?!")|\Z)|\'\'\'.*?(?:\'{3,5}(?!\')|\Z)'
    r'|"(?:\\.|[^"\\\n])*"?|\'[^\'\n]*\'?|#[^\n]*|\n|[\[\]{}=.,]|[^\s\[\]{}=.,#"\']+',
    re.DOTALL,
)


def read_toml(path: str | os.PathLike[str], file: str) -> tuple[dict[str, Any], dict[tuple[Key, ...], Spot]]:
    """A TOML file's document and `key_spots`; `file` is its name in the InputError that refuses it."""
    try:
        data = read_bytes(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"{file} is larger than 512 KiB; that is not a configuration")
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        _bounded(text, file)
        return tomllib.loads(text), key_spots(text)
    except OSError as failure:
        raise InputError(f"cannot read {file}: {reason(failure)}") from None
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text", Place(file)) from None
    except tomllib.TOMLDecodeError as failure:
        message, _, position = str(failure).partition(" (at line ")
        line, _, column = position.rstrip(")").partition(", column ")
        if not column.isdigit():
            message, line, column = message.removesuffix(" (at end of document)"), str(text.count("\n") + 1), "0"
        raise InputError(f"not valid TOML: {message}", Place(file, int(line), int(column))) from None
    except ValueError as failure:  # a number of thousands of digits
        raise InputError(f"not valid TOML: {failure}", Place(file)) from None
    except RecursionError:
        raise InputError("tables or arrays are nested too deeply", Place(file)) from None


def _bounded(text: str, file: str) -> None:
    """Refuse, before it is parsed, what takes longer than its length: no configuration needs it."""
    line, depth, parts, before = 1, 0, 1, ""
    for token in _TOKEN.findall(text):
        if token == ".":
            parts += before != "."
        elif before != ".":
            parts = 1
        depth += (token in "[{") - (token in "]}")
        if parts > MAX_PARTS:
            raise InputError(f"a key of more than {MAX_PARTS} names", Place(file, line))
        if depth > MAX_DEPTH:
            raise InputError("tables or arrays are nested too deeply", Place(file, line))
        line += token.count("\n")
        before = token


def key_lines(text: str) -> dict[tuple[Key, ...], int]:
    """The line of every table, key and element of an array in a valid TOML text.

    >>> key_lines('[[net]]\\npath = [\\n"a"]\\n[x]')
    {('net', 0): 1, ('net', 0, 'path'): 2, ('net', 0, 'path', 0): 3, ('x',): 4}
    """
    return {path: spot.line for path, spot in key_spots(text).items()}


def key_spots(text: str) -> dict[tuple[Key, ...], Spot]:
    """Where every table, key and element of an array of a valid TOML text stands.

    >>> key_spots('[x]\\n  a = "b"')[("x", "a")]
    Spot(line=2, column=3, value_line=2, value_column=7)
    """
    spots: dict[tuple[Key, ...], Spot] = {}
    counts: dict[tuple[Key, ...], int] = {}
    table: tuple[Key, ...] = ()
    line, start, depth, statement = 1, 0, 0, list[_Token]()
    for token, offset in [*((match[0], match.start()) for match in _TOKEN.finditer(text)), ("\n", len(text))]:
        if token == "\n" and depth == 0:
            words = [word for word, _ in statement]
            if words[:1] == ["["]:
                array = words[:2] == ["[", "["]
                keys = tuple(_keys(words[2:-2] if array else words[1:-1]))
                table = _in_arrays(keys[:-1], counts) + keys[-1:]
                if array:
                    counts[table] = counts.get(table, -1) + 1
                table = _in_arrays(keys, counts)
                at = statement[0][1]
                spots.setdefault(table, Spot(*at, *at))
            elif words:
                _pair(statement, 0, table, spots)
            statement = []
        elif token != "\n" and not token.startswith("#"):
            statement.append((token, (line, offset - start + 1)))
            depth += (token in "[{") - (token in "]}")
        ends = token.count("\n")
        if ends:
            line, start = line + ends, offset + token.rfind("\n") + 1
    return spots


_Token: TypeAlias = tuple[str, tuple[int, int]]
"""A token, its line and its column; comments and the ends of lines are left out."""


def _pair(tokens: list[_Token], at: int, table: tuple[Key, ...], spots: dict[tuple[Key, ...], Spot]) -> int:
    """Note a key and what is inside its value; where the next token stands."""
    equals = at
    while tokens[equals][0] != "=":
        equals += 1
    path = (*table, *_keys([word for word, _ in tokens[at:equals]]))
    spots.setdefault(path, Spot(*tokens[at][1], *tokens[equals + 1][1]))
    return _value(tokens, equals + 1, path, spots)


def _value(tokens: list[_Token], at: int, path: tuple[Key, ...], spots: dict[tuple[Key, ...], Spot]) -> int:
    opening = tokens[at][0]
    if opening not in ("[", "{"):
        while at < len(tokens) and tokens[at][0] not in (",", "]", "}"):
            at += 1
        return at
    at, index = at + 1, 0
    while tokens[at][0] not in ("]", "}"):
        if tokens[at][0] == ",":
            at += 1
        elif opening == "{":
            at = _pair(tokens, at, path, spots)
        else:
            spots[(*path, index)] = Spot(*tokens[at][1], *tokens[at][1])
            at = _value(tokens, at, (*path, index), spots)
            index += 1
    return at + 1


def _keys(tokens: list[str]) -> list[str]:
    return [
        str(tomllib.loads(f"key = {token}")["key"]) if token[0] in "\"'" else token
        for token in tokens
        if token != "."
    ]


def _in_arrays(keys: tuple[Key, ...], counts: Mapping[tuple[Key, ...], int]) -> tuple[Key, ...]:
    """The path of a table, with the current index after each array of tables."""
    path: tuple[Key, ...] = ()
    for key in keys:
        path = (*path, key)
        if path in counts:
            path = (*path, counts[path])
    return path
