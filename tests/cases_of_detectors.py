"""Small nets for the layer types of detectors' forks, and of others that train or run with them."""

from __future__ import annotations

from tests.helpers import inputs


def _op(type: str, rest: str = "", bottoms: str = "x", tops: str = "y") -> str:
    lines = "".join(f' bottom: "{name}"' for name in bottoms.split())
    lines += "".join(f' top: "{name}"' for name in tops.split())
    return f'layer {{ name: "op" type: "{type}"{lines} {rest} }}\n'


def _python(module: str, layer: str, text: str = "") -> str:
    return f'python_param {{ module: "{module}" layer: "{layer}" param_str: "{text}" }}'


FIELDS = "field_w: 40 field_h: 30 downsample_rate: 8 field_w: 80 field_h: 60 downsample_rate: 16"
GROUP = "field_w: 40 field_w: 80 field_h: 30 field_h: 60 stride: 8"
RPN = inputs(s=(1, 18, 5, 7), d=(1, 36, 5, 7), i=(1, 3))
DETECTNET = "caffe.layers.detectnet."
REGIONS = inputs(r=(9, 5, 1, 1), g=(2, 7, 1, 1))

CASES = {
    "BoxOutput": inputs(x=(2, 7, 5, 6), y=(2, 7, 3, 4))
    + _op("BoxOutput", f"box_output_param {{ {FIELDS} fg_thr: 0.5 min_size: 4 }}", "x y", "r s"),
    "BoxGroupOutput": inputs(p=(4, 3, 5, 6), b=(4, 4, 5, 6))
    + _op(
        "BoxGroupOutput",
        "box_group_output_param { fg_thr: 0.3 max_post_nms_num: 9 box_group_param "
        "{ field_w: 40 field_h: 30 field_w: 80 field_h: 60 stride: 8 } }",
        "p b",
        "r s",
    ),
    "DecodeBBox": inputs(b=(6, 8), r=(6, 5, 1, 1)) + _op("DecodeBBox", "", "b r", "o"),
    "ProposalTarget": REGIONS
    + _op("ProposalTarget", "proposal_target_param { cls_num: 4 batch_size: 16 }", "r g", "o l t i w m"),
    "DetectionLoss": inputs(x=(2, 7, 5, 6), t=(2, 6, 5, 6))
    + _op("DetectionLoss", "detection_loss_param { cls_num: 3 }", "x t"),
    "DetectionAccuracy": inputs(x=(2, 7, 5, 6), t=(2, 6, 5, 6))
    + _op("DetectionAccuracy", "detection_accuracy_param { cls_num: 3 }", "x t", "a b"),
    "BboxAccuracy": inputs(x=(9, 12), r=(9, 5, 1, 1), t=(9, 6, 1, 1)) + _op("BboxAccuracy", "", "x r t", "a b"),
    "ImageGtData": _op(
        "ImageGtData",
        f"image_gt_data_param {{ batch_size: 2 crop_width: 96 crop_height: 64 output_gt_boxes: true {FIELDS} }}",
        "",
        "y l m g",
    ),
    "DetectionData": _op(
        "DetectionData",
        "detection_data_param { batch_size: 2 short_size: 64 long_size: 99 output_gt_boxes: true stride: 8 "
        "stride: 16 field_w: 40 field_w: 80 field_h: 30 field_h: 60 }",
        "",
        "y l m g",
    ),
    "EvalData": _op("EvalData", "eval_data_param { batch_size: 1 short_size: 64 long_size: 96 }", "", "y g s"),
    "ScaleRoute": inputs(r=(9, 5), x=(9, 6, 3, 3))
    + _op("ScaleRoute", "scale_route_param { low_scale: 0.5 high_scale: 1.5 }", "r x", "o y"),
    "HardMining": inputs(s=(9,), r=(9, 5, 1, 1), x=(9, 6, 3, 3))
    + _op("HardMining", "hard_mining_param { num_image: 1 num_roi_per_image: 4 }", "s r x", "o y"),
    "DetectionGroupLoss": inputs(x=(4, 3, 5, 6), b=(4, 4, 5, 6), t=(4, 6, 5, 6))
    + _op("DetectionGroupLoss", f"detection_group_loss_param {{ cls_num: 3 {GROUP} }}", "x b t"),
    "DetectionGroupAccuracy": inputs(x=(4, 3, 5, 6), b=(4, 4, 5, 6), t=(4, 6, 5, 6))
    + _op("DetectionGroupAccuracy", f"detection_group_accuracy_param {{ cls_num: 3 {GROUP} }}", "x b t", "a b_"),
    "FrcnnOutput": inputs(p=(9, 3), b=(9, 12), r=(9, 5, 1, 1), s=(1, 2))
    + _op("FrcnnOutput", "frcnn_output_param { conf_thr: 0.3 max_det_num: 5 }", "p b r s"),
    "FrcnnProposal": RPN + _op("FrcnnProposal", "", "s d i", "r p"),
    "FrcnnAnchorTarget": inputs(s=(1, 18, 15, 17), g=(2, 5), i=(1, 3))
    + _op("FrcnnAnchorTarget", "", "s g i", "y t w o"),
    "FrcnnProposalTarget": inputs(r=(9, 5), g=(2, 5)) + _op("FrcnnProposalTarget", "", "r g", "y l t w o"),
    "FrcnnRoiData": _op("FrcnnRoiData", 'window_data_param { config: "voc.json" }', "", "data im_info gt_boxes"),
    f"Python:{DETECTNET}clustering.ClusterDetections": inputs(c=(2, 2, 5, 6), b=(2, 4, 5, 6))
    + _op(
        "Python", _python(f"{DETECTNET}clustering", "ClusterDetections", "96,80,16,0.05,1,0.02,22,2"), "c b", "y z"
    ),
    f"Python:{DETECTNET}clustering.ClusterGroundtruth": inputs(c=(2, 1, 5, 6), b=(2, 4, 5, 6))
    + _op("Python", _python(f"{DETECTNET}clustering", "ClusterGroundtruth", "96,80,16"), "c b"),
    f"Python:{DETECTNET}mean_ap.ScoreDetections": inputs(a=(2, 50, 5), b=(2, 50, 5))
    + _op("Python", _python(f"{DETECTNET}mean_ap", "ScoreDetections"), "a b"),
    f"Python:{DETECTNET}mean_ap.mAP": inputs(a=(2, 50, 5))
    + _op("Python", _python(f"{DETECTNET}mean_ap", "mAP", "96,80,16"), "a", "m p r"),
    "Python:layers.text_proposal_layer.ProposalLayer": inputs(s=(1, 20, 3, 4), d=(1, 20, 3, 4), i=(1, 3))
    + _op("Python", _python("layers.text_proposal_layer", "ProposalLayer", "'feat_stride': 16"), "s d i", "y p"),
    "Nms": inputs(x=(2, 5, 9, 11)) + _op("Nms", "nms_param { num_parts: 3 max_peaks: 4 threshold: 0.1 }"),
    "ImResize": inputs(x=(2, 3, 6, 8)) + _op("ImResize", "imresize_param { factor: 2.5 start_scale: 0.9 }"),
    "CPMData": _op(
        "CPMData",
        "data_param { batch_size: 2 } cpm_transform_param { crop_size_x: 48 crop_size_y: 40 num_parts: 3 }",
        "",
        "y l",
    ),
    **{
        f"Python:sequence_input_layer.videoRead{name}": _op(
            "Python", _python("sequence_input_layer", f"videoRead{name}"), "", "data label clip_markers"
        )
        for name in ("Train_RGB", "Test_RGB", "Train_flow", "Test_flow")
    },
    "YoloLoss": inputs(x=(2, 16, 5, 6), t=(2, 10))
    + _op(
        "YoloLoss",
        "yolo_loss_param { num_class: 3 num_object: 3 mask: 0 mask: 2 anchor_x: [1, 2, 3] anchor_y: [3, 2, 1] }",
        "x t",
    ),
    "MULTI_SOFTMAX": inputs(x=(2, 5, 3, 4)) + _op("MULTI_SOFTMAX"),
    "MULTI_SOFTMAX_LOSS": inputs(x=(2, 5, 3, 4), label=(2, 1, 3, 4))
    + _op("MULTI_SOFTMAX_LOSS", "", "x label", ""),
    "DiceCoefLoss": inputs(a=(4, 3), b=(4, 3)) + _op("DiceCoefLoss", "", "a b"),
    "TripletLoss": inputs(a=(4, 3), p=(4, 3), n=(4, 3)) + _op("TripletLoss", "", "a p n"),
    "Python:tripletlosslayer.TripletLayer": inputs(a=(4, 3), p=(4, 3), n=(4, 3))
    + _op("Python", _python("tripletlosslayer", "TripletLayer", "'margin': 2"), "a p n"),
    "Python:tripletselectlayer.TripletSelectLayer": inputs(x=(7, 3), l=(7,))
    + _op("Python", _python("tripletselectlayer", "TripletSelectLayer"), "x l", "a p n"),
    "Python:norm2layer.Norm2Layer": inputs(x=(4, 3)) + _op("Python", _python("norm2layer", "Norm2Layer")),
    "SimpleNormalize": inputs(x=(2, 6, 9, 11)) + _op("SimpleNormalize"),
    "SampleTriplet": inputs(x=(6, 4), l=(2,)) + _op("SampleTriplet", "", "x l"),
    "CosinL2Normalize": inputs(x=(4, 6, 1, 1), l=(4,))
    + _op("CosinL2Normalize", "cosin_loss_param { num_output: 5 }", "x l"),
    "Identity2Verify": inputs(x=(4, 3), l=(4,)) + _op("Identity2Verify", "", "x l", "a b s"),
    "GRN": inputs(x=(2, 6, 9, 11)) + _op("GRN"),
    "Gather": inputs(x=(2, 6, 9, 11), z=(4, 3)) + _op("Gather", "", "x z", "y w"),
    "BroadcastMul": inputs(x=(2, 6, 9, 11), z=(2, 6, 1, 1)) + _op("BroadcastMul", "", "z x"),
    "Warping": inputs(x=(2, 6, 9, 11), f=(2, 2, 9, 11)) + _op("Warping", "", "x f"),
    "DeformableConvolution": inputs(x=(2, 6, 9, 11), f=(2, 36, 9, 11))
    + _op(
        "DeformableConvolution",
        "deformable_convolution_param { num_output: 8 kernel_h: 3 kernel_w: 2 pad_h: 1 pad_w: 0 stride_h: 2 "
        "stride_w: 1 dilation: 2 group: 2 deformable_group: 3 }",
        "x f",
    ),
    "DeformablePSROIPooling": inputs(x=(1, 24, 9, 11), r=(3, 5), f=(3, 4, 2, 2))
    + _op(
        "DeformablePSROIPooling",
        "deformable_psroi_pooling_param { spatial_scale: 0.5 output_dim: 6 group_size: 2 part_size: 2 "
        "sample_per_part: 3 trans_std: 0.1 }",
        "x r f",
    ),
    "ROIWarping": inputs(x=(1, 6, 16, 12), r=(3, 5))
    + _op("ROIWarping", "roi_warping_param { pooled_h: 3 pooled_w: 2 spatial_scale: 0.5 }", "x r"),
    "MaskPooling": inputs(x=(3, 6, 9, 11), m=(3, 1, 9, 11)) + _op("MaskPooling", "", "x m"),
}
"""By catalogue key."""

TRUTHS = {
    "FrcnnAnchorTarget": {"g": [[20, 30, 150, 160, 3], [90, 40, 230, 200, 5]], "i": [[240, 272, 1]]},
    "FrcnnProposalTarget": {
        "r": [[0, n, n, 40 + n, 50] for n in range(9)],
        "g": [[2, 2, 40, 48, 3], [90, 40, 230, 200, 5]],
    },
}
"""Inputs of layers that hold something against a truth, as rows; the rest of the blob is 0."""

ROWS = {"MULTI_SOFTMAX_LOSS": {"label": [[n % 5 + 1 for n in range(24)]]}}
"""Other inputs that random numbers cannot stand for: labels from 1 on."""

ZEROS = {"ROIWarping": "r", "DeformablePSROIPooling": "r", "HardMining": "r", "FrcnnOutput": "r"}
"""Inputs of zeros: boxes whose first number is their image's."""
