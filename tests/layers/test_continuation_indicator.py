"""ContinuationIndicator: the marks that say where a sequence begins."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

CRNN = (
    inputs(data=(1, 1, 32, 128))
    + """
layer { name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 64 kernel_h: 32 kernel_w: 4 stride_h: 32 stride_w: 4 } }
layer { name: "perm" type: "Permute" bottom: "c" top: "perm"
  permute_param { order: 3 order: 0 order: 1 order: 2 } }
layer { name: "seq" type: "Reshape" bottom: "perm" top: "seq" reshape_param { shape { dim: 0 dim: 0 dim: -1 } } }
layer { name: "cont" type: "ContinuationIndicator" top: "cont"
  continuation_indicator_param { time_step: 32 batch_size: 1 } }
layer { name: "rnn" type: "LSTM" bottom: "seq" bottom: "cont" top: "rnn" recurrent_param { num_output: 100 } }
layer { name: "fc" type: "InnerProduct" bottom: "rnn" top: "fc" inner_product_param { num_output: 37 axis: 2 } }
"""
)


def test_a_reader_of_plates_has_its_marks() -> None:
    analysis = net_of(CRNN).analyze()
    rows = {layer.name: layer for layer in analysis.layers}
    assert analysis.complete
    assert net_of(CRNN).node("cont").top_shapes == [(32, 1)]
    assert (rows["rnn"].params, rows["rnn"].ops.madds) == (66_000, 2_099_200)


def test_the_first_instant_of_every_sequence_is_marked() -> None:
    layer = layer_of(
        'type: "ContinuationIndicator" continuation_indicator_param { time_step: 3 batch_size: 2 }', 0
    )
    (marks,) = layer.forward([], [], Run())
    assert marks.tolist() == [[0, 0], [1, 1], [1, 1]]


def test_a_bottom_tells_how_many_sequences_there_are() -> None:
    layer = layer_of('type: "ContinuationIndicator" continuation_indicator_param { time_step: 3 axis: 1 }')
    assert layer.infer([Shape((7, 5, 2))]) == [(3, 5)]
    (marks,) = layer.forward([np.zeros((7, 5, 2), dtype=np.float32)], [], Run())
    assert marks.shape == (3, 5)


@pytest.mark.parametrize("fields", ["time_step: 3", "batch_size: 3"])
def test_both_extents_are_positive(fields: str) -> None:
    with pytest.raises(InputError, match="must be positive"):
        layer_of(f'type: "ContinuationIndicator" continuation_indicator_param {{ {fields} }}', 0)
