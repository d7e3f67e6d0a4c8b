"""`python -m netcount` is the command `netcount`."""

from __future__ import annotations

from netcount.cli.entry import run

if __name__ == "__main__":
    run()
