from __future__ import annotations

from netcount.layers.data._video_read import VideoRead


class VideoReadTrainFlow(VideoRead):
    """LRCN's clips of train flows: frames (16·24)×3×227×227, labels and continuation marks 16·24.

    Source: sequence_input_layer.py of lisa-caffe-public (Donahue et al. 2015, arXiv 1411.4389).
    """

    python = "sequence_input_layer.videoReadTrain_flow"
    clips = 24
