"""The commands in the docs print what the docs say they print.

A transcript is a ```console block: a line `$ netcount …`, then its output.  One that stands behind
`<!-- measured -->` holds times; its command has to succeed, and its output is not compared.  One behind
`<!-- exits 1 -->` has to end with that code.
`python -m pytest tests/project/test_transcripts.py --rewrite` writes all outputs anew.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from netcount.cli.main import netcount
from tests.helpers import ROOT

BLOCK = re.compile(
    r"(?:<!-- (?P<note>measured|exits (?P<code>\d)) -->\n)?"
    r"```console\n\$ (?P<command>.*)\n(?P<output>(?s:.*?))```$",
    re.M,
)
PAGES = sorted(
    page
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if BLOCK.search(page.read_text(encoding="utf-8"))
)


def printed(command: str, code: int = 0) -> str:
    program, *arguments = shlex.split(command)
    assert program == "netcount"
    done = CliRunner().invoke(netcount, arguments, standalone_mode=True)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_print_what_the_page_shows(
    page: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(ROOT)
    text = page.read_text(encoding="utf-8")
    if pytestconfig.getoption("--rewrite"):
        page.write_text(BLOCK.sub(rewritten, text), encoding="utf-8")
        return
    for found in BLOCK.finditer(text):
        output = printed(found["command"], int(found["code"] or 0))
        if found["note"] != "measured":
            assert output == found["output"], found["command"]


def rewritten(found: re.Match[str]) -> str:
    output = printed(found["command"], int(found["code"] or 0))
    note = f"<!-- {found['note']} -->\n" if found["note"] else ""
    return f"{note}```console\n$ {found['command']}\n{output}```"


def test_the_article_has_its_commands() -> None:
    assert "small-networks" in [page.stem for page in PAGES]
    text = (ROOT / "docs" / "small-networks.md").read_text(encoding="utf-8")
    for figure in (
        "12 times fewer", "77.61%", "58.80%", "86,528,000", "169 times", "387.75M", "573,783,040",
        "438,035,424", "1/512 + 1/9 = 0.1131", "95.04%", "568.74M", "325.40M", "149.50M", "41.03M", "418.12M",
        "290.68M", "186.40M", "76.52M",
    ):  # fmt: skip
        assert figure in text
