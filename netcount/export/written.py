"""A net exported and checked, as the bytes of its files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import InputError
from netcount.core.files import write_together
from netcount.export.agreement import TOLERANCE, EngineCheck
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array

ENDINGS: Mapping[str, tuple[str, ...]] = {"onnx": (".onnx",), "ncnn": (".param", ".bin")}
"""The forms, and the endings of their files: the first one is that of `--output`."""


class ExportedNet(NamedTuple):
    """A net in an engine's form, as the bytes of its files.

    Attributes:
        parts: What each file holds, in the order of the form's endings.
        endings: The form's endings.
        checked: What the run in the engine showed; None where there was none.
        tolerance: The difference that was allowed.
    """

    parts: tuple[bytes, ...]
    endings: tuple[str, ...]
    checked: EngineCheck | None
    tolerance: float

    def files(self, path: str) -> dict[str, bytes]:
        """By path; of several files the further ones stand beside the first."""
        stem = next((path.removesuffix(ending) for ending in self.endings if path.endswith(ending)), None)
        first = path if stem is None else stem + self.endings[0]
        others = [(path if stem is None else stem) + ending for ending in self.endings[1:]]
        return dict(zip([first, *others], self.parts, strict=True))

    def write(self, path: str | os.PathLike[str]) -> list[str]:
        """Write the files, all or none; their paths.  path: of the first of them.

        Raises:
            InputError: One cannot be written.
        """
        files = self.files(os.fspath(path))
        write_together({name: [data] for name, data in files.items()})
        return list(files)


def export_net(
    net: Graph,
    form: str,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    until: str | None = None,
    other_batch: Graph | None = None,
    fp16: bool = False,
    check: bool = True,
    seed: int = 0,
) -> ExportedNet:
    """A net in one of the forms of `ENDINGS`.

    Args:
        net: The net.
        form: "onnx" or "ncnn".
        weights: Arrays by layer name; without them they are random.
        until: The last blob.
        other_batch: The same net for another batch: the batch is left open, and both are checked.
        fp16: Store the weights of convolutions and inner products as float16; ncnn only.
        check: Whether the engine has to agree.
        seed: For random weights and inputs.

    Raises:
        InputError: A package is missing, the form has no words for some layers, or the engine does not agree.
    """
    if form == "onnx":
        if fp16:
            raise InputError("float16 weights are for ncnn", argument="fp16")
        return _onnx(net, weights, until, other_batch, check, seed)
    if form == "ncnn":
        if other_batch is not None or net.batch not in (None, 1):
            raise InputError(f"{net.file}: ncnn computes one image at a time", argument="batch")
        return _ncnn(net, weights, until, fp16, check, seed)
    raise InputError(f"there is no form {form!r}", argument="form")


def _said(checked: EngineCheck | None) -> str:
    """What the file says of its check."""
    return f"{checked.engine}, within {checked.error:.1e}" if checked else "no, as was asked"


def _ncnn(
    net: Graph,
    weights: Mapping[str, Sequence[Array]] | None,
    until: str | None,
    fp16: bool,
    check: bool,
    seed: int,
) -> ExportedNet:
    from netcount.execute.stand_ins import stand_in_weights
    from netcount.export.ncnn import halved, to_ncnn
    from netcount.export.ncnn_check import check_ncnn

    checked = None
    if check:
        blobs = stand_in_weights(net, seed) if weights is None else weights
        checking = to_ncnn(net, blobs, until=until, half=fp16)
        checked = check_ncnn(checking, halved(net, blobs) if fp16 else blobs, seed=seed)
    made = to_ncnn(net, weights, until=until, half=fp16, seed=seed)
    param = made.param(_said(checked)).encode()
    return ExportedNet((param, made.weights), ENDINGS["ncnn"], checked, TOLERANCE)


def _onnx(
    net: Graph,
    weights: Mapping[str, Sequence[Array]] | None,
    until: str | None,
    other: Graph | None,
    check: bool,
    seed: int,
) -> ExportedNet:
    from netcount.execute.stand_ins import stand_in_weights
    from netcount.export.onnx import to_onnx
    from netcount.export.onnx_check import check_onnx

    checked = None
    if check:
        blobs = stand_in_weights(net, seed) if weights is None else weights
        checking = to_onnx(net, blobs, until=until, dynamic=other is not None)
        checked = check_onnx(checking, blobs, seed=seed)
        if other is not None:
            again = check_onnx(checking._replace(net=other), blobs, seed=seed)
            checked = checked._replace(error=max(checked.error, again.error))
    made = to_onnx(net, weights, until=until, dynamic=other is not None, seed=seed)
    for entry in made.model.metadata_props:
        if entry.key == "netcount.checked":
            entry.value = _said(checked)
    return ExportedNet((made.model.SerializeToString(),), ENDINGS["onnx"], checked, TOLERANCE)
