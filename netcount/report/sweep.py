"""The variants of a sweep, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from netcount.analysis.figures import FIGURES, SWEPT
from netcount.analysis.sweep import Axis, Search, Sweep, Variant
from netcount.core.units import human, plural
from netcount.report.formats.amounts import amount
from netcount.report.formats.fit import BELOW
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types

_SHOWN = tuple(figure for figure in SWEPT if figure.brief)
_FIELDS = ("width", "resolution", *(figure.key for figure in SWEPT), "fits", "over", "error")


def sweep_report(sweep: Sweep) -> list[Part]:
    """The table, what fits marked, and the largest that does."""
    rows = []
    for index, variant in enumerate(sweep.variants):
        figures = ["" if variant.error else amount(figure.key, variant.figures[figure.key]) for figure in _SHOWN]
        rows.append((variant.width, str(variant.resolution or ""), *figures, _mark(sweep, index)))
    titles = [figure.heading for figure in _SHOWN]
    right = (True,) * (2 + len(_SHOWN))
    table = Table(
        ("width", "resolution", *titles, ""), (*right, False), tuple(rows), shrink=((2 + len(_SHOWN), BELOW),)
    )
    bounds = [f"{FIGURES[key].heading} at most {amount(key, most)}" for key, most in sweep.limits.items()]
    parts: list[Part] = [
        heading(
            sweep.net,
            sweep.file,
            plural(len(sweep.variants), "variant"),
            f"{plural(sweep.bits, 'bit')} a value",
            *_searched(sweep),
            *bounds,
        ),
        "",
        table,
    ]
    if sweep.searches:
        parts += ["", *(_answer(sweep, search) for search in sweep.searches)]
    elif bounds:
        parts += ["", _verdict(sweep)]
    parts += [f"warning: width {v.width}: {visible(v.error)}" for v in sweep.variants if v.error]
    return parts


def _searched(sweep: Sweep) -> list[str]:
    if not sweep.searches:
        return []
    counted = sum(search.counted for search in sweep.searches)
    return [f"steps of {sweep.searches[0].step}", f"{counted:,} counted"]


def _mark(sweep: Sweep, index: int) -> str:
    variant = sweep.variants[index]
    if variant.error:
        return "impossible"
    if not sweep.limits:
        return ""
    if variant.over:
        return "over in " + ", ".join(FIGURES[key].heading for key in variant.over)
    if any(index == search.fits for search in sweep.searches):
        return "fits, the next step does not"
    return "fits, the largest that does" if index == sweep.best else "fits"


def _verdict(sweep: Sweep) -> str:
    if sweep.best is None:
        return "nothing fits"
    best = sweep.variants[sweep.best]
    size = f" at {best.resolution}" if best.resolution else ""
    return (
        f"the largest that fits: width {best.width}{size}, {human(best.madds)} madds, {human(best.params)} params"
    )


def _answer(sweep: Sweep, search: Search) -> str:
    """Both sides of what a search found."""
    axis, fits, over = search.axis, *(None if i is None else sweep.variants[i] for i in (search.fits, search.over))
    beside = _beside(axis, fits or over)
    if over is None:
        return f"{axis} {_value(axis, fits)} fits{beside}; nothing larger was found"
    costs = ", ".join(f"{amount(key, over.figures[key])} {FIGURES[key].heading}" for key in over.over)
    if fits is None:
        return f"no {axis} fits{beside}; the smallest, {_value(axis, over)}, has {costs}"
    return f"{axis} {_value(axis, fits)} fits{beside}; the next, {_value(axis, over)}, does not: {costs}"


def _value(axis: Axis, variant: Variant | None) -> str:
    if variant is None:
        return ""
    return variant.width if axis == "width" else str(variant.resolution)


def _beside(axis: Axis, variant: Variant | None) -> str:
    """At what the other axis stands."""
    if variant is None:
        return ""
    if axis == "resolution":
        return f" at width {variant.width}"
    return f" at {variant.resolution}" if variant.resolution else ""


def _record(variant: Variant) -> dict[str, Any]:
    return {
        "width": variant.width,
        **_figures(variant),
        "resolution": str(variant.resolution or ""),
        "fits": variant.fits,
        "over": " ".join(variant.over),
        "error": variant.error or "",
    }


def _figures(variant: Variant) -> dict[str, int]:
    return {figure.key: variant.figures.get(figure.key, 0) for figure in SWEPT}


def sweep_csv(sweep: Sweep) -> Csv:
    """A record a variant, exact integers."""
    return csv_text(_FIELDS, ([_record(variant)[key] for key in _FIELDS] for variant in sweep.variants))


def _variant(variant: Variant) -> types.Variant:
    values: dict[str, Any] = {
        "width": variant.width,
        "resolution": list(variant.resolution) if variant.resolution else None,
        **_figures(variant),
        "over": list(variant.over),
        "error": variant.error,
        "fits": variant.fits,
    }
    return cast("types.Variant", values)


def sweep_document(sweep: Sweep) -> types.Sweep:
    """The JSON document, versioned by its `schema`; `best` is an index into `variants`, or null."""
    return {
        "schema": "netcount/sweep/1",
        "net": sweep.net,
        "file": sweep.file,
        "complete": sweep.complete,
        "bits": sweep.bits,
        "limits": cast("types.SweepLimits", sweep.limits),
        "variants": [_variant(variant) for variant in sweep.variants],
        "best": sweep.best,
        "searches": [_search(search) for search in sweep.searches],
    }


def _search(search: Search) -> types.Search:
    return {
        "axis": search.axis,
        "step": search.step,
        "fits": search.fits,
        "over": search.over,
        "counted": search.counted,
    }
