"""Questions asked of a net, one file per question."""
