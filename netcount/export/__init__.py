"""Nets in the form of an engine: ONNX and ncnn, each checked in its engine against the executor."""
