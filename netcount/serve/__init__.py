"""Live editing in a browser: files, what is wrong with their texts, and a server for a page on this machine."""
