"""The targets that netcount has profiles of, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.units import plural
from netcount.report.fit import target_document
from netcount.report.formats.fit import BELOW
from netcount.report.formats.layout import Part, Table
from netcount.report.formats.text import visible
from netcount.report.tabular import Csv, csv_text
from netcount.targets.estimate import speed_of
from netcount.targets.fit import Target
from netcount.targets.profile import Profile

if TYPE_CHECKING:
    from netcount.report import document_types as types

_FIELDS = ("target", "name", "toolchain", "version", "types", "rules", "estimate", "reliability", "sources")


def targets_report(profiles: Sequence[Profile]) -> list[Part]:
    """A row a target, then where each one's rules come from."""
    rows = tuple(
        (
            visible(one.id),
            visible(one.name),
            visible(f"{one.toolchain} {one.version}"),
            str(rules_of(one)),
            "yes" if estimates(one) else "no",
            visible(one.reliability),
        )
        for one in profiles
    )
    table = Table(
        ("target", "what it is", "tool-chain", "rules", "estimate", "reliability"),
        (False, False, False, True, False, False),
        rows,
        shrink=((5, BELOW), (1, BELOW), (2, BELOW)),
    )
    sources: dict[tuple[str, ...], list[str]] = {}
    for one in profiles:
        sources.setdefault(one.sources, []).append(one.id)
    lines = [visible(f"{', '.join(ids)}: {'; '.join(texts)}") for texts, ids in sources.items()]
    return [table, "", "sources", *lines, "", plural(len(profiles), "target")]


def estimates(profile: Profile) -> bool:
    """Whether a time can be estimated, if only on one of the boards."""
    return any(speed_of(profile, board) is not None for board in (None, *profile.boards))


def rules_of(profile: Profile) -> int:
    """Conditions on layers, the file and memories."""
    return sum(len(rule.bounds) for rule in (*profile.rules, *profile.file_rules)) + len(profile.banks)


def targets_csv(profiles: Sequence[Profile]) -> Csv:
    """A record a target."""
    return csv_text(
        _FIELDS,
        (
            (
                one.id,
                one.name,
                one.toolchain,
                one.version,
                len(one.types.accepted) + len(one.types.passed),
                rules_of(one),
                int(estimates(one)),
                one.reliability,
                "; ".join(one.sources),
            )
            for one in profiles
        ),
    )


def targets_document(profiles: Sequence[Profile]) -> types.Targets:
    """The JSON document, versioned by its `schema`."""
    return {
        "schema": "netcount/targets/1",
        "targets": [
            {
                **target_document(Target.of(one)),
                "types": sorted(one.types.accepted | one.types.passed),
                "rules": rules_of(one),
                "precisions": list(one.precisions),
                "boards": [board.name for board in one.boards],
                "estimate": estimates(one),
            }
            for one in profiles
        ],
    }
