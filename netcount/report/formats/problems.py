"""What is wrong, as CI services show it: a message at a line, whichever command found it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from netcount.core.errors import NetcountError

INPUT = "input"
"""The rule of a net that cannot be read or counted."""
INCOMPLETE = "incomplete"
"""The rule of a net whose cost is not wholly known."""


class Problem(NamedTuple):
    """One thing that is wrong.

    rule: a stable name of what it breaks.  file, line, column: where (0: the whole file or line).
    key: what tells it from the others of its rule, on every machine.  about: the rule in one sentence.
    """

    rule: str
    level: Literal["error", "warning", "note"]
    message: str
    file: str
    line: int
    column: int
    key: str
    about: str


def unreadable(problem: NetcountError, file: str, key: str) -> Problem:
    """A mistake in an input; `file` is the input where the mistake has no place."""
    place = problem.place
    return Problem(
        INPUT,
        "error",
        problem.message,
        place.file if place else file,
        place.line if place else 0,
        place.column if place else 0,
        key,
        "The net cannot be read or counted.",
    )


def incomplete(text: str, file: str, key: str) -> Problem:
    """A net with assumed layers."""
    about = "The cost of layers with assumed shapes is missing."
    return Problem(INCOMPLETE, "error", text, file, 1, 0, key, about)
