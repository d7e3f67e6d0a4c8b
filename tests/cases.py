"""A small net for every layer type that the conformance suite has none for."""

from __future__ import annotations

from tests import cases_of_detectors, cases_of_forks
from tests.helpers import inputs


def _op(type: str, rest: str = "", bottoms: str = "x", tops: str = "y") -> str:
    lines = "".join(f' bottom: "{name}"' for name in bottoms.split())
    lines += "".join(f' top: "{name}"' for name in tops.split())
    return f'layer {{ name: "op" type: "{type}"{lines} {rest} }}\n'


def _python(module: str, layer: str, text: str = "") -> str:
    return f'python_param {{ module: "{module}" layer: "{layer}" param_str: "{text}" }}'


IMAGE = inputs(x=(2, 6, 9, 11))
PAIR = inputs(a=(4, 3), b=(4, 3))
SCORES = inputs(x=(4, 7), label=(4,))
CROP = "transform_param { crop_size: 9 }"
RPN = inputs(s=(1, 18, 5, 7), d=(1, 36, 5, 7), i=(1, 3))

CASES = {
    "AnnotatedData": _op("AnnotatedData", f"{CROP} data_param {{ batch_size: 2 }}", "", "y l"),
    "Data": _op("Data", f"{CROP} data_param {{ batch_size: 2 }}", "", "y l"),
    "ImageData": _op("ImageData", "image_data_param { batch_size: 2 new_height: 7 new_width: 9 }", "", "y l"),
    "WindowData": _op("WindowData", f"{CROP} window_data_param {{ batch_size: 3 }}", "", "y l"),
    "VideoData": _op("VideoData", f"{CROP} data_param {{ batch_size: 2 }}", "", "y"),
    "DenseImageData": _op(
        "DenseImageData", "dense_image_data_param { batch_size: 2 new_height: 7 new_width: 9 }", "", "y l"
    ),
    "ImageSegData": _op("ImageSegData", f"{CROP} image_data_param {{ batch_size: 2 }}", "", "y l d"),
    "MemoryData": _op(
        "MemoryData", "memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 }", "", "y l"
    ),
    "HDF5Data": _op("HDF5Data", "", "", "y"),
    "Python": _op("Python", _python("a", "B"), "", "y"),
    "Python:roi_data_layer.layer.RoIDataLayer": _op(
        "Python", _python("roi_data_layer.layer", "RoIDataLayer", "'num_classes': 21"), "", "data im_info gt_boxes"
    ),
    "HDF5Output": PAIR + _op("HDF5Output", 'hdf5_output_param { file_name: "out.h5" }', "a b", ""),
    "ConvolutionDepthwise": IMAGE
    + _op("ConvolutionDepthwise", "convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 pad: 1 }"),
    "HardSigmoid": IMAGE + _op("HardSigmoid"),
    "Mish": IMAGE + _op("Mish"),
    "SeLU": IMAGE + _op("SeLU"),
    "SeLu": IMAGE + _op("SeLu"),
    "ShuffleChannel": IMAGE + _op("ShuffleChannel", "shuffle_channel_param { group: 3 }"),
    "Interp": IMAGE + _op("Interp", "interp_param { height: 17 width: 5 }"),
    "ROIAlign": inputs(x=(1, 6, 16, 12), r=(3, 5))
    + _op("ROIAlign", "roi_align_param { pooled_h: 3 pooled_w: 2 spatial_scale: 0.5 }", "x r"),
    "LSTMUnit": inputs(c=(1, 2, 4), g=(1, 2, 16), t=(1, 2)) + _op("LSTMUnit", "", "c g t", "y h"),
    "MarginInnerProduct": SCORES
    + _op("MarginInnerProduct", "margin_inner_product_param { num_output: 5 }", "x label"),
    "CenterLoss": SCORES + _op("CenterLoss", "center_loss_param { num_output: 9 }", "x label"),
    "InfogainLoss": inputs(x=(4, 7), label=(4,), h=(7, 7)) + _op("InfogainLoss", "", "x label h"),
    "L1Loss": PAIR + _op("L1Loss", "", "a b"),
    "DiceLoss": PAIR + _op("DiceLoss", "", "a b"),
    "SmoothL1LossOHEM": inputs(a=(4, 3, 2, 1), b=(4, 3, 2, 1))
    + _op("SmoothL1LossOHEM", "", "a b", "y z")[:-3]
    + " loss_weight: 1 loss_weight: 0 }\n",
    "SoftmaxWithLossOHEM": inputs(x=(4, 7, 2, 3), label=(4, 1, 2, 3))
    + _op("SoftmaxWithLossOHEM", "loss_weight: 1 loss_weight: 0 loss_weight: 0", "x label", "y p z"),
    "BoxAnnotatorOHEM": inputs(r=(6, 5), l=(6,), c=(6,), w=(6, 8))
    + _op("BoxAnnotatorOHEM", "box_annotator_ohem_param { roi_per_img: 2 }", "r l c w", "y z"),
    "SegAccuracy": inputs(x=(2, 5, 6, 7), label=(2, 1, 6, 7)) + _op("SegAccuracy", "", "x label"),
    "PriorBoxClustered": inputs(f=(1, 3, 3, 4), x=(1, 3, 24, 32))
    + _op("PriorBoxClustered", "prior_box_param { width: 4 height: 6 width: 9 height: 3 }", "f x"),
    "MultiBoxLoss": inputs(l=(2, 48), c=(2, 36), p=(1, 2, 48), g=(1, 1, 3, 8))
    + _op("MultiBoxLoss", "multibox_loss_param { num_classes: 3 }", "l c p g"),
    "DetectionEvaluate": inputs(d=(1, 1, 5, 7), g=(1, 1, 3, 8))
    + _op("DetectionEvaluate", "detection_evaluate_param { num_classes: 4 }", "d g"),
    "EvalDetection": inputs(p=(2, 1470), g=(2, 343)) + _op("EvalDetection", "", "p g"),
    "RegionLoss": inputs(p=(2, 125, 13, 13), g=(2, 300, 5))
    + _op("RegionLoss", f"region_loss_param {{ biases: {[1, 2, 3, 2, 4, 5, 2, 6, 7, 7]} }}", "p g"),
    "Yolov3": inputs(p=(2, 75, 13, 13), g=(2, 300, 5))
    + _op("Yolov3", f"yolov3_param {{ num: 3 mask: [0, 1, 2] biases: {[10, 13, 16, 30, 33, 23]} }}", "p g"),
    "YoloDetectionOutput": inputs(p=(2, 14, 5, 4))
    + _op(
        "YoloDetectionOutput",
        "yolo_detection_output_param { num_classes: 2 num_box: 2 biases: 1 biases: 2 biases: 3 biases: 2 }",
        "p",
    ),
    "Yolov3DetectionOutput": inputs(p=(1, 14, 5, 4), q=(1, 14, 10, 8))
    + _op(
        "Yolov3DetectionOutput",
        "yolov3_detection_output_param { num_classes: 2 num_box: 2 mask_group_num: 2 mask: [0, 1, 2, 3] "
        "anchors_scale: 32 anchors_scale: 16 biases: [9, 8, 7, 6, 5, 4, 3, 2] }",
        "p q",
    ),
    "Proposal": RPN + _op("Proposal", "", "s d i", "y z"),
    "Python:rpn.proposal_layer.ProposalLayer": RPN
    + _op("Python", _python("rpn.proposal_layer", "ProposalLayer", "'feat_stride': 16"), "s d i", "y"),
    "Python:rpn.anchor_target_layer.AnchorTargetLayer": inputs(s=(1, 18, 15, 17), g=(2, 5), i=(1, 3))
    + _op("Python", _python("rpn.anchor_target_layer", "AnchorTargetLayer"), "s g i", "y t i2 o"),
    "Python:rpn.proposal_target_layer.ProposalTargetLayer": inputs(r=(9, 5), g=(2, 5))
    + _op(
        "Python",
        _python("rpn.proposal_target_layer", "ProposalTargetLayer", "'num_classes': 21"),
        "r g",
        "y l t i o",
    ),
    **cases_of_forks.CASES,
    **cases_of_detectors.CASES,
}
"""By catalogue key."""

TOLD = {"HDF5Data": {"y": (2, 3, 4, 5)}, "Python": {"y": (2, 3, 4, 5)}, **cases_of_forks.TOLD}
"""Shapes that the file cannot tell."""

PRIOR = [[0.1 * n, 0.1, 0.1 * n + 0.2, 0.4] for n in range(12)]
BOX = [0.31, 0.11, 0.49, 0.38]

TRUTHS = {
    "MultiBoxLoss": {
        "p": [*PRIOR, *[[0.1, 0.1, 0.2, 0.2]] * 12],
        "g": [[0, 1, 0, *BOX, 0], [1, 2, 0, *BOX, 0], [-1] * 8],
    },
    "DetectionEvaluate": {
        "d": [[0, 1, 0.9, *BOX], [0, 1, 0.8, *BOX], [0, 2, 0.7, *BOX], [1, 3, 0.6, *BOX], [1, -1, *[-1] * 5]],
        "g": [[0, 1, 0, *BOX, 0], [1, 3, 0, *BOX, 1], [-1] * 8],
    },
    "EvalDetection": {"g": [[0] * 49 + [1] + [0] * 293, [0] * 343]},
    "RegionLoss": {"g": [[3, *BOX]]},
    "Yolov3": {"g": [[3, *BOX]]},
    "Python:rpn.anchor_target_layer.AnchorTargetLayer": {
        "g": [[20, 30, 150, 160, 3], [90, 40, 230, 200, 5]],
        "i": [[240, 272, 1]],
    },
    "Python:rpn.proposal_target_layer.ProposalTargetLayer": {
        "r": [[0, n, n, 40 + n, 50] for n in range(9)],
        "g": [[2, 2, 40, 48, 3], [90, 40, 230, 200, 5]],
    },
    **cases_of_detectors.TRUTHS,
}
"""Inputs of layers that hold something against a truth, as rows; the rest of the blob is 0."""

ZEROS = {"BoxAnnotatorOHEM": "r", "ROIAlign": "r", **cases_of_detectors.ZEROS}
"""Inputs of zeros: boxes whose first number is their image's."""
