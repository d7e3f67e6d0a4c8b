"""What can go wrong, and where: the only exceptions netcount raises on purpose.

An error names arguments as data, by the name they have in Python; each surface spells them in its own way
(`input_shapes` is the option `--input-shape` of the command line).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from errno import ENOENT
from typing import NamedTuple, TypeVar

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


class Advice(NamedTuple):
    """A way out of an error: an argument, and a value for it.

    Attributes:
        argument: The argument's name in Python, such as "input_shapes".
        value: A word, a number, or extents with commas; capitals stand for what the caller knows: "N,C,H,W".
        key: Of a mapping (`input_shapes`, `assume`): the blob, layer or type that the value is for.
        lead: The words before it in a sentence; "and" where it only helps together with the one before.
        spoken: Whether the error's sentence ends in it; what helps only a fork's users is left to those who
            ask for the advice.
    """

    argument: str
    value: str
    key: str = ""
    lead: str = "try"
    spoken: bool = True

    def __str__(self) -> str:
        return _SPELLING.get().advice(self)


class Spelling(NamedTuple):
    """How a surface writes an argument's name, and an argument with its value."""

    argument: Callable[[str], str]
    advice: Callable[[Advice], str]


_LISTS = frozenset({"stages", "keep", "widths", "resolutions"})
"""Arguments that take several values."""


def _python_argument(argument: str) -> str:
    return argument


def _python_advice(advice: Advice) -> str:
    """An argument as Python writes it.

    >>> print(Advice("input_shapes", "N,C,H,W", "data"), Advice("phase", "TRAIN"), Advice("keep", "conv1"))
    input_shapes={"data": (N, C, H, W)} phase="TRAIN" keep=["conv1"]
    """
    value = advice.value
    if advice.argument == "inputs":
        value = "array"
    elif "," in value:
        value = f"({', '.join(value.split(','))})"
    elif not value.isdigit() and value != "False":
        value = _quoted(value)
    if advice.key:
        value = f"{{{_quoted(advice.key)}: {value}}}"
    elif advice.argument in _LISTS:
        value = f"[{value}]"
    return f"{advice.argument}={value}"


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() and not {'"', "\\"} & set(text) else repr(text)


PYTHON = Spelling(_python_argument, _python_advice)
_SPELLING = ContextVar("spelling", default=PYTHON)


def spelling() -> Spelling:
    """How arguments are spelled here: as in Python, unless a surface says otherwise."""
    return _SPELLING.get()


@contextmanager
def spelled(how: Spelling) -> Iterator[None]:
    """Spell the arguments of all errors inside in a surface's own way."""
    token = _SPELLING.set(how)
    try:
        yield
    finally:
        _SPELLING.reset(token)


def with_advice(what: str, advice: Sequence[Advice]) -> str:
    """A sentence with the ways out behind it.

    >>> with_advice("no size", [Advice("batch", "4"), Advice("phase", "TRAIN", lead="take")])
    'no size; try batch=4, or take phase="TRAIN"'
    """
    text = what
    for number, one in enumerate(one for one in advice if one.spoken):
        joint = " and " if one.lead == "and" else ", or " if number else "; "
        text += joint + f"{'' if one.lead == 'and' else one.lead} {one}".lstrip()
    return text


def _cut(text: str) -> str:
    """A text that people can read, however long the names in it are."""
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[: MAX_MESSAGE // 2]} … {text[-MAX_MESSAGE // 2 :]}"


E = TypeVar("E", bound="NetcountError")


class NetcountError(Exception):
    """Something netcount refuses to answer, in one line for a person.

    Attributes:
        what: The sentence without place, argument and advice.
        place: The position in a file that the error is about, if there is one.
        argument: The name of the argument (in Python) whose value is wrong, if it is one.
        advice: The ways out that there are.
        exit_code: With which code the command line ends.
    """

    exit_code = BAD_INPUT
    layer: int | None = None
    """Where the layer stands in the text, of a mistake in its fields."""

    advice: tuple[Advice, ...]

    def __init__(
        self,
        what: str,
        place: Place | None = None,
        *,
        argument: str | None = None,
        advice: Sequence[Advice] = (),
    ) -> None:
        what = _cut(what)
        super().__init__(what)
        self.what = what
        self.place = place
        self.argument = argument
        self.advice = tuple(advice)

    @property
    def message(self) -> str:
        """What is wrong and how to go on, without the place."""
        prefix = f"{spelling().argument(self.argument)}: " if self.argument else ""
        return _cut(with_advice(prefix + self.what, self.advice))

    def changed(self: E, what: str | None = None, place: Place | None = None, advice: Sequence[Advice] = ()) -> E:
        """The same error with another sentence, another place, or more advice."""
        return _restored(
            type(self),
            self.what if what is None else what,
            self.place if place is None else place,
            self.argument,
            (*self.advice, *advice),
        )

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self.what, self.place, self.argument, self.advice)


def _restored(
    kind: type[E], what: str, place: Place | None, argument: str | None, advice: tuple[Advice, ...]
) -> E:
    return kind(what, place, argument=argument, advice=advice)


class InputError(NetcountError):
    """The input (a file, or an argument's value) is not something Caffe would accept."""


class MissingFileError(InputError, FileNotFoundError):
    """There is no file of that name."""

    errno: int

    def __init__(
        self, what: str, place: Place | None = None, *, argument: str | None = None, advice: Sequence[Advice] = ()
    ) -> None:
        super().__init__(what, place, argument=argument, advice=advice)
        self.errno = ENOENT


class UnknownTypeError(InputError):
    """A layer type that is not in the catalogue."""


class MissingShapeError(InputError):
    """A shape that the file does not tell and the caller has to give."""


class PredictionsError(InputError):
    """Predictions of a detector that are not as many as its priors ask for.

    Attributes:
        bottom: Which bottom holds them.
        each: How many values a box has.
    """

    bottom: int = 0
    each: int = 0

    def at(self, bottom: int, each: int) -> PredictionsError:
        """The same error, with what it is about."""
        self.bottom, self.each = bottom, each
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"bottom": self.bottom, "each": self.each})


class Errors(InputError):
    """Several independent mistakes in one input, in the order of the file."""

    problems: tuple[NetcountError, ...]

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
    """Something a reader of the result has to know; `what` is the sentence without place and advice."""

    what: str
    place: Place | None = None
    advice: tuple[Advice, ...] = ()

    @property
    def message(self) -> str:
        """What to know and how to change it, without the place."""
        return _cut(with_advice(self.what, self.advice))

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class Problems(list[NetcountError]):
    """Mistakes that are collected to be reported together; raises them when there are too many."""

    def append(self, problem: NetcountError) -> None:
        """Take one more; Errors at the last that is told."""
        super().append(problem)
        if len(self) >= MAX_PROBLEMS:
            raise Errors([*_located(self), InputError(f"{MAX_PROBLEMS} errors shown; there may be more")])


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
