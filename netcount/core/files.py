"""Files: what is read from them, how they are written, and how their paths are shown."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from netcount.core.errors import InputError, MissingFileError, reason

MAX_BYTES = 256 * 2**20
"""A prototxt larger than this is taken for something else (a .caffemodel, a disk image)."""


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a prototxt; bytes that are not UTF-8 are kept as surrogates.

    InputError when the file cannot be read, or cannot be a prototxt; MissingFileError where there is none.
    """
    name = os.fspath(path)
    try:
        if name == "-":
            data = _at_most(sys.stdin.buffer, MAX_BYTES + 1)
        else:
            if os.path.isdir(name):
                raise InputError(f"{shown_path(name)} is a folder, not a file")
            data = read_bytes(name, MAX_BYTES + 1)
    except FileNotFoundError as failure:
        raise MissingFileError(f"cannot read {shown_path(name)}: {reason(failure)}") from None
    except (OSError, ValueError) as failure:
        raise InputError(f"cannot read {shown_path(name)}: {reason(failure)}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{shown_path(name)} is larger than 256 MiB; that is not a prototxt")
    if b"\0" in data:
        raise InputError(
            f"{shown_path(name)} holds zero bytes, so it is not a prototxt; a .caffemodel has a net's weights: "
            "analyze the .prototxt it belongs to"
        )
    return data.decode("utf-8", "surrogateescape")


def _at_most(stream: BinaryIO, most: int) -> bytes:
    """The first `most` bytes, piece by piece: Python sets aside as many as one read asks for."""
    data = bytearray()
    while len(data) < most and (piece := stream.read(min(2**20, most - len(data)))):
        data += piece
    return bytes(data)


def read_bytes(name: str | os.PathLike[str], most: int) -> bytes:
    """The first `most` bytes of a file; a pipe that nobody writes to is an InputError, not a wait.

    OSError or ValueError when it cannot be read.
    """
    if not stat.S_ISFIFO(os.stat(name).st_mode):
        with open(name, "rb") as stream:
            return _at_most(stream, most)
    with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
        try:
            first = os.read(stream.fileno(), 1)
        except BlockingIOError:  # somebody is there, and has not written yet
            first = b""
        else:
            if not first:
                raise InputError(f"{shown_path(os.fspath(name))} is a pipe without a writer")
        os.set_blocking(stream.fileno(), True)
        return first + _at_most(stream, most - len(first))


def write_atomically(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write a file whole or not at all; text as UTF-8.  InputError when that fails (see `replacing`)."""
    content = data if isinstance(data, bytes) else data.encode("utf-8", "backslashreplace")
    with replacing(path) as stream:
        stream.write(content)


def write_together(files: Mapping[str | os.PathLike[str], Iterable[bytes | memoryview]]) -> None:
    """Write several files, each whole, and none where one of them cannot be written.

    Args:
        files: By path the pieces of what it gets; they are made while it is written.

    Raises:
        InputError: Where a file cannot be written.
    """
    with ExitStack() as stack:
        streams = [(stack.enter_context(replacing(path)), pieces) for path, pieces in files.items()]
        for stream, pieces in streams:
            for piece in pieces:
                stream.write(piece)
            stream.flush()  # a full disk is told before the first of them is replaced


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A stream to a temporary file beside `path`, which takes its place once all of it is written.

    After any error the file is as it was.  A link is followed, permissions are kept, and what is no
    regular file (a pipe, /dev/stdout) is written to as it stands.

    Raises:
        InputError: Where the file cannot be written.
    """
    name = os.fspath(path)
    temporary = ""
    try:
        target = os.path.realpath(name)
        if os.path.exists(target) and not os.path.isfile(target):
            stream = open(name, "wb")  # noqa: SIM115
        else:
            from tempfile import mkstemp  # not wanted where nothing is written

            descriptor, temporary = mkstemp(dir=os.path.dirname(target), prefix=".netcount-")
            stream = open(descriptor, "wb")  # noqa: SIM115
    except (OSError, ValueError) as failure:
        raise _unwritten(name, failure) from None
    try:
        with stream:
            yield stream
        if temporary:
            os.chmod(temporary, _mode(target))
            os.replace(temporary, target)
    except BaseException as failure:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(failure, OSError):
            raise _unwritten(name, failure) from None
        raise


def _unwritten(name: str, failure: Exception) -> InputError:
    return InputError(f"cannot write {shown_path(name)}: {reason(failure)}")


def _mode(path: str) -> int:
    """The permissions a file has, or that a new one gets."""
    try:
        return os.stat(path).st_mode & 0o7777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def shown_path(path: str) -> str:
    """A path for a message, with nothing a terminal would obey."""
    return path if path and path.isprintable() else ascii(path)


def relative_path(file: str, folder: str) -> str:
    """A file as seen from a folder, with slashes; as it is where they share no root."""
    try:
        return os.path.relpath(file, folder).replace(os.sep, "/")
    except ValueError:  # another drive
        return shown_path(file)


def exists(source: str) -> bool:
    """Whether a file of that name is there; a name that none can have is not."""
    try:
        return os.path.exists(source)
    except ValueError:
        return False


def is_document(path: str, schema: str) -> bool:
    """Whether a file looks like JSON of a schema rather than a prototxt."""
    try:
        if not os.path.isfile(path):  # of a pipe nothing could be read again
            return False
        with open(path, "rb") as stream:
            return schema.encode() in stream.read(200)
    except (OSError, ValueError):
        return False
