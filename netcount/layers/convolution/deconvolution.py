from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcount.core.shape import Shape
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.layer import Factors, WorkingMemory
from netcount.layers.sight import Sight, scattered
from netcount.layers.window import CONVOLUTION, spatial_factors

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run


class Deconvolution(Convolution):
    """The transpose of a convolution: it scatters where that gathers.

    N×C×*S -> N×C'×*O, O = stride·(S−1) + dilation·(K−1) + 1 − 2·pad; weights C×C'/g×*K, bias C'.
    Source: deconv_layer.cpp.
    """

    type = "Deconvolution"

    def extents(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """The output's spatial extents."""
        return self.geometry.deconvolved(spatial)

    def weight(self, made: int, channels: int, group: int) -> tuple[int, int]:
        """The weights' first two axes."""
        return channels, made // group

    def channel_factors(self, channels: int, made: int, group: int) -> Factors:
        """Input channels, and output channels per group."""
        return ("C", channels), ("C'" if group == 1 else "C'/g", made // group)

    def positions(self, given: Sequence[int], made: Sequence[int]) -> Factors:
        """The extents over which the filter goes: the input's."""
        return spatial_factors("", given)

    def added_columns(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> int:
        """None: its gradient is a convolution of the top's, for which im2col only moves values."""
        return 0

    def sight(self, axis: int, kernel: int, stride: int, pad: int, dilation: int) -> Sight:
        """The input positions that scatter to it."""
        return scattered(axis, kernel, stride, pad, dilation)

    def column_elements(self, bottom: Shape, top: Shape, axis: int, taps: int) -> int:
        """A row for each tap of each output channel, a column for each input position."""
        return top[axis] * taps * bottom.count(axis + 1)

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The column matrix, whole."""
        columns = self.column_matrix(bottoms, tops)
        return WorkingMemory(columns, columns)

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """One GEMM a group, and col2im."""
        return super().forward(bottoms, blobs, run)

    def convolve(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        stride: Sequence[int],
        pad: Sequence[int],
        dilation: Sequence[int],
        run: Run,
    ) -> Array:
        """N×C×*S -> N×C'×*O."""
        from netcount.kernels.im2col import deconvolve

        if 0 in stride:
            self.refuse("stride 0 can be counted but not run: Caffe divides by it", CONVOLUTION)
        return deconvolve(x, weight, bias, self.group, stride, pad, dilation, run)
