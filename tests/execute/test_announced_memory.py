"""What a run needs in memory is known before it starts: the announced peak against the measured one."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import netcount
from netcount.analysis._support.liveness import run_memory
from netcount.core.errors import LimitError
from netcount.execute.executor import Executor
from netcount.execute.verify import allowed_memory
from netcount.kernels import scratch
from tests.helpers import SAMPLES, graph_of, inputs, net_of

MIB = 2**20
SHAPE = (2, 16, 96, 160)
CONVOLUTIONS = [
    "num_output: 32 kernel_size: 3 pad: 1",
    "num_output: 32 kernel_size: 1",
    "num_output: 32 kernel_size: 1 stride: 2",
    "num_output: 8 kernel_size: 7 stride: 2 pad: 3",
    "num_output: 16 group: 16 kernel_size: 3 pad: 1",
    "num_output: 32 group: 16 kernel_size: 3 stride: 2 pad: 1",
    "num_output: 32 group: 4 kernel_size: 3 pad: 1",
]
FILLERS = ["gaussian", "xavier", "msra", "uniform", "positive_unitball", "constant"]
LAYERS = {
    "AbsVal": "", "BNLL": "", "BN": "", "BatchNorm": "", "Bias": "", "Dropout": "", "ELU": "", "Exp": "",
    "HardSigmoid": "", "LRN": "", "MVN": "", "Mish": "", "Normalize": "", "PReLU": "", "ReLU": "", "ReLU6": "",
    "SeLU": "", "Sigmoid": "", "Softmax": "", "Swish": "", "TanH": "", "Threshold": "",
    "ArgMax": "argmax_param { axis: 1 }",
    "Clip": "clip_param { min: -1 max: 1 }",
    "Flatten": "",
    "Im2col": "convolution_param { kernel_size: 3 pad: 1 }",
    "InnerProduct": "inner_product_param { num_output: 7 }",
    "Interp": "interp_param { zoom_factor: 2 }",
    "Log": "log_param { base: 2 scale: 3 shift: 9 }",
    "Permute": "permute_param { order: 0 order: 2 order: 3 order: 1 }",
    "Power": "power_param { power: 2 scale: 3 shift: 1 }",
    "SPP": "spp_param { pyramid_height: 3 }",
    "ShuffleChannel": "shuffle_channel_param { group: 4 }",
    "Tile": "tile_param { tiles: 2 }",
}  # fmt: skip
"""Layers with one bottom, by type."""


def one(type: str, param: str = "", bottoms: str = "x", tops: str = "y") -> str:
    blobs = "".join(f'bottom: "{name}" ' for name in bottoms.split())
    blobs += "".join(f'top: "{name}" ' for name in tops.split())
    return f'layer {{ name: "it" type: "{type}" {blobs} {param} }}\n'


SINGLE = inputs(x=SHAPE)
PAIR = inputs(x=SHAPE, z=SHAPE)
LABELLED = inputs(x=SHAPE, z=(2, 1, 96, 160))
CASES = {
    **{type: SINGLE + one(type, param) for type, param in LAYERS.items()},
    **{
        f"Convolution {text}": SINGLE + one("Convolution", f"convolution_param {{ {text} }}")
        for text in CONVOLUTIONS
    },
    **{
        f"{filler} filler": SINGLE
        + one("InnerProduct", f'inner_product_param {{ num_output: 9 weight_filler {{ type: "{filler}" }} }}')
        for filler in FILLERS
    },
    **{
        f"{pool} pooling, stride {stride}": SINGLE
        + one("Pooling", f"pooling_param {{ pool: {pool} kernel_size: 3 stride: {stride} }}")
        for pool in ("MAX", "AVE", "STOCHASTIC")
        for stride in (1, 2)
    },
    "sparse": SINGLE
    + one("InnerProduct", 'inner_product_param { num_output: 9 weight_filler { type: "gaussian" sparse: 2 } }'),
    "mask": SINGLE + one("Pooling", "pooling_param { kernel_size: 3 stride: 1 pad: 1 }", tops="y m"),
    "leaky": SINGLE + one("ReLU", "relu_param { negative_slope: 0.1 }"),
    "within": SINGLE + one("LRN", "lrn_param { norm_region: WITHIN_CHANNEL }"),
    "upsampling": SINGLE + one("Deconvolution", "convolution_param { num_output: 16 kernel_size: 4 stride: 2 }"),
    "coeff": PAIR + one("Eltwise", "eltwise_param { coeff: 1 coeff: -0.5 }", "x z"),
    "Concat": PAIR + one("Concat", "", "x z"),
    "Crop": PAIR + one("Crop", "crop_param { offset: 0 }", "x z"),
    "Slice": SINGLE + one("Slice", "", "x", "y w"),
    "EuclideanLoss": PAIR + one("EuclideanLoss", "", "x z"),
    "SmoothL1Loss": PAIR + one("SmoothL1Loss", "", "x z"),
    "SigmoidCrossEntropyLoss": PAIR + one("SigmoidCrossEntropyLoss", "", "x z"),
    "SoftmaxWithLoss": LABELLED + one("SoftmaxWithLoss", "", "x z"),
    "Accuracy": LABELLED + one("Accuracy", "", "x z"),
    "LSTM": inputs(x=(50, 8, 256), z=(50, 8)) + one("LSTM", "recurrent_param { num_output: 256 }", "x z"),
}

VOLUME = (2, 3, 9, 60, 50)
SMALL = (2, 8, 60, 100)
SEQUENCE = (6, 2, 6, 30, 50)
CONV_LSTM = "lstm_conv_param { num_output: 5 kernel_size: 3 pad: 1 }"
FIELD = (2, 5, 17, 23)
WORKING = {
    "Lstm": inputs(x=(12, 80, 64)) + one("Lstm", "lstm_param { num_output: 96 }"),
    "Lstm, one instant": inputs(x=(1, 2000, 16)) + one("Lstm", "lstm_param { num_output: 96 }"),
    "LSTM, one instant": inputs(x=(1, 2000, 16), z=(1, 2000))
    + one("LSTM", "recurrent_param { num_output: 96 }", "x z"),
    "RNN": inputs(x=(12, 80, 64), z=(12, 80)) + one("RNN", "recurrent_param { num_output: 96 }", "x z"),
    "ConvLSTM": inputs(x=SEQUENCE, z=(6, 2)) + one("ConvLSTM", CONV_LSTM, "x z"),
    "ConvLSTM, static": inputs(x=(9, 1, 6, 30, 50), z=(9, 1), s=(1, 1, 4, 30, 50))
    + one("ConvLSTM", CONV_LSTM, "x z s"),
    "ConvLSTM, without x": inputs(x=SEQUENCE, z=(6, 2))
    + one("ConvLSTM", f"lstm_debug_param {{ ignore_x: true }} {CONV_LSTM}", "x z"),
    "ConvLSTMReLU, 1×1": inputs(x=SEQUENCE, z=(6, 2))
    + one("ConvLSTMReLU", "lstm_conv_param { num_output: 5 kernel_size: 1 }", "x z"),
    "MultiStageMeanfield": inputs(x=FIELD, z=FIELD, c=(2, 3, 17, 23))
    + one("MultiStageMeanfield", "multi_stage_meanfield_param { num_iterations: 2 }", "x z c"),
    "MultiStageMeanfield, many classes": inputs(x=(3, 300, 9, 13), z=(3, 300, 9, 13), c=(3, 3, 9, 13))
    + one("MultiStageMeanfield", "multi_stage_meanfield_param { num_iterations: 2 }", "x z c"),
    "Correlation": inputs(x=SMALL, z=SMALL)
    + one("Correlation", "correlation_param { pad: 4 kernel_size: 3 max_displacement: 4 stride_2: 2 }", "x z"),
    "Correlation SUBTRACT": inputs(x=SMALL, z=SMALL)
    + one(
        "Correlation", "correlation_param { kernel_size: 1 max_displacement: 2 correlation_type: SUBTRACT }", "x z"
    ),
    "Correlation1D": inputs(x=SMALL, z=SMALL)
    + one(
        "Correlation1D",
        "correlation_param { pad: 4 kernel_size: 3 max_displacement: 4 stride_2: 2 single_direction: -1 }",
        "x z",
    ),
    "LocalConvolution": inputs(x=(9, 8, 40, 30))
    + one("LocalConvolution", "local_conv_param { num_output: 4 kernel_h: 3 kernel_w: 2 pad: 1 }"),
    "Local, 1×1": inputs(x=SMALL) + one("Local", "local_param { num_output: 4 kernel_size: 1 bias_term: false }"),
    "Pooling3D": inputs(x=VOLUME)
    + one("Pooling3D", "pooling3d_param { pool: AVE kernel_size: 3 kernel_depth: 2 pad: 1 }"),
    "PoolingND": inputs(x=VOLUME) + one("PoolingND", "pooling_param { kernel_size: 2 dilation: 2 }"),
    "PoolingND STOCHASTIC": inputs(x=VOLUME)
    + one("PoolingND", "pooling_param { pool: STOCHASTIC kernel_size: 2 }"),
    "PoolingND, mask": inputs(x=VOLUME) + one("PoolingND", "pooling_param { kernel_size: 2 }", tops="y m"),
    "Accum": inputs(x=(2, 3, 80, 90), z=(2, 5, 70, 30))
    + one("Accum", "accum_param { size_divisible_by: 16 }", "x z"),
    "Resize": inputs(x=SMALL) + one("Resize", "resize_param { height: 113 width: 137 }"),
    "Resize NEAREST": inputs(x=SMALL) + one("Resize", "resize_param { height: 113 width: 137 type: NEAREST }"),
    "Resize, narrower": inputs(x=SMALL) + one("Resize", "resize_param { height: 171 width: 17 }"),
    "DeephiResize": inputs(x=SMALL)
    + one("DeephiResize", "deephi_resize_param { scale_h: 1.6 scale_w: 1.7 resize_type: BILINEAR }"),
    "Upsample": inputs(x=SMALL) + one("Upsample", "upsample_param { scale: 2 }"),
    "Upsample by a mask": inputs(x=SMALL, z=SMALL) + one("Upsample", "upsample_param { scale: 2 }", "x z"),
    "Upsample of a coarse image": inputs(x=(2, 8, 110, 137), z=SMALL) + one("Upsample", "", "x z"),
    "Downsample": inputs(x=SMALL) + one("Downsample", "downsample_param { top_height: 31 top_width: 43 }"),
    "Downsample to more": inputs(x=(2, 8, 60, 9))
    + one("Downsample", "downsample_param { top_height: 60 top_width: 300 }"),
    "FlowWarp": inputs(x=(2, 3, 120, 160), z=(2, 2, 120, 160)) + one("FlowWarp", "", "x z"),
    "Resample": inputs(x=SMALL) + one("Resample", "resample_param { height: 113 width: 47 type: CUBIC }"),
    "Resample NEAREST": inputs(x=SMALL)
    + one("Resample", "resample_param { height: 113 width: 147 type: NEAREST }"),
    "LSTMUnit": inputs(x=(1, 500, 96), z=(1, 500, 384), c=(1, 500)) + one("LSTMUnit", bottoms="x z c", tops="y w"),
    "Softmax of two classes": inputs(x=(2, 2, 120, 160)) + one("Softmax"),
    "LRN of few channels": inputs(x=(2, 3, 90, 110)) + one("LRN", "lrn_param { local_size: 7 }"),
    "LRN, within": inputs(x=(9, 8, 12, 15))
    + one("LRN", "lrn_param { local_size: 7 norm_region: WITHIN_CHANNEL }"),
    "ReLU, leaky": inputs(x=SMALL) + one("ReLU", "relu_param { negative_slope: 0.1 }"),
    "NegReLU": inputs(x=SMALL) + one("NegReLU", "relu_param { negative_slope: 0.1 }"),
    "Unpooling": inputs(x=SMALL, z=SMALL)
    + one("Unpooling", "unpooling_param { output_h: 120 output_w: 200 }", "x z"),
    "MergeCrop": inputs(x=SMALL, z=(2, 5, 70, 130)) + one("MergeCrop", "", "x z"),
    "MergeCrop, one switched off": inputs(x=SMALL, z=(2, 5, 70, 130))
    + one("MergeCrop", "mergecrop_param { forward: 1 forward: 0 }", "x z"),
    "Combination": inputs(x=(2, 8, 60, 50), z=(2, 8, 60, 50))
    + one("Combination", "combination_param { xcoord: 0 xcoord: 50 ycoord: 0 ycoord: 5 }", "x z"),
    "Warping": inputs(x=(3, 8, 60, 100), z=(3, 2, 60, 100)) + one("Warping", "", "x z"),
    "Norm2Layer": inputs(x=(40000, 4))
    + one("Python", 'python_param { module: "norm2layer" layer: "Norm2Layer" }'),
    "CosinL2Normalize": inputs(x=(400, 250, 1, 1), z=(400,))
    + one("CosinL2Normalize", "cosin_loss_param { num_output: 200 }", "x z"),
    "DecodeBBox": inputs(x=(5000, 8), z=(5000, 5, 1, 1)) + one("DecodeBBox", "", "x z"),
    "RegionLoss": inputs(x=(5, 125, 13, 13), z=(5, 300, 5))
    + one("RegionLoss", f"region_loss_param {{ biases: {[*range(1, 11)]} }}", "x z"),
    "Yolov3": inputs(x=(5, 75, 13, 13), z=(5, 300, 5))
    + one("Yolov3", f"yolov3_param {{ num: 3 mask: [0, 1, 2] biases: {[*range(1, 7)]} }}", "x z"),
    "Interp, cut and narrower": inputs(x=SMALL)
    + one("Interp", "interp_param { height: 51 width: 17 pad_beg: -3 pad_end: -4 }"),
}
"""Layers that need more than bottoms and tops while they run, most of them of forks."""


def measured_bytes(net: netcount.Net) -> int:
    """The peak of a run, weights made and inputs lying ready."""
    given = {blob.name: np.zeros(blob.shape, np.float32) for blob in net.inputs}
    Executor(graph_of(net)).run(given)  # what is imported or kept for once and for all does not count
    vars(scratch._KEPT).clear()
    tracemalloc.start()
    try:
        Executor(graph_of(net)).run(given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak + sum(array.nbytes for array in given.values())


@pytest.mark.parametrize("name", CASES)
def test_the_measured_peak_is_within_a_fifth_of_the_announced(name: str) -> None:
    net = net_of(CASES[name])
    assert measured_bytes(net) <= 1.2 * run_memory(graph_of(net)).total_bytes + 0.1 * MIB


@pytest.mark.parametrize("name", WORKING)
def test_what_a_layer_needs_while_it_runs_is_announced_and_not_much_more(name: str) -> None:
    net = net_of(WORKING[name])
    measured, announced = measured_bytes(net), run_memory(graph_of(net)).total_bytes
    assert measured <= announced + 0.1 * MIB
    assert announced <= 1.15 * measured


@pytest.mark.parametrize("name", [name for name in WORKING if not name.startswith("Local")])
def test_what_forward_alone_needs_is_no_column_buffer_of_caffes(name: str) -> None:
    assert not any(layer.scratch for layer in net_of(WORKING[name]).memory().layers)


def test_what_is_not_run_here_needs_nothing() -> None:
    """So that a limit refuses no run whose fields are given."""
    text = inputs(x=(1, 21, 500, 500), z=(1, 21, 500, 500), c=(1, 3, 500, 500))
    text += one("MultiStageMeanfield", "multi_stage_meanfield_param { num_iterations: 10 }", "x z c")
    assert run_memory(graph_of(net_of(text))).scratch_bytes == 0


@pytest.mark.parametrize("name", ["ReLU", f"Convolution {CONVOLUTIONS[0]}", "Concat", "xavier filler"])
def test_no_more_is_announced_than_is_needed(name: str) -> None:
    net = net_of(CASES[name])
    assert run_memory(graph_of(net)).total_bytes <= 1.05 * measured_bytes(net)


def test_blobs_are_dropped_after_their_last_reader() -> None:
    """However long a chain is, two of its blobs live at once, and one more that is read at its end."""
    chain = "".join(one("TanH", bottoms=f"b{n}", tops=f"b{n + 1}") for n in range(1, 20))
    text = inputs(x=SHAPE) + one("TanH", tops="b1") + chain + one("Eltwise", bottoms="x b20")
    memory = run_memory(graph_of(net_of(text)))
    assert memory.blob_bytes == 3 * 4 * np.prod(SHAPE)
    assert measured_bytes(net_of(text)) <= 1.2 * memory.total_bytes


def test_a_small_part_of_a_blob_does_not_keep_the_whole() -> None:
    text = (
        SINGLE
        + one("Slice", "slice_param { axis: 1 slice_point: 1 }", "x", "y w")
        + one("Silence", bottoms="w", tops="")
    )
    executor = Executor(graph_of(net_of(text)))
    held = []
    tracemalloc.start()
    try:
        executor.run(progress=lambda _: held.append(tracemalloc.get_traced_memory()[0]))
    finally:
        tracemalloc.stop()
    assert held[-1] < 4 * np.prod(SHAPE)


def test_the_figure_tells_weights_blobs_and_columns() -> None:
    memory = run_memory(
        graph_of(
            net_of(
                inputs(x=(2, 3, 9, 11)) + one("Convolution", "convolution_param { num_output: 4 kernel_size: 3 }")
            )
        )
    )
    assert memory.layer == "it"
    assert memory.weight_bytes == 4 * (4 * 27 + 4)
    assert memory.blob_bytes == 4 * 2 * (3 * 9 * 11 + 4 * 7 * 9)
    assert memory.scratch_bytes == 4 * 27 * 7 * 9
    assert memory.total_bytes == memory.weight_bytes + memory.blob_bytes + memory.scratch_bytes


def test_more_than_the_limit_is_refused_with_the_figure() -> None:
    net: Any = graph_of(net_of(SINGLE + one("ReLU")))
    needed = run_memory(net).total_bytes
    assert allowed_memory(net, needed).total_bytes == needed
    with pytest.raises(LimitError, match=r'3\.75 MiB.*weights 0 B.*at "it".*more than the 3\.75 MiB allowed'):
        allowed_memory(net, needed - 1)


def test_loading_a_net_sets_no_memory_aside() -> None:
    tracemalloc.start()
    try:
        netcount.load(SAMPLES / "squeezenet_v1.1.prototxt")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB
