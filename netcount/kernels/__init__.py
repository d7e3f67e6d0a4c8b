"""Array arithmetic for `forward`: extents come from the arrays, never from the layers' window rules."""
