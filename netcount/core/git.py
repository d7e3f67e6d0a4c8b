"""Files of a git repository as they were: `HEAD~1:net.prototxt`, read through git."""

from __future__ import annotations

import os
import re

from netcount.core.errors import InputError
from netcount.core.files import MAX_BYTES, exists, shown_path

_OBJECT = re.compile(r"(?P<revision>[^:\-\s][^:\s]*):(?P<path>[^:].*)", re.DOTALL)
_SECONDS = 60


def is_object(name: str) -> bool:
    """Whether a name is REVISION:PATH, and no file's."""
    return not exists(name) and len(name.partition(":")[0]) > 1 and bool(_OBJECT.fullmatch(name))


def read_object(name: str) -> str:
    """The text of a file at a revision; the path is from the top of the repository, else from this folder.

    git is started without a shell and answers from its objects alone: no hook, filter, pager or network.
    Bytes that are not UTF-8 are kept as surrogates.

    Raises:
        InputError: git is not there, or has no such object, or it is no text of a net.
    """
    match = _OBJECT.fullmatch(name)
    if match is None:
        raise InputError(f"{shown_path(name)} is not REVISION:PATH")
    revision, path = match["revision"], match["path"]
    problem = ""
    for place in (path, f"./{path}"):
        if "\0" in place:
            break
        spec = f"{revision}:{place}"
        size, problem = _git("cat-file", "-s", spec)
        if not size.strip().isdigit():
            continue
        if int(size) > MAX_BYTES:
            raise InputError(f"{shown_path(name)} is larger than 256 MiB; that is not a prototxt")
        data, problem = _git("cat-file", "blob", spec)
        if not problem:
            if b"\0" in data:
                raise InputError(f"{shown_path(name)} holds zero bytes, so it is not a prototxt")
            return data.decode("utf-8", "surrogateescape")
    raise InputError(f"cannot read {shown_path(name)}: {problem or 'git has no such object'}")


def _git(*arguments: str) -> tuple[bytes, str]:
    """What git prints, and the first line of its complaint where it fails."""
    import subprocess

    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **quiet},
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise InputError("REVISION:PATH needs git, which is not installed") from None
    except (OSError, subprocess.SubprocessError) as failure:
        raise InputError(f"git did not answer: {type(failure).__name__}") from None
    if done.returncode == 0:
        return done.stdout, ""
    lines = done.stderr.decode("utf-8", "backslashreplace").splitlines() or ["git failed"]
    return b"", "".join(c if c.isprintable() else "?" for c in lines[0].removeprefix("fatal: "))
