"""Where each layer type lives: key -> (module, class).  One line a family; add new types here."""

from __future__ import annotations

_MODULES = {
    "activation": "AbsVal Clip Dropout ELU HardSigmoid Mish PReLU ReLU ReLU6 SeLU SeLu"
    " Sigmoid Swish TanH Threshold",
    "arrangement": "Concat Crop Silence Slice Split Tile",
    "rearrangement": "BatchReindex Flip Reorg ShuffleChannel",
    "convolution": "Convolution ConvolutionDepthwise Deconvolution DepthwiseConvolution",
    "dense": "Embed InnerProduct",
    "margin": "MarginInnerProduct",
    "detection": "DetectionEvaluate",
    "detection_output": "DetectionOutput",
    "eval_detection": "EvalDetection",
    "multibox": "MultiBoxLoss",
    "elementwise": "Axpy Eltwise Reduction",
    "accuracy": "Accuracy",
    "im2col": "Im2col",
    "infogain": "InfogainLoss",
    "loss": "HingeLoss MultinomialLogisticLoss SigmoidCrossEntropyLoss SoftmaxWithLoss",
    "loss_distance": "ContrastiveLoss EuclideanLoss",
    "loss_forks": "CenterLoss DiceLoss L1Loss",
    "loss_smooth": "SmoothL1Loss",
    "ohem": "BoxAnnotatorOHEM SmoothL1LossOHEM SoftmaxWithLossOHEM",
    "segmentation": "SegAccuracy",
    "batch_normalization": "BN",
    "normalization": "BatchNorm LRN MVN Normalize",
    "pooling": "Pooling SPP",
    "powers": "BNLL Exp Log Power",
    "priorbox": "PriorBox PriorBoxClustered",
    "proposal": "Proposal",
    "recurrent": "LSTM LSTMUnit RNN",
    "reshaping": "Flatten Permute Reshape",
    "resampling": "Interp Upsample",
    "roi": "PSROIPooling ROIAlign ROIPooling",
    "scaling": "Bias ChannelScale Scale",
    "selection": "ArgMax Filter",
    "softmax": "Softmax",
    "database": "AnnotatedData Data DenseImageData ImageData ImageSegData MemoryData VideoData WindowData",
    "source": "DummyData HDF5Data HDF5Output Input Parameter Python",
    "yolo": "YoloDetectionOutput Yolov3DetectionOutput",
    "yolo_loss": "RegionLoss Yolov3",
}
_PYTHON = {
    "rpn.proposal_layer.ProposalLayer": "proposal",
    "rpn.anchor_target_layer.AnchorTargetLayer": "proposal_target",
    "rpn.proposal_target_layer.ProposalTargetLayer": "proposal_target",
    "roi_data_layer.layer.RoIDataLayer": "proposal",
}

FAMILIES: dict[str, tuple[str, str]] = {
    **{name: (module, name) for module, names in _MODULES.items() for name in names.split()},
    **{f"Python:{key}": (module, key.rpartition(".")[2]) for key, module in _PYTHON.items()},
}
