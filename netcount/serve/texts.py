"""Files that are edited: their text as an editor holds it, and as it stands on the disk."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from typing import NamedTuple

from netcount.core.errors import InputError
from netcount.core.files import read_text, write_atomically

_ENDING = re.compile(r"\r\n|\r|\n")


class Stored(NamedTuple):
    """What stands on the disk.

    Attributes:
        text: The file, bytes that are no UTF-8 as surrogates; None where it cannot be read.
        stamp: Names this content; another content has another one.
        problem: Why it cannot be read, if so.
    """

    text: str | None
    stamp: str
    problem: str = ""


def stored(path: str) -> Stored:
    """What stands at a path now."""
    try:
        text = read_text(path)
    except InputError as failure:
        return Stored(None, "", failure.message)
    return Stored(text, sha256(_bytes(text)).hexdigest()[:20])


def mark(path: str) -> tuple[int, int, int] | None:
    """Changes whenever somebody writes the file; None where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def write(path: str, text: str) -> Stored:
    """Write a text as it is.

    Raises:
        InputError: The file cannot be written, or the text holds what no file can.
    """
    try:
        content = _bytes(text)
    except UnicodeEncodeError:
        raise InputError("the text holds half of a character, which no file can") from None
    if b"\0" in content:
        raise InputError("the text holds a zero byte, so it is not a prototxt")
    write_atomically(path, content)
    return Stored(text, sha256(content).hexdigest()[:20])


def with_endings(text: str, before: str) -> str:
    r"""A text of an editor, whose lines end in \n, with the ends of lines of the file it was made from.

    >>> with_endings("a\nb\nc\n", "a\r\nc\r\n"), with_endings("a\nb\n", "a\nc\r\nb\n")
    ('a\r\nb\r\nc\r\n', 'a\nb\n')
    """
    endings = _ENDING.findall(before)
    if not endings or set(endings) == {"\n"}:
        return text
    old, new = _ENDING.split(before), text.split("\n")
    usual = max(endings, key=endings.count)
    same = 0
    while same < min(len(old), len(new)) - 1 and old[same] == new[same]:
        same += 1
    after = 0
    while after < min(len(old), len(new)) - same - 1 and old[-1 - after] == new[-1 - after]:
        after += 1
    middle = len(new) - 1 - same - after
    kept = [*endings[:same], *[usual] * middle, *(endings[len(endings) - after :] if after else [])]
    return "".join([line + end for line, end in zip(new, [*kept, ""], strict=True)])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
