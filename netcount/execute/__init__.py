"""The reference executor: runs a net with numpy and measures what it did."""
