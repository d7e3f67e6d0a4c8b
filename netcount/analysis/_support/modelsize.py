"""How large a model file is when its weights are pruned and quantized (Deep Compression).

Han, Mao and Dally 2016, arXiv 1510.00149: of a pruned matrix only the values that are left are
stored, each as an index into a codebook, and beside it the distance to the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from netcount.core.errors import InputError
from netcount.core.units import bytes_of
from netcount.graph.graph import Graph

FLOAT_BITS = 32
MOST_INDEX_BITS = 16
CODEBOOK_BITS = 16
"""Values of fewer bits than this are indices into a codebook of float32 values; others stand alone."""


class Matrix(NamedTuple):
    """A weight blob: its elements, how many are not 0, and by what gaps they lie apart.

    gaps: distances between neighbours that are not 0, where they were counted; None: by chance.
    distinct: how many different values other than 0 there are, where they were counted.
    """

    name: str
    elements: int
    nonzero: int
    gaps: dict[int, int] | None = None
    distinct: int | None = None


class ModelSize(NamedTuple):
    """An estimate of a compressed model, in bytes, part by part.

    Attributes:
        bits: Of a value.
        density: The share of values that are not 0.
        index_bits: Of the distance between two of them.
        values: Codes of the values that are left, and of the zeros that stand in for gaps too long for an index.
        indices: Their distances.
        codebooks: 2^bits float32 values a weight blob, or as many as it has.
        others: Biases, scales, shifts and statistics in float32.
        fillers: How many zeros are stored.
        dense: The same model in float32.
    """

    bits: int
    density: float
    index_bits: int
    values: int
    indices: int
    codebooks: int
    others: int
    fillers: int
    dense: int

    @property
    def total(self) -> int:
        """All parts."""
        return self.values + self.indices + self.codebooks + self.others


def matrices_of(net: Graph, density: float) -> list[Matrix]:
    """The weight blobs of a net, each pruned to `density` (above 0, at most 1)."""
    if not 0 < density <= 1:
        raise InputError(f"a density is a share above 0 and at most 1, not {density:g}", argument="density")
    return [
        Matrix(node.name, blob.shape.count(), ceil(blob.shape.count() * density))
        for node in net.nodes
        for blob, owner in zip(node.params, node.owners, strict=True)
        if owner is None and blob.role == "weight"
    ]


def model_size(net: Graph, matrices: Sequence[Matrix], bits: int) -> ModelSize:
    """The size with values of `bits`, and the index width that makes it smallest."""
    elements = sum(matrix.elements for matrix in matrices)
    nonzero = sum(matrix.nonzero for matrix in matrices)
    others = net.learnable() - elements
    widths = range(MOST_INDEX_BITS + 1)  # 0: every zero is stored, and no index is needed
    stored = {width: sum(_fillers(matrix, width) for matrix in matrices) for width in widths}
    index_bits = min(widths, key=lambda width: (nonzero + stored[width]) * (bits + width))
    entries = nonzero + stored[index_bits]
    return ModelSize(
        bits,
        nonzero / elements if elements else 1.0,
        index_bits,
        bytes_of(entries, bits),
        bytes_of(entries, index_bits),
        sum(_codebook(matrix, bits) for matrix in matrices),
        bytes_of(others, FLOAT_BITS),
        stored[index_bits],
        bytes_of(net.learnable(), FLOAT_BITS),
    )


def _codebook(matrix: Matrix, bits: int) -> int:
    if bits >= CODEBOOK_BITS:
        return 0
    values = min(2**bits, matrix.nonzero)
    return bytes_of(values if matrix.distinct is None else min(values, matrix.distinct), FLOAT_BITS)


def _fillers(matrix: Matrix, width: int) -> int:
    """Zeros that have to be stored because a gap is longer than 2^width.

    Where the gaps were not counted, the values that are left lie anywhere with equal chance, and a
    gap is longer than g with the chance (1 − density)^g.
    """
    if not width:
        return matrix.elements - matrix.nonzero
    if not matrix.nonzero:
        return 0
    reach = 2**width
    if matrix.gaps is not None:
        return sum((gap - 1) // reach * times for gap, times in matrix.gaps.items())
    longer = (1 - matrix.nonzero / matrix.elements) ** reach
    return ceil(matrix.nonzero * longer / (1 - longer)) if longer else 0
