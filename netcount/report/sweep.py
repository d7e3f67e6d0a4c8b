"""The variants of a sweep, a row each."""

from __future__ import annotations

from typing import Any

from netcount.analysis.sweep import FIGURES, Sweep, Variant
from netcount.core.units import human, human_bytes, plural
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import heading, visible
from netcount.report.tabular import csv_text

SCHEMA = "netcount/sweep/1"
_SHOWN = tuple(key for key in FIGURES if key != "statistics")
_TITLES = {"weight_bytes": "weights", "peak_bytes": "peak"}
_FIELDS = ("width", "resolution", *FIGURES, "fits", "over", "error")


def sweep_report(found: Sweep) -> list[Part]:
    """The table, what fits marked, and the largest that does."""
    rows = []
    for index, variant in enumerate(found.variants):
        figures = ["" if variant.error else _shown(key, getattr(variant, key)) for key in _SHOWN]
        rows.append((variant.width, str(variant.resolution or ""), *figures, _mark(found, index)))
    titles = [_TITLES.get(key, key) for key in _SHOWN]
    right = (True,) * (2 + len(_SHOWN))
    table = Table(("width", "resolution", *titles, ""), (*right, False), tuple(rows), shrink=((7, 4),))
    bounds = [f"{_TITLES.get(key, key)} at most {_shown(key, most)}" for key, most in found.limits.items()]
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
        return "over in " + ", ".join(_TITLES.get(key, key) for key in variant.over)
    return "fits, the largest that does" if index == found.best else "fits"


def _verdict(found: Sweep) -> str:
    if found.best is None:
        return "nothing fits"
    best = found.variants[found.best]
    size = f" at {best.resolution}" if best.resolution else ""
    return (
        f"the largest that fits: width {best.width}{size}, {human(best.madds)} madds, {human(best.params)} params"
    )


def _shown(key: str, value: int) -> str:
    return human_bytes(value) if key.endswith("_bytes") else human(value)


def _record(variant: Variant) -> dict[str, Any]:
    return {
        **variant._asdict(),
        "resolution": str(variant.resolution or ""),
        "fits": variant.fits,
        "over": " ".join(variant.over),
        "error": variant.error or "",
    }


def sweep_csv(found: Sweep) -> str:
    """A record a variant, exact integers."""
    return csv_text(_FIELDS, ([_record(variant)[key] for key in _FIELDS] for variant in found.variants))


def sweep_document(found: Sweep) -> dict[str, Any]:
    """The JSON document, versioned by its `schema`; `best` is an index into `variants`, or null."""
    return {
        "schema": SCHEMA,
        "net": found.net,
        "file": found.file,
        "complete": found.complete,
        "bits": found.bits,
        "limits": found.limits,
        "variants": [
            {
                **variant._asdict(),
                "resolution": list(variant.resolution) if variant.resolution else None,
                "over": list(variant.over),
                "fits": variant.fits,
            }
            for variant in found.variants
        ],
        "best": found.best,
    }
