"""Where the keys of a TOML text stand: the standard library's parser does not say."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any, TypeAlias

from netcount.core.errors import InputError, Place, reason
from netcount.core.files import read_bytes

MAX_BYTES = 2**22

Key: TypeAlias = "str | int"

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')'
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[\]{}=.,]|[^\s\[\]{}=.,#"\']+',
    re.DOTALL,
)


def read_toml(path: str | os.PathLike[str], file: str) -> tuple[dict[str, Any], dict[tuple[Key, ...], int]]:
    """A TOML file's document and `key_lines`; `file` is its name in the InputError that refuses it."""
    try:
        data = read_bytes(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"{file} is larger than 4 MiB; that is no configuration")
        text = data.decode("utf-8").replace("\r\n", "\n")
        return tomllib.loads(text), key_lines(text)
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


def key_lines(text: str) -> dict[tuple[Key, ...], int]:
    """The line of every table, key and element of an array in a valid TOML text.

    >>> key_lines('[[net]]\\npath = [\\n"a"]\\n[x]')
    {('net', 0): 1, ('net', 0, 'path'): 2, ('net', 0, 'path', 0): 3, ('x',): 4}
    """
    found: dict[tuple[Key, ...], int] = {}
    counts: dict[tuple[Key, ...], int] = {}
    table: tuple[Key, ...] = ()
    line, depth, statement = 1, 0, list[_Token]()
    for token in [*_TOKEN.findall(text), "\n"]:
        if token == "\n" and depth == 0:
            words = [word for word, _ in statement]
            if words[:1] == ["["]:
                array = words[:2] == ["[", "["]
                keys = tuple(_keys(words[2:-2] if array else words[1:-1]))
                table = _in_arrays(keys[:-1], counts) + keys[-1:]
                if array:
                    counts[table] = counts.get(table, -1) + 1
                table = _in_arrays(keys, counts)
                found.setdefault(table, line)
            elif words:
                _pair(statement, 0, table, found)
            statement = []
        elif token != "\n" and not token.startswith("#"):
            statement.append((token, line))
            depth += (token in "[{") - (token in "]}")
        line += token.count("\n")
    return found


_Token: TypeAlias = tuple[str, int]
"""A token and its line; comments and the ends of lines are left out."""


def _pair(tokens: list[_Token], at: int, table: tuple[Key, ...], found: dict[tuple[Key, ...], int]) -> int:
    """Note a key and what is inside its value; where the next token stands."""
    equals = tokens.index(("=", tokens[at][1]), at)
    path = (*table, *_keys([word for word, _ in tokens[at:equals]]))
    found.setdefault(path, tokens[at][1])
    return _value(tokens, equals + 1, path, found)


def _value(tokens: list[_Token], at: int, path: tuple[Key, ...], found: dict[tuple[Key, ...], int]) -> int:
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
            at = _pair(tokens, at, path, found)
        else:
            found[(*path, index)] = tokens[at][1]
            at = _value(tokens, at, (*path, index), found)
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
