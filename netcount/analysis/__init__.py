"""Questions asked of a net, one file a question."""
