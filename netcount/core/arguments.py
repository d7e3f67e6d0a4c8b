"""Values that a caller gives: brought into one form, or refused by the name of their argument."""

from __future__ import annotations

import os
from numbers import Real
from operator import index
from typing import Any, NoReturn, TypeVar

from netcount.core.errors import InputError
from netcount.core.suggest import nearest
from netcount.core.units import parse_quantity

T = TypeVar("T")

MOST_BITS = 64


def refuse(argument: str, what: str) -> NoReturn:
    """Raise the error of a wrong value."""
    raise InputError(what, argument=argument)


def whole_or_none(value: object) -> int | None:
    """A whole number of any kind (numpy's too), or None; True and False are none."""
    try:
        return None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def whole(argument: str, value: object, least: int, most: int | None = None) -> int:
    """A whole number within bounds.

    >>> whole("bits", 8, 1, 64)
    8
    >>> whole("bits", 0, 1, 64)
    Traceback (most recent call last):
    netcount.core.errors.InputError: bits: it is a whole number from 1 to 64, not 0
    """
    number = whole_or_none(value)
    if number is None or number < least or (most is not None and number > most):
        bounds = f"from {least} on" if most is None else f"from {least} to {most}"
        refuse(argument, f"it is a whole number {bounds}, not {value!r}")
    return number


def names(argument: str, value: Any, such_as: str = "conv1") -> tuple[str, ...]:
    """Several names; one name alone is refused, as its letters would be taken for names."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        refuse(argument, f'they are a list of names, such as ["{such_as}"], not {value!r}')
    given = tuple(value)
    for name in given:
        if not isinstance(name, str):
            refuse(argument, f"a name is a text, not {name!r}")
    return given


def text(argument: str, value: object, what: str = "a text") -> str:
    """A text."""
    if not isinstance(value, str):
        refuse(argument, f"it is {what}, not {value!r}")
    return value


def one_of(argument: str, value: object, *choices: T) -> T:
    """One of a few values."""
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return choice
    shown = ", ".join(repr(choice) for choice in choices)
    hint = nearest(value, [str(choice) for choice in choices]) if isinstance(value, str) else ""
    refuse(argument, f"it is one of {shown}, not {value!r}{hint}")


def quantity(argument: str, value: object) -> int:
    """A count or a number of bytes: whole, or a text with a unit ("100M", "2 MiB")."""
    if isinstance(value, str):
        try:
            number: int | None = parse_quantity(value)
        except ValueError as mistake:
            refuse(argument, str(mistake))
    else:
        number = whole_or_none(value)
    if number is None:
        refuse(argument, f'it is a whole number, or a text such as "100M", not {value!r}')
    return number


def real(argument: str, value: object) -> float:
    """A number."""
    try:
        if not isinstance(value, bool) and isinstance(value, Real):
            return float(value)
    except OverflowError:
        pass
    refuse(argument, f"it is a number, not {value!r:.40}")


def size_in_bytes(argument: str, value: object) -> int:
    """A number of bytes that can hold something: whole, or a text with a unit ("2 MiB")."""
    size = quantity(argument, value)
    if size < 1:
        refuse(argument, f"it is a number of bytes above 0, not {value!r}")
    return size


def path(argument: str, value: object) -> str:
    """A path as a text."""
    try:
        name = os.fspath(value)  # type: ignore[call-overload]
    except TypeError:
        name = None
    if not isinstance(name, str):
        refuse(argument, f"it is a path (str or os.PathLike), not {value!r}")
    return name
