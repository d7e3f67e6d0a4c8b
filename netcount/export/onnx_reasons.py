"""Why some layer types are not exported, type by type: the list that docs/engines.md shows."""

from __future__ import annotations

from collections.abc import Mapping

from netcount.layers.layer import Layer

_TRAINING = "it works on the truth of a training image"
_SAMPLING = "it chooses samples for training"
_SCORING = "it scores detections against a truth"
_DATA = "how many values come out depends on the data, by rules that no ONNX operator has"
_WARPS = "it moves values to places that the data say"
_FORK = "no rule is written: a fork's own arithmetic, in few nets"
_RISTRETTO = "its numbers are rounded by Ristretto's rules while it runs"
_REGIONS = "no ONNX operator pools regions by its rule"

REASONS: Mapping[str, str] = {
    name: reason
    for reason, names in {
        _TRAINING: (
            "CTCLoss CenterLoss DetectionGroupLoss DetectionLoss DiceCoefLoss DiceLoss LabelSpecificAdd LpqLoss "
            "MultiSoftmaxLoss MarginInnerProduct CosinL2Normalize MultiBoxLoss RegionLoss SmoothL1Loss "
            "SmoothL1LossOHEM SoftmaxWithLossOHEM TripletLayer TripletLoss YoloLoss Yolov3"
        ),
        _SAMPLING: (
            "AnchorTargetLayer BoxAnnotatorOHEM FrcnnAnchorTarget FrcnnProposalTarget HardMining ProposalTarget "
            "ProposalTargetLayer SampleTriplet ScaleRoute TripletSelectLayer DetectNetTransformation"
        ),
        _SCORING: (
            "BboxAccuracy ClusterGroundtruth DetectionAccuracy DetectionEvaluate DetectionGroupAccuracy "
            "EvalDetection LabelsequenceAccuracy MeanAveragePrecision ScoreDetections SegAccuracy"
        ),
        _DATA: (
            "BoxGroupOutput BoxOutput ClusterDetections DecodeBBox FrcnnOutput FrcnnProposal Nms Proposal "
            "ProposalLayer TextProposalLayer YoloDetectionOutput Yolov3DetectionOutput CTCGreedyDecoder"
        ),
        _WARPS: ("DeformableConvolution DeformablePSROIPooling FlowWarp MaskPooling ROIWarping Warping Unpooling"),
        _RISTRETTO: "ConvolutionRistretto DeconvolutionRistretto FcRistretto LRNRistretto",
        _REGIONS: "PSROIPooling ROIAlign",
    }.items()
    for name in names.split()
}
"""By class name."""


def reason_of(kind: type[Layer]) -> str:
    """Why a type has no rule."""
    return REASONS.get(kind.__name__, _FORK)
