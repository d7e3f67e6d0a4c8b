"""A small net for every layer type of a fork that has a file of its own."""

from __future__ import annotations

from tests.helpers import inputs


def op(type: str, rest: str = "", bottoms: str = "x", tops: str = "y") -> str:
    """A layer "op" of that type."""
    lines = "".join(f' bottom: "{name}"' for name in bottoms.split())
    lines += "".join(f' top: "{name}"' for name in tops.split())
    return f'layer {{ name: "op" type: "{type}"{lines} {rest} }}\n'


IMAGE = inputs(x=(2, 6, 9, 11))
FIELD = inputs(u=(2, 4, 5, 7), q=(2, 4, 5, 7), c=(2, 3, 5, 7))
MEANFIELD = "multi_stage_meanfield_param { num_iterations: 3 }"
WINDOW = "kernel_h: 3 kernel_w: 2 stride: 2 pad: 1"
EIGHT_BITS = "quantization_param { bw_layer_in: 8 bw_layer_out: 8 bw_params: 8 precision: DYNAMIC_FIXED_POINT }"
SEQUENCE = inputs(s=(9, 2, 5), l=(2, 3))
CRNN = "alphabet_size: 5 time_step: 9"

CASES = {
    "MergeCrop": inputs(x=(2, 3, 5, 6), z=(2, 4, 9, 7)) + op("MergeCrop", "", "x z"),
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
    "LocalConvolution": IMAGE
    + op("LocalConvolution", "local_conv_param { num_output: 4 kernel_h: 3 kernel_w: 2 stride: 2 pad: 1 }"),
    "Local": IMAGE + op("Local", "local_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 }"),
    "ConvolutionRistretto": IMAGE
    + op("ConvolutionRistretto", f"convolution_param {{ num_output: 4 {WINDOW} }} {EIGHT_BITS}"),
    "DeconvolutionRistretto": IMAGE
    + op("DeconvolutionRistretto", f"convolution_param {{ num_output: 4 {WINDOW} }} {EIGHT_BITS}"),
    "FcRistretto": IMAGE + op("FcRistretto", f"inner_product_param {{ num_output: 4 }} {EIGHT_BITS}"),
    "LRNRistretto": IMAGE + op("LRNRistretto", EIGHT_BITS),
    "SpatialDropout": IMAGE + op("SpatialDropout", "spatial_dropout_param { dropout_ratio: 0.2 }"),
    "Python:spatial_dropout.SpatialDropoutLayer": IMAGE
    + op(
        "Python",
        'python_param { module: "spatial_dropout" layer: "SpatialDropoutLayer" '
        "param_str: \"{'phase': 'TEST', 'p': '0.1'}\" }",
    ),
    "NegReLU": IMAGE + op("NegReLU", "relu_param { negative_slope: 0.1 }"),
    "PixelShuffle": inputs(x=(2, 12, 5, 7)) + op("PixelShuffle", "pixel_shuffle_param { upscale_factor: 2 }"),
    "BilinearInterpolation": IMAGE
    + op("BilinearInterpolation", "bilinear_interpolation_param { interpolation_factor: 2 }"),
    "Division": IMAGE
    + op("Division", "division_param { height: 4 width: 5 xcoord: 6 xcoord: 0 ycoord: 5 ycoord: 1 }", tops="y z"),
    "Combination": inputs(x=(2, 3, 4, 5), z=(2, 3, 6, 3))
    + op("Combination", "combination_param { xcoord: 0 xcoord: 5 ycoord: 2 ycoord: 1 }", "x z"),
    "LabelSpecificAdd": inputs(s=(4, 7), l=(4,))
    + op("LabelSpecificAdd", "label_specific_add_param { bias: -0.35 }", "s l"),
    "Unpooling": inputs(x=(2, 3, 4, 5), m=(2, 3, 4, 5))
    + op("Unpooling", "unpooling_param { output_h: 9 output_w: 11 }", "x m"),
    "Resize": IMAGE + op("Resize", "resize_param { height: 13 width: 7 }"),
    "DeephiResize": IMAGE
    + op("DeephiResize", "deephi_resize_param { scale_h: 1.6 scale_w: 0.7 resize_type: BILINEAR }"),
    "Resample": IMAGE + op("Resample", "resample_param { height: 13 width: 4 type: CUBIC }"),
    "Downsample": IMAGE + op("Downsample", "downsample_param { top_height: 4 top_width: 5 }"),
    "Accum": inputs(x=(2, 3, 4, 5), z=(2, 2, 7, 3)) + op("Accum", "accum_param { size_divisible_by: 8 }", "x z"),
    "Correlation": inputs(x=(2, 3, 9, 11), z=(2, 3, 9, 11))
    + op(
        "Correlation",
        "correlation_param { pad: 4 kernel_size: 3 max_displacement: 4 stride_1: 2 stride_2: 3 }",
        "x z",
    ),
    "Correlation1D": inputs(x=(2, 3, 9, 11), z=(2, 3, 9, 11))
    + op(
        "Correlation1D",
        "correlation_param { pad: 4 kernel_size: 3 max_displacement: 4 stride_1: 2 stride_2: 2 "
        "single_direction: -1 }",
        "x z",
    ),
    "FlowWarp": inputs(x=(2, 3, 9, 11), f=(2, 2, 9, 11)) + op("FlowWarp", "", "x f"),
    "ChannelNorm": IMAGE + op("ChannelNorm"),
    "Mean": IMAGE + op("Mean", "mean_param { operation: SUBTRACT value: 1 value: 2 value: 3 input_scale: 0.5 }"),
    "DataAugmentation": IMAGE
    + op("DataAugmentation", "augmentation_param { crop_height: 7 crop_width: 8 recompute_mean: 10 }", tops="y k"),
    "FLOWriter": IMAGE + op("FLOWriter", tops=""),
    "FloatWriter": IMAGE + op("FloatWriter", tops=""),
    "ImgWriter": IMAGE + op("ImgWriter", tops=""),
    "PFMWriter": IMAGE + op("PFMWriter", tops=""),
    "MatWrite": IMAGE + op("MatWrite", 'mat_write_param { prefix: "out/" }', tops=""),
    "FlowAugmentation": inputs(x=(2, 2, 7, 9), a=(2, 42, 1, 1), b=(2, 42, 1, 1))
    + op("FlowAugmentation", "augmentation_param { crop_height: 5 crop_width: 6 }", "x a b"),
    "GenerateAugmentationParameters": IMAGE
    + op("GenerateAugmentationParameters", "augmentation_param { crop_height: 5 crop_width: 6 }"),
    "BlackAugmentation": inputs(x=(2, 3, 7, 9), f=(2, 2, 7, 9)) + op("BlackAugmentation", "", "x f", "y g"),
    "CustomData": op("CustomData", "data_param { batch_size: 2 slice_point: 3 }", "", "y z"),
    "ImgReader": op("ImgReader", 'reader_param { file: "a" num: 2 } transform_param { crop_size: 9 }', ""),
    "FloatReader": op("FloatReader", 'reader_param { file: "a" }', ""),
    "LpqLoss": inputs(x=(2, 3, 4, 5), z=(2, 3, 4, 5))
    + op("LpqLoss", "lpq_loss_param { p: 2 q: 0.4 p_epsilon: 0.1 l2_prescale_by_channels: true }", "x z"),
    "BoxData": op(
        "BoxData", "data_param { batch_size: 2 side: 5 side: 3 } transform_param { crop_size: 9 }", "", "y l k"
    ),
    "CompactData": op("CompactData", "data_param { batch_size: 2 } transform_param { crop_size: 9 }", "", "y l"),
    "DetectNetTransformation": inputs(x=(2, 3, 7, 9), t=(2, 1, 3, 16))
    + op(
        "DetectNetTransformation",
        "detectnet_groundtruth_param { image_size_x: 20 image_size_y: 12 object_class { src: 1 dst: 1 } }",
        "x t",
        "y l",
    ),
    "ImageLabelmapData": op(
        "ImageLabelmapData", "image_data_param { batch_size: 2 new_height: 7 new_width: 9 }", "", "y l"
    ),
    "ImageLabelData": op(
        "ImageLabelData",
        "image_label_data_param { batch_size: 2 label_slice { dim: 5 dim: 4 } } transform_param { crop_size: 9 }",
        "",
        "y l",
    ),
    "MultiStageMeanfield": FIELD + op("MultiStageMeanfield", MEANFIELD, "u q c"),
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
    "ConvLSTMReLU": inputs(x=(4, 2, 3, 5, 6), m=(4, 2))
    + op("ConvLSTMReLU", "lstm_conv_param { num_output: 7 kernel_size: 3 pad: 1 }", "x m"),
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

TOLD = {"CustomData": {"y": (2, 3, 4, 5), "z": (2, 2, 4, 5)}, "FloatReader": {"y": (2, 3, 4, 5)}}
"""Shapes that the file cannot tell."""

ROWS = {
    "CTCLoss": {"m": [[0, 0], *[[1, 1]] * 8], "l": [[1, 0], [3, 2], [-1, 3], [-1, -1]]},
    "CTCGreedyDecoder": {"m": [[0, 0], *[[1, 1]] * 4, [0, 1]], "l": [[1, 0], [3, 2], [-1, 3], [-1, -1]]},
    "WarpCTC": {"t": [[9], [7]], "n": [[3], [2]], "l": [[1, 0], [3, 2], [2, 3]]},
}
"""Inputs that are no random numbers, as rows; the rest of the blob is 0."""
