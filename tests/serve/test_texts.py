"""Files as an editor holds them: nothing of what nobody touched changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netcount.core.errors import InputError
from netcount.serve.texts import mark, stored, with_endings, write

LINES = st.lists(st.tuples(st.text("ab", max_size=2), st.sampled_from(["\n", "\r\n", "\r"])), max_size=8)


@given(lines=LINES, last=st.text("ab", max_size=2))
def test_a_text_that_nobody_changed_is_the_file(lines: list[tuple[str, str]], last: str) -> None:
    before = "".join([text + end for text, end in lines]) + last
    assert with_endings(re.sub("\r\n|\r", "\n", before), before) == before


@given(lines=LINES, text=st.text("ab\n", max_size=12))
def test_the_lines_are_those_of_the_editor(lines: list[tuple[str, str]], text: str) -> None:
    made = with_endings(text, "".join([one + end for one, end in lines]))
    assert re.sub("\r\n|\r", "\n", made) == text


def test_new_lines_end_as_the_others_do() -> None:
    assert with_endings("a\nnew\nb\n", "a\r\nb\r\n") == "a\r\nnew\r\nb\r\n"
    assert with_endings("a\nnew\nb\nc\n", "a\r\nb\nc\r\n") == "a\r\nnew\r\nb\nc\r\n"


def test_bytes_that_are_no_utf8_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.prototxt"
    file.write_bytes(b'name: "caf\xe9"\n')
    now = stored(str(file))
    assert now.text is not None
    assert write(str(file), now.text.replace("name", "nom")) == stored(str(file))
    assert file.read_bytes() == b'nom: "caf\xe9"\n'


def test_what_no_file_holds_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.prototxt"
    file.write_text("name: 'a'")
    for text in ("a\0", "\ud800"):
        with pytest.raises(InputError):
            write(str(file), text)
    assert file.read_text() == "name: 'a'"


def test_a_file_that_is_gone_has_no_text(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert mark(missing) is None
    assert stored(missing)[:2] == (None, "")
    assert "No such file" in stored(missing).problem
