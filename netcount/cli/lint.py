"""`netcount lint`: what in a net costs and does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from netcount.analysis.count import count
from netcount.analysis.lint import FailOn, Lint
from netcount.analysis.lint import lint as looked_for
from netcount.budget.config import find, load
from netcount.cli.options import FORMATS, format_options, load_options, net_options
from netcount.cli.output import Forms, conclude, deliver, forms_of, service_forms
from netcount.graph.load import load_net
from netcount.report.formats.problems import Problem


@click.command()
@click.argument("file")
@click.option("--ignore", multiple=True, metavar="CODE", help="Do not report this code; repeatable.")
@click.option("--target", metavar="NAME|profile.toml", help="Report channels that this target's array fills up.")
@click.option(
    "--fail-on",
    type=click.Choice(["note", "warning", "never"]),
    default="note",
    show_default=True,
    help="From which level on the exit code is 1: advice too, mistakes alone, or never.",
)
@click.option("--no-config", is_flag=True, help="Do not look for a configuration.")
@format_options("text", *FORMATS[1:], "github", "junit", "sarif")
@net_options
def lint(
    file: str,
    ignore: tuple[str, ...],
    target: str | None,
    fail_on: FailOn,
    no_config: bool,
    form: str,
    output: str | None,
    **options: Any,
) -> None:
    """What in a net costs and does nothing, or is not what it seems, and what to write instead.

    Each finding has a code. A comment in the file, `# netcount: ignore CODE`, switches it off for the layer
    in which or above which it stands; `ignore = ["CODE"]` under [lint] in netcount.toml for every net.

    \b
    Examples:
      netcount lint deploy.prototxt
      netcount lint deploy.prototxt --fail-on warning --ignore stride-skips
      netcount lint deploy.prototxt --target kendryte-k210
      netcount lint train_val.prototxt --phase TRAIN --format sarif -o lint.sarif

    Exit codes: 0 nothing to report, 1 something, 2 bad usage or bad input, 3 incomplete.
    """
    multiple, name = 0, ""
    if target is not None:
        from netcount.targets.shipped import channel_multiple

        name, multiple = channel_multiple(target)
    config = None if no_config else find()
    codes = [*ignore, *(load(config).lint_ignore if config else ())]
    counted = count(load_net(file, load_options(options)))
    answer = looked_for(counted, codes, multiple=multiple, target=name, fail_on=fail_on)
    deliver(_forms(answer), form, output)
    conclude(answer.counted.warnings, answer.complete, answer.exit_code)


def _forms(answer: Lint) -> Forms:
    from netcount.report.lint import lint_page, problems, tally

    def listed() -> Sequence[Problem]:
        return problems(answer)

    def junit() -> str:
        from netcount.report.formats.junit import junit_problems

        fails = {"note": ("note", "warning", "error"), "warning": ("warning", "error"), "never": ()}
        return junit_problems(answer.counted.net.file, listed(), fails[answer.fail_on])

    others = {**service_forms(listed, lambda: tally(answer)), "junit": junit}
    return forms_of("lint", answer)._replace(page=lambda: lint_page(answer), others=others)
