"""Engines that run a net, one file of one class each, and how long they take for it."""
