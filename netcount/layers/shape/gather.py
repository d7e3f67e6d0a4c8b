from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Moving
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Gather(Moving):
    """What the processes of a parallel training hold, one below the other; of one process itself.

    *S, … -> *S, …: the shapes are those of a Caffe that runs alone.  Source: gather_layer.cpp of
    caffe_mpi (Wang et al. 2016).
    """

    type = "Gather"
    source = "caffe_mpi"
    bottoms: ClassVar[Arity] = Arity(1, None)
    tops: ClassVar[Arity] = Arity(1, None)
    equal_bottoms_tops = True
    shares_bottom = True

    def read(self, message: Message) -> None:
        """No parameters."""

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The bottoms' shapes."""
        return list(bottoms)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The bottoms themselves."""
        return list(bottoms)
