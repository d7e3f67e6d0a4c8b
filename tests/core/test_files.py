"""A file is written whole or not at all, whoever writes it."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from netcount.core.errors import InputError
from netcount.core.files import replacing, write_atomically

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions, links and pipes")


def test_text_and_bytes(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "3×3\n")
    write_atomically(str(tmp_path / "b"), b"\x00\xff")
    assert (tmp_path / "a").read_bytes() == "3×3\n".encode()
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"


def test_what_fails_half_way_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(KeyError):
        _half_written(path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]


def _half_written(path: Path) -> None:
    with replacing(path) as stream:
        stream.write(b"new")
        raise KeyError("nothing came")


@POSIX
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "b", "")
    finally:
        os.umask(mask)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o640


@POSIX
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_atomically(path, "through")
    reader.join()
    assert read == [b"through"]
    assert path.is_fifo()


@pytest.mark.parametrize("name", ["no/such/folder", "", "zero\0byte", "."])
def test_what_cannot_be_written_is_one_error(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot write"):
        write_atomically(name, "text")
    assert not list(tmp_path.iterdir())
