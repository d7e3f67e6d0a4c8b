"""What pyright says of the public types: python tools/type_completeness.py [FLOOR]

It lists what is missing, and fails below FLOOR percent.  It needs pyright, of the extra dev.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from math import floor
from pathlib import Path
from typing import Any

SHOWN = 10


def pyrights_report() -> dict[str, Any]:
    """Its JSON, of the netcount that this Python imports."""
    import netcount

    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"  # pyright takes the first python there
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pyright", "--verifytypes", "netcount", "--ignoreexternal", "--outputjson"],
            cwd=folder,  # an installed package, not the folder where we are
            env={**os.environ, "PATH": path, "PYTHONPATH": str(Path(netcount.__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
    found: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    return found


def main(arguments: list[str]) -> int:
    """The command."""
    report = pyrights_report()
    mistakes = [
        f"{symbol['name']}: {symbol['diagnostics'][0]['message'].splitlines()[0]}"
        for symbol in report["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"] and symbol["diagnostics"]
    ]
    print(*mistakes[:SHOWN], sep="\n")
    if len(mistakes) > SHOWN:
        print(f"... and {len(mistakes) - SHOWN} more")
    score = 100 * report["completenessScore"]
    counted = sum(report["exportedSymbolCounts"].values())
    print(f"{floor(score * 10) / 10} % of {counted} public symbols have a known type")
    return int(bool(arguments) and score < float(arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
