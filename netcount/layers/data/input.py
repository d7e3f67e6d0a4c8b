from __future__ import annotations

from collections.abc import Mapping

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.prototxt.message import Message
from netcount.prototxt.upgrade import DROPPED, PAST_THE_END


class Input(Source):
    """Inputs declared by their shapes: one shape per top, or one for all (input_layer.cpp)."""

    type = "Input"
    shapes: list[Shape]
    warning: str | None
    assumed: str | None

    def read(self, message: Message) -> None:
        """The declared shapes."""
        shapes = message.child("input_param").children("shape")
        self.shapes = [Shape(shape.integers("dim")) for shape in shapes]
        dropped: list[int] = message.child("input_param").values.get(DROPPED, [])
        if dropped:
            numbers = ", ".join(map(str, dropped[:8])) + (", …" if len(dropped) > 8 else "")
            self.warning = (
                f"input_dim has {4 * self.top_count + len(dropped)} numbers for {self.top_count} "
                f"input{'s' if self.top_count > 1 else ''}; Caffe takes four per input and leaves out {numbers}"
            )
        undefined = [shape for shape in shapes if shape.has(PAST_THE_END)]
        if undefined:
            self.assumed = (
                f"input_dim holds {len(shapes) - len(undefined)} shapes for {len(shapes)} inputs; "
                "Caffe reads past its end, here the others are taken for scalars"
            )
        if len(self.shapes) not in (0, 1, self.top_count):
            self.refuse(
                f"{len(self.shapes)} shapes for {self.top_count} tops; give one per top, or one for all",
                "input_param.shape",
            )

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The declared shape; none at all means the caller has to give it."""
        if not self.shapes:
            return None
        return self.shapes[index if len(self.shapes) > 1 else 0]
