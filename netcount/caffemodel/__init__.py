"""Weights: reading and writing .caffemodel files, on netcount's own wire code."""
