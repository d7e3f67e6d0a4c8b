"""A net at many widths and resolutions: what each variant costs, and which fit a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from threading import local
from typing import Any, Literal, NamedTuple, TypeAlias

from netcount.analysis._support.futures import result_of
from netcount.analysis._support.resolutions import Resolution, image_inputs
from netcount.analysis.figures import SWEPT, Figured
from netcount.analysis.rescale import Recipe, Rescaler
from netcount.core.errors import InputError, Spelling, Warned, spelled, spelling
from netcount.core.suggest import unknown

Axis: TypeAlias = Literal["width", "resolution"]
"""What a search goes along."""

LIMITED = tuple(figure.key for figure in SWEPT)
"""Figures that may have a largest value, inclusive."""


@dataclass(frozen=True, slots=True)
class Variant(Figured):
    """One width at one resolution (height and width of the image; None: the net has no image).

    figures: those of a sweep, by key.  over: the figures that are over their limits.
    error: why there is no such variant; it has no figures then.
    """

    width: str
    resolution: Resolution | None
    figures: Mapping[str, int] = field(default_factory=dict)
    over: tuple[str, ...] = ()
    error: str | None = None

    @property
    def fits(self) -> bool:
        """Whether the variant exists and keeps to every limit."""
        return self.error is None and not self.over


class Search(NamedTuple):
    """What a search for the largest width, or resolution, found; both sides of it are variants of the sweep.

    Attributes:
        axis: What was searched.
        step: Its steps.
        fits: The index of the largest variant that fits; None where none does.
        over: The index of the next larger variant there is, which does not fit; None where there is none: the
            largest fits, or of what is larger nothing was found that is possible.
        counted: How many variants were counted.
    """

    axis: Axis
    step: str
    fits: int | None
    over: int | None
    counted: int


class Sweep(NamedTuple):
    """All variants, widths in the order given and resolutions within each; of searches what they found.

    best: the index of the largest variant that fits (most madds, then most params), or None.
    warnings, complete: of the net as it stands in the file.
    """

    net: str
    file: str
    bits: int
    limits: dict[str, int]
    variants: tuple[Variant, ...]
    best: int | None
    warnings: tuple[Warned, ...]
    complete: bool
    searches: tuple[Search, ...] = ()


def sweep(
    rescaler: Rescaler,
    widths: Sequence[str | float] = ("1",),
    resolutions: Sequence[Resolution | int] = (),
    *,
    limits: Mapping[str, int] | None = None,
    multiple: int = 1,
    bits: int = 32,
    executor: Executor | None = None,
    on_variant: Callable[[Variant], None] | None = None,
) -> Sweep:
    """Count every combination of `widths` and `resolutions` (that of the file when there are none).

    limits: the largest value of a figure in LIMITED.  bits: of weights and activations in bytes.
    multiple: as for `Rescaler.rescaled`.  executor: what counts the variants; here and one by one
    without.  A variant that a constant in the file makes impossible has its error in its row.
    InputError for an unknown limit.
    """
    bounds = checked_limits(limits)
    sizes: list[Resolution | None] = [Resolution(s, s) if isinstance(s, int) else s for s in resolutions]
    asked = [(str(width), size) for width in widths for size in sizes or [None]]
    task = partial(variant_of, rescaler, multiple=multiple, bits=bits, bounds=bounds)
    variants = []
    for variant in (task(*one) for one in asked) if executor is None else _on(executor, rescaler, task, asked):
        variants.append(variant)
        if on_variant is not None:
            on_variant(variant)
    return swept(rescaler, bits, bounds, variants)


def checked_limits(limits: Mapping[str, int] | None) -> dict[str, int]:
    """Limits on figures that have some; InputError otherwise."""
    for key in limits or {}:
        if key not in LIMITED:
            raise InputError(unknown("limit on", key, LIMITED, show_all=True), argument="limits")
    return dict(limits or {})


def swept(
    rescaler: Rescaler,
    bits: int,
    bounds: dict[str, int],
    variants: Sequence[Variant],
    searches: tuple[Search, ...] = (),
) -> Sweep:
    """The sweep that some variants make, with the largest of them that fits."""
    fitting = [index for index, variant in enumerate(variants) if variant.fits]
    best = max(fitting, key=lambda i: (variants[i].madds, variants[i].params), default=None)
    net = rescaler.net
    return Sweep(net.name, net.file, bits, bounds, tuple(variants), best, net.warnings, net.complete, searches)


def _on(
    executor: Executor,
    rescaler: Rescaler,
    task: partial[Variant],
    asked: Sequence[tuple[str, Resolution | None]],
) -> Iterator[Variant]:
    """The variants in their order.  What travels to a worker is the text, which it reads for itself."""
    far = partial(_far_variant, rescaler.recipe, spelling(), **task.keywords)
    futures: list[Future[Variant]] = []
    try:
        futures += [executor.submit(far, *one) for one in asked]
        for future in futures:
            yield result_of(future)
    finally:
        for future in futures:
            future.cancel()


def _far_variant(recipe: Recipe, words: Spelling, width: str, size: Resolution | None, **more: Any) -> Variant:
    """A variant where nothing but the recipe of its rescaler is at hand."""
    latest: tuple[Recipe, Rescaler] | None = getattr(_here, "latest", None)
    if latest is None or latest[0] != recipe:
        latest = _here.latest = recipe, recipe.rescaler()
    with spelled(words):
        return variant_of(latest[1], width, size, **more)


_here = local()
"""The rescaler that a worker's thread used last: the next variant is of the same net."""


def variant_of(
    rescaler: Rescaler,
    width: str,
    size: Resolution | None,
    *,
    multiple: int,
    bits: int,
    bounds: Mapping[str, int],
) -> Variant:
    """One variant, counted; with its error where there is no such net."""
    try:
        counted = rescaler.counted(Fraction(width), size, multiple)
    except InputError as problem:
        return Variant(width, size, error=str(problem))
    net = counted.net
    if size is None and any(len(net.blobs[index].shape) == 4 for index in net.inputs):
        size = Resolution(*image_inputs(net)[0].shape[2:])
    figures = {figure.key: figure.at(figure.of(counted), bits) for figure in SWEPT}
    over = tuple(key for key, most in bounds.items() if figures[key] > most)
    return Variant(width, size, figures, over)
