"""A small net for every layer type of a fork that has a file of its own."""

from __future__ import annotations

from tests.helpers import inputs


def op(type: str, rest: str = "", bottoms: str = "x", tops: str = "y") -> str:
    """A layer "op" of that type."""
    lines = "".join(f' bottom: "{name}"' for name in bottoms.split())
    lines += "".join(f' top: "{name}"' for name in tops.split())
    return f'layer {{ name: "op" type: "{type}"{lines} {rest} }}\n'


IMAGE = inputs(x=(2, 6, 9, 11))
SEQUENCE = inputs(s=(9, 2, 5), l=(2, 3))
CRNN = "alphabet_size: 5 time_step: 9"

CASES = {
    "Reverse": IMAGE + op("Reverse", "reverse_param { axis: 2 }"),
    "Transpose": IMAGE + op("Transpose", "transpose_param { dim: 3 dim: 1 dim: 0 dim: 2 }"),
    "ContinuationIndicator": op(
        "ContinuationIndicator", "continuation_indicator_param { time_step: 5 batch_size: 3 }", ""
    ),
    "CTCLoss": inputs(s=(9, 2, 5), m=(9, 2), l=(9, 2)) + op("CTCLoss", "", "s m l"),
    "CtcLoss": SEQUENCE + op("CtcLoss", f"ctc_loss_param {{ {CRNN} blank_label: 4 }}", "s l"),
    "WarpCTC": inputs(s=(9, 2, 5), t=(2,), n=(2,), l=(3, 2)) + op("WarpCTC", "", "s t n l"),
    "WarpCTCLoss": SEQUENCE + op("WarpCTCLoss", "", "s l"),
    "CTCGreedyDecoder": inputs(s=(9, 2, 5), m=(9, 2), l=(9, 2)) + op("CTCGreedyDecoder", "", "s m l", "y p a"),
    "LabelsequenceAccuracy": inputs(s=(2, 9, 5), l=(2, 3)) + op("LabelsequenceAccuracy", "", "s l"),
    "Lstm": inputs(x=(5, 2, 7)) + op("Lstm", "lstm_param { num_output: 3 }"),
    "Convolution3D": inputs(x=(2, 3, 5, 7, 6))
    + op(
        "Convolution3D",
        "convolution3d_param { num_output: 4 kernel_size: 3 kernel_depth: 2 stride: 2 temporal_pad: 1 pad: 1 }",
    ),
    "Deconvolution3D": inputs(x=(2, 3, 2, 4, 5))
    + op(
        "Deconvolution3D",
        "convolution3d_param { num_output: 4 kernel_size: 3 kernel_depth: 2 stride: 2 temporal_stride: 3 pad: 1 }",
    ),
    "Pooling3D": inputs(x=(2, 3, 5, 7, 6))
    + op("Pooling3D", "pooling3d_param { pool: AVE kernel_size: 3 kernel_depth: 2 stride: 2 pad: 1 }"),
    "PoolingND": inputs(x=(2, 3, 5, 7, 6))
    + op("PoolingND", "pooling_param { kernel_size: 2 stride: 2 pad: 1 dilation: 2 }", tops="y m"),
    "ConvLSTM": inputs(x=(4, 2, 3, 5, 6), m=(4, 2), h=(1, 2, 7, 5, 6), c=(1, 2, 7, 5, 6))
    + op(
        "ConvLSTM",
        "recurrent_param { expose_hidden: true } lstm_debug_param { expose: 'c_t=2' } "
        "lstm_conv_param { num_output: 7 kernel_size: 3 kernel_size: 1 pad: 1 pad: 0 }",
        "x m h c",
        "y z hs cs",
    ),
}
"""By catalogue key."""

ROWS = {
    "CTCLoss": {"m": [[0, 0], *[[1, 1]] * 8], "l": [[1, 0], [3, 2], [-1, 3], [-1, -1]]},
    "CTCGreedyDecoder": {"m": [[0, 0], *[[1, 1]] * 4, [0, 1]], "l": [[1, 0], [3, 2], [-1, 3], [-1, -1]]},
    "WarpCTC": {"t": [[9], [7]], "n": [[3], [2]], "l": [[1, 0], [3, 2], [2, 3]]},
}
"""Inputs that are no random numbers, as rows; the rest of the blob is 0."""
