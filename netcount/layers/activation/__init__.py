"""Layers that treat every value by itself."""
