"""An error for programs: what is wrong, where, and every way out as an option and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcount.core.errors import Advice, NetcountError, each, spelling
from netcount.report.document import place

if TYPE_CHECKING:
    from netcount.report import document_types as types


def document(error: NetcountError, file: str | None = None) -> types.ErrorDocument:
    """The document of an error (schemas/error.json).

    Args:
        error: What went wrong.
        file: The file that was asked for; by default the one that the first problem stands in.
    """
    problems = [_problem(problem) for problem in each(error)]
    first = problems[0]
    return {
        "schema": "netcount/error/1",
        "file": file or (first["place"]["file"] if first["place"] else None),
        **first,
        "problems": problems,
    }


def _problem(problem: NetcountError) -> types.Problem:
    return {"place": place(problem.place), "message": problem.message, "advice": _ways_out(problem.advice)}


def _ways_out(advice: tuple[Advice, ...]) -> list[types.WayOut]:
    ways: list[types.WayOut] = []
    number = 0
    for one in advice:
        number += one.lead != "and"
        value = f"{one.key}={one.value}" if one.key else one.value
        ways.append({"option": spelling().argument(one.argument), "value": value, "way": number})
    return ways
