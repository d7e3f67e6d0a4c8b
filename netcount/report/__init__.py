"""Results as text, one format a file; no number is computed here."""
