"""What many layer types share: element-wise shapes, moving data, and sources."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar, NoReturn

from netcount.core.errors import MissingShapeError
from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import NONE, Arity, Layer, ParamBlob, Wanted, give_all
from netcount.layers.sight import Sight, each
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass, Run


CHECK_WINDOWS = "; check kernel_size, pad and stride of the layers that make them"
"""What to look at where extents differ, unless another cause is known."""


class NoBlobs(Layer):
    """A layer without parameter blobs."""

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """None."""
        return []


class SameShape(Layer):
    """A layer whose only top has the shape of its only bottom."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottom's shape."""
        return [bottoms[0]]


class Moving(NoBlobs):
    """A layer that moves, names or drops data and computes nothing: every op class is 0."""

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """None: values are only moved."""
        return NOTHING

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """None: gradients are only moved."""
        return NOTHING


def check_transform(layer: Layer) -> Message:
    """The transform_param; refused where it names its mean twice (data_transformer.cpp)."""
    transform = layer.message.child("transform_param")
    if transform.has("mean_file") and transform.has("mean_value"):
        layer.refuse("mean_file and mean_value cannot both be set", "transform_param.mean_value")
    return transform


class Source(Moving):
    """A layer without bottoms: its tops' shapes are told by the file or by the caller.

    assumed: what the shapes take for granted, where the file leaves something open.
    """

    bottoms = NONE
    tops: ClassVar[Arity] = Arity(1, None)
    computes = False
    replaceable = True
    assumed: str | None = None
    sizes_assumed: ClassVar[bool] = False
    """Whether `assumed` is about the size of its images, which moves every extent behind it."""
    learned: ClassVar[bool] = False
    """Whether the top is a learned blob, so that neither batch nor caller can change its shape."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The shapes that the file tells; MissingShapeError where it tells too little."""
        return self.infer_given({})

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """All shapes, when those of some tops (by index) are given from outside."""
        shapes = []
        missing = []
        known = dict(given)
        for index in range(self.top_count):
            shape = known.get(index) if index in given else self.shape_of(index, known)
            if shape is None:
                shape = self._declared(index)
                if shape is not None:
                    known[index] = shape
            if shape is None:
                missing.append(index)
            else:
                shapes.append(shape)
        if missing:
            self.ask_for(missing)
        return shapes

    def _declared(self, index: int) -> Shape | None:
        """The shape of an input_param, which Input alone reads: for want of anything that Caffe reads."""
        if self.type == "Input" or "input_param" not in self.message.values:
            return None
        shapes = self.message.child("input_param").children("shape")
        if index >= len(shapes):
            return None
        self.assumed = "the shape of its input_param is taken, which Caffe's layer does not read"
        return Shape(shapes[index].integers("dim"))

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """The shape of one top, or None when it cannot be known from the file and from `given`."""
        return None

    knows = "the file does not tell"
    """Who does not tell, or alone knows, a missing shape."""

    def ask_for(self, indices: Sequence[int]) -> NoReturn:
        """Say which shapes are missing and how to give them."""
        tops = self.message.texts("top")
        blobs = ", ".join(f'"{tops[index]}"' for index in indices)
        word = "shape" if len(indices) == 1 else "shapes"
        raise MissingShapeError(
            f'{self.type} "{self.message.text("name")}": {self.knows} the {word} of {blobs}',
            self.message.place(),
            advice=give_all("input_shapes", "N,C,H,W", [tops[index] for index in indices]),
        )

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Not here: the values lie outside the file."""
        self.refuse("its data are not in the file", advice=self.given_tops())


class ShapesOnly(NoBlobs):
    """A layer whose shapes and arithmetic are known, but whose values are not computed here: what
    samples, matches or groups boxes against a truth, and means little without a real one."""

    replaceable = True

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Not here: its tops can be given."""
        self.refuse("its values are not computed here", advice=self.given_tops())


def child_of(message: Message, *names: str) -> Message:
    """The first of these parameter messages that is set, or the first one, empty."""
    return message.child(next((name for name in names if message.has(name)), names[0]))


def legacy(layer: Layer, shape: Shape, index: int) -> tuple[int, ...]:
    """Bottom `index` as N, C, H, W, as Caffe's older layers see it: missing axes are 1."""
    if len(shape) > 4:
        layer.refuse(f"{layer.named(index)} {shape} has more than the 4 axes N×C×H×W", "bottom", index)
    return (*shape, 1, 1, 1, 1)[:4]


def rows(x: Array, axis: int) -> Array:
    """`x` as a matrix: the axes before `axis` down, those from it on across; also when it is empty."""
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis:]))


def touch(layer: Layer, elements: int, what: str, field: str = "bottom") -> None:
    """Refuse where `what` has no elements: Caffe aborts when it asks an empty blob for its memory."""
    if not elements:
        layer.refuse(f"{what} would have no elements", field)


class ElementWise(SameShape, NoBlobs):
    """A function of each element; `each` is what one element costs.

    each_back: what one element of the gradient costs, where that is known.
    """

    each: OpCount
    each_back: OpCount | None = None
    temporaries = 1

    def read(self, message: Message) -> None:
        """No parameters."""

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The same operations for each element."""
        elements = tops[0].count()
        return OpCount(*[elements * number for number in self.each])

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """`each_back`, times the elements."""
        if self.each_back is None:
            return None
        elements = tops[0].count() if wanted.bottoms[0] else 0
        return OpCount(*[elements * number for number in self.each_back])

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """Each value sees the one that stands where it does."""
        return each(bottoms[bottom])

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The function, in float32."""
        return [np.asarray(self.value(bottoms[0]), dtype=np.float32)]

    def block_pass(self, blobs: Sequence[Array], axes: int) -> Pass | None:
        """The function, where `forward` is nothing else."""
        if type(self).forward is not ElementWise.forward:
            return None
        return lambda block: np.copyto(block, np.asarray(self.value(block), dtype=np.float32))

    @abstractmethod
    def value(self, x: Array) -> Array:
        """The function's values."""
