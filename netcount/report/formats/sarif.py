"""SARIF 2.1.0, as code-scanning services read it: a result for everything that is broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from netcount.analysis.figures import FIGURES, SHARES
from netcount.budget.budget import Checked
from netcount.report.check import INCOMPLETE_TEXT, details, summary
from netcount.report.formats.text import within

VERSION = "2.1.0"
HOME = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def sarif(nets: Sequence[Checked], version: str, root: str = "") -> dict[str, Any]:
    """The log of one run.  root: the folder of the checkout, which files are named from.

    Rule ids are stable: "netcount/" and the limit's key, whatever its value; besides them there are
    "netcount/incomplete" and "netcount/input".
    """
    results = [result for net in nets for result in _results(net, root)]
    ids = list(dict.fromkeys(result["ruleId"] for result in results))
    for result in results:
        result["ruleIndex"] = ids.index(result["ruleId"])
    driver = {
        "name": "netcount",
        "version": version,
        "semanticVersion": version,
        "rules": [{"id": rule, "shortDescription": {"text": _about(rule)}} for rule in ids],
    }
    return {
        "$schema": HOME,
        "version": VERSION,
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _results(net: Checked, root: str) -> list[dict[str, Any]]:
    found = []
    own = _artifact(net.file, root)
    for problem in net.problems:
        place = problem.place
        line, column = (place.line, place.column) if place else (0, 0)
        file = place.file if place else net.file
        found.append(_result("input", "error", problem.message, net.label, _artifact(file, root), line, column))
    for item in net.findings:
        if not item.passed:
            level = "error" if item.level == "error" else "warning"
            text = "\n".join([summary(net, item), *details(net, item)])
            limit = item.limit
            key = "/".join(part for part in (net.label, limit.kernel, item.layer) if part)
            found.append(_result(limit.rule, level, text, key, own, item.line))
    if net.incomplete:
        text = f"{net.title}: {INCOMPLETE_TEXT}"
        found.append(_result("incomplete", "error", text, net.label, own, 1))
    return found


def _result(
    rule: str, level: str, text: str, key: str, artifact: dict[str, str], line: int, column: int = 0
) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": artifact}
    if line:
        location["region"] = {"startLine": line, **({"startColumn": column} if column else {})}
    return {
        "ruleId": f"netcount/{rule}",
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"netcount/1": f"{rule}:{key}"},
    }


def _artifact(file: str, root: str) -> dict[str, str]:
    """A file's location: relative to the checkout, or a file: address outside of it."""
    path = within(root, file)
    if PurePath(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}


def _about(rule: str) -> str:
    name = rule.removeprefix("netcount/")
    if name == "input":
        return "The net cannot be read or counted."
    if name == "incomplete":
        return "The cost of layers with assumed shapes is missing."
    if name.endswith("_types"):
        return f"The layer types a net may have: {name}."
    figure = name.removeprefix("max_increase_").removeprefix("max_").removeprefix("min_")
    about = f"share of the net's {SHARES[figure].key}" if figure in SHARES else FIGURES[figure].meaning
    return f"{name}: a limit on the {about}."
