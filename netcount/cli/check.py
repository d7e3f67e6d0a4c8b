"""`netcount check`: hold nets against their budgets, and say so in a form CI understands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from netcount.budget import gate, targets
from netcount.budget.baseline import Baseline, read_baseline
from netcount.budget.budget import Budget, Checked, exit_code
from netcount.budget.config import FILE, Config, find, find_below, load
from netcount.budget.limits import rule_names
from netcount.cli.limits import about_limits, limit_options, limits_given
from netcount.cli.options import (
    FORMATS,
    convention_option,
    format_options,
    given_options,
    load_options,
    named_convention,
    net_options,
)
from netcount.cli.output import Forms, deliver, errors_as_documents, forms_of, say, service_forms, spare
from netcount.core.errors import Errors, InputError, NetcountError, reason
from netcount.core.exit_codes import BAD_INPUT, DONE
from netcount.core.files import relative_path, shown_path, write_atomically
from netcount.core.units import plural
from netcount.report.formats.layout import Part
from netcount.report.formats.problems import Problem
from netcount.report.formats.text import visible

_MACHINE = ("json", "github", "junit", "sarif")
"""The formats for programs, which tell of a mistake in the configuration too."""
_NET_OPTIONS = ("phase", "level", "stages", "batch", "input_shapes", "assume", "convention")


@click.command(epilog=about_limits())
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--config",
    "config_files",
    metavar="FILE",
    multiple=True,
    help="Configuration to use (default: found from the working folder upwards); repeatable.",
)
@click.option("--below", metavar="FOLDER", help="Use every netcount.toml in and below FOLDER, in one run.")
@click.option("--no-config", is_flag=True, help="Do not look for a configuration.")
@click.option(
    "--init", "is_first", is_flag=True, help="Write a first netcount.toml for the nets found below, then check."
)
@click.option(
    "--margin", default="5%", show_default=True, help="By how much the limits of --init are above today."
)
@limit_options
@click.option("--weight-bits", type=click.IntRange(1, 64), default=32, show_default=True)
@click.option("--activation-bits", type=click.IntRange(1, 64), default=32, show_default=True)
@click.option("--baseline", metavar="FILE", help="Figures from which increases are measured.")
@click.option("--update-baseline", is_flag=True, help="Write a new baseline, then check.")
@click.option("--allow-incomplete", is_flag=True, help="Accept nets with assumed layers.")
@format_options("text", *(form for form in FORMATS[1:] if form != "json"), *_MACHINE)
@net_options
@convention_option
def check(
    files: tuple[str, ...],
    config_files: tuple[str, ...],
    below: str | None,
    no_config: bool,
    is_first: bool,
    margin: str,
    weight_bits: int,
    activation_bits: int,
    baseline: str | None,
    update_baseline: bool,
    allow_incomplete: bool,
    form: str,
    output: str | None,
    convention: str,
    **options: Any,
) -> None:
    """Check nets against their budgets.

    Budgets stand in netcount.toml, or in [tool.netcount] of pyproject.toml, found upwards from the
    working folder; limits given as options hold besides. FILE: only these nets; options on how a
    net is read are for a FILE the configuration does not list.

    \b
    A first netcount.toml:
      baseline = "netcount-baseline.json"
      [[net]]
      path = "models/*.prototxt"
      max_params = "1.3M"
      max_increase_madds = "2% and 100k"

    \b
    Examples:
      netcount check --init
      netcount check
      netcount check --below .
      netcount check deploy.prototxt --max-params 1.3M --max-madds 400M
      netcount check --format junit -o netcount.xml
      netcount check --update-baseline

    Exit codes: 0 within budget, 1 over, 2 bad usage or bad input, 3 incomplete.
    """
    errors_as_documents(False)  # the document of a check has the errors in it
    options_given = given_options()
    given = [options_given[name] for name in _NET_OPTIONS if name in options_given]
    try:
        limits = limits_given({rule: options.pop(rule) for rule in rule_names()})
        request = targets.Request(
            files,
            load_options(options),
            named_convention(convention),
            allow_incomplete,
            Budget(tuple(limits), weight_bits=weight_bits, activation_bits=activation_bits) if limits else None,
        )
        configs: list[Config | None] = [None]
        if is_first:
            configs = [_first(request, config_files, given, margin)]
        elif not no_config:
            configs = _configs(config_files, below)
        if output is not None:
            spare(output, inputs=[file for config in configs for file in _inputs(config)])
        if len(configs) > 1 and (files or baseline):
            raise InputError("with several configurations neither a FILE nor a baseline can be named")
        results = []
        for config in configs:
            checked_nets = _results(request, config, given, baseline, update_baseline)
            results += _apart(checked_nets, config) if len(configs) > 1 else checked_nets
    except NetcountError as problem:
        if form not in _MACHINE:
            raise
        results = [gate.refused(problem, config_files[0] if config_files else FILE)]
    _report(results, form, output)
    raise click.exceptions.Exit(exit_code(results))


def _results(
    request: targets.Request, config: Config | None, given: Sequence[str], baseline: str | None, update: bool
) -> list[Checked]:
    """Every net held against its budgets.  given: options on how a net is read."""
    chosen = targets.targets(config, request)
    if given and all(target.entry for target in chosen):
        raise InputError(
            f"{config.file if config else ''} says how these nets are read; "
            f"{', '.join(given)} on the command line would not count"
        )
    nets = targets.counted(chosen)
    if update:
        path = baseline if baseline is not None else config.baseline if config else None
        return _updated(nets, config, path, request)
    base = _base(baseline, config, chosen)
    others = targets.others(config, chosen)
    return gate.checked(nets, config, base, others=others, extra=request.budget)


def _configs(paths: Sequence[str], below: str | None) -> list[Config | None]:
    """The configurations that are named, or found; None where there is none."""
    if below is not None and paths:
        raise InputError("the configurations are named or found below a folder, not both", argument="below")
    if below is not None:
        return [load(path) for path in find_below(below)]
    if paths:
        return [load(path) for path in dict.fromkeys(paths)]
    config = find()
    return [load(config) if config else None]


def _apart(nets: Sequence[Checked], config: Config | None) -> list[Checked]:
    """Nets of one configuration among several: their labels begin with its folder."""
    folder = relative_path(config.folder, ".") if config else "."
    if folder == ".":
        return list(nets)
    return [
        net._replace(
            label=f"{folder}/{net.label}",
            name=f"{folder}/{net.name}" if net.name and net.name != shown_path(net.file) else net.name,
        )
        if net.is_net
        else net
        for net in nets
    ]


def _first(request: targets.Request, paths: Sequence[str], given: Sequence[str], margin: str) -> Config:
    """Write a first configuration, and read it."""
    from netcount.analysis.survey import find_nets
    from netcount.budget.first import first_config, margin_of, spare_config

    if given:
        raise InputError(f"the first configuration says how nets are read; leave out {', '.join(given)}")
    path = paths[0] if paths else FILE
    spare_config(path)
    folder = os.path.dirname(os.path.abspath(path))
    nets = targets.counted(
        targets.Target(
            relative_path(os.path.abspath(file), folder),
            file,
            request.options,
            request.convention,
            request.allow_incomplete,
            (),
            None,
        )
        for file in find_nets(request.files or [os.curdir])
    )
    # a solver stands for a net that has a file of its own
    nets = [net for net in nets if net.found is None or net.found.net.file == shown_path(net.target.file)]
    write_atomically(path, first_config(nets, margin_of(margin)))
    left_out = sum(net.found is None for net in nets)
    rest = f"; {plural(left_out, 'file')} left out (its comments say why)" if left_out else ""
    click.echo(f"wrote {visible(path)}: {plural(len(nets) - left_out, 'net')}{rest}", err=True)
    return load(path)


def _inputs(config: Config | None) -> list[str]:
    """What a check reads that the command line does not name."""
    if config is None:
        return []
    nets = [file for entry in config.nets for file in entry.files]
    return [config.file, *([config.baseline] if config.baseline else []), *nets]


def _base(given: str | None, config: Config | None, chosen: Sequence[targets.Target]) -> Baseline | None:
    """The baseline; None where there is no baseline and none is needed."""
    if given is not None:
        return Baseline(given, read_baseline(given))
    path = config.baseline if config else None
    wanted = gate.wants_baseline(config, chosen)
    if path is not None and os.path.exists(path):
        return Baseline(path, read_baseline(path))
    if wanted is None:
        return None
    if path is not None and config:
        raise InputError(
            f"there is no baseline {path}; netcount check --update-baseline writes it", config.baseline_place
        )
    raise InputError(
        f"{wanted.rule} needs a baseline: give --baseline FILE, "
        'or baseline = "FILE" at the top of the configuration',
        wanted.place,
    )


def _updated(
    nets: Sequence[targets.Counted], config: Config | None, path: str | None, request: targets.Request
) -> list[Checked]:
    """Write the baseline, unless a net is broken; then hold the nets against it."""
    if path is None:
        raise InputError('--update-baseline: give --baseline FILE, or baseline = "FILE" in the configuration')
    broken = [one.error for one in nets if one.error]
    if broken:
        raise Errors(
            [*broken, InputError(f"the baseline is not written: {plural(len(broken), 'net')} cannot be counted")]
        )
    base, text = gate.new_baseline(nets, path, keep=bool(request.files))
    write_atomically(path, text)
    click.echo(f"wrote {visible(path)}: {plural(len(base.nets), 'net')}", err=True)
    others = targets.others(config, [net.target for net in nets])
    return gate.checked(nets, config, base, others=others, extra=request.budget, lenient=True)


def _report(results: list[Checked], form: str, output: str | None) -> None:
    from netcount.report.check import lines

    for result in results:
        if result.error is not None:
            say(result.error)
    if form == "github":
        _step_summary(results)
    deliver(_forms(results), form, output)
    if output is not None and exit_code(results) not in (DONE, BAD_INPUT):
        click.echo("\n".join(lines(results)), err=True)


def _forms(results: list[Checked]) -> Forms:
    """The result in the formats of every command, and in those of CI services."""

    def junit() -> str:
        from netcount.report.formats.junit import junit

        return junit(results)

    def tally() -> str:
        from netcount.report.check import tally

        return tally(results)

    def problems() -> Sequence[Problem]:
        from netcount.report.check import problems

        return problems(results)

    return forms_of("check", results)._replace(
        page=lambda: _page(results), others={**service_forms(problems, tally), "junit": junit}
    )


def _page(results: list[Checked]) -> list[Part]:
    from netcount.report.check import parts

    return parts(results)


def _step_summary(results: list[Checked]) -> None:
    """Append the Markdown to the page of the job, where GitHub names a file for it."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    from netcount.report.formats.markdown import markdown

    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(markdown(_page(results)))
    except OSError as failure:
        say(InputError(f"cannot write the step summary: {reason(failure)}"))
