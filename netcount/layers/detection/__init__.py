"""Layers of object detectors: prior boxes, proposals, detections and their losses."""
