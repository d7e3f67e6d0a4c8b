"""Fields that no known Caffe has: taken for a typo, passed over, or refused with a way out."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from netcount.core.errors import Advice, InputError, NetcountError, Warned
from netcount.core.suggest import distance
from netcount.prototxt.schema import fields_of
from netcount.prototxt.tree import Tree

ALL = "unknown-fields"
"""What `assume` calls all unknown fields at once."""
IGNORED = "ignored"
"""What `assume` takes an unknown field for."""

_HARMLESS = frozenset(
    "NetParameter SolverParameter NetState NetStateRule ParamSpec FillerParameter LossParameter"
    " NoiseParameter SaltPepperParameter DistortionParameter ExpansionParameter EmitConstraint"
    " AnnotatedDataParameter BatchSampler Sampler SampleConstraint HDF5OutputParameter SaveOutputParameter"
    " NonMaximumSuppressionParameter QuantizationParameter MultinodeParameter MultinodeLayerParameter"
    " CompileNetState TRTParameter".split()
)
"""Messages in which no field moves a shape or a count: how weights are filled and learned, how colours are
distorted and boxes drawn and thinned out, and settings of the net or the solver."""
_OF_IMAGES = frozenset(
    "TransformationParameter ResizeParameter RandomResizeParameter RandomAspectRatioParameter"
    " DataParameter ImageDataParameter MemoryDataParameter HDF5DataParameter WindowDataParameter"
    " VideoDataParameter DenseImageDataParameter FCNDataParameter MILDataParameter"
    " DetectNetAugmentationParameter".split()
)
"""Messages of which only sizes move a shape: where data come from and how they are transformed."""
_SIZE = r"(?:^|_)(?:dims?|shape|sizes?|height|width|[hw]|crop|resize|channels?|batch)(?:_|$)"
"""A field's name that speaks of extents."""
_OTHER_SIZE = r"(?:^|_)(?:pool|buffer|cache|queue|chunk|file|blur|gaussian|kernel)_size"
"""A field's name that speaks of other sizes: of what holds the data, or of a filter over their pixels."""
LAYERS = ("LayerParameter", "V1LayerParameter")
"""Messages in which a layer of its own type may bring a parameter message of its own."""


class UnknownField(NamedTuple):
    """A field that the schema's message does not have.

    Attributes:
        message: The message type it stands in.
        name: Its name.
        value: A token, or a tree for a message.
        tree: The message it stands in.
        offset: Where it stands in the text.
        layer: The layer around it, None outside of layers.
    """

    message: str
    name: str
    value: Tree | str
    tree: Tree
    offset: int
    layer: Tree | None

    @property
    def key(self) -> str:
        """How `assume` calls it: `ConvolutionParameter.field`."""
        return f"{self.message}.{self.name}"


class Verdict(NamedTuple):
    """What becomes of the unknown fields of a file.

    Attributes:
        problems: One error for each field that is refused.
        warnings: One for each name that is passed over.
        assumed: Of those, the ones that may move a shape or a count and that the caller has ignored.
    """

    problems: list[NetcountError]
    warnings: list[Warned]
    assumed: list[Warned]


def judge(fields: Sequence[UnknownField], ignored: Collection[str], left_out: Collection[int]) -> Verdict:
    """What becomes of fields that no known Caffe has.

    A field near a known one (edit distance 2 at most, a value of the same kind) is taken for a typo and
    refused.  One in a message that can move neither a shape nor a count, or in a layer that is not part of
    the net, is passed over with a warning; any other is refused.

    Args:
        fields: The unknown fields, in the order of the file.
        ignored: Keys of fields that the caller has ignored, or ALL.
        left_out: Offsets of the layers that the state leaves out.
    """
    verdict = Verdict([], [], [])
    seen: set[str] = set()
    for field in fields:
        chosen = ALL in ignored or field.key in ignored
        near = None if chosen else typo(field.message, field.name, _kind(field.value))
        outside = field.layer is not None and field.layer.offset in left_out
        harmless = outside or is_harmless(field.message, field.name, isinstance(field.value, Tree))
        if near or not (chosen or harmless):
            verdict.problems.append(refusal(field, near))
        elif field.key not in seen:
            seen.add(field.key)
            place = field.tree.place(field.offset)
            if harmless:
                verdict.warnings.append(
                    Warned(
                        f'{field.message} has no field "{field.name[:80]}" in any known Caffe; passed over', place
                    )
                )
            else:
                verdict.assumed.append(
                    Warned(
                        f'{field.message} has no field "{field.name[:80]}" in any known Caffe; ignored, though it '
                        "may change shapes and counts",
                        place,
                    )
                )
    return verdict


def is_harmless(message: str, name: str, is_message: bool) -> bool:
    """Whether an unknown field moves neither a shape nor a count.

    The parameter message of a layer is read by its own type alone, so one that nobody knows is not read by
    a layer of known type.
    """
    if message in LAYERS:
        return is_message
    if message in _OF_IMAGES:
        return not re.search(_SIZE, re.sub(_OTHER_SIZE, "", name))
    return message in _HARMLESS


def refusal(field: UnknownField, near: str | None) -> InputError:
    """The error for a field that is refused; `near`: the known field it may be meant for."""
    hint = f'; did you mean "{near}"?' if near else ""
    problem = InputError(
        f'{field.message} has no field "{field.name[:80]}" in any known Caffe{hint}',
        field.tree.place(field.offset),
        advice=[Advice("assume", IGNORED, field.key, "otherwise" if near else "go on without it:")],
    )
    problem.layer = field.layer.offset if field.layer else None
    return problem


@lru_cache(maxsize=10_000)
def typo(message: str, name: str, kind: str) -> str | None:
    """The known field of a message that a name is a misspelling of, or None.

    >>> typo("ConvolutionParameter", "kernel_sise", "number"), typo("ConvolutionParameter", "pda", "number")
    ('kernel_size', 'pad')
    >>> typo("ConvolutionParameter", "kernel_sise", "message"), typo("PriorBoxParameter", "denser", "number")
    (None, None)
    """
    if len(name) > 60:
        return None
    near: dict[int, str] = {}
    for known, (_, known_kind, *_) in fields_of(message).items():
        if _KINDS.get(known_kind, "number") == kind or kind == "any":
            steps = distance(name.lower(), known.lower(), 2)
            if steps is not None and steps < len(name):
                near.setdefault(steps, known)
    return near[min(near)] if near else None


_KINDS = {"message": "message", "string": "string", "bytes": "string", "bool": "word", "enum": "word"}


def _kind(value: Tree | str) -> str:
    if not isinstance(value, str):
        return "message"
    if value[:1] in "\"'":
        return "string"
    return "number" if value[:1] in "-+.0123456789" else "word"
