"""Layers that join, cut, move, resize or combine blobs."""
