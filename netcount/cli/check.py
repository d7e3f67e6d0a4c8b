"""`netcount check`: hold nets against their budgets, and say so in a form CI understands."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from netcount import __version__, gate
from netcount.analysis.baseline import read_baseline
from netcount.analysis.budget import BAD_INPUT, Budget, Checked, exit_code
from netcount.analysis.conventions import CONVENTIONS
from netcount.analysis.limits import SHARES, TYPE_RULES, Limit, limits_of, rule_names
from netcount.cli.options import load_arguments, net_options
from netcount.cli.output import emit, replace, say
from netcount.config import Config, find, load
from netcount.errors import InputError, NetcountError, raise_all, reason

F = TypeVar("F", bound=Callable[..., Any])

_COMMON = (
    "max_params",
    "max_madds",
    "max_activations",
    "max_weight_bytes",
    "max_share",
    "max_increase_params",
    "max_increase_madds",
    "forbidden_types",
)
"""The limits that --help shows; every other key of netcount.toml is an option too."""
_NET_OPTIONS = ("phase", "level", "stages", "batch", "input_shapes", "assumed", "convention")


def limit_options(function: F) -> F:
    """An option for every limit: max_params -> --max-params."""
    for rule in reversed(rule_names()):
        share = rule.split("_", 1)[1] in SHARES
        types = rule in TYPE_RULES
        option = click.option(
            f"--{rule.replace('_', '-')}",
            rule,
            multiple=share,
            metavar="KERNEL=SHARE" if share else "TYPE,TYPE,..." if types else "LIMIT",
            hidden=rule not in _COMMON,
            help=_HELP.get(rule, ""),
        )
        function = option(function)
    return function


_HELP = {
    "max_params": "Such as 1.3M; inclusive, as all limits are.",
    "max_madds": "Such as 400M.",
    "max_weight_bytes": "Such as '5 MiB', at --weight-bits a value.",
    "max_share": "Such as 3x3=75%, of madds; repeatable.",
    "max_increase_params": "Against the baseline: 2%, 10k, or '2% and 10k'.",
    "max_increase_madds": "Likewise.",
}


@click.command(
    epilog="Every limit of netcount.toml is an option: --min-params, --max-largest-blob, "
    "--max-layer-madds, --max-layers, ... (docs/ci.md)."
)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--config", "config_file", metavar="FILE", help="Instead of the one found upwards.")
@click.option("--no-config", is_flag=True, help="Look for no configuration.")
@limit_options
@click.option("--weight-bits", type=click.IntRange(1, 64), default=32, show_default=True)
@click.option("--baseline", metavar="FILE", help="Figures that increases are measured from.")
@click.option("--update-baseline", is_flag=True, help="Write the baseline anew, then check.")
@click.option("--allow-incomplete", is_flag=True, help="Let assumed layers pass.")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "json", "markdown", "github", "junit", "sarif"]),
    default="text",
    show_default=True,
)
@click.option("--output", "-o", metavar="FILE", help="Write to a file, replaced whole.")
@net_options
@click.option("--convention", type=click.Choice(list(CONVENTIONS)), default="madds", show_default=True)
def check(
    files: tuple[str, ...],
    config_file: str | None,
    no_config: bool,
    weight_bits: int,
    baseline: str | None,
    update_baseline: bool,
    allow_incomplete: bool,
    form: str,
    output: str | None,
    convention: str,
    **options: Any,
) -> None:
    """Whether nets keep to their budgets.

    Budgets stand in netcount.toml, or in [tool.netcount] of pyproject.toml, found upwards from the
    working folder; limits given as options hold besides. FILE: only these nets; options on how a
    net is read are for a FILE the configuration does not list.

    \b
    Examples:
      netcount check
      netcount check deploy.prototxt --max-params 1.3M --max-madds 400M
      netcount check --format junit -o netcount.xml
      netcount check --update-baseline

    Exit codes: 0 within budget, 1 over, 2 bad usage or bad input, 3 incomplete.
    """
    limits = _limits({rule: options.pop(rule) for rule in rule_names()})
    config = None if no_config else _config(config_file)
    context = click.get_current_context()
    given = [
        name
        for name in _NET_OPTIONS
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    ]
    request = gate.Request(
        files,
        load_arguments(options),
        convention,
        allow_incomplete,
        Budget(tuple(limits), weight_bits=weight_bits) if limits else None,
    )
    chosen = gate.targets(config, request)
    if given and all(target.entry for target in chosen):
        raise InputError(
            f"{config.file if config else ''} says how these nets are read; "
            f"{', '.join(sorted(given))} on the command line would not count"
        )
    nets = gate.counted(chosen)
    path = baseline if baseline is not None else config.baseline if config else None
    if update_baseline:
        results = _updated(nets, config, path, keep=bool(files))
    else:
        base = _base(path, config, chosen, explicit=baseline is not None)
        results = gate.checked(nets, config, base, whole=not files)
    _report(results, form, output)
    raise click.exceptions.Exit(exit_code(results))


def _limits(values: dict[str, Any]) -> list[Limit]:
    """The limits given as options; all mistakes at once."""
    found: list[Limit] = []
    problems: list[NetcountError] = []
    for rule, value in values.items():
        if value is None or value == ():
            continue
        option = f"--{rule.replace('_', '-')}"
        try:
            if rule in TYPE_RULES:
                value = [name.strip() for name in value.split(",")]
            elif isinstance(value, tuple):
                value = dict(_pair(part) for part in value)
            found += limits_of(rule, value)
        except ValueError as mistake:
            problems.append(InputError(f"{option}: {mistake}"))
    raise_all(problems)
    return found


def _pair(text: str) -> tuple[str, str]:
    kernel, equals, share = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not KERNEL=SHARE, such as 3x3=75%")
    return kernel.strip(), share.strip()


def _config(path: str | None) -> Config | None:
    if path is not None:
        return load(path)
    found = find()
    return load(found) if found else None


def _base(path: str | None, config: Config | None, chosen: Sequence[gate.Target], explicit: bool) -> Any:
    """The baseline's nets; None where there is no baseline and none is needed."""
    wanted = gate.wants_baseline(config, chosen)
    if path is None:
        if wanted:
            raise InputError(
                "a limit on an increase needs a baseline: give --baseline FILE, "
                'or baseline = "FILE" in the configuration'
            )
        return None
    if not os.path.exists(path) and not explicit:
        if not wanted:
            return None
        raise InputError(f"there is no baseline {path}; netcount check --update-baseline writes it")
    return read_baseline(path)


def _updated(nets: Sequence[gate.Counted], config: Config | None, path: str | None, keep: bool) -> list[Checked]:
    """Write the baseline, unless a net is broken; then hold the nets against it."""
    if path is None:
        raise InputError('--update-baseline: give --baseline FILE, or baseline = "FILE" in the configuration')
    broken = [found.error for found in nets if found.error]
    for problem in broken:
        say(problem)
    if broken:
        raise InputError(f"the baseline is not written: {len(broken)} nets cannot be counted")
    base, text = gate.new_baseline(nets, path, keep)
    replace(path, text)
    return gate.checked(nets, config, base, whole=not keep, lenient=True)


def _report(results: list[Checked], form: str, output: str | None) -> None:
    from netcount.report.check import lines

    if form in ("text", "markdown") or output is not None:
        for result in results:
            if result.error is not None:
                say(result.error)
    if form == "github":
        _step_summary(results)
    if form == "text":
        emit("\n".join(lines(results)) + "\n", output)
    else:
        emit(_machine(results, form), output)
    if output is not None and form != "text" and exit_code(results) not in (0, BAD_INPUT):
        click.echo("\n".join(lines(results)), err=True)


def _machine(results: list[Checked], form: str) -> str:
    import json

    if form == "junit":
        from netcount.report.junit import junit

        return junit(results)
    if form == "github":
        from netcount.report.github import github

        return github(results)
    if form == "markdown":
        from netcount.report.check import parts
        from netcount.report.markdown import markdown

        return markdown(parts(results))
    if form == "sarif":
        from netcount.report.sarif import sarif

        found = sarif(results, __version__)
    else:
        from netcount.report.check import document

        found = document(results)
    return json.dumps(found, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _step_summary(results: list[Checked]) -> None:
    """Append the Markdown to the page of the job, where GitHub names a file for it."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    from netcount.report.check import parts
    from netcount.report.markdown import markdown

    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(markdown(parts(results)))
    except OSError as failure:
        say(InputError(f"cannot write the step summary: {reason(failure)}"))
