"""SARIF 2.1.0, as code-scanning services read it: a result for everything that is broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from netcount.report.formats.problems import Problem
from netcount.report.formats.text import within

VERSION = "2.1.0"
HOME = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def sarif(problems: Sequence[Problem], version: str, root: str = "") -> dict[str, Any]:
    """The log of one run.  root: the folder of the checkout, which files are named from.

    Rule ids are stable: "netcount/" and the rule of each problem.
    """
    about = {f"netcount/{one.rule}": one.about for one in problems}
    ids = list(about)
    driver = {
        "name": "netcount",
        "version": version,
        "semanticVersion": version,
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in about.items()],
    }
    results = [{**_result(one, root), "ruleIndex": ids.index(f"netcount/{one.rule}")} for one in problems]
    return {
        "$schema": HOME,
        "version": VERSION,
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _result(one: Problem, root: str) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(one.file, root)}
    if one.line:
        column = {"startColumn": one.column} if one.column else {}
        location["region"] = {"startLine": one.line, **column}
    return {
        "ruleId": f"netcount/{one.rule}",
        "level": one.level,
        "message": {"text": one.message},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"netcount/1": f"{one.rule}:{one.key}"},
    }


def _artifact(file: str, root: str) -> dict[str, str]:
    """A file's location: relative to the checkout, or a file: address outside of it."""
    path = within(root, file)
    if PurePath(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}
