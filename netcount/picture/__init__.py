"""Pictures of nets: which boxes and arrows there are, and where they stand.  No drawing: that is a format's."""
