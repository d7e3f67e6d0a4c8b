"""Where the keys of a TOML text stand: the standard library's parser does not say."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any, TypeAlias

from netcount.errors import InputError, Place, reason
from netcount.loading import read_bytes

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
    """The line of every table and key of a valid TOML text; keys of inline tables are not told.

    >>> key_lines('[[net]]\\npath = "a"\\n[[net]]\\nx.y = 1')
    {('net', 0): 1, ('net', 0, 'path'): 2, ('net', 1): 3, ('net', 1, 'x', 'y'): 4}
    """
    found: dict[tuple[Key, ...], int] = {}
    counts: dict[tuple[Key, ...], int] = {}
    table: tuple[Key, ...] = ()
    line, first, depth, statement = 1, 1, 0, list[str]()
    for token in [*_TOKEN.findall(text), "\n"]:
        if token == "\n" and depth == 0:
            if statement[:1] == ["["]:
                array = statement[:2] == ["[", "["]
                keys = tuple(_keys(statement[2:-2] if array else statement[1:-1]))
                table = _in_arrays(keys[:-1], counts) + keys[-1:]
                if array:
                    counts[table] = counts.get(table, -1) + 1
                table = _in_arrays(keys, counts)
                found.setdefault(table, line)
            elif "=" in statement:
                keys = tuple(_keys(statement[: statement.index("=")]))
                found.setdefault((*table, *keys), first)
            statement = []
        elif token != "\n" and not token.startswith("#"):
            if not statement:
                first = line
            statement.append(token)
            depth += (token in "[{") - (token in "]}")
        line += token.count("\n")
    return found


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
