"""Results: what an answer does for whoever asked in Python: it prints itself, and is a dict, a frame, a page."""
