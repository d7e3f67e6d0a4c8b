"""What the command ends with: one number has one meaning in every command."""

from __future__ import annotations

DONE = 0
FAILED = 1
"""A budget or a check failed: a limit is broken, a run disagrees, no variant fits."""
BAD_INPUT = 2
"""Bad usage or bad input."""
INCOMPLETE = 3
"""The result leaves out the cost of layers that were only assumed."""
INTERRUPTED = 130
"""By Ctrl-C, as shells say it: 128 and the number of the signal."""

BY_WEIGHT = (BAD_INPUT, FAILED, INCOMPLETE, DONE)
"""Of several results the first of these that any of them has."""


def worst(codes: set[int]) -> int:
    """The code of several results together.

    >>> worst({DONE, FAILED, INCOMPLETE}), worst(set())
    (1, 0)
    """
    return next((code for code in BY_WEIGHT if code in codes), DONE)
