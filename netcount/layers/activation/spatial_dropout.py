from __future__ import annotations

from netcount.layers.activation.dropout import Dropout


class SpatialDropout(Dropout):
    """Dropout of whole channels; nothing at test time.  N×C×H×W -> N×C×H×W.  No weights.

    Source: spatial_dropout_layer.cpp of zimenglan-sysu-512/pose_action_caffe (Tompson et al. 2015).
    """

    type = "SpatialDropout"
    source = "pose_action_caffe"
