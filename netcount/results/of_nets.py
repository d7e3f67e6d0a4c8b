"""The answers to questions about several nets: variants of one, two side by side, many."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from netcount.analysis._support.record import RECORD, record
from netcount.analysis.compare import Comparison as ComparisonValue
from netcount.analysis.figures import MAIN, SWEPT
from netcount.analysis.survey import Survey as SurveyValue
from netcount.analysis.sweep import Sweep as SweepValue
from netcount.core.units import plural
from netcount.engines.timing import Measured
from netcount.engines.timing import Timing as TimingValue
from netcount.results.result import Result, frame_of

if TYPE_CHECKING:
    import pandas as pd

_SWEPT = tuple(figure.key for figure in SWEPT)
_MAIN = tuple(figure.key for figure in MAIN)


class Sweep(Result, SweepValue):
    """What a net costs at many widths and resolutions.

    Attributes:
        net: The name of the net.
        file: Where it was read.
        bits: Of a value in memory.
        limits: The largest value of a figure that was allowed, by figure.
        variants: A `Variant` a width and resolution.
        best: The index of the largest variant that fits, or None.
        warnings: Of the net as it stands in the file.
        complete: Whether the costs of all its layers are known.
        searches: A `Search` for each largest width, or resolution, that was searched.
    """

    __slots__ = ()
    question = "sweep"

    def _line(self) -> str:
        fitting = sum(variant.fits for variant in self.variants)
        verdict = f", {fitting} fit" if self.limits else ""
        return f"of {self.net!r}: {plural(len(self.variants), 'variant')}{verdict}"

    def to_frame(self) -> pd.DataFrame:
        """A row a variant: `width` as a factor, `resolution` as (height, width), the figures, what is over."""
        return frame_of(
            ("width", "resolution", *_SWEPT, "over", "error", "fits"),
            (
                {
                    "width": float(Fraction(variant.width)),
                    "resolution": tuple(variant.resolution) if variant.resolution else None,
                    **{key: variant.figures.get(key) for key in _SWEPT},
                    "over": variant.over,
                    "error": variant.error,
                    "fits": variant.fits,
                }
                for variant in self.variants
            ),
        )


class Comparison(Result, ComparisonValue):
    """What changed between nets.

    Attributes:
        nets: `NetFacts` of each, the first being what the others are compared with.
        changes: For each of the others its `LayerChange`s, dearest first.
        versions: For each of the others whether it is a version of the first; else no layers are paired.
    """

    __slots__ = ()
    question = "compare"

    def _line(self) -> str:
        numbers = ", ".join(
            f"{plural(len(changes), 'layer')} {'differs' if len(changes) == 1 else 'differ'}"
            for changes in self.changes
        )
        return f"of {' and '.join(repr(net.label) for net in self.nets)}: {numbers}"

    def to_frame(self) -> pd.DataFrame:
        """A row a changed layer: kind, layer, type, fields, figures before and after.

        `df.attrs` has the totals of the first net under "before" and of the last under "after".  With more than
        two nets the column `net` says which one a row is about.
        """
        frame = frame_of(("net", *RECORD) if len(self.nets) > 2 else RECORD, self._records())
        frame.attrs.update(before=dict(self.nets[0].totals), after=dict(self.nets[-1].totals))
        return frame

    def _records(self) -> Iterator[dict[str, Any]]:
        for net, changes in zip(self.nets[1:], self.changes, strict=True):
            for change in changes:
                yield {
                    "net": net.label,
                    **record(change),
                    "tops_was": change.before.tops if change.before else (),
                    "tops": change.after.tops if change.after else (),
                }


class Survey(Result, SurveyValue):
    """What many nets cost.

    Attributes:
        rows: A `SurveyRow` a file, in the order of the files.
        interrupted: Whether it was stopped before all were counted.
    """

    __slots__ = ()
    question = "survey"

    def _line(self) -> str:
        failed = sum(bool(row.error) for row in self.rows)
        errors = f", {plural(failed, 'file')} with errors" if failed else ""
        return f"of {plural(len(self.rows) - failed, 'net')}{errors}"

    def to_frame(self) -> pd.DataFrame:
        """A row a file; where it has an error there are no figures."""
        return frame_of(
            ("file", "net", "phase", "input", "layers", *_MAIN, "warnings", "complete", "error"),
            (
                {"file": row.file, "error": row.error}
                if row.error
                else {
                    "file": row.file,
                    "net": row.net,
                    "phase": row.phase,
                    "input": row.input,
                    "layers": row.layers,
                    **row.figures,
                    "warnings": row.warnings,
                    "complete": row.complete,
                    "error": None,
                }
                for row in self.rows
            ),
        )


class Timing(Result, TimingValue):
    """How long nets take in engines.

    Attributes:
        nets: A `TimedNet` a net.
        runs: A `Measured` a net and engine.
        machine: The `Machine` it was measured on.
        threads: Of each engine.
        rounds: How often each net ran in each engine, in turn.
        warm_up: How often it ran before.
        complete: Whether every net ran in every engine.
    """

    __slots__ = ()
    question = "time"

    def _line(self) -> str:
        engines = dict.fromkeys(run.engine for run in self.runs)
        return f"of {plural(len(self.nets), 'net')} in {', '.join(engines)}"

    def to_frame(self) -> pd.DataFrame:
        """A row a net and engine; where there is an error there are no figures."""
        return frame_of(
            ("file", "net", "madds", "engine", "version", "median", "minimum", "spread", "gmacs_per_second",
             "peak_bytes", "difference", "error"),
            (
                {
                    "file": self.nets[run.net].file,
                    "net": self.nets[run.net].net,
                    "madds": self.nets[run.net].madds,
                    "engine": run.engine,
                    "version": run.version,
                    "error": run.error,
                    **self._figures(run),
                }
                for run in self.runs
            ),
        )  # fmt: skip

    def _figures(self, run: Measured) -> dict[str, Any]:
        if run.error is not None:
            return {}
        return {
            "median": run.median,
            "minimum": run.minimum,
            "spread": run.spread,
            "gmacs_per_second": self.gmacs_per_second(run),
            "peak_bytes": run.peak_bytes,
            "difference": run.difference,
        }
