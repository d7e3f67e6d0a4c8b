"""`netcount samples`: the nets that come with netcount."""

from __future__ import annotations

import os

import click

from netcount.cli.options import FORMATS, format_options
from netcount.cli.output import deliver, forms_of
from netcount.core.errors import InputError, reason
from netcount.core.files import read_bytes, shown_path, write_atomically
from netcount.core.suggest import unknown
from netcount.core.units import plural
from netcount.report.formats.text import visible
from netcount.report.samples import Sample
from netcount.report.samples import samples as all_samples

_MOST_BYTES = 2**24


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--copy", metavar="FOLDER", help="Copy them into this folder, all where no NAME is given.")
@format_options(*FORMATS)
def samples(names: tuple[str, ...], copy: str | None, form: str, output: str | None) -> None:
    """The nets that come with netcount: list them, or copy them to work on.

    A file that is already there and is another is not replaced.

    \b
    Examples:
      netcount samples
      netcount samples squeezenet_v1.1.prototxt --copy .
      netcount analyze squeezenet_v1.1.prototxt
    """
    chosen = _chosen(names)
    if copy is None:
        deliver(forms_of("samples", chosen), form, output)
        return
    try:
        os.makedirs(copy, exist_ok=True)
    except OSError as failure:
        raise InputError(f"cannot make {shown_path(copy)}: {reason(failure)}") from None
    contents = {os.path.join(copy, sample.file): read_bytes(sample.path, _MOST_BYTES) for sample in chosen}
    for path, content in contents.items():
        if os.path.lexists(path) and not (os.path.isfile(path) and read_bytes(path, _MOST_BYTES) == content):
            raise InputError(f"{shown_path(path)} is there already and is another file; nothing is copied")
    for path, content in contents.items():
        write_atomically(path, content)
    click.echo(f"{visible(copy)}: {plural(len(contents), 'sample')}", err=True)


def _chosen(names: tuple[str, ...]) -> list[Sample]:
    """The samples of these names, with or without their ending; all where none is named."""
    by_file = {sample.file: sample for sample in all_samples()}
    if not names:
        return list(by_file.values())
    for name in names:
        if name not in by_file and f"{name}.prototxt" not in by_file:
            raise InputError(unknown("sample", visible(name), by_file, show_all=True))
    return [by_file[name] if name in by_file else by_file[f"{name}.prototxt"] for name in dict.fromkeys(names)]
