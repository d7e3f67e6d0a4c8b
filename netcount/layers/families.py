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
    "detection": "DetectionEvaluate EvalDetection MultiBoxLoss",
    "detection_output": "DetectionOutput",
    "elementwise": "Axpy Eltwise Reduction",
    "accuracy": "Accuracy",
    "im2col": "Im2col",
    "infogain": "InfogainLoss",
    "loss": "ContrastiveLoss EuclideanLoss HingeLoss MultinomialLogisticLoss"
    " SigmoidCrossEntropyLoss SoftmaxWithLoss",
    "loss_forks": "BoxAnnotatorOHEM CenterLoss DiceLoss L1Loss SegAccuracy SmoothL1Loss"
    " SmoothL1LossOHEM SoftmaxWithLossOHEM",
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
    "yolo": "RegionLoss YoloDetectionOutput Yolov3 Yolov3DetectionOutput",
}
_PYTHON = {
    "rpn.proposal_layer.ProposalLayer": "proposal",
    "rpn.anchor_target_layer.AnchorTargetLayer": "proposal",
    "rpn.proposal_target_layer.ProposalTargetLayer": "proposal",
    "roi_data_layer.layer.RoIDataLayer": "proposal",
}

FAMILIES: dict[str, tuple[str, str]] = {
    **{name: (module, name) for module, names in _MODULES.items() for name in names.split()},
    **{f"Python:{key}": (module, key.rpartition(".")[2]) for key, module in _PYTHON.items()},
}
