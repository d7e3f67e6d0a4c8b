"""A user's regular expression on a net's names, in bounded time (docs/adr)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from netcount.core.errors import InputError

SECONDS = 1.0
"""How long all names together may take."""

_SHORT = 100
"""Characters of a name that one repetition is through with at once."""

_WORKER = """
import json, re, sys
pattern, names = json.load(sys.stdin)
try:
    expression = re.compile(pattern)
except (re.error, RecursionError, OverflowError, MemoryError) as mistake:
    json.dump(str(mistake) or type(mistake).__name__, sys.stdout)
else:
    matches = map(expression.search, names)
    json.dump([match and [match[0], *match.groups()] for match in matches], sys.stdout)
"""
"""Isolated (-I) and without site (-S) it imports from the standard library alone, never from where it starts."""


def searched(pattern: str, names: Sequence[str], argument: str = "pattern") -> list[list[str | None] | None]:
    """Where a pattern matches in each name: the whole match and its groups; None where it does not.

    Python's engine can take time exponential in a name's length, and nothing stops it from outside of its
    process.  So a pattern that could does its work in a process of its own.

    Args:
        pattern: A regular expression of Python's.
        names: What is searched.
        argument: What the pattern is called in errors.

    Raises:
        InputError: It is no regular expression, or takes longer than `SECONDS`.
    """
    if sys.platform == "emscripten" or (_is_simple(pattern) and all(len(name) <= _SHORT for name in names)):
        try:
            expression = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as mistake:
            raise _refused(pattern, str(mistake), argument) from None
        matches = [expression.search(name) for name in names]
        return [[match[0], *match.groups()] if match else None for match in matches]
    answer = _in_process(pattern, names, argument)
    if isinstance(answer, str):
        raise _refused(pattern, answer, argument)
    return answer


def _is_simple(pattern: str) -> bool:
    """Whether there is at most one repetition, and no choice that could be made in many ways."""
    return sum(pattern.count(sign) for sign in "*+?{|") <= 1


def _in_process(pattern: str, names: Sequence[str], argument: str) -> str | list[list[str | None] | None]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _WORKER],
            input=json.dumps([pattern, list(names)]),
            capture_output=True,
            encoding="ascii",
            timeout=SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f'"{pattern}" takes more than {SECONDS:g} s on the names of this net; repeat nothing that repeats',
            argument=argument,
        ) from None
    except (OSError, subprocess.CalledProcessError):
        raise InputError(f'"{pattern}" cannot be matched: no process for it starts', argument=argument) from None
    answer: str | list[list[str | None] | None] = json.loads(done.stdout)
    return answer


def _refused(pattern: str, mistake: str, argument: str) -> InputError:
    return InputError(f'"{pattern}" is not a regular expression: {mistake.splitlines()[0]}', argument=argument)
