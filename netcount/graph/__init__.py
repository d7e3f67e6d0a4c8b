"""From a NetParameter to the graph of a net whose every blob has its shape."""
