"""What comes back from an executor, and what its failures mean."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, CancelledError, Future
from typing import TypeVar

from netcount.core.errors import NetcountError, reason

T = TypeVar("T")

BROKEN = (
    "the executor's workers ended before anything was counted: out of memory, or a script that starts processes "
    'without `if __name__ == "__main__":` around what it does'
)


def result_of(future: Future[T]) -> T:
    """What a future holds.

    Raises:
        NetcountError: The work could not be done: the executor is broken, or cannot send it.
    """
    try:
        return future.result()
    except NetcountError:
        raise
    except (BrokenExecutor, CancelledError) as failure:
        raise NetcountError(BROKEN, argument="executor") from failure
    except Exception as failure:
        what = f"the work could not be done there: {type(failure).__name__}: {reason(failure)}"
        raise NetcountError(what, argument="executor") from failure
