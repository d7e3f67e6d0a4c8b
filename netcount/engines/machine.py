"""The machine that something was measured on."""

from __future__ import annotations

import os
import platform
from importlib import import_module
from typing import NamedTuple


class Machine(NamedTuple):
    """Where and by what was measured.

    Attributes:
        processor: Its name, as the system tells it.
        processors: How many there are.
        system: The operating system and its kind of processor.
        python: The version of Python.
        netcount: The version of netcount.
        load: Processes that wanted to run in the minute before; None where the system does not tell.
    """

    processor: str
    processors: int
    system: str
    python: str
    netcount: str
    load: float | None

    @classmethod
    def here(cls) -> Machine:
        """This machine, now."""
        return cls(
            _processor(),
            os.cpu_count() or 1,
            f"{platform.system()} {platform.machine()}",
            platform.python_version(),
            import_module(__package__.partition(".")[0]).__version__,  # the package stands above all rooms
            round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        )

    @property
    def busy(self) -> bool:
        """Whether others kept more than a quarter of the processors busy just before."""
        return self.load is not None and self.load > self.processors / 4


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
            for line in stream:
                name, _, value = line.partition(":")
                if name.strip() == "model name" and value.strip():
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
