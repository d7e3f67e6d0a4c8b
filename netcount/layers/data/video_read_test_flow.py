from __future__ import annotations

from netcount.layers.data._video_read import VideoRead


class VideoReadTestFlow(VideoRead):
    """LRCN's clips of test flows: frames (16·3)×3×227×227, labels and continuation marks 16·3.

    Source: sequence_input_layer.py of lisa-caffe-public (Donahue et al. 2015, arXiv 1411.4389).
    """

    python = "sequence_input_layer.videoReadTest_flow"
    clips = 3
