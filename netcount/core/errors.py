"""What can go wrong, and where: the only exceptions netcount raises on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from netcount.core.exit_codes import BAD_INPUT

MAX_PROBLEMS = 100
"""Mistakes after which the search for more ends: nobody reads on, and a file made to hurt has a million."""
MAX_MESSAGE = 4000
"""Characters of a message; a name or a list of extents from a file can be millions long."""


class Place(NamedTuple):
    """A position in a file; lines and columns count from 1, column 0 means the whole line."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


class NetcountError(Exception):
    """Something netcount refuses to answer, in one line for a person.  `exit_code` is the CLI's."""

    exit_code = BAD_INPUT

    def __init__(self, message: str, place: Place | None = None) -> None:
        if len(message) > MAX_MESSAGE:
            message = f"{message[: MAX_MESSAGE // 2]} … {message[-MAX_MESSAGE // 2 :]}"
        super().__init__(message)
        self.message = message
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.place)


class InputError(NetcountError):
    """The input (a file, or an option's value) is not something Caffe would accept."""


class UnknownTypeError(InputError):
    """A layer type that is not in the catalogue."""


class MissingShapeError(InputError):
    """A shape that the file does not tell and the caller has to give."""


class Errors(InputError):
    """Several independent mistakes in one input, in the order of the file."""

    def __init__(self, problems: Iterable[NetcountError]) -> None:
        self.problems = tuple(single for problem in problems for single in each(problem))
        super().__init__(f"{len(self.problems)} mistakes")

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)


def each(error: NetcountError) -> tuple[NetcountError, ...]:
    """The mistakes that an error tells of, one by one."""
    return error.problems if isinstance(error, Errors) else (error,)


class LimitError(NetcountError):
    """A run would need more memory than the caller allows."""


class Warned(NamedTuple):
    """Something a reader of the result has to know."""

    message: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class Problems(list[NetcountError]):
    """Mistakes that are collected to be reported together; raises them when there are too many."""

    def append(self, problem: NetcountError) -> None:
        """Take one more; Errors at the last that is told."""
        super().append(problem)
        if len(self) >= MAX_PROBLEMS:
            raise Errors([*_located(self), InputError(f"{MAX_PROBLEMS} mistakes are told; there may be more")])


def raise_all(problems: list[NetcountError]) -> None:
    """Raise one error as it is, several as `Errors` in the order of their places; none: return."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    raise Errors(_located(problems))


def _located(problems: list[NetcountError]) -> list[NetcountError]:
    return sorted(dict.fromkeys(problems), key=lambda p: (p.place.line, p.place.column) if p.place else (0, 0))


def reason(failure: Exception) -> str:
    """Why an operation of the system or of a library failed, on one line and without the path."""
    told = (failure.strerror if isinstance(failure, OSError) else None) or str(failure)
    return told.splitlines()[0] if told else type(failure).__name__
