from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

TRIED = 100
"""Hypothesis' own number of examples, of which `tests.helpers.examples` takes a multiple."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite", action="store_true", help="write the outputs in docs/ anew instead of comparing them"
    )
    parser.addoption(
        "--fuzz",
        type=int,
        metavar="TIMES",
        help="try TIMES as many generated examples, other ones each time unless --hypothesis-seed is given",
    )


def pytest_configure(config: pytest.Config) -> None:
    """A run that passed passes again: examples are derived from the test, not drawn, except with --fuzz.

    Ctrl-C, which a shell lets what runs in its background ignore, reaches what the tests start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    times = config.getoption("--fuzz")
    settings.register_profile("same", deadline=None, derandomize=True, database=None)
    settings.register_profile("fuzz", deadline=None, max_examples=TRIED * (times or 1), print_blob=True)
    settings.load_profile("fuzz" if times else "same")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Coverage is not measured in tests over ../shared: it must not depend on what is there only sometimes, and it
    costs two thirds of such a test's time again."""
    coverage: Any = sys.modules.get("coverage")
    measuring = coverage and coverage.Coverage.current()
    if not measuring or not any(
        "../shared" in mark.kwargs.get("reason", "") for mark in item.iter_markers("skipif")
    ):
        return (yield)
    measuring.stop()
    try:
        return (yield)
    finally:
        measuring.start()
