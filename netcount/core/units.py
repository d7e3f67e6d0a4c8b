"""Numbers as people write them: 387747520 <-> "387.75M", bytes <-> MiB, percent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

FLOAT_BYTES = 4
"""Of a float32, in which Caffe keeps weights and computes."""
_DECIMAL = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))
_BINARY = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_SUFFIXES = {
    "": 1,
    **{name.lower(): factor for name, factor in _DECIMAL},
    **{name.lower(): factor for name, factor in _BINARY},
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
}
_LONGEST = 100
"""Characters of a number with its unit."""
_QUANTITY = (
    r"(?a)\s*([+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z]*)\s*"
)


def _hundredths(value: int, factor: int) -> int:
    """`value` / `factor` in hundredths, rounded half away from zero."""
    magnitude = (abs(value) * 200 + factor) // (2 * factor)
    return magnitude if value >= 0 else -magnitude


def _decimal(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02}"


def _scaled(value: int, steps: tuple[tuple[str, int], ...], space: str) -> str | None:
    for position, (name, factor) in enumerate(steps):
        if abs(value) >= factor:
            rounded = _hundredths(value, factor)
            above = steps[position - 1] if position else None
            if above and abs(rounded) * factor >= above[1] * 100:  # 999,999 is 1.00M
                name, rounded = above[0], _hundredths(value, above[1])
            return f"{_decimal(rounded)}{space}{name}"
    return None


def human(value: int) -> str:
    """A count in k, M (10⁶), G (10⁹), T with two decimals; below 1000 as it is.

    >>> human(387_747_520), human(1_235_496), human(999), human(999_999)
    ('387.75M', '1.24M', '999', '1.00M')
    """
    return _scaled(value, _DECIMAL, "") or str(value)


def human_bytes(value: int) -> str:
    """Bytes in KiB, MiB, GiB with two decimals.

    >>> human_bytes(4_941_984), human_bytes(100)
    ('4.71 MiB', '100 B')
    """
    return _scaled(value, _BINARY, " ") or f"{value} B"


def bytes_of(elements: int, bits: int) -> int:
    """Bytes of `elements` values of `bits` each, packed, rounded up.

    >>> bytes_of(10, 32), bytes_of(10, 6), bytes_of(0, 8)
    (40, 8, 0)
    """
    return -(-elements * bits // 8)


def percent(part: int, whole: int) -> str:
    """`part` of `whole` in percent with two decimals; a dash where there is no whole.

    >>> percent(1, 3), percent(0, 0)
    ('33.33%', '-')
    """
    if not whole:
        return "-"
    return f"{_decimal(_hundredths(part * 100, whole))}%"


def times(value: int, base: int) -> str:
    """How `value` compares with `base`, in words.

    >>> times(86_528_000, 512_000), times(512_000, 86_528_000), times(3, 3), times(1, 0), times(8, 3)
    ('169 times as many', '169 times fewer', 'as many', '-', '2.67 times as many')
    """
    if value == base:
        return "as many"
    if not value or not base:
        return "-"
    if value > base:
        return f"{_ratio(value, base)} times as many"
    return f"{_ratio(base, value)} times fewer"


def _ratio(value: int, base: int) -> str:
    """A ratio with two decimals; a whole number has none."""
    return _decimal(_hundredths(value, base)) if value % base else f"{value // base:,}"


def plural(number: int, noun: str) -> str:
    """A number of things.

    >>> plural(1, "net"), plural(0, "layer"), plural(1234, "limit")
    ('1 net', '0 layers', '1,234 limits')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def parse_quantity(text: str) -> int:
    """A count or number of bytes with an optional unit, rounded to a whole number.

    >>> parse_quantity("1.3M"), parse_quantity("5 MiB"), parse_quantity("1_000"), parse_quantity("2e6")
    (1300000, 5242880, 1000, 2000000)
    """
    from decimal import ROUND_HALF_UP  # not wanted at start-up

    return int(exact_quantity(text).to_integral_value(ROUND_HALF_UP))


def exact_quantity(text: str) -> Decimal:
    """A number with an optional unit, as it is written: "6.1 MiB" is no whole number of bytes.

    Units (any case): k, M, G, T are powers of ten; KiB, MiB, GiB, TiB powers of two; kB, MB, GB,
    TB powers of ten.  A comma only parts thousands.  ValueError says what is wrong.

    >>> exact_quantity("1,234.5k"), exact_quantity("0.5 KiB")
    (Decimal('1234500.0'), Decimal('512.0'))
    >>> exact_quantity("5 parsecs")
    Traceback (most recent call last):
    ValueError: unknown unit 'parsecs' in '5 parsecs'; known are k, M, G, T, B, kB, MB, GB, TB, KiB, MiB, GiB, TiB
    >>> exact_quantity("1,3M")
    Traceback (most recent call last):
    ValueError: '1,3M' is not a number with an optional unit, such as 1.3M or 5 MiB
    """
    match = re.fullmatch(_QUANTITY, text) if len(text) <= _LONGEST else None
    if not match:
        raise ValueError(f"{text!r} is not a number with an optional unit, such as 1.3M or 5 MiB")
    number, unit = match.groups()
    factor = _SUFFIXES.get(unit.lower())
    if factor is None:
        known = "k, M, G, T, B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"
        raise ValueError(f"unknown unit {unit!r} in {text!r}; known are {known}")
    from decimal import Context, Decimal

    digits = number.replace("_", "").replace(",", "")
    return Context(prec=len(digits) + 20).multiply(Decimal(digits), Decimal(factor))
