"""What YOLO v1's losses of two forks share: a grid of cells, each with classes and some boxes."""

from __future__ import annotations

from collections.abc import Sequence

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Layer


def check_grid(layer: Layer, bottoms: Sequence[Shape], wanted: tuple[int, ...]) -> None:
    """Refuse unless each bottom holds as many values per image as the grid asks for."""
    for index, (shape, values) in enumerate(zip(bottoms, wanted, strict=True)):
        if shape.count(1) != values:
            layer.refuse(
                f"{layer.named(index)} {shape} must hold {values} values per image for this grid", "bottom", index
            )


def grid_ops(cells: int, classes: int, boxes: int) -> OpCount:
    """The bound, as if every cell held an object: the square of each value's difference, and the
    overlap of every box with the one of the truth, or where there is none its distance."""
    pairs, values = cells * boxes, cells * (classes + boxes + 4)
    return OpCount(
        adds=2 * values + 17 * pairs,
        muls=2 * values + 9 * pairs,
        divs=3 * pairs + 5,
        compares=cells * classes + 8 * pairs,
        exps=pairs + 2 * cells,
    )
