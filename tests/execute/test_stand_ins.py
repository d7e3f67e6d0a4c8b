"""Weights and inputs that stand in for true ones."""

from __future__ import annotations

import numpy as np

from netcount.execute.executor import Executor
from netcount.execute.stand_ins import lively_weights, stand_in_weights, stand_ins
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from tests.helpers import inputs


def test_values_neither_grow_nor_vanish() -> None:
    """Fillers may say what they like: through eight layers values stay near 1, and so does the net."""
    body, bottom = "", "x"
    for number, std in enumerate((9, 0.01) * 4):
        filler = f'weight_filler {{ type: "gaussian" std: {std} }}'
        body += (
            f'layer {{ name: "c{number}" type: "Convolution" bottom: "{bottom}" top: "c{number}" '
            f"convolution_param {{ num_output: 5 kernel_size: 3 pad: 1 {filler} }} }}\n"
        )
        bottom = f"c{number}"
    net = load_text(inputs(x=(1, 3, 6, 7)) + body, LoadOptions())
    weights, before = stand_in_weights(net), lively_weights(net)
    run = Executor(net, weights, keep=[f"c{number}" for number in range(8)]).run(stand_ins(net))
    sizes = [float(np.sqrt(np.mean(np.square(array)))) for array in run.values()]
    assert all(0.5 <= size <= 2 for size in sizes)
    for name, (weight, bias) in weights.items():
        factor = weight.ravel()[0] / before[name][0].ravel()[0]
        np.testing.assert_allclose(weight, before[name][0] * factor, rtol=1e-5)
        np.testing.assert_array_equal(bias, before[name][1])
