"""The files that a glob means: one walk, however many `**` it has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from glob import has_magic

DEEP = "**"
"""The part of a glob that stands for any number of folders."""


def files_matching(pattern: str, root: str | os.PathLike[str] = "") -> list[str]:
    """The files that a glob means, sorted: as Python's `glob` names them, with `**` for any folders.

    Every folder is looked through once, with all parts of the pattern that it can stand for; `glob` looks
    once for each way to divide a path among the `**`.

    Args:
        pattern: With slashes; what begins with a dot is only matched by a part that does.
        root: The folder that a relative pattern begins in.
    """
    drive, rest = os.path.splitdrive(pattern)
    parts = [part for part in re.split(r"[/\\]+" if os.sep == "\\" else "/+", rest) if part]
    absolute = rest[:1] in ("/", os.sep)
    start = drive + (os.sep if absolute else "")
    walk = _Walk(parts, "" if absolute or drive else os.fspath(root))
    return sorted(set(walk.found(start, walk.closed({0}))))


class _Walk:
    """A pattern's parts, and the linked folders that were looked through."""

    def __init__(self, parts: list[str], root: str) -> None:
        self.parts = parts
        self.root = root
        self.matchers = [
            re.compile(translate(os.path.normcase(part))).match if has_magic(part) and part != DEEP else None
            for part in parts
        ]
        self.seen: set[tuple[int, int, frozenset[int]]] = set()

    def closed(self, at: set[int]) -> frozenset[int]:
        """Positions in the pattern, with those behind a `**` that stands for no folder."""
        positions = set(at)
        for index in at:
            while index < len(self.parts) and self.parts[index] == DEEP:
                index += 1
                positions.add(index)
        return frozenset(positions)

    def found(self, folder: str, at: frozenset[int]) -> Iterator[str]:
        """The files in and below a folder, of which the parts before any position of `at` are matched."""
        waiting = [(folder, at)]
        while waiting:
            folder, at = waiting.pop()
            for name, is_dir, is_link in self._entries(folder, at):
                then = self._behind(name, is_dir, at)
                path = os.path.join(folder, name)
                if len(self.parts) in then and not is_dir:
                    yield path
                if is_dir and then - {len(self.parts)} and self._is_new(path, is_link, then):
                    waiting.append((path, then))

    def _entries(self, folder: str, at: frozenset[int]) -> Iterator[tuple[str, bool, bool]]:
        """What may match: the literal parts that are there, and all entries where a part has signs."""
        parts = [self.parts[index] for index in at if index < len(self.parts)]
        literal = [part for part in dict.fromkeys(parts) if not has_magic(part)]
        for part in literal:
            path = os.path.join(self.root, folder, part)
            if os.path.exists(path):
                yield part, os.path.isdir(path), os.path.islink(path)
        if len(literal) == len(set(parts)):
            return
        try:
            with os.scandir(os.path.join(self.root, folder) or ".") as entries:
                for entry in entries:
                    if entry.name not in literal:
                        yield entry.name, entry.is_dir(), entry.is_symlink()
        except OSError:
            return

    def _behind(self, name: str, is_dir: bool, at: frozenset[int]) -> frozenset[int]:
        """Where the pattern goes on behind an entry."""
        then = set()
        for index in at:
            if index == len(self.parts):
                continue
            part, matcher = self.parts[index], self.matchers[index]
            hidden = name.startswith(".") and not part.startswith(".")
            if part == DEEP:
                if not hidden:
                    then.add(index)
                    if index == len(self.parts) - 1 and not is_dir:
                        then.add(index + 1)
            elif part == name or (matcher and not hidden and matcher(os.path.normcase(name))):
                then.add(index + 1)
        return self.closed(then)

    def _is_new(self, path: str, is_link: bool, at: frozenset[int]) -> bool:
        """Whether a folder was not looked through for this yet; links could go in circles."""
        if not any(self.parts[index] == DEEP for index in at if index < len(self.parts)):
            return True
        status = os.stat(os.path.join(self.root, path))
        key = (status.st_dev, status.st_ino, at)
        if is_link and key in self.seen:
            return False
        self.seen.add(key)
        return True
