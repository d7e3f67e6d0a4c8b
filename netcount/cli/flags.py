"""How the command line spells the arguments of the Python interface: `input_shapes` is `--input-shape`."""

from __future__ import annotations

from netcount.core.errors import Advice, Spelling

_FLAGS = {
    "engines": "--engine",
    "inputs": "--input",
    "input_shapes": "--input-shape",
    "kind": "--as",
    "label": "--net",
    "listing": "--list",
    "multiple": "--round",
    "pattern": "--block",
    "resolutions": "--resolution",
    "stages": "--stage",
    "widths": "--width",
}
"""Options whose names are not those of the arguments with other signs."""


def flag(argument: str) -> str:
    """The option for an argument.

    >>> flag("input_shapes"), flag("max_memory")
    ('--input-shape', '--max-memory')
    """
    return _FLAGS.get(argument) or f"--{argument.replace('_', '-')}"


def with_value(advice: Advice) -> str:
    """An option with its value, as a shell takes it.

    >>> print(with_value(Advice("assume", "identity", "my layer")), with_value(Advice("phase", "TRAIN")))
    --assume 'my layer=identity' --phase TRAIN
    >>> print(with_value(Advice("check", "False")))
    --no-check
    """
    if advice.value == "False":
        return f"--no-{flag(advice.argument)[2:]}"
    value = f"{advice.key}={advice.value}" if advice.key else advice.value
    if not value.isascii() or set(value) & _SHELL:
        from shlex import quote  # not wanted at start-up

        value = quote(value)
    return f"{flag(advice.argument)} {value}"


_SHELL = frozenset(" \t\n'\"\\$`!*?[](){}<>|&;#~")

OPTIONS = Spelling(flag, with_value)
