"""The `netcount` command: its sub-commands, and how errors and signals end it."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from netcount import __version__
from netcount.cli.output import say
from netcount.errors import NetcountError

_COMMANDS = {
    "analyze": "What every layer of a net costs.",
    "explain": "Why a layer or a block costs what it costs.",
    "blocks": "What every block of layers costs.",
    "memory": "What a net needs in memory, and the size of its model.",
    "rescale": "A net at another width and resolution, as a prototxt.",
    "sweep": "What many widths and resolutions cost, and which fit.",
    "check": "Whether nets keep to their budgets.",
    "compare": "What changed between nets.",
    "survey": "A row a net, for many nets.",
    "verify": "Run nets and check every claim.",
    "layers": "The layer types netcount knows.",
}
"""Sub-commands, each in a module and function of its own name, imported when it is run."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"netcount.cli.{cmd_name}"), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


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
    """The console script: run the command and exit with its code, never with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = netcount.main(standalone_mode=False, prog_name="netcount")
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as mistake:
        mistake.show()
        code = mistake.exit_code
    except NetcountError as mistake:
        say(mistake)
        code = mistake.exit_code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # the reader (a pager, head) has seen enough; keep the interpreter from saying so at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
