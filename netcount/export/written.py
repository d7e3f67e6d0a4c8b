"""A net exported and checked, as the bytes of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from netcount.core.errors import InputError
from netcount.export.onnx_check import TOLERANCE, Checked
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array

ENDINGS: Mapping[str, tuple[str, ...]] = {"onnx": (".onnx",)}
"""The forms, and the endings of their files: the first one is that of `--output`."""


class Written(NamedTuple):
    """The files of an exported net.

    Attributes:
        parts: What each file holds, in the order of the form's endings.
        endings: The form's endings.
        checked: What the run in the engine showed; None where there was none.
        tolerance: The difference that was allowed.
    """

    parts: tuple[bytes, ...]
    endings: tuple[str, ...]
    checked: Checked | None
    tolerance: float

    def files(self, path: str) -> dict[str, bytes]:
        """By path; of several files the further ones stand beside the first."""
        first, *others = self.endings
        stem = path.removesuffix(first)
        return {path: self.parts[0]} | {
            stem + ending: part for ending, part in zip(others, self.parts[1:], strict=True)
        }


def export_net(
    net: Graph,
    form: str,
    weights: Mapping[str, Sequence[Array]] | None = None,
    *,
    until: str | None = None,
    other_batch: Graph | None = None,
    check: bool = True,
    seed: int = 0,
) -> Written:
    """A net in one of the forms of `ENDINGS`.

    Args:
        net: The net.
        form: "onnx".
        weights: Arrays by layer name; without them they are random.
        until: The last blob.
        other_batch: The same net for another batch: the batch is left open, and both are checked.
        check: Whether the engine has to agree.
        seed: For random weights and inputs.

    Raises:
        InputError: A package is missing, the form has no words for some layers, or the engine does not agree.
    """
    if form == "onnx":
        return _onnx(net, weights, until, other_batch, check, seed)
    raise InputError(f"there is no form {form!r}", argument="form")


def _onnx(
    net: Graph,
    weights: Mapping[str, Sequence[Array]] | None,
    until: str | None,
    other: Graph | None,
    check: bool,
    seed: int,
) -> Written:
    from netcount.execute.stand_ins import lively_weights
    from netcount.export.onnx import to_onnx
    from netcount.export.onnx_check import check_onnx

    checked = None
    if check:
        blobs = lively_weights(net, seed) if weights is None else weights
        checking = to_onnx(net, blobs, until=until, dynamic=other is not None)
        checked = check_onnx(checking, blobs, seed=seed)
        if other is not None:
            again = check_onnx(checking._replace(net=other), blobs, seed=seed)
            checked = checked._replace(error=max(checked.error, again.error))
    made = to_onnx(net, weights, until=until, dynamic=other is not None, seed=seed)
    said = f"{checked.engine}, within {checked.error:.1e}" if checked else "no, as was asked"
    for entry in made.model.metadata_props:
        if entry.key == "netcount.checked":
            entry.value = said
    return Written((made.model.SerializeToString(),), ENDINGS["onnx"], checked, TOLERANCE)
