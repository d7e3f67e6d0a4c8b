"""A net made ready for an engine: what training alone needs is folded away."""
