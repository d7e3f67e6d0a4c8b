from __future__ import annotations

from netcount.layers.recurrent.conv_lstm import ConvLSTM


class ConvLSTMReLU(ConvLSTM):
    """ConvLSTM with a ReLU in the place of each tanh.  (x T×N×C×H×W, marks T×N, …) -> T×N×C'×H×W, ….

    Weights as ConvLSTM's.  Source: conv_lstm_relu_unit_layer.cpp of t2mhanh/caffe_convLSTM_WTA.
    """

    type = "ConvLSTMReLU"
    source = "caffe_convLSTM_WTA"
    rectified = True
