"""The `netcount` command: its sub-commands, and how errors and signals end it."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import click

from netcount import __version__
from netcount.cli.flags import OPTIONS
from netcount.cli.output import errors_as_documents, say, silence
from netcount.core.errors import NetcountError, reason, spelled
from netcount.core.exit_codes import INTERRUPTED
from netcount.core.suggest import unknown
from netcount.report.formats.text import visible
from netcount.report.questions import QUESTIONS

_SPELT = "netcount.spelt"
_ASCII = {"×": "x", "…": "~", "·": "-", "−": "-", "÷": "/", "≥": ">="}
"""What stands in a terminal's encoding for a sign of ours that it lacks."""

_COMMANDS = {name: question for name, question in QUESTIONS.items() if not question.option}
"""Sub-commands, imported when one is run."""


_MEANT = {
    "analyze": "analyse analysis count flops gmacs macs madds mult-adds ops params parameters profile show stats "
    "summary table",
    "memory": "activations footprint mem peak ram size",
    "compare": "changes delta diff",
    "survey": "all batch ls scan",
    "time": "bench benchmark latency measure speed",
    "verify": "execute forward run test validate",
    "rescale": "scale shrink thin width",
    "check": "assert budget gate limit",
    "explain": "why",
    "layers": "list operators types",
    "samples": "examples models nets zoo",
}
"""Words that people try, by the command they mean."""


def _no_command(word: str) -> str:
    """That the word is no command, and what was meant: a file to analyze, or a command of another name."""
    text = f'there is no command "{visible(word)}"'
    meant = next((name for name, words in _MEANT.items() if word.lower() in words.split()), None)
    if meant is not None:
        return f'{text}; did you mean "{meant}"?'
    name = word.lower()
    if os.path.isdir(word):
        command = "survey"
    elif name.endswith(".caffemodel"):
        command = "from-caffemodel"
    elif name.endswith((".prototxt", ".pbtxt", ".txt")) or word == "-" or os.path.exists(word):
        command = "analyze"
    else:
        return unknown("command", visible(word), _COMMANDS)
    from shlex import quote  # not wanted at start-up

    return f"{text}; did you mean: netcount {command} {quote(visible(word))}"


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = _COMMANDS[cmd_name].loaded("command")
        if ctx.resilient_parsing:  # a shell asks what can stand there
            from netcount.cli.completion import completed

            return completed(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; the nearest is named where there is none."""
        if args[0] not in _COMMANDS and (args[0] == "-" or args[0][:1] != "-") and not ctx.resilient_parsing:
            ctx.fail(_no_command(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, question.about) for name, question in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="netcount %(version)s")
def netcount() -> None:
    """What a Caffe network costs: shapes, params and multiply-adds of every layer.

    \b
    Examples:
      netcount analyze squeezenet_v1.1.prototxt
      netcount analyze deploy.prototxt --format markdown -o cost.md
      netcount analyze train_val.prototxt --input-shape data=1,3,227,227

    Exit codes: 0 done, 1 a budget or check failed, 2 bad usage or bad input, 3 incomplete.
    """


def run() -> None:
    """Run the command and exit with its code, never with a traceback."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_SPELT)
    if not isinstance(sys.stderr, _Lenient):
        sys.stderr = cast("TextIO", _Lenient(sys.stderr))
    with spelled(OPTIONS):
        code = _code()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as failure:
        silence()
        code = _told(_unwritten(failure))
    sys.exit(code)


class _Lenient:
    """Standard error that may be full or closed: what cannot be said there changes no exit code."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush, or let the rest be lost."""
        with suppress(OSError):
            self._stream.flush()


def _spelt(failure: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler for writing: our signs in ASCII, all else as an escape."""
    if isinstance(failure, UnicodeEncodeError) and failure.object[failure.start] in _ASCII:
        return _ASCII[failure.object[failure.start]], failure.start + 1
    return codecs.backslashreplace_errors(failure)


codecs.register_error(_SPELT, _spelt)


def _code() -> int:
    """Run the command; what it ends with."""
    errors_as_documents(False)
    if "_NETCOUNT_COMPLETE" in os.environ:
        from netcount.cli.completion import register

        register()
    try:
        code = netcount.main(standalone_mode=False, prog_name="netcount")
    except click.Abort:  # click has ended the line that Ctrl-C stands in
        click.echo("netcount: interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as mistake:
        mistake.show()
        return mistake.exit_code
    except NetcountError as mistake:
        return _told(mistake)
    except MemoryError:
        return _told(NetcountError("not enough memory"))
    except OSError as failure:
        return _told(_unwritten(failure))
    except Exception as failure:
        if os.environ.get("NETCOUNT_DEBUG"):
            raise
        what = f"{type(failure).__name__}: {reason(failure)}"
        return _told(NetcountError(f"an internal error ({what}); NETCOUNT_DEBUG=1 shows where it is"))
    return code if isinstance(code, int) else 0


def _told(mistake: NetcountError) -> int:
    say(mistake)
    return mistake.exit_code


def _unwritten(failure: OSError) -> NetcountError:
    return NetcountError(f"cannot write standard output: {reason(failure)}")
