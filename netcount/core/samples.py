"""The nets that come with netcount: in the package where it is installed, beside it in a clone."""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FOLDERS = (os.path.join(_PACKAGE, "samples"), os.path.join(os.path.dirname(_PACKAGE), "prototxt_samples"))


def sample_names() -> list[str]:
    """The names of the samples' files, in order; none where somebody left them out."""
    folder = _folder()
    return sorted(name for name in os.listdir(folder) if name.endswith(".prototxt")) if folder else []


def sample_path(name: str) -> str | None:
    """The path of the sample with exactly this file name, or None."""
    folder = _folder()
    return os.path.join(folder, name) if folder and name in sample_names() else None


def _folder() -> str | None:
    return next((folder for folder in _FOLDERS if os.path.isdir(folder)), None)
