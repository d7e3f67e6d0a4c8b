"""The contract of a layer type: one class says all that netcount knows about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, TypeAlias

from netcount.core.errors import Advice, InputError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.filler import Filler
from netcount.layers.sight import Sight, all_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Pass, Run


class Arity(NamedTuple):
    """How many bottoms or tops a layer takes; `most` None: any number from `least` on."""

    least: int
    most: int | None

    def admits(self, number: int) -> bool:
        """Whether `number` is allowed."""
        return self.least <= number and (self.most is None or number <= self.most)

    def __str__(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        return f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"


NONE, ONE, TWO, THREE = (Arity(n, n) for n in range(4))


class ParamBlob(NamedTuple):
    """A parameter blob of a layer, as it stands in a .caffemodel.

    role: "weight" (also scale), "bias" (also shift), "statistic" (kept, not learned).
    forms: other shapes of as many values that forks store it in; `forward` gets them as they are.
    """

    shape: Shape
    role: str
    filler: Filler | None = None
    forms: tuple[Shape, ...] = ()


class Window(NamedTuple):
    """The sliding window of a layer, an extent a spatial axis; for display and shares by kernel."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]
    group: int = 1
    depthwise: bool = False


class WorkingMemory(NamedTuple):
    """Elements that a layer needs while it runs, in addition to bottoms, tops and blobs.

    columns: Caffe's column buffer of one image (im2col).  forward: the most that netcount's own
    `forward` needs at once.
    """

    columns: int = 0
    forward: int = 0


Factors: TypeAlias = "tuple[tuple[str, int], ...]"
"""Factors of a product, each under the name it has in the rule."""


class Product(NamedTuple):
    """Products with one learned matrix: what its elements are, and how often each of them is used.

    >>> it = Product((("C", 512), ("C'", 1000)), (("H'", 13), ("W'", 13)))
    >>> it.elements, it.madds
    (512000, 86528000)
    """

    weights: Factors
    uses: Factors

    @property
    def elements(self) -> int:
        """Elements of the matrix."""
        return prod([number for _, number in self.weights])

    @property
    def madds(self) -> int:
        """Multiply-adds: every element, every time."""
        return self.elements * prod([number for _, number in self.uses])


class Wanted(NamedTuple):
    """Which gradients a backward pass computes.

    Attributes:
        bottoms: Of each bottom, whether its gradient.
        params: Of each parameter blob, whether its gradient.
    """

    bottoms: tuple[bool, ...]
    params: tuple[bool, ...]


def madds_of(products: Sequence[Product]) -> int:
    """Multiply-adds of all these products."""
    return sum([product.madds for product in products])


def give_all(argument: str, value: str, blobs: Sequence[str]) -> list[Advice]:
    """The advice to give something for every one of these blobs."""
    leads = ["give it with" if len(blobs) == 1 else "give them with", *["and"] * (len(blobs) - 1)]
    return [Advice(argument, value, blob, lead) for blob, lead in zip(blobs, leads, strict=False)]


def layer_error(
    layer: Message, message: str, field: str | None = None, index: int = 0, *, advice: Sequence[Advice] = ()
) -> InputError:
    """An error at a field of a layer (its LayerParameter; a path like "pooling_param.pad"), naming the layer."""
    return layer.error(f'{layer.text("type")} "{layer.text("name")}": {message}', field, index, advice=advice)


class Layer(ABC):
    """One layer type, and in an instance one layer's parameters.

    A subclass gives all five abstract methods: none has a default, so that nothing is silently 0.
    `read` sees no shapes and `infer`, `blobs` and `ops` change nothing, so one layer can be asked
    about several batches and resolutions, and what it answered is not asked again.
    """

    type: ClassVar[str]
    """The name in a prototxt's `type:`."""
    names: ClassVar[tuple[str, ...]] = ()
    """Further names of the same type, as other forks spell it."""
    source: ClassVar[str] = "stock"
    """Where the type comes from: "stock" is BVLC's Caffe, otherwise the fork's name."""
    bottoms: ClassVar[Arity] = ONE
    tops: ClassVar[Arity] = ONE
    equal_bottoms_tops: ClassVar[bool] = False
    """Whether Caffe's EqualNumBottomTopBlobs asks for as many tops as bottoms."""
    auto_tops: ClassVar[int] = 0
    """Tops a loss layer gets where the file names fewer (Caffe's AutoTopBlobs)."""
    weighs: bool = False
    """Whether the loss has a weight of 1 where the file gives none (LossLayer::LayerSetUp)."""
    in_place: bool = True
    """False where Caffe cannot set the layer up when top 0 is bottom 0: it checks that it is not, or
    looks at the bottom again after the top has another shape.  Some parameters decide it."""
    warning: str | None = None
    """What a reader of the figures has to know: Caffe does something else than the file seems to say."""
    detail: str | None = None
    """What its parameters come to and no shape shows, for `netcount explain`: a PriorBox's boxes per position."""
    time_major: ClassVar[bool] = False
    """Whether axis 0 of the bottoms is time, so that a batch cannot be told from it."""
    cuts: ClassVar[bool] = False
    """Whether its tops are parts of bottom 0 (Slice)."""
    shares_bottom: bool = False
    """Whether Caffe lets every top share the bottom's memory (Reshape, Split …); some parameters decide it."""
    makes_diffs: bool = False
    """Whether Backward touches the diffs of its bottoms, and so makes Caffe take memory for them, even where no
    layer below needs them."""
    never_backward: ClassVar[frozenset[int]] = frozenset()
    """Bottoms that force_backward leaves out, such as labels (Layer::AllowForceBackward)."""
    extents_only: ClassVar[frozenset[int]] = frozenset()
    """Bottoms of which only the shape is read, never the values (a PriorBox's, Crop's second)."""
    temporaries: ClassVar[int] = 0
    """How many arrays of bottom 0's size `forward` needs at once: what `working_memory` says by default."""
    computes: ClassVar[bool] = True
    """False for sources whose values lie outside the file (a database, a custom Python source)."""
    replaceable: ClassVar[bool] = False
    """Whether a caller may give its tops: a source's, and what means little without a real truth."""

    @classmethod
    def variant(cls, message: Message) -> str | None:
        """The type whose class reads this layer instead: its fields tell another fork's of the same name."""
        return None

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Check a class that is not netcount's own, and let its mistakes say whose they are."""
        super().__init_subclass__(**arguments)
        if not cls.__module__.startswith("netcount."):
            from netcount.layers import guard  # only other people's classes pay for it

            guard.check_class(cls, Arity)
            guard.watch(cls, {"blobs": ParamBlob, "products": Product, "window": Window})

    def __init__(self, message: Message, top_count: int, phase: str = "TEST") -> None:
        """`message` is the LayerParameter; `top_count` includes automatic tops."""
        self.message = message
        self.top_count = top_count
        self.phase = phase
        self.read(message)

    @abstractmethod
    def read(self, message: Message) -> None:
        """Set the parameters as attributes, checked; errors carry the field's place."""

    @abstractmethod
    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """Shapes in -> shapes out, one per top.  Raises InputError for what Caffe refuses."""

    @abstractmethod
    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """The parameter blobs, in Caffe's order.  Called after `infer` accepted the bottoms."""

    @abstractmethod
    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The arithmetic of one forward pass over these shapes (all of the batch)."""

    @abstractmethod
    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """Arrays in -> arrays out, as Caffe in `run.phase`.  Extents come from the arrays alone.

        Products with learned matrices go through `run.gemm` (or are told to `run.performed`), so
        that what was counted can be held against what was done.  Bottoms are never written to.
        """

    def backward(self, bottoms: Sequence[Shape], tops: Sequence[Shape], wanted: Wanted) -> OpCount | None:
        """The arithmetic of one backward pass over these shapes; None where its rule is not written down.

        Products with learned matrices, or with gradients of their outputs, are madds.  A copy of a gradient is no
        arithmetic.
        """
        return None

    def block_pass(self, blobs: Sequence[Array], axes: int) -> Pass | None:
        """What the layer does to a block of the values of bottom 0, in place, where it needs nothing else.

        Args:
            blobs: Its parameter blobs.
            axes: The axes of bottom 0, of which axis 1 are the channels.
        """
        return None

    @property
    def applies_passes(self) -> bool:
        """Whether `forward` does what stands in `run.after` to its tops, N×C×*S."""
        return False

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """The products with learned matrices that are the madds of `ops`, factor by factor."""
        return []

    @property
    def passes_bottom(self) -> bool:
        """Whether the tops hold the bottom's values, so that an engine needs no copy of them."""
        return self.shares_bottom

    @property
    def shares_diff(self) -> bool:
        """Whether Caffe lets every top share the bottom's diff as well."""
        return self.shares_bottom

    def window(self, bottoms: Sequence[Shape]) -> Window | None:
        """The sliding window, where there is one."""
        return None

    def sights(self, bottoms: Sequence[Shape], tops: Sequence[Shape], bottom: int, top: int) -> list[Sight]:
        """What a value of one top sees of each axis of one bottom; all of it where a type says nothing else."""
        return all_of(bottoms[bottom])

    def data_dependent(self, bottoms: Sequence[Shape]) -> str | None:
        """Where the tops' extents depend on values: what the inferred ones stand for."""
        return None

    def indices(self, bottoms: Sequence[Shape]) -> Mapping[int, int]:
        """Bottoms that hold labels or indices, by position: whole numbers from 0 on, below which one."""
        return {}

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """What the layer needs in memory while it runs, in addition to bottoms, tops and blobs."""
        return WorkingMemory(forward=self.temporaries * bottoms[0].count() if bottoms else 0)

    def error(
        self, message: str, field: str | None = None, index: int = 0, *, advice: Sequence[Advice] = ()
    ) -> InputError:
        """An error at a field of this layer (a path like "pooling_param.pad"), naming the layer."""
        return layer_error(self.message, message, field, index, advice=advice)

    def refuse(
        self, message: str, field: str | None = None, index: int = 0, *, advice: Sequence[Advice] = ()
    ) -> NoReturn:
        """Raise what `error` makes."""
        raise self.error(message, field, index, advice=advice)

    def given_bottoms(self, *indices: int) -> list[Advice]:
        """The advice to run with data of one's own for these bottoms."""
        return give_all("inputs", "FILE", [self.message.texts("bottom")[index] for index in indices])

    def given_tops(self) -> list[Advice]:
        """The advice to run with data of one's own for the tops."""
        return give_all("inputs", "FILE", self.message.texts("top"))

    def axis(self, shape: Shape, index: int, field: str | None = None) -> int:
        """`index` as an axis of `shape`, negative ones from the back; an error when out of range."""
        if not -len(shape) <= index < len(shape):
            self.refuse(f"axis {index} is out of range for {shape} with {len(shape)} axes", field)
        return index + len(shape) if index < 0 else index

    def named(self, index: int) -> str:
        """The `index`-th bottom for a message: its name and position in the file."""
        names = self.message.texts("bottom")
        name = names[index] if index < len(names) else "?"
        return f'bottom {index} "{name}"'
