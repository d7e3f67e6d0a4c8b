"""GitHub's workflow commands: annotations at the lines of a pull request's files."""

from __future__ import annotations

from collections.abc import Sequence

from netcount.budget.budget import Checked
from netcount.report.check import INCOMPLETE_TEXT, details, summary, tally
from netcount.report.formats.text import visible, within


def github(nets: Sequence[Checked], root: str = "") -> str:
    """A command a line for what is broken, then one line for the log.

    root: the folder of the checkout, which the files of annotations are named from.
    """
    commands: list[str] = []
    for net in nets:
        for problem in net.problems:
            file = problem.place.file if problem.place else net.file
            line = problem.place.line if problem.place else 0
            column = problem.place.column if problem.place else 0
            commands.append(command("error", problem.message, within(root, file), line, column, "netcount"))
        for found in net.findings:
            if not found.passed:
                level = "error" if found.level == "error" else "warning"
                text = "\n".join([summary(net, found), *details(net, found)])
                title = f"netcount {found.limit.rule}"
                commands.append(command(level, text, within(root, net.file), found.line, title=title))
        if net.incomplete:
            text = f"{net.title}: {INCOMPLETE_TEXT}"
            commands.append(command("error", text, within(root, net.file), 1, title="netcount incomplete"))
    return "\n".join([*commands, visible(tally(nets))]) + "\n"


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
