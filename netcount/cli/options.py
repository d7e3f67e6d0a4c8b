"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

from netcount.analysis.conventions import KNOWN, Convention, convention_named
from netcount.cli.flags import flag
from netcount.cli.output import errors_as_documents
from netcount.core.errors import InputError
from netcount.core.shape import INT_MAX
from netcount.graph.options import LoadOptions
from netcount.layers.assumed import Assumption

if TYPE_CHECKING:
    from fractions import Fraction

    from netcount.analysis._support.resolutions import Resolution

    _Choice = click.Choice[str]
    _ParamType = click.ParamType[Any]
else:
    _Choice = click.Choice  # which click 8.1 has without a type of its values
    _ParamType = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])

_SHAPE = r"\d{1,19}(?:[,x×]\d{1,19})*"


def net_options(function: F) -> F:
    """The options that say which net a prototxt means: phase, stages, batch, shapes."""
    for option in reversed(
        (
            click.option(
                "--phase",
                type=click.Choice(["TEST", "TRAIN"], case_sensitive=False),
                default="TEST",
                show_default=True,
                help="Phase to read the net in (include and exclude rules).",
            ),
            click.option(
                "--level", type=int, default=0, show_default=True, help="Level for include and exclude rules."
            ),
            click.option(
                "--stage", "stages", multiple=True, help="Stage for include and exclude rules; repeatable."
            ),
            click.option(
                "--batch",
                default="1",
                show_default=True,
                metavar="N|net",
                help=f'Number of images to count for, up to {INT_MAX}, or "net" for the batch in the file.',
            ),
            click.option(
                "--input-shape",
                "input_shapes",
                multiple=True,
                metavar="[BLOB=]N,C,H,W",
                help="Shape of an input; repeatable. BLOB may be left out where there is one input.",
            ),
            click.option(
                "--assume",
                "assume",
                multiple=True,
                metavar="NAME=WHAT",
                help="What to assume of a layer, by its name or type. LAYER=N,C,H,W: the shape of its tops "
                "(several tops: shapes separated by ';'); its cost is not counted. TYPE=identity: its tops are "
                "its bottoms. TYPE=KNOWN_TYPE: it is counted as that type. MESSAGE.field=ignored: skip a field "
                "that no known Caffe has; unknown-fields=ignored: skip all of them. Repeatable.",
            ),
            click.option(
                "--define",
                "define",
                multiple=True,
                metavar="NAME=VALUE",
                help="Value of a placeholder $NAME$ or ${NAME}; repeatable.",
            ),
        )
    ):
        function = option(function)
    return function


FORMATS = ("table", "csv", "markdown", "json", "html", "latex", "xlsx")
_ENDINGS = {
    ".csv": "csv",
    ".md": "markdown",
    ".markdown": "markdown",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
    ".tex": "latex",
    ".xlsx": "xlsx",
    ".xml": "junit",
    ".sarif": "sarif",
}
"""What the ending of a file's name says of its format, where a command has that format."""
_ALIASES = {"md": "markdown", "htm": "html", "tex": "latex", "text": "table", "table": "text"}


class _Format(_Choice):
    """A format by its name, in any case, or by another name it goes by."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        alias = _ALIASES.get(str(value).lower())
        return super().convert(alias if alias in self.choices else value, param, ctx)


def format_options(*forms: str, about: str = "") -> Callable[[F], F]:
    """--format, one of `forms`, and --output.  Without --format the ending of the output's name chooses the
    format, and else it is the first one.
    """

    def chosen(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
        errors_as_documents(value == "json")
        return value

    form = click.option(
        "--format",
        "-f",
        "form",
        type=_Format(forms, case_sensitive=False),
        is_eager=True,
        callback=chosen,
        help=" ".join(filter(None, [f"By default what -o FILE ends in says, or {forms[0]}.", about])),
    )
    output = click.option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to this file, which is replaced only when the result is complete.",
    )

    def decorated(function: F) -> F:
        @wraps(function)
        def resolved(*arguments: Any, form: str | None, output: str | None, **options: Any) -> Any:
            if form is None:
                ending = os.path.splitext(output or "")[1].lower()
                form = _ENDINGS[ending] if _ENDINGS.get(ending) in forms else forms[0]
                errors_as_documents(form == "json")
            return function(*arguments, form=form, output=output, **options)

        return form(output(cast(F, resolved)))

    return decorated


_SIZES = {"": 1.0, "in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4}
"""Inches."""


class _PlotSize(_ParamType):
    """Width and height, in inches where no unit is given."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float] | Any:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(
            r"(?a)([0-9]{1,4}(?:\.[0-9]{1,3})?)[x×]([0-9]{1,4}(?:\.[0-9]{1,3})?)\s*(in|cm|mm)?", value
        )
        if match is None:
            self.fail(f"{value!r} is not WxH with in, cm or mm, such as 8.5x6cm", param, ctx)
        wide, high = (float(match[index]) * _SIZES[match[3] or ""] for index in (1, 2))
        if not (1 <= wide <= 60 and 1 <= high <= 60):
            self.fail(f"{value!r}: both sides are from 1 to 60 inches", param, ctx)
        return wide, high


def plot_options(about: str) -> Callable[[F], F]:
    """--plot, --plot-size and --plot-dpi, which `write_plot` reads."""
    plot = click.option(
        "--plot", metavar="FILE", help=f"{about} to a .png, .svg or .pdf file (needs the extra 'plot')."
    )
    size = click.option(
        "--plot-size",
        type=_PlotSize(),
        metavar="WxH",
        help="Size of the plot, such as 8.5x6cm (inches without a unit).",
    )
    dpi = click.option(
        "--plot-dpi",
        type=click.IntRange(30, 1200),
        default=150,
        show_default=True,
        help="Pixels per inch of a .png plot.",
    )
    return lambda function: plot(size(dpi(function)))


def convention_option(function: F) -> F:
    """--convention, by name; `named_convention` finds it."""
    return click.option(
        "--convention",
        default="madds",
        show_default=True,
        metavar="NAME",
        help="What to count: madds (macs), netscope, flops, or a convention of netcount.toml.",
    )(function)


def named_convention(name: str) -> Convention:
    """A convention of netcount's own, or of the configuration that is found upwards."""
    if name in KNOWN:
        return KNOWN[name]
    from netcount.budget import config  # only who asks for a convention of their own pays for it

    path = config.find()
    return convention_named(name, config.load(path).conventions if path else {})


def scale_options(function: F) -> F:
    """--round, --keep and --dense, for what changes a net's width."""
    keep = click.option(
        "--keep", multiple=True, metavar="LAYER", help="Layer whose number of channels is kept; repeatable."
    )
    rounded = click.option(
        "--round",
        "multiple",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Round channels to a multiple of this.",
    )
    dense = click.option(
        "--dense",
        is_flag=True,
        help="Scale InnerProduct layers between the convolutions and the classifier too.",
    )
    return rounded(keep(dense(function)))


def given_options() -> dict[str, str]:
    """The parameters of the running command that were given, each with its option as it was written."""
    context = click.get_current_context()
    return {
        param.name: param.secondary_opts[0]
        if param.secondary_opts and context.params.get(param.name) is False
        else flag(param.name)
        for param in context.command.params
        if param.name and context.get_parameter_source(param.name) not in (None, ParameterSource.DEFAULT)
    }


def load_options(options: dict[str, Any]) -> LoadOptions:
    """How nets are read, from the values of `net_options`, which are taken out of `options`."""
    given = {name: options.pop(name) for name in LoadOptions._fields if name in options}
    readers = {"input_shapes": parse_input_shapes, "assume": parse_assumptions, "define": parse_definitions}
    arguments: Any = {name: readers[name](value) if name in readers else value for name, value in given.items()}
    load = LoadOptions.of(**arguments)
    configured = _configured_assumptions()
    return load._replace(assume={**configured, **load.assume}) if configured else load


def _configured_assumptions() -> Mapping[str, Assumption]:
    """The `[assume]` table of the configuration that is found upwards; most have none, and are not parsed."""
    folder = os.getcwd()
    while True:
        for name, heads in (("netcount.toml", _ASSUME), ("pyproject.toml", _TOOL_ASSUME)):
            try:
                with open(os.path.join(folder, name), "rb") as stream:
                    text = stream.read()
            except OSError:
                continue
            if any(head in text for head in heads):
                from netcount.budget import config  # only who has such a table pays for it

                return config.load(os.path.join(folder, name)).assume
            if name == "netcount.toml" or b"tool.netcount" in text:
                return {}
        parent = os.path.dirname(folder)
        if parent == folder:
            return {}
        folder = parent


_ASSUME = (b"[assume]", b"[assume.", b"assume = {")
_TOOL_ASSUME = (b"[tool.netcount.assume]", b"[tool.netcount.assume.")


def parse_input_shapes(values: Sequence[str]) -> dict[str, list[int]]:
    """`["data=1,3,227,227"]` -> {"data": [1, 3, 227, 227]}; "" where no blob is named."""
    shapes: dict[str, list[int]] = {}
    for value in values:
        blob, _, shape = value.rpartition("=")
        if blob in shapes:
            raise InputError(f"{value}: the shape is given twice", argument="input_shapes")
        shapes[blob] = _shape(shape, value, "input_shapes")
    return shapes


def parse_assumptions(values: Sequence[str]) -> dict[str, str | list[list[int]]]:
    """`["Foo=identity", "rois=300,5"]` -> {"Foo": "identity", "rois": [[300, 5]]}."""
    assumptions: dict[str, str | list[list[int]]] = {}
    for value in values:
        name, equals, what = value.rpartition("=")
        if not equals or not name:
            raise InputError(
                f"{value} is none of LAYER=N,C,H,W, TYPE=identity, TYPE=KNOWN_TYPE and MESSAGE.field=ignored",
                argument="assume",
            )
        if what[:1].isdigit():
            assumptions[name] = [_shape(part, value, "assume") for part in what.split(";")]
        else:
            assumptions[name] = what
    return assumptions


def parse_definitions(values: Sequence[str]) -> dict[str, str]:
    """`["HEIGHT=320"]` -> {"HEIGHT": "320"}."""
    definitions = {}
    for value in values:
        name, equals, what = value.partition("=")
        if not equals or not name.isidentifier():
            raise InputError(f"{value} is not NAME=VALUE", argument="define")
        definitions[name] = what
    return definitions


def _shape(text: str, value: str, argument: str) -> list[int]:
    stripped = text.replace(" ", "")
    if not re.fullmatch(_SHAPE, stripped):
        raise InputError(f"{value}: a shape is whole numbers with commas, such as 1,3,227,227", argument=argument)
    return [int(part) for part in re.split("[,x×]", stripped)]


def parse_factors(text: str, argument: str) -> list[Fraction]:
    """`"1,.75,1/2"` -> factors, each above 0 and at most 100."""
    from netcount.analysis._support.scales import width_factor

    return [width_factor(argument, part) for part in text.split(",")]


def parse_resolutions(text: str, argument: str) -> list[Resolution]:
    """`"224,160x320"` -> heights and widths."""
    from netcount.analysis._support.scales import image_size

    return [image_size(argument, part) for part in text.split(",")]


def parse_bytes(text: str) -> int:
    """The value of --max-memory."""
    from netcount.core.units import parse_quantity

    try:
        return parse_quantity(text)
    except ValueError as mistake:
        raise InputError(str(mistake), argument="max_memory") from None


def read_once(files: Iterable[str]) -> None:
    """Refuse standard input for two files: the second would be empty."""
    if list(files).count("-") > 1:
        raise click.UsageError("standard input can be read once, not for two files")
