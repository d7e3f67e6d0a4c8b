from __future__ import annotations

from typing import ClassVar

from netcount.layers.convolution.correlation import Correlation


class Correlation1D(Correlation):
    """Correlation with displacements along the width only, as DispNet has it.  -> N×D×H'×W'.

    single_direction 1 keeps those to the right, −1 those to the left, ⌊max_displacement/stride_2⌋ + 1 of
    them.  Height is neither padded nor cut by max_displacement.  Source: correlation_layer1d.cpp and .cu
    of lmb-freiburg/flownet2.
    """

    type = "Correlation1D"
    flat: ClassVar[bool] = True

    def _displacements(self) -> list[tuple[int, int]]:
        """From the leftmost on."""
        steps = self.reach // self.step
        number = 2 * steps + 1 if self.direction == 0 else steps + 1
        first = {0: -steps, -1: -number}.get(self.direction, 0 if self.direction == 1 else -steps)
        return [(0, (first + place) * self.step) for place in range(number)]
