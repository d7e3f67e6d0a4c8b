"""Losses and measures of accuracy."""
