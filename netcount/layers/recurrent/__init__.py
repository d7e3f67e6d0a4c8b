"""Layers that take the same step for every instant of a sequence."""
