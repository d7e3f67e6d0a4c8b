"""What in a net costs and does nothing, without what its writer does not want to hear."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple, TypeAlias

from netcount.analysis._support.smells import CODES, LintFinding, smells
from netcount.analysis.count import Count
from netcount.core.errors import InputError, NetcountError, Place, raise_all
from netcount.core.exit_codes import DONE, FAILED, INCOMPLETE
from netcount.core.suggest import unknown
from netcount.core.units import plural
from netcount.graph.graph import Graph
from netcount.prototxt.tree import Source
from netcount.prototxt.written import comment_spans

FailOn: TypeAlias = Literal["note", "warning", "never"]
"""From which level on a finding makes the exit code 1."""

_IGNORE = re.compile(r"#\s*netcount:\s*ignore\b\s*(.*)", re.S)


class Lint(NamedTuple):
    """The whole answer.

    Attributes:
        counted: The net.
        findings: In the order of the file.
        ignored: How many more were switched off.
        fail_on: From which level on it fails.
        target: What the channels were held against; empty without one.
    """

    counted: Count
    findings: tuple[LintFinding, ...]
    ignored: int
    fail_on: FailOn = "note"
    target: str = ""

    @property
    def warnings(self) -> int:
        """How many findings are more than advice."""
        return sum(finding.level == "warning" for finding in self.findings)

    @property
    def complete(self) -> bool:
        """False where the cost of an assumed layer is missing."""
        return self.counted.net.complete

    @property
    def exit_code(self) -> int:
        """FAILED where something of the wanted level was seen, INCOMPLETE where a layer was assumed, else DONE."""
        failing = {"note": len(self.findings), "warning": self.warnings, "never": 0}[self.fail_on]
        if failing:
            return FAILED
        return DONE if self.complete else INCOMPLETE

    @property
    def verdict(self) -> str:
        """The sum in words."""
        notes = len(self.findings) - self.warnings
        parts = [plural(number, what) for number, what in ((self.warnings, "warning"), (notes, "note")) if number]
        ignored = f" ({self.ignored} more ignored)" if self.ignored else ""
        return f"{' and '.join(parts) or 'nothing to report'}{ignored}"


def lint(
    counted: Count,
    ignore: Collection[str] = (),
    *,
    multiple: int = 0,
    target: str = "",
    fail_on: FailOn = "note",
) -> Lint:
    """Look for all codes but those in `ignore`, and those that a comment of the file switches off.

    Args:
        counted: The net.
        ignore: Codes that are not wanted anywhere.
        multiple: What the channels of learned layers should be a multiple of; 0: any number will do.
        target: Whose multiple it is.
        fail_on: From which level on it fails.

    Raises:
        InputError: There is no such code; of one in a comment the place is the comment's.
    """
    for code in ignore:
        check_code(code)
    switched_off = _switched_off(counted.net)
    findings, ignored = [], 0
    for finding in smells(counted, multiple):
        if finding.code in ignore or (finding.offset, finding.code) in switched_off:
            ignored += 1
        else:
            findings.append(finding)
    return Lint(counted, tuple(findings), ignored, fail_on, target)


def check_code(code: str, place: Place | None = None) -> None:
    """Refuse what is no code."""
    if code not in CODES:
        raise InputError(unknown("code", code, CODES, show_all=True), place)


def _switched_off(net: Graph) -> set[tuple[int, str]]:
    """The layers, by the offsets of their messages, and the codes that a comment in them, on a line of theirs, or
    alone on the lines above them switches off."""
    switched_off: set[tuple[int, str]] = set()
    problems: list[NetcountError] = []
    sources = {id(node.message.tree.source): node.message.tree.source for node in net.nodes}
    for source in sources.values():
        if "netcount:" not in source.text:
            continue
        spans = [
            (node.message.tree.offset, source.line(node.message.tree.offset), source.line(node.message.tree.end))
            for node in net.nodes
            if node.message.tree.source is source
        ]
        comments = list(_comments(source))
        lines = [line for line, *_ in comments]
        inside: dict[int, list[int]] = {}  # the layers on a line with a comment
        for offset, first, last in spans:
            for line in lines[bisect_left(lines, first) : bisect_right(lines, last)]:
                inside.setdefault(line, []).append(offset)
        starts = sorted((first, offset) for offset, first, _ in spans)
        for line, codes, alone, place in comments:
            for code in codes:
                try:
                    check_code(code, place)
                except InputError as problem:
                    problems.append(problem)
            below = bisect_left(starts, (line + 1, -1)) if alone else len(starts)
            layers = inside.get(line) or [offset for _, offset in starts[below : below + 1]]
            switched_off.update((offset, code) for offset in layers for code in codes)
    raise_all(problems)
    return switched_off


def _comments(source: Source) -> Iterator[tuple[int, list[str], bool, Place]]:
    """Of each comment that switches codes off: its line, the codes, whether it is alone on its line, its place."""
    for start, end in comment_spans(source.text):
        match = _IGNORE.fullmatch(source.text[start:end])
        if match is None:
            continue
        place = source.place(start)
        codes = [code for code in re.split(r"[,\s]+", match[1]) if code]
        if not codes:
            raise InputError("say which code to ignore: # netcount: ignore CODE", place)
        before = source.text[source.text.rfind("\n", 0, start) + 1 : start]
        yield place.line, codes, not before.strip(), place
