"""The samples, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import Advice
from netcount.core.files import read_text
from netcount.core.samples import sample_names, sample_path
from netcount.report.formats.fit import BELOW
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import Csv, csv_text

if TYPE_CHECKING:
    from netcount.report import document_types as types


class Sample(NamedTuple):
    """A net that comes with netcount.  about: the first line of its comment."""

    file: str
    about: str
    path: str


def samples() -> list[Sample]:
    """All of them, by name."""
    shipped = []
    for name in sample_names():
        path = sample_path(name) or name
        first = read_text(path).partition("\n")[0]
        shipped.append(Sample(name, first.lstrip("# ").rstrip("."), path))
    return shipped


def samples_report(samples: Sequence[Sample]) -> list[Part]:
    """The table, and what can be done with them."""
    rows = tuple((visible(sample.file), visible(sample.about)) for sample in samples)
    return [
        Table(("sample", "what it is"), (False, False), rows, shrink=((1, BELOW), (0, 20))),
        "",
        "netcount analyze, explain and graph take these names where no such file is; "
        f"netcount samples NAME {Advice('copy', 'FOLDER')} copies them",
    ]


def samples_csv(samples: Sequence[Sample]) -> Csv:
    """A record a sample."""
    return csv_text(Sample._fields, samples)


def samples_document(samples: Sequence[Sample]) -> types.Samples:
    """The JSON document, versioned by its `schema`."""
    return {
        "schema": "netcount/samples/1",
        "samples": [{"file": sample.file, "about": sample.about, "path": sample.path} for sample in samples],
    }
