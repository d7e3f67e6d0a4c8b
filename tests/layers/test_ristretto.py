"""Ristretto's types are those that they derive from; SpatialDropout is Dropout, ENet's scales."""

from __future__ import annotations

import numpy as np
import pytest

from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.kernels.run import Run
from tests.helpers import inputs, layer_of, net_of

ENET = 'type: "Python" python_param { module: "spatial_dropout" layer: "SpatialDropoutLayer"'
QUANTISED = (
    inputs(data=(1, 3, 32, 32))
    + """
layer { name: "c1" type: "ConvolutionRistretto" bottom: "data" top: "c1"
  convolution_param { num_output: 16 kernel_size: 3 pad: 1 }
  quantization_param { bw_layer_in: 8 bw_layer_out: 8 bw_params: 8 fl_layer_in: 0 fl_layer_out: 2 fl_params: 7 } }
layer { name: "p" type: "Pooling" bottom: "c1" top: "p" pooling_param { pool: AVE global_pooling: true }
  quantization_param { bw_layer_in: 8 bw_layer_out: 8 th_layer_in: 1.5 th_params: 0.5 th_params: 0.25 } }
layer { name: "fc" type: "FcRistretto" bottom: "p" top: "fc" inner_product_param { num_output: 10 }
  quantization_param { precision: MINIFLOAT rounding_scheme: STOCHASTIC mant_bits: 7 } }
"""
)


def test_a_quantised_net_counts_as_its_float_net() -> None:
    plain = QUANTISED.replace("ConvolutionRistretto", "Convolution").replace("FcRistretto", "InnerProduct")
    ours, theirs = net_of(QUANTISED).analyze(), net_of(plain).analyze()
    assert ours.complete
    assert ours.totals == theirs.totals
    assert ours.totals.madds == 16 * 27 * 32 * 32 + 10 * 16
    assert [layer.tops[0].shape for layer in ours.layers] == [layer.tops[0].shape for layer in theirs.layers]


@pytest.mark.parametrize(
    ("ours", "theirs", "rest"),
    [
        (
            "DeconvolutionRistretto",
            "Deconvolution",
            "convolution_param { num_output: 5 kernel_size: 4 stride: 2 }",
        ),
        ("LRNRistretto", "LRN", "lrn_param { local_size: 3 }"),
        ("SpatialDropout", "Dropout", ""),
    ],
)
def test_each_counts_as_what_it_derives_from(ours: str, theirs: str, rest: str) -> None:
    rows = [
        net_of(inputs(x=(2, 4, 6, 7)) + f'layer {{ name: "o" type: "{kind}" bottom: "x" top: "y" {rest} }}')
        .analyze()
        .layers[-1]
        for kind in (ours, theirs)
    ]
    assert rows[0].ops == rows[1].ops
    assert (rows[0].params, rows[0].tops[0].shape) == (rows[1].params, rows[1].tops[0].shape)


@pytest.mark.parametrize(
    ("text", "muls", "scale"),
    [("{'phase': 'TRAIN', 'p': '0.2'}", 48, 1.0), ("{'phase': 'TEST', 'p': 0.2}", 24, 1.25)],
)
def test_enets_dropout_reads_its_phase_from_its_param_str(text: str, muls: int, scale: float) -> None:
    layer = layer_of(f'{ENET} param_str: "{text}" }}')
    shapes = [Shape((1, 2, 3, 4))]
    assert layer.ops(shapes, layer.infer(shapes)).muls == muls
    (y,) = layer.forward([np.ones(shapes[0], dtype=np.float32)], [], Run())
    assert y.min() == y.max() == scale


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "a phase and a p"),
        ("{'phase': 'TEST', 'p': 'x'}", "p x of param_str is not a number"),
        ("{'phase': 'TEST', 'p': '1'}", "between 0 and 1"),
    ],
)
def test_enets_dropout_needs_a_share(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        layer_of(f'{ENET} param_str: "{text}" }}')
