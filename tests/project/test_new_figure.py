"""A new figure is one more line of the table: everything else follows.

The package is copied, a line is added to the copy's table, and the copy is asked.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import UNMEASURED
from tests.helpers import ROOT, SAMPLES

LINE = """
    Figure(
        "reads",
        "elements",
        "elements of the bottoms",
        lambda row: sum(blob.shape.count() for blob in row.bottoms),
        share="share_reads",
    ),
"""
ALEXNET = str(SAMPLES / "alexnet.prototxt")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "netcount", folder / "netcount", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "json.md", folder / "docs")
    table = folder / "netcount" / "analysis" / "figures.py"
    text = table.read_text(encoding="utf-8")
    assert text.count("_TABLE = (") == 1
    table.write_text(text.replace("_TABLE = (", f"_TABLE = ({LINE}", 1), encoding="utf-8")
    return folder


def asked(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**UNMEASURED, "PYTHONPATH": str(copy), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def command(copy: Path, *arguments: str) -> str:
    return asked(copy, "-c", "from netcount.cli.entry import run; run()", *arguments)


def test_columns_totals_and_documents_have_it(copy: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(command(copy, "analyze", ALEXNET, "-f", "csv", "--top", "1")))
    assert int(row["reads"]) == 1 * 96 * 27 * 27
    assert 0 < float(row["share_reads"]) < 1
    document = json.loads(command(copy, "analyze", ALEXNET, "-f", "json"))
    assert document["totals"]["reads"] == sum(layer["reads"] for layer in document["layers"]) > 0
    shown = command(copy, "analyze", ALEXNET, "--columns", "name,reads,share_reads", "--sort", "reads")
    assert f"{document['totals']['reads']:,}" in shown


def test_limits_and_baselines_have_it(copy: Path) -> None:
    base = str(copy / "base.json")
    limits = ("--max-reads", "10M", "--max-share-reads", "3x3=90%", "--max-increase-reads", "1%")
    written = command(copy, "check", ALEXNET, "--no-config", *limits, "--baseline", base, "--update-baseline")
    assert "3 of 3 limits kept" in written
    (net,) = json.loads(Path(base).read_text(encoding="utf-8"))["nets"].values()
    assert net["totals"]["reads"] == sum(layer.get("reads", 0) for layer in net["layers"]) > 0
    assert " reads," in " ".join(command(copy, "check", "--help").split())


def test_nets_side_by_side_have_it(copy: Path) -> None:
    compared = command(copy, "compare", ALEXNET, str(SAMPLES / "nin.prototxt"))
    assert any(line.startswith("reads ") for line in compared.splitlines())
    (*_, total) = csv.DictReader(
        io.StringIO(command(copy, "compare", ALEXNET, str(SAMPLES / "nin.prototxt"), "-f", "csv"))
    )
    assert int(total["reads_delta"]) == int(total["reads"]) - int(total["reads_was"]) != 0
    (row,) = csv.DictReader(io.StringIO(command(copy, "survey", ALEXNET, "--jobs", "1", "-f", "csv")))
    assert int(row["reads"]) > 0
    swept = json.loads(command(copy, "sweep", ALEXNET, "--width", "1", "--max-reads", "100M", "-f", "json"))
    assert swept["limits"] == {"reads": 100_000_000}
    assert swept["variants"][0]["reads"] == int(row["reads"])


def test_schemas_and_docs_have_it(copy: Path) -> None:
    asked(copy, "tools/write_schemas.py")
    asked(copy, "tools/write_figures_page.py")
    schemas = {path.stem: path.read_text(encoding="utf-8") for path in (copy / "netcount" / "schemas").iterdir()}
    for name in ("analysis", "explain", "blocks", "sweep", "survey", "compare", "check", "baseline"):
        assert '"reads": {' in schemas[name], name
    assert '"max_reads"' in schemas["config"]
    assert "| `reads` | elements | elements of the bottoms |" in (copy / "docs" / "figures.md").read_text("utf-8")
    assert "`reads`" in (copy / "docs" / "json.md").read_text(encoding="utf-8")
