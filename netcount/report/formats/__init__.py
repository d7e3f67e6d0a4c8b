"""Formats of a report: text, terminal, Markdown, HTML, CSV, JUnit, SARIF, GitHub and plots."""
