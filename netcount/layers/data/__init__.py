"""Sources and sinks of data."""
