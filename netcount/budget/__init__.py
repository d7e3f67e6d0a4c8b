"""The gate: limits, budgets, baselines and their configuration file."""
