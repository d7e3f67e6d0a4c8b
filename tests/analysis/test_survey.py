"""Many nets: every file has its row, on any executor, whatever the others do."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import netcount
from netcount.analysis import survey as module
from netcount.analysis.survey import Survey, SurveyRow, find_nets, survey
from netcount.core.errors import InputError
from netcount.graph.options import LoadOptions
from netcount.report.survey import arranged, report, survey_csv, survey_document
from tests.helpers import SAMPLES, inputs, valid

FILES = sorted(str(path) for path in SAMPLES.glob("*.prototxt"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good nets, a broken one, an unknown type; and what a walk passes over."""
    (tmp_path / "deep" / ".hidden").mkdir(parents=True)
    good = inputs(x=(1, 2, 5, 7)) + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }'
    for name, text in {
        "a.prototxt": good,
        "deep/b.prototxt": good.replace("dim: 7", "dim: 9"),
        "broken.prototxt": 'layer {\n name: "x\n',
        "unknown.prototxt": good.replace("ReLU", "Foo"),
        "deep/.hidden/c.prototxt": good,
        "note.txt": "no net",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_row_a_file(folder: Path) -> None:
    found = survey([folder], jobs=1)
    rows = {os.path.relpath(row.file, folder).replace(os.sep, "/"): row for row in found.rows}
    assert list(rows) == ["a.prototxt", "broken.prototxt", "unknown.prototxt", "deep/b.prototxt"]
    assert rows["a.prototxt"].input == (1, 2, 5, 7)
    assert rows["deep/b.prototxt"].activations == 2 * 2 * 5 * 9
    assert "broken.prototxt:2" in rows["broken.prototxt"].error
    assert '"Foo"' in rows["unknown.prototxt"].error or "Foo" in rows["unknown.prototxt"].error
    assert not found.interrupted


def test_processes_threads_and_this_process_agree() -> None:
    here = survey(FILES, jobs=1)
    assert here.rows[-2].madds == netcount.load(FILES[-2]).analyze().totals.madds
    assert survey(FILES, jobs=2) == here
    with ThreadPoolExecutor(3) as pool:
        assert survey(FILES, pool) == here


def test_on_a_dask_cluster(folder: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        found = survey([*FILES, folder], executor)
    assert found == survey([*FILES, folder], jobs=1)


def test_options_and_conventions_travel(folder: Path) -> None:
    options = LoadOptions.of(batch=3, assume={"Foo": "identity"})
    found = survey([folder / "unknown.prototxt", folder / "a.prototxt"], jobs=2, options=options)
    assert [row.complete for row in found.rows] == [False, True]
    assert found.rows[1].input == (3, 2, 5, 7)
    (row,) = survey([FILES[-1]], convention="flops").rows
    assert row.cost > 2 * row.madds


def test_what_is_reported_while_it_runs(folder: Path) -> None:
    seen: list[Any] = []
    survey([folder], jobs=1, on_start=seen.append, on_row=lambda row: seen.append(row.file))
    assert seen[0] == 4
    assert len(seen) == 5


def test_nothing_to_survey_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="below"):
        survey([tmp_path])
    with pytest.raises(InputError, match="no file matches"):
        survey([str(tmp_path / "*.prototxt")])
    (row,) = survey([tmp_path / "none.prototxt"]).rows
    assert "cannot read" in row.error


def test_globs_and_repeated_paths(folder: Path) -> None:
    pattern = str(folder / "**" / "[ab].prototxt")
    assert len(find_nets([pattern, folder / "a.prototxt", str(folder / "a.prototxt")])) == 2
    odd = folder / "[x].prototxt"
    odd.write_text("", encoding="utf-8")
    assert find_nets([odd]) == [str(odd)]


class Unreliable(Executor):
    """Runs at once; breaks, or is interrupted, at a file of a name."""

    def __init__(self, at: str, failure: BaseException) -> None:
        self.at, self.failure = at, failure

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.at in str(args[0]):
            if isinstance(self.failure, KeyboardInterrupt):
                raise self.failure
            future.set_exception(self.failure)
        else:
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("failure", [BrokenExecutor("gone"), OSError("lost worker")])
def test_a_lost_worker_costs_one_row(failure: Exception) -> None:
    found = survey(FILES, Unreliable("resnet50", failure))
    assert [Path(row.file).name for row in found.rows if row.error] == ["resnet50.prototxt"]


def test_a_mistake_of_ours_costs_one_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path, options: LoadOptions) -> Any:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(module, "load_net", fails)
    (row,) = survey([folder / "a.prototxt"]).rows
    assert row.error == "ZeroDivisionError: ours"


def test_interrupted_it_leaves_what_it_has(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(row: SurveyRow) -> None:
        if "broken" in row.file:
            raise KeyboardInterrupt

    found = survey([folder], jobs=1, on_row=stop)
    assert found.interrupted
    assert [Path(row.file).name for row in found.rows] == ["a.prototxt", "broken.prototxt"]
    assert "interrupted" in str(report(found)[-1])


def test_a_process_that_dies_is_told_of_and_the_rest_is_counted(tmp_path: Path) -> None:
    """A real process pool whose worker ends at one file."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os\n"
        "import netcount.graph.load as loading\n"
        "real = loading.load_net\n"
        "def load_net(path, options):\n"
        "    if 'resnet50' in str(path):\n"
        "        os._exit(7)\n"
        "    return real(path, options)\n"
        "loading.load_net = load_net\n",
        encoding="utf-8",
    )
    done = command(*FILES, "--jobs", "2", "-f", "json", path=tmp_path / "site", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    rows = json.loads(done.stdout)["nets"]
    errors = {Path(row["file"]).name: row["error"] for row in rows if row["error"]}
    assert errors == {"resnet50.prototxt": module.CRASHED}
    assert len(rows) == len(FILES)


def arguments(*words: str) -> list[str]:
    return [sys.executable, "-c", "from netcount.cli.entry import run; run()", "survey", *words]


def environment(*paths: Path) -> dict[str, str]:
    package = Path(netcount.__file__).parent.parent
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, package]))}


def command(*words: str, path: Path | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(*words),
        env=environment(*([path] if path else [])),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "json"])
def test_the_command(folder: Path, form: str) -> None:
    done = command(str(folder), "--format", form, "--sort", "activations")
    assert done.returncode == 2
    assert done.stderr == ""  # no bar where nobody watches
    assert done.stdout.index("b.prototxt") < done.stdout.index("a.prototxt")
    assert done.stdout.index("a.prototxt") < done.stdout.index("broken.prototxt")


def test_codes_of_the_command(folder: Path) -> None:
    assert command(str(folder / "a.prototxt")).returncode == 0
    assumed = command(str(folder / "unknown.prototxt"), "--assume", "Foo=identity")
    assert assumed.returncode == 3
    assert command(str(folder), "--sort", "size").returncode == 2
    assert command(str(folder), "--progress", "-f", "json", "-o", str(folder / "o.json")).stdout == ""
    found = valid(json.loads((folder / "o.json").read_text(encoding="utf-8")), "survey")
    assert len(found["nets"]) == 4


INTERRUPTIBLE = """
import sys
import netcount.cli.survey as command
from netcount.cli.entry import run

class Bar:
    def __enter__(self): return self
    def __exit__(self, *failure): pass
    def start(self, total): pass
    def step(self, *row): print("a row is done", file=sys.stderr, flush=True)

command.progress_bar = lambda *_, **__: Bar()
run()
"""
"""The command, with a bar that says when a row is done."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_control_c_shows_the_rows_that_are_done(folder: Path) -> None:
    os.mkfifo(folder / "slow.prototxt")
    writer = os.open(folder / "slow.prototxt", os.O_RDWR)  # a file whose reader waits for its end
    words = (str(folder / "a.prototxt"), str(folder / "slow.prototxt"), "--jobs", "2", "-f", "json")
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "survey", *words],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stderr.readline() == "a row is done\n"
            os.killpg(running.pid, signal.SIGINT)
            lines = []
            for line in running.stdout:
                lines.append(line)
                if line == "}\n":
                    break
        finally:
            os.close(writer)  # let the waiting process end
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    found = json.loads("".join(lines))
    assert found["interrupted"] is True
    assert [Path(row["file"]).name for row in found["nets"]] == ["a.prototxt"]
    assert not err


def rows() -> Iterator[SurveyRow]:
    yield SurveyRow("=1+1\x1b", net="<b>|", figures={"params": 7}, input=(1, 2))
    yield SurveyRow("b", error="b:1: no\x1b")
    yield SurveyRow("c", figures={"params": 9})


def test_reports() -> None:
    found = Survey(tuple(rows()))
    assert [row.file for row in arranged(found, "params")] == ["c", "=1+1\x1b", "b"]
    records = list(csv.DictReader(io.StringIO(survey_csv(found))))
    assert records[0]["file"] == "'=1+1\\x1b"
    assert (records[0]["input"], records[1]["params"], records[2]["params"]) == ("1x2", "", "9")
    document = valid(json.loads(json.dumps(survey_document(found))), "survey")
    assert (document["nets"][1]["params"], document["nets"][2]["params"]) == (None, 9)
    with pytest.raises(InputError, match="there is no column"):
        arranged(found, "size")
    assert not any("\x1b" in str(part) for part in report(found))


def test_a_file_is_one_row_however_it_is_spelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    for name in ("a", "b"):
        (tmp_path / "nets" / f"{name}.prototxt").write_text("")
    found = find_nets(["nets/b.prototxt", "./nets", tmp_path / "nets" / "a.prototxt", "nets/*.prototxt"])
    assert found == ["nets/b.prototxt", os.path.join("./nets", "a.prototxt")]


def test_one_net_is_one_net() -> None:
    (*_, last) = report(Survey((SurveyRow("a", net="n", warnings=1), SurveyRow("b", error="b:1: no"))))
    assert last == "1 net, 1 file with errors"
