"""Layers that reduce windows or regions to one value each."""
