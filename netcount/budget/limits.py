"""The limits a budget can set: their names, and how their values are read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from netcount.analysis.figures import FIGURES, SHARES, in_bytes
from netcount.core.errors import InputError, Place
from netcount.core.suggest import unknown
from netcount.core.units import exact_quantity

FIT = "fit"
"""The limit that names targets, which a net has to fit."""
TYPE_RULES = ("allowed_types", "forbidden_types")
LIST_RULES = (*TYPE_RULES, FIT)
"""Limits whose value is a list of names."""
LISTED = ("allowed", "forbidden", FIT)
"""The sides of such limits, whose findings count layers."""

_SHARE = re.compile(r"(\d{1,9}(?:\.\d{0,12})?|\.\d{1,12})\s*(%?)", re.ASCII)
_KERNEL = re.compile(r"\d{1,6}([x×]\d{1,6})*")
_MOST = 2**63


class Limit(NamedTuple):
    """One limit.  rule: its key, such as "max_params".

    side: max, min, increase, allowed or forbidden.  bound: what still passes (a Fraction for shares
    and relative increases).  floor: an increase up to this passes whatever its share.  kernel: of a
    share.  names: the layer types of a type rule.
    text: the value as it was written.  place: where.
    """

    rule: str
    side: str
    figure: str
    bound: int | Fraction = 0
    floor: int = 0
    kernel: str = ""
    names: tuple[str, ...] = ()
    text: str = ""
    place: Place | None = None


def rule_names() -> list[str]:
    """Every key that sets a limit."""
    sided = [f"{side}_{figure}" for figure in FIGURES for side in ("max", "min")]
    shares = [f"{side}_{figure}" for figure in SHARES for side in ("max", "min")]
    return [*sided, *shares, *(f"max_increase_{figure}" for figure in FIGURES), *LIST_RULES]


_RULES = frozenset(rule_names())


def is_rule(key: str) -> bool:
    """Whether a key sets a limit."""
    return key in _RULES


def limits_of(rule: str, value: Any, place: Place | None = None) -> list[Limit]:
    """The limits that `rule = value` sets; ValueError says what is wrong with the value.

    >>> limits_of("max_params", "1.3M")[0].bound, limits_of("max_share", {"3x3": "75%"})[0].bound
    (1300000, Fraction(3, 4))
    """
    if rule not in _RULES:
        raise ValueError(unknown("limit", rule, _RULES))
    if rule == FIT:
        return [Limit(FIT, FIT, "types", names=(name,), text=name, place=place) for name in _targets(value)]
    if rule in TYPE_RULES:
        return [_types(rule, value, place)]
    if rule.startswith("max_increase_"):
        figure = rule.removeprefix("max_increase_")
        share, floor = increase(figure, value)
        return [Limit(rule, "increase", figure, share, floor, text=_written(value), place=place)]
    side, figure = rule.split("_", 1)
    if figure in SHARES:
        if not isinstance(value, Mapping) or not value:
            raise ValueError('needs a share for each kernel size, such as { "3x3" = "75%" }')
        return [
            Limit(
                rule,
                side,
                figure,
                share_of(most),
                kernel=_kernel(kernel),
                text=_written(most),
                place=place,
            )
            for kernel, most in value.items()
        ]
    bound = quantity(figure, value, least=side == "min")
    return [Limit(rule, side, figure, bound, text=_written(value), place=place)]


def quantity(figure: str, value: Any, least: bool = False) -> int:
    """The bound that a number with an optional unit sets to a figure, which is a whole number.

    Between two whole numbers it is the lower one, or the upper one where it is the least allowed:
    of "6.1 MiB" (6,396,313.6 bytes) 6,396,313 still keeps to a max_.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a number with an optional unit, such as 1.3M")
    if isinstance(value, str):
        exact = exact_quantity(value)
        if value.rstrip().lower().endswith("b") and not in_bytes(figure):
            raise ValueError(f"{value!r} is in bytes, and {figure} is not")
        number = math.ceil(exact) if least else math.floor(exact)
        whole = number == exact or value.rstrip()[-1].isalpha()
    else:
        whole = isinstance(value, int) or value.is_integer()
        number = int(value) if whole else 0
    if not whole:
        raise ValueError(f"{value!r} is not a whole number")
    if not 0 <= number < _MOST:
        raise ValueError(f"{value!r} is not between 0 and 2⁶³")
    return number


def share_of(value: Any) -> Fraction:
    """A share from 0 to 1, exactly: "75%", "0.75" or 0.75."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a share such as 75% or 0.75")
    share = _fraction(str(value))
    if share > 1:
        raise ValueError(f'{value!r} is more than the whole; did you mean "{value}%"?')
    return share


def increase(figure: str, value: Any) -> tuple[Fraction, int]:
    """A relative increase, an absolute one, or both, of which the larger holds.

    >>> increase("params", "2% and 10k"), increase("params", "0%"), increase("params", 500)
    ((Fraction(1, 50), 10000), (Fraction(0, 1), 0), (Fraction(0, 1), 500))
    """
    parts = re.split(r"\s+and\s+", value.strip()) if isinstance(value, str) else [value]
    share, floor = Fraction(0), 0
    percents = [part for part in parts if isinstance(part, str) and part.rstrip().endswith("%")]
    others = [part for part in parts if part not in percents]
    if len(percents) > 1 or len(others) > 1:
        raise ValueError(f'{value!r} is not an increase such as "2%", "10k" or "2% and 10k"')
    for part in percents:
        share = _fraction(part)
    for part in others:
        floor = quantity(figure, part)
    return share, floor


def _fraction(text: str) -> Fraction:
    match = _SHARE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a share such as 75% or 0.75")
    return Fraction(match[1]) / (100 if match[2] else 1)


def _kernel(text: str) -> str:
    if not _KERNEL.fullmatch(text):
        raise ValueError(f'{text!r} is not a kernel size such as "3x3"')
    return text.replace("×", "x")


def _types(rule: str, value: Any, place: Place | None) -> Limit:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError('needs a list of layer types, such as ["Convolution", "ReLU"]')
    if not value:
        raise ValueError("names no layer type")
    from netcount.layers.registry import CATALOGUE

    for name in value:
        if CATALOGUE.get(name) is None:
            raise ValueError(unknown("layer type", name, CATALOGUE))
    side = rule.removesuffix("_types")
    return Limit(rule, side, "types", names=tuple(value), text=", ".join(value), place=place)


def _targets(value: Any) -> Sequence[str]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError('needs a list of targets, such as ["kendryte-k210"]')
    from netcount.targets.shipped import profile  # only who names one pays for it

    for name in value:
        try:
            profile(name)
        except InputError as problem:
            raise ValueError(str(problem)) from None
    return value


def _written(value: Any) -> str:
    return value.strip() if isinstance(value, str) else str(value)
