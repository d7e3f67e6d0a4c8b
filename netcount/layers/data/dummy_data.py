from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.layers.bases import Source, touch
from netcount.layers.filler import Filler
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class DummyData(Source):
    """Constant or random blobs: fillers and shapes, none, one, or one per top (dummy_data_layer.cpp)."""

    type = "DummyData"
    computes = True
    fillers: list[Filler]

    def read(self, message: Message) -> None:
        """Shapes in either form, and the fillers."""
        param = message.child("dummy_data_param")
        self.fillers = [Filler.of(filler) for filler in param.children("data_filler")]
        legacy = [param.integers(name) for name in ("num", "channels", "height", "width")]
        shapes = [Shape(shape.integers("dim")) for shape in param.children("shape")]
        if len(self.fillers) not in (0, 1, self.top_count):
            self.refuse(
                f"{len(self.fillers)} data_fillers for {self.top_count} tops; give none, one, or one per top",
                "dummy_data_param.data_filler",
            )
        if any(legacy):
            if shapes:
                self.refuse("shape and num/channels/height/width exclude each other", "dummy_data_param")
            if any(len(extents) not in (1, self.top_count) for extents in legacy):
                self.refuse(
                    "num, channels, height and width must each be given once, or once per top",
                    "dummy_data_param",
                )
            shapes = [
                Shape(extents[index if len(extents) > 1 else 0] for extents in legacy)
                for index in range(self.top_count)
            ]
        elif len(shapes) not in (1, self.top_count):
            self.refuse(
                f"{len(shapes)} shapes for {self.top_count} tops; give one, or one per top",
                "dummy_data_param.shape",
            )
        self.shapes = shapes

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The declared shape; a constant fills it when Caffe sets the layer up."""
        shape = self.shapes[index if len(self.shapes) > 1 else 0]
        filler = self.fillers[index if len(self.fillers) > 1 else 0] if self.fillers else None
        if filler is None:
            touch(self, shape.count(), "a constant blob", "dummy_data_param")
        elif filler.type == "constant":
            filler.check(shape)
        return shape

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Filled blobs; without a filler they are 0."""
        return self.filled(
            [self.shapes[index if len(self.shapes) > 1 else 0] for index in range(self.top_count)], run
        )

    def filled(self, shapes: Sequence[Shape], run: Run) -> list[Array]:
        """The tops in these shapes, which need not be the declared ones (another batch)."""
        tops = []
        for index, shape in enumerate(shapes):
            if self.fillers:
                filler = self.fillers[index if len(self.fillers) > 1 else 0]
                filler.check(shape)
                tops.append(filler.fill(shape, run.generator))
            else:
                tops.append(np.zeros(shape, dtype=np.float32))
        return tops
