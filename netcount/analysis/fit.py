"""The largest width, or resolution, at which a net keeps to some limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from netcount.analysis._support.resolutions import Resolution, image_inputs
from netcount.analysis._support.scales import MOST_WIDTH
from netcount.analysis._support.search import largest
from netcount.analysis.rescale import Rescaler
from netcount.analysis.sweep import Axis, Search, Sweep, Variant, checked_limits, swept, variant_of
from netcount.core.errors import InputError

MOST_SIZE = 2**15
"""The largest height of an image that is searched."""
MOST_PARTS = 10**6
"""Into how many steps 1 can be divided."""


def fit(
    rescaler: Rescaler,
    axis: Axis,
    others: Sequence[str | float | Resolution | int] = (),
    *,
    limits: Mapping[str, int],
    step: Fraction | str | float | None = None,
    multiple: int = 1,
    bits: int = 32,
) -> Sweep:
    """Search the largest width, or resolution, that keeps to every limit, once for each of `others`.

    The figures grow with both, but for what rounding does; so the search bisects, and looks at the next
    step above its answer, which does not fit.

    Args:
        rescaler: The net.
        axis: "width", or "resolution": heights, with widths in the proportion of the file's image.
        others: The resolutions, or the widths, to search at; those of the file when there are none.
        limits: As for `sweep`; at least one.
        step: Widths are multiples of it (default: 0.001), heights too (default: 1).
        multiple: As for `sweep`.
        bits: As for `sweep`.

    Raises:
        InputError: There is no limit, the step is none, the net has no image, or too many variants
            are impossible.
    """
    bounds = checked_limits(limits)
    if not bounds:
        raise InputError("the largest that fits needs a limit to fit", argument="limits")
    steps = _steps(rescaler, axis, step)
    variants: list[Variant] = []
    searches = []
    for other in others or (None,):
        looked: dict[int, Variant] = {}

        def fits(index: int, other: Any = other, looked: dict[int, Variant] = looked) -> bool | None:
            width, size = steps.at(index, other)
            looked[index] = variant_of(rescaler, width, size, multiple=multiple, bits=bits, bounds=bounds)
            return None if looked[index].error else looked[index].fits

        result = largest(fits, steps.start, steps.most)
        if (result.over is None and result.fits is None) or (result.over is not None and result.exhausted):
            first = next(variant for variant in looked.values() if variant.error)
            raise InputError(
                f"no {axis} that fits was found: {len(looked)} variants were looked at, and most are impossible; "
                f"{axis} {first.width if axis == 'width' else first.resolution}: {first.error}",
                argument="fit",
            )
        ends = []
        for index in (result.fits, result.over):
            ends.append(None if index is None else len(variants))
            variants += [] if index is None else [looked[index]]
        searches.append(Search(axis, steps.text, ends[0], ends[1], len(looked)))
    return swept(rescaler, bits, bounds, variants, tuple(searches))


class _Steps(NamedTuple):
    """The candidates of a search: multiples of a step, from the file's own size on."""

    axis: Axis
    step: Fraction
    start: int
    most: int
    image: Resolution

    @property
    def text(self) -> str:
        return _decimal(self.step)

    def at(self, index: int, other: Any) -> tuple[str, Resolution | None]:
        """Width and resolution of a candidate; `other` is the one that is not searched."""
        value = index * self.step
        if self.axis == "width":
            return _decimal(value), Resolution(other, other) if isinstance(other, int) else other
        high = int(value)
        wide = max(1, (2 * high * self.image.wide + self.image.high) // (2 * self.image.high))
        return str(other or "1"), Resolution(high, wide)


def _steps(rescaler: Rescaler, axis: Axis, step: Fraction | str | float | None) -> _Steps:
    try:
        each = Fraction(str(step)) if step is not None else Fraction(1, 1000) if axis == "width" else Fraction(1)
    except (ValueError, ZeroDivisionError):
        each = Fraction(0)
    whole = axis == "width" or each.denominator == 1
    if not (whole and each > 0) or each.denominator > MOST_PARTS or each > MOST_SIZE:
        kind = "a number above 0 such as 0.01" if axis == "width" else "a positive whole number"
        raise InputError(f"a step of {axis}s is {kind}, not {step}", argument="step")
    if axis == "width":
        return _Steps(axis, each, max(1, int(1 / each)), max(1, int(MOST_WIDTH / each)), Resolution(1, 1))
    image = Resolution(*image_inputs(rescaler.net)[0].shape[2:])
    if 0 in image:
        raise InputError(f"{rescaler.net.file}: an image of {image} has no size to change")
    return _Steps(axis, each, max(1, int(image.high / each)), max(1, int(MOST_SIZE / each)), image)


def _decimal(value: Fraction) -> str:
    """A fraction as people write it: 0.125, or 1/3 where there is no decimal that is equal."""
    text = f"{float(value):.9f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value else str(value)
