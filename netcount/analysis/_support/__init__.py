"""What the questions share: topology, names, kernels, liveness, and other helpers."""
