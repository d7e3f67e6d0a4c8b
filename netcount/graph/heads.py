"""Which convolution makes too few or too many predictions for a detector's priors."""

from __future__ import annotations

from collections.abc import Sequence

from netcount.core.errors import PredictionsError
from netcount.core.shape import Shape
from netcount.graph.connect import Part, Wiring
from netcount.layers.layer import ParamBlob

PRIORS = 2
"""The bottom of a detector's output or loss that holds the priors: corners and variances of 4 values."""


def misfit(
    wiring: Wiring,
    part: Part,
    shapes: Sequence[Shape | None],
    params: Sequence[Sequence[ParamBlob]],
    problem: PredictionsError,
) -> str:
    """A hint that names the heads whose channels do not fit their priors; empty where none is seen.

    Args:
        wiring: The net's graph.
        part: The layer that refused its predictions.
        shapes: Shapes of the blob versions, as far as they are known.
        params: Parameter blobs of the layers before it.
        problem: What it said.
    """
    heads = _sources(wiring, shapes, params, part.bottoms[problem.bottom])
    priors = _sources(wiring, shapes, params, part.bottoms[PRIORS])
    hints = []
    for head, prior in zip(heads, priors, strict=False):
        made, boxes = shapes[head], shapes[prior]
        if len(heads) != len(priors) or made is None or boxes is None or len(made) != 4 or 0 in made:
            continue
        _, channels, high, wide = made
        number, rest = divmod(boxes.count() // 8, high * wide)
        if not rest and number * problem.each != channels:
            hints.append(
                f"{_called(wiring, head)} must have {number * problem.each} channels, not {channels}, for the "
                f"{number} boxes per position of {_called(wiring, prior)}"
            )
    return f"; {', and '.join(hints)}" if hints else ""


def _called(wiring: Wiring, blob: int) -> str:
    maker = wiring.parts[wiring.producers[blob]]
    return f'"{maker.name}" (line {maker.message.place().line})'


def _sources(
    wiring: Wiring, shapes: Sequence[Shape | None], params: Sequence[Sequence[ParamBlob]], blob: int
) -> list[int]:
    """The blobs whose values a blob holds, in order: back through what only arranges or joins them."""
    sources = []
    left = [blob]
    while left:
        blob = left.pop()
        producer = wiring.producers[blob]
        bottoms = wiring.parts[producer].bottoms if producer >= 0 else []
        if bottoms and _arranges(wiring.parts[producer], shapes, params[producer], blob):
            left.extend(reversed(bottoms))
        else:
            sources.append(blob)
    return sources


def _arranges(part: Part, shapes: Sequence[Shape | None], params: Sequence[ParamBlob], top: int) -> bool:
    """Whether a layer has as many values as its bottoms together, and neither learns nor measures."""
    whole, given = shapes[top], [shapes[bottom] for bottom in part.bottoms]
    if params or part.layer is None or part.layer.extents_only or whole is None or None in given:
        return False
    return sum(shape.count() for shape in given if shape is not None) == whole.count()
