"""Where data come from: declared inputs, constants, and databases known only by their parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.layers.base import Moving, Source, legacy, touch
from netcount.layers.filler import Filler
from netcount.layers.layer import NONE, ONE, Arity, ParamBlob
from netcount.lazy import np
from netcount.prototxt.message import Message
from netcount.prototxt.upgrade import PAST_THE_END
from netcount.shape import Shape

if TYPE_CHECKING:
    from netcount.layers.run import Array, Run


class Input(Source):
    """Inputs declared by their shapes: one shape a top, or one for all (input_layer.cpp)."""

    type = "Input"

    def read(self, message: Message) -> None:
        """The declared shapes."""
        shapes = message.child("input_param").children("shape")
        self.shapes = [Shape(shape.integers("dim")) for shape in shapes]
        undefined = [shape for shape in shapes if shape.has(PAST_THE_END)]
        if undefined:
            self.assumed = (
                f"input_dim holds {len(shapes) - len(undefined)} shapes for {len(shapes)} inputs; "
                "Caffe reads past its end, here the others are taken for scalars"
            )
        if len(self.shapes) not in (0, 1, self.top_count):
            self.refuse(
                f"{len(self.shapes)} shapes for {self.top_count} tops; give one a top, or one for all",
                "input_param.shape",
            )

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The declared shape; none at all means the caller has to give it."""
        if not self.shapes:
            return None
        return self.shapes[index if len(self.shapes) > 1 else 0]


class DummyData(Source):
    """Constant or random blobs: fillers and shapes, none or one or one a top (dummy_data_layer.cpp)."""

    type = "DummyData"
    computes = True

    def read(self, message: Message) -> None:
        """Shapes in either form, and the fillers."""
        param = message.child("dummy_data_param")
        self.fillers = [Filler.of(filler) for filler in param.children("data_filler")]
        legacy = [param.integers(name) for name in ("num", "channels", "height", "width")]
        shapes = [Shape(shape.integers("dim")) for shape in param.children("shape")]
        if len(self.fillers) not in (0, 1, self.top_count):
            self.refuse(
                f"{len(self.fillers)} data_fillers for {self.top_count} tops; give none, one, or one a top",
                "dummy_data_param.data_filler",
            )
        if any(legacy):
            if shapes:
                self.refuse("shape and num/channels/height/width exclude each other", "dummy_data_param")
            if any(len(extents) not in (1, self.top_count) for extents in legacy):
                self.refuse(
                    "num, channels, height and width must each be given once, or once a top",
                    "dummy_data_param",
                )
            shapes = [
                Shape(extents[index if len(extents) > 1 else 0] for extents in legacy)
                for index in range(self.top_count)
            ]
        elif len(shapes) not in (1, self.top_count):
            self.refuse(
                f"{len(shapes)} shapes for {self.top_count} tops; give one, or one a top",
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


class Parameter(Source):
    """A learned blob as a top (parameter_layer.hpp).  shape -> the same shape, one weight blob."""

    type = "Parameter"
    tops = ONE
    computes = True
    learned = True

    def read(self, message: Message) -> None:
        """The blob's shape."""
        shape = message.child("parameter_param").child("shape")
        self.shape = Shape(shape.integers("dim"))

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """The blob's shape; another cannot be given."""
        if given:
            self.refuse(f"its blob is {self.shape}; another shape cannot be given", "parameter_param")
        return [self.shape]

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The blob's shape."""
        return self.shape

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The blob itself."""
        return [ParamBlob(self.shape, "weight")]

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The blob's values."""
        return [blobs[0]]


class HDF5Data(Source):
    """Blobs of an HDF5 file, whose shapes only that file knows (hdf5_data_layer.cpp)."""

    type = "HDF5Data"

    def read(self, message: Message) -> None:
        """Nothing that tells a shape; data are not transformed."""
        if message.has("transform_param"):
            self.refuse("does not transform data: transform_param has no meaning", "transform_param")

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """Unknown."""
        return None


class Python(Source):
    """A Python layer without bottoms: a source whose shapes only its code knows."""

    type = "Python"

    def read(self, message: Message) -> None:
        """Which class it is."""
        param = message.child("python_param")
        self.knows = f"only its code ({param.text('module')}.{param.text('layer')}) knows"


class HDF5Output(Moving):
    """Writes its bottoms to an HDF5 file; computes nothing (hdf5_output_layer.cpp)."""

    type = "HDF5Output"
    bottoms = Arity(2, 2)
    tops = NONE

    def read(self, message: Message) -> None:
        """A file name, which Caffe opens at once."""
        if not message.child("hdf5_output_param").text("file_name"):
            self.refuse("needs a file_name to write to", "hdf5_output_param")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """No tops."""
        return []

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Nothing is written here; but only here Caffe asks for as many images as labels."""
        data, label = (legacy(self, Shape(bottom.shape), index) for index, bottom in enumerate(bottoms))
        if data[0] != label[0]:
            self.refuse(f"{data[0]} images and {label[0]} labels cannot be written together", "bottom", 1)
        return []
