from __future__ import annotations

from netcount.layers.activation.softmax import Softmax
from netcount.prototxt.message import Message


class MultiSoftmax(Softmax):
    """A softmax over the channels of each position, in V1 form only.  N×C×H×W -> N×C×H×W.

    Source: multi_softmax_layer.cpp of 3dnormal_joint_pose's Caffe.
    """

    type = "MULTI_SOFTMAX"
    source = "3dnormal_joint_pose"

    def read(self, message: Message) -> None:
        """The channels."""
        self.axis_given = 1
