"""What the loss and the accuracy of Cascade R-CNN's branches share: their fields and their bottoms."""

from __future__ import annotations

from collections.abc import Sequence

from netcount.core.shape import Shape
from netcount.layers.bases import legacy
from netcount.layers.detection._box_output import coding_of
from netcount.layers.layer import Layer

COORDINATES = 4


def fields_of(layer: Layer, name: str) -> int:
    """How many fields a branch has, after the checks of the parameters."""
    param = layer.message.child(name)
    fields, wide = (len(param.integers(field)) for field in ("field_h", "field_w"))
    if not fields or fields != wide:
        layer.refuse(f"{fields} field_h and {wide} field_w must be as many, one or more", f"{name}.field_h")
    if param.flag("objectness") and param.integer("cls_num") != 2:
        layer.refuse(f"objectness needs cls_num 2, not {param.integer('cls_num')}", f"{name}.cls_num")
    for index, deviation in enumerate(coding_of(layer)[1]):
        if deviation <= 0:
            layer.refuse(f"bbox_std {deviation:g} must be positive", "bbox_reg_param.bbox_std", index)
    return fields


def check_branch(layer: Layer, bottoms: Sequence[Shape], fields: int, classes: int) -> None:
    """Refuse bottoms that are not (N·fields)×classes, ×4 and ×6 at the same positions."""
    shapes = [legacy(layer, shape, index) for index, shape in enumerate(bottoms)]
    rows, _, *extent = shapes[0]
    if rows % fields:
        layer.refuse(f"{layer.named(0)} {bottoms[0]} must have a multiple of {fields} images", "bottom")
    for index, values in enumerate((classes, COORDINATES, COORDINATES + 2)):
        if shapes[index] != (rows, values, *extent):
            layer.refuse(
                f"{layer.named(index)} {bottoms[index]} must be {Shape((rows, values, *extent))}", "bottom", index
            )
