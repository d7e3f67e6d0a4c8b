"""`netcount serve`: edit nets in a browser, and see what they cost while typing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netcount.cli.flags import OPTIONS
from netcount.cli.options import load_options, net_options
from netcount.core.errors import InputError, reason
from netcount.core.files import read_text
from netcount.graph.load import name_of
from netcount.graph.options import LoadOptions

if TYPE_CHECKING:
    from netcount.serve.answers import Asker
    from netcount.serve.gate import Gate


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Where the page is served, on this machine only; 0, the default, takes any that is free.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser: the address is printed.")
@click.option("--diff", is_flag=True, help="Of two files: show what the second changes of the first.")
@net_options
def serve(files: tuple[str, ...], port: int, no_browser: bool, diff: bool, **options: Any) -> None:
    """Edit nets in a browser: graph, table and totals follow while you type.

    A text that is wrong keeps its last picture and shows its mistakes at their lines. The files are followed:
    what another editor writes is read again, `s` or Ctrl-S saves. Ctrl-C ends it.

    \b
    Examples:
      netcount serve squeezenet_v1.1.prototxt
      netcount serve before.prototxt after.prototxt --diff --port 8000 --no-browser
    """
    from netcount.report.page import live_page
    from netcount.serve.server import Edited, Server

    gates = _gates(load_options(dict(options)))
    edited: dict[str, Edited] = {}
    for file in files:
        if file == "-":
            raise InputError("standard input cannot be edited; name a file")
        read_text(file)
        path = os.path.abspath(file)
        edited.setdefault(path, Edited(path, name_of(file), gates(path)))

    if diff and len(edited) != 2:
        raise InputError("it takes two files", argument="diff")

    try:
        server = Server(port, list(edited.values()), asker(options), live_page, diff)
    except OSError as failure:
        raise InputError(f"cannot serve on port {port}: {reason(failure)}", argument="port") from None
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        click.echo(f"netcount serve: {server.address} (Ctrl-C ends it)")
        if not no_browser:
            import webbrowser

            webbrowser.open(server.address)
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def asker(options: dict[str, Any] | None = None) -> Asker:
    """What answers for texts.  options: values of `net_options`; by default those of a command that gives none."""
    from netcount.serve.answers import Asker

    given = serve.make_context("serve", ["net.prototxt"]).params if options is None else options
    return Asker(lambda more: load_options(_with(given, more)), OPTIONS)


class _Named(NamedTuple):
    """A file that is nowhere but on the page."""

    name: str
    gate: Gate | None = None


def answerer() -> Callable[[str, str, str], str]:
    """What answers the public page, where netcount runs in it.

    It is given what is asked for, about what, and the names of the page's files, the latter two as JSON, and gives
    JSON (`serve.answers.Asker.reply`).
    """
    import json

    ask = asker()

    def answer(way: str, content: str, names: str) -> str:
        files = [_Named(name) for name in json.loads(names)]
        return json.dumps(ask.reply(way, json.loads(content), files), separators=(",", ":"))

    return answer


def _gates(load: LoadOptions) -> Callable[[str], Gate | None]:
    """What makes the gate of a file, of the configuration that is found upwards; None where there is none."""
    from netcount.budget import config, targets
    from netcount.budget.baseline import Baseline, read_baseline
    from netcount.serve.gate import Gate

    path = config.find()
    if path is None:
        return lambda file: None
    configured = config.load(path)
    base = configured.baseline
    stored = Baseline(base, read_baseline(base)) if base is not None and os.path.exists(base) else None
    return lambda file: Gate(file, configured, stored, targets.Request(options=load))


def _ended(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _with(options: dict[str, Any], more: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The command's own options with others, which take their place or stand beside them."""
    params = {flag: param for param in serve.params for flag in param.opts}
    values = dict(options)
    for flag, value in more:
        param = params.get(flag)
        if param is None or param.name not in LoadOptions._fields:
            raise InputError(f"{flag} says nothing about which net a text means")
        name = str(param.name)
        values[name] = (*values[name], value) if param.multiple else param.type.convert(value, param, None)
    return values
