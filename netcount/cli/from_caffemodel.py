"""`netcount from-caffemodel`: what a file of weights holds."""

from __future__ import annotations

import click

from netcount.caffemodel import read as caffemodel
from netcount.cli.options import FORMATS, format_options
from netcount.cli.output import deliver, forms_of
from netcount.core.errors import InputError
from netcount.core.files import shown_path
from netcount.report.caffemodel import Stored, stored


@click.command("from-caffemodel")
@click.argument("file", metavar="X.caffemodel")
@format_options(*FORMATS, "prototxt", about="prototxt: the net, where the file holds it.")
def from_caffemodel(file: str, form: str, output: str | None) -> None:
    """The layers and blobs of a .caffemodel, and the prototxt of its net where the file holds it.

    Caffe saves the whole net with its weights, as it was trained: with the layers of phase TRAIN, and with the
    Split layers that Caffe itself put in.

    \b
    Examples:
      netcount from-caffemodel bvlc_alexnet.caffemodel
      netcount from-caffemodel bvlc_alexnet.caffemodel --format prototxt -o alexnet.prototxt
    """
    with caffemodel.open(file) as model:
        answer = stored(model, shown_path(file))
    forms = forms_of("from-caffemodel", answer)
    deliver(forms._replace(others={"prototxt": lambda: _prototxt(answer)}), form, output)


def _prototxt(answer: Stored) -> str:
    if answer.prototxt is None:
        raise InputError(f"{answer.file} holds weights alone: its layers do not say what they read")
    return answer.prototxt
