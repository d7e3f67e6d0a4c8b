"""Layers that multiply by learned matrices."""
