"""Pages that are made from the code are up to date, and the README's blocks are the promised ones."""

from __future__ import annotations

import ast
import doctest
import re
import runpy
import struct
from pathlib import Path
from typing import Any

import pytest

import netcount
from tests.helpers import ROOT


def test_the_layers_page_is_the_catalogue() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "write_layers_page.py"))["render"]()
    assert (ROOT / "docs" / "layers.md").read_text(encoding="utf-8") == made


def test_the_figures_page_is_the_table() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "write_figures_page.py"))["render"]()
    assert (ROOT / "docs" / "figures.md").read_text(encoding="utf-8") == made


def test_the_schemas_and_their_page_are_the_types_of_the_documents() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "write_schemas.py"))
    folder = ROOT / "netcount" / "schemas"
    assert {path.stem: path.read_text(encoding="utf-8") for path in folder.iterdir()} == tool["schemas"]()
    assert (ROOT / "docs" / "json.md").read_text(encoding="utf-8") == tool["page"]()


def test_the_targets_page_is_what_the_samples_come_to() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "write_targets_page.py"))["page"]()
    assert (ROOT / "docs" / "targets.md").read_text(encoding="utf-8") == made


def test_the_pictures_are_what_netcount_draws() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "draw_docs.py"))["pictures"]()
    folder = ROOT / "docs" / "pictures"
    assert {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.svg")} == made
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "docs/pictures/squeezenet.svg" in readme.split("## ")[0], "on its first screen"


def test_the_docs_show_the_screenshots_that_the_script_takes() -> None:
    pytest.importorskip("playwright")
    tool = runpy.run_path(str(ROOT / "tools" / "screenshots.py"))
    page = (ROOT / "docs" / "graph.md").read_text(encoding="utf-8")
    folder = ROOT / "docs" / "pictures"
    names = {f"{name}-{scheme}" for name in tool["SHOTS"] for scheme in ("light", "dark")}
    assert {path.stem for path in folder.glob("*.png")} == names
    for name in names:
        content = (folder / f"{name}.png").read_bytes()
        assert struct.unpack(">II", content[16:24]) == tuple(tool["SIZE"].values())
        assert len(content) < 150_000
        assert f"pictures/{name}.png" in page


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


def test_no_example_that_is_run_writes_a_file() -> None:
    """Examples run in the folder that they are started in, which is a reader's own."""
    writers = {
        "open",
        "save",
        "savez",
        "savefig",
        "write",
        "write_text",
        "write_bytes",
        "to_csv",
        "to_excel",
        "to_json",
    }
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for example in doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8")):
            for node in ast.walk(ast.parse(example.source)):
                name = (
                    node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
                )
                assert name not in writers, f"{page.name}: {example.source}"


def test_no_page_is_left_unwritten() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"^(?:RESULTS|TODO|TBD)\b", text, re.MULTILINE), page.name


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_api_page_is_what_netcount_exports() -> None:
    """A new public name needs a line `::: netcount.NAME` where a reader looks for it."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = re.findall(r"^::: netcount\.(\w+)$", page, re.MULTILINE)
    assert sorted(named) == sorted(netcount.__all__)
    assert page.count(":::") == len(named)


def test_the_page_on_versions_names_every_document() -> None:
    schemas = Path(netcount.__file__).parent.rglob("*.json")
    written = {
        name for path in schemas for name in re.findall(r"netcount/\w+/\d+", path.read_text(encoding="utf-8"))
    }
    page = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \w+ \| .+? \| `(netcount/\w+/\d+)` \|", page, re.MULTILINE)) == written


def test_every_page_has_its_place_in_the_site() -> None:
    yaml = pytest.importorskip("yaml")
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        return [page for value in values for page in pages(value)]

    docs = ROOT / "docs"
    assert sorted(pages(nav)) == sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
