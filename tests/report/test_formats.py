"""The format by a file's ending or by another name, workbooks, and LaTeX."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from netcount.cli.main import netcount
from netcount.report.columns import Value
from netcount.report.formats.latex import escaped, latex
from netcount.report.formats.layout import Table
from netcount.report.formats.xlsx import workbook
from netcount.report.tabular import csv_text
from tests.helpers import SAMPLES, inputs
from tests.report.test_questions import ASKED, SMALL, asked

openpyxl = pytest.importorskip("openpyxl")
NIN = str(SAMPLES / "nin.prototxt")
STARTS = {
    "csv": "name,type,line,",
    "md": "NIN\\_ImageNet · ",
    "markdown": "NIN\\_ImageNet · ",
    "json": '{"schema": "netcount/analysis/1"',
    "html": "<!doctype html>",
    "HTM": "<!doctype html>",
    "tex": "% NIN_ImageNet · ",
    "txt": "NIN_ImageNet · ",
    "xml": "NIN_ImageNet · ",
    "table": "NIN_ImageNet · ",
}


def written(path: Path, *arguments: str) -> bytes:
    done = CliRunner().invoke(netcount, [*arguments, "-o", str(path)], input=SMALL)
    assert done.exit_code in (0, 1), done.output
    return path.read_bytes()


@pytest.mark.parametrize("ending", STARTS)
def test_the_ending_chooses_the_format(ending: str, tmp_path: Path) -> None:
    assert written(tmp_path / f"x.{ending}", "analyze", NIN).decode().startswith(STARTS[ending])


def test_format_comes_before_the_ending(tmp_path: Path) -> None:
    assert written(tmp_path / "x.csv", "analyze", NIN, "-f", "json").startswith(b"{")
    assert written(tmp_path / "x.json", "analyze", NIN, "-f", "table").startswith(b"NIN_ImageNet")


def test_check_has_the_formats_of_ci_by_their_endings(tmp_path: Path) -> None:
    assert b"<testsuites" in written(tmp_path / "x.xml", *ASKED["check"])
    assert json.loads(written(tmp_path / "x.sarif", *ASKED["check"]))["version"] == "2.1.0"
    assert json.loads(written(tmp_path / "x.json", *ASKED["check"]))["schema"] == "netcount/check/1"


@pytest.mark.parametrize(
    ("name", "format"), [("md", "markdown"), ("CSV", "csv"), ("Json", "json"), ("tex", "latex"), ("text", "table")]
)
def test_a_format_has_other_names(name: str, format: str) -> None:
    assert asked("analyze", name) == asked("analyze", format)
    assert asked("explain", "table") == asked("explain", "text")


def test_an_unknown_format_is_refused() -> None:
    done = CliRunner().invoke(netcount, ["analyze", NIN, "-f", "pdf"])
    assert done.exit_code == 2
    assert "'pdf' is not one of 'table', 'csv'" in done.output
    assert CliRunner().invoke(netcount, ["analyze", NIN, "-f", "junit"]).exit_code == 2


def test_an_error_is_a_document_where_the_ending_says_json(tmp_path: Path) -> None:
    done = CliRunner().invoke(netcount, ["analyze", "no-such-file", "-o", str(tmp_path / "x.json")])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["schema"] == "netcount/error/1"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ASKED)
def test_a_workbook_holds_what_csv_holds(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []

    def kept(header: Sequence[str], records: Sequence[Sequence[Value]]) -> bytes:
        texts.append(csv_text(header, records))  # of the same run: what is measured differs from run to run
        return workbook(header, records)

    monkeypatch.setattr("netcount.report.formats.xlsx.workbook", kept)
    sheet = openpyxl.load_workbook(io.BytesIO(written(tmp_path / "x.xlsx", *ASKED[name]))).active
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    header, *records = csv.reader(io.StringIO(texts[0]))
    assert rows[0] == header
    assert len(rows) == 1 + len(records) > 1
    for row, record in zip(rows[1:], records, strict=True):
        for value, text in zip(row, record, strict=True):
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert value == (int(text) if text.isdigit() else pytest.approx(float(text), rel=1e-14))
            else:
                assert ("" if value is None else str(value)) == text.removeprefix("'")


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+1", "-1", "#N/A", "http://a.b/", "\t=1", "007", "TRUE", "\x1b[31m", "\x00"]
)
def test_text_in_a_workbook_is_text(text: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(["name", "madds"], [[text, 3]]))).active
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value == "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    assert sheet["A2"].hyperlink is None
    assert (sheet["B2"].value, sheet["B2"].data_type) == (3, "n")


def test_a_number_that_a_spreadsheet_would_round_is_text() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(["n"], [[10**15 + 1], [10**15 - 1]]))).active
    assert [cell.value for cell in sheet["A"]] == ["n", "1000000000000001", 999_999_999_999_999]


def test_csv_knows_its_records() -> None:
    table = csv_text(("a", "b"), ((f"={number}", number) for number in range(2)))
    assert table == "a,b\n'=0,0\n'=1,1\n"
    assert (table.header, table.records) == (("a", "b"), [("=0", 0), ("=1", 1)])


def test_no_workbook_to_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from netcount.cli.main import run

    monkeypatch.setattr("netcount.cli.output.on_terminal", lambda: True)
    monkeypatch.setattr(sys, "argv", ["netcount", "analyze", NIN, "-f", "xlsx"])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 2
    assert "--output" in capsys.readouterr().err


@pytest.mark.parametrize("name", ASKED)
def test_latex_has_a_row_a_row(name: str) -> None:
    text = asked(name, "latex")
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == text.count("\\toprule")
    for body in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL):
        rows = [line for line in body.splitlines() if not line.startswith("\\midrule")]
        assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows}) == 1
        assert all(row.endswith(r"\\") for row in rows)
    outside = re.sub(r"\\begin\{tabular\}.*?\\end\{tabular\}\n", "", text, flags=re.DOTALL)
    assert all(line.startswith("% ") for line in outside.splitlines())


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("$x$", r"\$x\$"),
        ("a & b \\\\ c", r"a \& b \textbackslash{}\textbackslash{} c"),
        ("100%", r"100\%"),
        ("^^M", r"\textasciicircum{}\textasciicircum{}M"),
        ("a\nb", r"a\textbackslash{}nb"),
        ("[3pt]", "{[}3pt]"),
        ("*", "{*}"),
        ("a--b", "a-{-}b"),
    ],
)
def test_a_name_is_text_in_latex(text: str, safe: str) -> None:
    assert escaped(text) == safe
    table = latex([text, Table((text, "madds"), (False, True), ((text, "1"),), (text, "2"))])
    comment, *lines = table.splitlines()
    assert comment.startswith("% ")
    assert [line for line in lines if line.startswith(safe)] == [
        f"{safe} & {end} \\\\" for end in ("madds", "1", "2")
    ]
    assert lines[-4:-2] == ["\\midrule", f"{safe} & 2 \\\\"]


def test_csv_names_blobs_and_windows() -> None:
    text = inputs(x=(1, 4, 9, 11)) + (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param '
        "{ num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 1 pad_w: 0 group: 2 } }\n"
    )
    done = CliRunner().invoke(netcount, ["analyze", "-", "-f", "csv"], input=text)
    _, conv = csv.DictReader(io.StringIO(done.stdout))
    assert (conv["bottom_blobs"], conv["top_blobs"]) == ("x", "y")
    assert [conv[key] for key in ("kernel", "stride", "pad", "dilation", "group")] == [
        "3x2",
        "2x2",
        "1x0",
        "1x1",
        "2",
    ]
