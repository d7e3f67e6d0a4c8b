"""The first configuration of a project: limits at what its nets cost now, and a margin."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction

from netcount.analysis.figures import FIGURES, in_bytes
from netcount.budget.limits import share_of
from netcount.budget.targets import Counted
from netcount.core.errors import Errors, InputError, each
from netcount.core.units import human, human_bytes, plural

LIMITED = ("params", "madds", "weight_bytes", "peak_bytes")
"""What a first configuration limits of every net."""


def margin_of(text: str) -> Fraction:
    """How much more than today a limit allows, such as "5%"; InputError where it is no share.

    >>> margin_of("5%")
    Fraction(1, 20)
    """
    try:
        return share_of(text)
    except ValueError as mistake:
        raise InputError(str(mistake), argument="margin") from None


def first_config(nets: Sequence[Counted], margin: Fraction) -> str:
    """The text of a configuration with a table a net; what cannot be counted is a comment that says why.

    Args:
        nets: Their labels are their paths from the configuration's folder.
        margin: By which share the limits are above today's figures.

    Raises:
        InputError: No net can be counted.
    """
    if not any(net.found for net in nets):
        problems = [net.error for net in nets if net.error]
        raise Errors([*problems, InputError(f"none of {plural(len(nets), 'file')} can be counted")])
    head = f"# What these nets may cost: today's figures and {float(margin * 100):g}% more."
    return "\n\n".join([head, *(_table(net, margin) for net in nets)]) + "\n"


def _table(net: Counted, margin: Fraction) -> str:
    if net.found is None:
        told = "; ".join(str(problem) for problem in each(net.error)) if net.error else ""
        return f"# left out: {_inert(net.target.label)}: {_inert(told)}"
    lines = ["[[net]]", f"path = {_quoted(net.target.label)}"]
    for key in LIMITED:
        value = FIGURES[key].of(net.found)
        most = value + -(-value * margin // 1)
        lines.append(f"max_{key} = {most:_}  # {human_bytes(value) if in_bytes(key) else human(value)} now")
    return "\n".join(lines)


def _inert(text: str) -> str:
    """On one line, without what TOML refuses in a comment."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _quoted(path: str) -> str:
    """A basic string of TOML; InputError where a path has bytes that are no text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(f"{path!a} is no text, so that no configuration can name it") from None
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped) + '"'


def spare_config(path: str | os.PathLike[str]) -> None:
    """InputError where a file stands in the place of a first configuration."""
    if os.path.lexists(path):
        raise InputError(f"{os.fspath(path)} is there; it is not overwritten")
