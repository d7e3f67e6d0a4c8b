"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from netcount.errors import InputError
from netcount.layers.assumed import IDENTITY

F = TypeVar("F", bound=Callable[..., Any])

_SHAPE = re.compile(r"\d{1,19}(?:[,x×]\d{1,19})*")


def net_options(function: F) -> F:
    """The options that say which net a prototxt means: phase, stages, batch, shapes."""
    for option in reversed(
        (
            click.option(
                "--phase",
                type=click.Choice(["TEST", "TRAIN"], case_sensitive=False),
                default="TEST",
                show_default=True,
                help="Which layers to take, by their include and exclude rules.",
            ),
            click.option("--level", type=int, default=0, show_default=True, help="The rules' level."),
            click.option("--stage", "stages", multiple=True, help="A stage of the rules; repeatable."),
            click.option(
                "--batch",
                default="1",
                show_default=True,
                metavar="N|net",
                help='Images to count for; "net" for what the file says.',
            ),
            click.option(
                "--input-shape",
                "input_shapes",
                multiple=True,
                metavar="[BLOB=]N,C,H,W",
                help="The shape of an input; repeatable. Without a name: of the only input.",
            ),
            click.option(
                "--assume",
                "assumed",
                multiple=True,
                metavar="TYPE=identity|LAYER=SHAPE",
                help="What to take an unknown layer for, by type or name; several tops: shapes "
                "separated by ';'. The report is then incomplete.",
            ),
        )
    ):
        function = option(function)
    return function


def format_options(*forms: str) -> Callable[[F], F]:
    """--format, one of `forms` (the first by default), and --output."""

    def decorate(function: F) -> F:
        function = click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole.")(
            function
        )
        return click.option(
            "--format", "-f", "form", type=click.Choice(forms), default=forms[0], show_default=True
        )(function)

    return decorate


def load_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `netcount.load` from the values of `net_options`, taken out of
    `options`."""
    return {
        "phase": options.pop("phase").upper(),
        "level": options.pop("level"),
        "stages": options.pop("stages"),
        "batch": options.pop("batch"),
        "input_shapes": parse_input_shapes(options.pop("input_shapes")),
        "assume": parse_assumptions(options.pop("assumed")),
    }


def parse_input_shapes(values: Sequence[str]) -> dict[str, list[int]]:
    """`["data=1,3,227,227"]` -> {"data": [1, 3, 227, 227]}; "" where no blob is named."""
    found: dict[str, list[int]] = {}
    for value in values:
        blob, _, shape = value.rpartition("=")
        if blob in found:
            raise InputError(f"--input-shape {value}: the shape is given twice")
        found[blob] = _shape(shape, f"--input-shape {value}")
    return found


def parse_assumptions(values: Sequence[str]) -> dict[str, str | list[list[int]]]:
    """`["Foo=identity", "rois=300,5"]` -> {"Foo": "identity", "rois": [[300, 5]]}."""
    found: dict[str, str | list[list[int]]] = {}
    for value in values:
        name, equals, what = value.rpartition("=")
        if not equals or not name:
            raise InputError(f"--assume {value}: needs TYPE=identity or LAYER=N,C,H,W")
        if what == IDENTITY:
            found[name] = what
        else:
            found[name] = [_shape(part, f"--assume {value}") for part in what.split(";")]
    return found


def _shape(text: str, option: str) -> list[int]:
    stripped = text.replace(" ", "")
    if not _SHAPE.fullmatch(stripped):
        raise InputError(f"{option}: a shape is whole numbers with commas, such as 1,3,227,227")
    return [int(part) for part in re.split("[,x×]", stripped)]
