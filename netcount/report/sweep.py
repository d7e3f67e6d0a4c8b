"""The variants of a sweep, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from netcount.analysis.figures import FIGURES, SWEPT
from netcount.analysis.sweep import Sweep, Variant
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


def sweep_report(found: Sweep) -> list[Part]:
    """The table, what fits marked, and the largest that does."""
    rows = []
    for index, variant in enumerate(found.variants):
        figures = ["" if variant.error else amount(figure.key, variant.figures[figure.key]) for figure in _SHOWN]
        rows.append((variant.width, str(variant.resolution or ""), *figures, _mark(found, index)))
    titles = [figure.heading for figure in _SHOWN]
    right = (True,) * (2 + len(_SHOWN))
    table = Table(
        ("width", "resolution", *titles, ""), (*right, False), tuple(rows), shrink=((2 + len(_SHOWN), BELOW),)
    )
    bounds = [f"{FIGURES[key].heading} at most {amount(key, most)}" for key, most in found.limits.items()]
    parts: list[Part] = [
        heading(
            found.net,
            found.file,
            plural(len(found.variants), "variant"),
            f"{plural(found.bits, 'bit')} a value",
            *bounds,
        ),
        "",
        table,
    ]
    if bounds:
        parts += ["", _verdict(found)]
    parts += [f"warning: width {v.width}: {visible(v.error)}" for v in found.variants if v.error]
    return parts


def _mark(found: Sweep, index: int) -> str:
    variant = found.variants[index]
    if variant.error:
        return "impossible"
    if not found.limits:
        return ""
    if variant.over:
        return "over in " + ", ".join(FIGURES[key].heading for key in variant.over)
    return "fits, the largest that does" if index == found.best else "fits"


def _verdict(found: Sweep) -> str:
    if found.best is None:
        return "nothing fits"
    best = found.variants[found.best]
    size = f" at {best.resolution}" if best.resolution else ""
    return (
        f"the largest that fits: width {best.width}{size}, {human(best.madds)} madds, {human(best.params)} params"
    )


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


def sweep_csv(found: Sweep) -> Csv:
    """A record a variant, exact integers."""
    return csv_text(_FIELDS, ([_record(variant)[key] for key in _FIELDS] for variant in found.variants))


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


def sweep_document(found: Sweep) -> types.Sweep:
    """The JSON document, versioned by its `schema`; `best` is an index into `variants`, or null."""
    return {
        "schema": "netcount/sweep/1",
        "net": found.net,
        "file": found.file,
        "complete": found.complete,
        "bits": found.bits,
        "limits": cast("types.SweepLimits", found.limits),
        "variants": [_variant(variant) for variant in found.variants],
        "best": found.best,
    }
