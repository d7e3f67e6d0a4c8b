"""GitHub's workflow commands: annotations at the lines of a pull request's files."""

from __future__ import annotations

from collections.abc import Sequence

from netcount.report.formats.problems import INPUT, Problem
from netcount.report.formats.text import visible, within


def github(problems: Sequence[Problem], tally: str, root: str = "") -> str:
    """A command a line for what is broken, then one line for the log.

    root: the folder of the checkout, which the files of annotations are named from.
    """
    commands: list[str] = []
    for one in problems:
        level = {"error": "error", "warning": "warning", "note": "notice"}[one.level]
        title = "netcount" if one.rule == INPUT else f"netcount {one.rule}"
        commands.append(command(level, one.message, within(root, one.file), one.line, one.column, title))
    return "\n".join([*commands, visible(tally)]) + "\n"


def command(level: str, message: str, file: str, line: int = 0, column: int = 0, title: str = "") -> str:
    """One workflow command; nothing in its values can end it or begin another.

    >>> print(command("error", "50% over,\\nsee", "a:b,c.prototxt", 7))
    ::error file=a%3Ab%2Cc.prototxt,line=7::50%25 over,%0Asee
    """
    properties = [f"file={_property(file)}"]
    properties += [f"line={line}"] if line else []
    properties += [f"col={column}"] if line and column else []
    properties += [f"title={_property(title)}"] if title else []
    return f"::{level} {','.join(properties)}::{_data(message)}"


def _data(text: str) -> str:
    lines = [visible(line) for line in text.split("\n")]
    return "%0A".join(line.replace("%", "%25").replace("\r", "%0D") for line in lines)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
