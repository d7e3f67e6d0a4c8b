"""Pages that are made from the code are up to date, and the README's blocks are the promised ones."""

from __future__ import annotations

import doctest
import re
import runpy

import pytest

from tests.helpers import ROOT


def test_the_layers_page_is_the_catalogue() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "write_layers_page.py"))["render"]()
    assert (ROOT / "docs" / "layers.md").read_text(encoding="utf-8") == made


def test_the_readme_begins_with_install_and_test() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[:2]
    assert "pip install ." in first
    assert "netcount analyze prototxt_samples/squeezenet_v1.1.prototxt" in first
    assert "pytest" in second


def test_the_readmes_table_is_what_the_command_prints() -> None:
    from netcount.analysis.count import count
    from netcount.graph.load import load_net
    from netcount.report.analysis import View, report
    from netcount.report.formats.layout import plain

    net = load_net(ROOT / "prototxt_samples" / "squeezenet_v1.1.prototxt")
    shown = plain(report(count(net), View(top=6))).splitlines()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    for line in shown[2:]:
        assert line in readme


@pytest.mark.parametrize("page", ["usage", "counting", "json", "contributing"])
def test_the_pages_examples_do_what_they_say(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(str(ROOT / "docs" / f"{page}.md"), module_relative=False)
    assert tried > 0
    assert not failed


def test_no_page_is_left_unwritten() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"^(?:RESULTS|TODO|TBD)\b", text, re.MULTILINE), page.name


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
