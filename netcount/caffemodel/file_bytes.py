"""The bytes of a file, read where they are asked for.

A file that is mapped ends the process by a signal when somebody cuts it short meanwhile; a read that
comes back short is an error that can be told.
"""

from __future__ import annotations

import os

from netcount.core.errors import InputError, Place

_WINDOW = 2**16
"""Bytes that are read at once where few are asked for: fields stand close to each other."""
_AT_ONCE = 2**20


class FileBytes:
    """A regular file as a sequence of bytes, of which one window is kept.

    Args:
        path: The file.
        file: Its name in errors.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], file: str) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._file = file
        self._length = os.fstat(self._descriptor).st_size
        self._start = 0
        self._window = b""

    def __del__(self) -> None:
        self.close()

    def __len__(self) -> int:
        return self._length

    def byte(self, index: int) -> int:
        """The byte at an index."""
        offset = index - self._start
        if not 0 <= offset < len(self._window):
            self._window, self._start = self._read(index, min(_WINDOW, self._length - index)), index
            offset = 0
        return self._window[offset]

    def part(self, start: int, stop: int, step: int = 1) -> bytes:
        """The bytes from one index to another, which may lie behind the end."""
        stop = min(stop, self._length)
        if stop <= start:
            return b""
        begin = start - self._start
        if begin >= 0 and stop - self._start <= len(self._window):
            return self._window[begin : stop - self._start : step]
        return self._read(start, stop - start)[::step]

    def fill(self, memory: memoryview, start: int) -> None:
        """Read as many bytes as a piece of memory has."""
        os.lseek(self._descriptor, start, os.SEEK_SET)
        filled = 0
        while filled < len(memory):
            data = os.read(self._descriptor, min(_AT_ONCE, len(memory) - filled))
            if not data:
                raise InputError(
                    f"byte {start + filled}: the file was cut short while it was read", Place(self._file)
                )
            memory[filled : filled + len(data)] = data
            filled += len(data)

    @property
    def closed(self) -> bool:
        """Whether nothing can be read any more."""
        return self._descriptor < 0

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self, start: int, count: int) -> bytes:
        data = bytearray(count)
        self.fill(memoryview(data), start)
        return bytes(data)
