"""Widths and resolutions as callers give them: numbers, texts such as "1/3" and "160x320", pairs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from netcount.analysis._support.resolutions import Resolution
from netcount.core.arguments import refuse, whole_or_none

if TYPE_CHECKING:
    from fractions import Fraction

MOST_WIDTH = 100
_FACTOR = r"(?:[0-9]{1,9}(?:\.[0-9]{0,18})?|\.[0-9]{1,18}|[0-9]{1,9}/[1-9][0-9]{0,8})"
_SIZE = r"([0-9]{1,10})(?:[x×]([0-9]{1,10}))?"


def width_factor(argument: str, value: object) -> Fraction:
    """A factor above 0 and at most 100; a text such as "1/3" is exact."""
    from fractions import Fraction  # 8 ms that only commands with factors need
    from numbers import Real

    if isinstance(value, str):
        text = value.strip()
        if not re.fullmatch(_FACTOR, text):
            refuse(argument, f"a factor is a number such as 0.75, not {text!r}")
        factor = Fraction(text)
    else:
        text = repr(value)
        if isinstance(value, bool) or not isinstance(value, Real):
            refuse(argument, f'a factor is a number such as 0.75, or a text such as "1/3", not {text}')
        try:
            text = str(value)
            factor = Fraction(text)  # as it is written: 0.1 is a tenth
        except ValueError:
            refuse(argument, f"a factor is a number such as 0.75, not {text}")
    if not 0 < factor <= MOST_WIDTH:
        refuse(argument, f"a factor is above 0 and at most {MOST_WIDTH}, not {text}")
    return factor


def image_size(argument: str, value: Any) -> Resolution:
    """A height and a width: one number for both, a pair, or a text such as "160x320"."""
    if isinstance(value, str):
        size = re.fullmatch(_SIZE, value.strip())
        if not size:
            refuse(argument, f"a resolution is N or HxW, such as 160, not {value.strip()!r}")
        pair: list[int | None] = [int(size[1]), int(size[2] or size[1])]
        shown = value.strip()
    else:
        extents = [value, value] if whole_or_none(value) is not None else value
        if not isinstance(extents, (list, tuple)) or len(extents) != 2:
            refuse(argument, f"a resolution is a whole number or (height, width), not {value!r}")
        pair = [whole_or_none(extent) for extent in extents]
        shown = repr(value)
    high, wide = pair
    if high is None or wide is None or not (0 < high < 2**31 and 0 < wide < 2**31):
        refuse(argument, f"height and width are positive numbers below 2^31, not {shown}")
    return Resolution(high, wide)


def several(argument: str, value: Any) -> list[Any]:
    """The values of a list; one value alone is a list of one."""
    if value is None:
        return []
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)
