"""The rows and sums of a count: what one layer costs, and what all of them do."""

from __future__ import annotations

from typing import NamedTuple

from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.core.units import FLOAT_BYTES
from netcount.graph.graph import Blob
from netcount.layers.layer import Window


class BlobRow(NamedTuple):
    """A parameter blob.  `shared_with` is "owner layer/index" where another layer owns it."""

    role: str
    shape: Shape
    shared_with: str | None


class LayerRow(NamedTuple):
    """What one layer costs, for the whole batch of the analysis.

    line, end_line: where it begins and ends in the file.  params: learned values it owns.
    statistics: values that are kept and not learned.  madds, ops: operations.
    cost: the number of the chosen convention.  activations: elements of the tops that take memory
    of their own (an in-place top, or one that shares its bottom's memory, takes none).
    note: where a top's extent depends on data, what the shown one stands for.
    """

    name: str
    type: str
    line: int
    end_line: int
    bottoms: tuple[Blob, ...]
    tops: tuple[Blob, ...]
    blobs: tuple[BlobRow, ...]
    window: Window | None
    params: int
    statistics: int
    ops: OpCount
    cost: int
    activations: int
    note: str | None

    @property
    def madds(self) -> int:
        """Multiply-adds with learned matrices."""
        return self.ops.madds

    @property
    def weight_bytes(self) -> int:
        """What its own params and statistics take in float32."""
        return FLOAT_BYTES * (self.params + self.statistics)


class Totals(NamedTuple):
    """The sums of all rows; weight_bytes is what params and statistics take in float32."""

    params: int
    statistics: int
    ops: OpCount
    cost: int
    activations: int
    weight_bytes: int

    @property
    def madds(self) -> int:
        """Multiply-adds with learned matrices."""
        return self.ops.madds
