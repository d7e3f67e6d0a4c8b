"""The profiles that come with netcount, by name; and profiles of one's own, by path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from netcount.core.errors import InputError
from netcount.core.files import exists
from netcount.core.suggest import nearest
from netcount.targets.profile import Profile, read_profile, variants_of

FOLDER = Path(__file__).resolve().parent / "profiles"


@cache
def shipped() -> Mapping[str, tuple[Path, str]]:
    """Name -> the file and the variant in it."""
    profiles: dict[str, tuple[Path, str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for variant in variants_of(path) or ("",):
            profiles[f"{path.stem}-{variant}" if variant else path.stem] = path, variant
    return profiles


def profile(name: str | os.PathLike[str]) -> Profile:
    """A shipped profile by its name, or the one in a TOML file (`file.toml#variant`).

    Raises:
        InputError: There is no such profile, or it has mistakes.
    """
    text = os.fspath(name)
    known = shipped()
    if text in known:
        path, variant = known[text]
        return read_profile(path, variant)
    file, _, variant = text.partition("#")
    if file.endswith(".toml") or os.sep in file or exists(file):
        return read_profile(file, variant)
    hint = nearest(text, known) or "; netcount fit --list shows them"
    raise InputError(f'there is no target "{text}"{hint}', argument="target")


def channel_multiple(name: str | os.PathLike[str]) -> tuple[str, int]:
    """The id of a profile, and the output channels that its array computes at a time.

    Raises:
        InputError: There is no such profile, it has mistakes, or it does not say how wide its array is.
    """
    chosen = profile(name)
    if chosen.hardware.array is None:
        raise InputError(
            f"the profile {chosen.id} does not say how many channels its array has", argument="target"
        )
    return chosen.id, chosen.hardware.array.outputs
