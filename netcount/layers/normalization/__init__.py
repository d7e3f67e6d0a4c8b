"""Layers that bring values to a common scale, or scale and shift channels."""
