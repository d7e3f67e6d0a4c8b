"""The rules from layers to ONNX, one file a family; each has a table by class, exactly."""
