"""`REVISION:PATH` reads git's objects through git, and nothing else happens."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netcount.cli.main import netcount
from netcount.core import git
from netcount.core.errors import InputError
from tests.command import NET

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def net(outputs: int) -> str:
    return NET.replace("NAME", "conv").replace("OUTPUTS", str(outputs))


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(netcount, ["compare", *arguments])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: 4, then 8 outputs; 16 in the folder."""

    def call(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    call("init", "-q")
    (tmp_path / "models").mkdir()
    for outputs in (4, 8):
        (tmp_path / "models/net.prototxt").write_text(net(outputs))
        (tmp_path / "net.prototxt").write_text(net(outputs))
        call("add", "-A")
        call("commit", "-q", "-m", str(outputs))
    (tmp_path / "models/net.prototxt").write_text(net(16))
    (tmp_path / "net.prototxt").write_text(net(16))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "outputs"), [("HEAD~1:net.prototxt", 4), ("HEAD:models/net.prototxt", 8)])
def test_a_file_as_it_was(name: str, outputs: int, repository: Path) -> None:
    done = ran(name, "net.prototxt")
    assert done.exit_code == 0, done.output
    assert f"convolution_param.num_output {outputs} -> 16" in done.stdout
    assert ran("HEAD~1:net.prototxt", "HEAD:net.prototxt").stdout.count("num_output 4 -> 8") == 1


def test_a_path_from_a_folder_inside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "net.prototxt").unlink()
    monkeypatch.chdir(repository / "models")
    assert "num_output 4 -> 16" in ran("HEAD~1:models/net.prototxt", "net.prototxt").stdout
    assert "num_output 4 -> 16" in ran("HEAD~1:./net.prototxt", "net.prototxt").stdout


def test_a_file_of_that_name_comes_first(repository: Path) -> None:
    (repository / "HEAD:net.prototxt").write_text(net(5))
    assert "num_output 5 -> 16" in ran("HEAD:net.prototxt", "net.prototxt").stdout


@pytest.mark.parametrize(
    "name",
    ["HEAD:gone.prototxt", "nosuch:net.prototxt", "HEAD~9:net.prototxt", "HEAD:models", "HEAD:../net.prototxt"],
)
def test_what_is_not_there_is_an_error(name: str, repository: Path) -> None:
    done = ran(name, "net.prototxt")
    assert done.exit_code == 2
    assert f"cannot read {name}: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "name", ["--output=x:net.prototxt", "-p:net.prototxt", ":net.prototxt", "a b:c", "::", "C:net"]
)
def test_what_is_no_object(name: str, repository: Path) -> None:
    assert not git.is_object(name)
    with pytest.raises(InputError):
        git.read_object(name)
    assert sorted(path.name for path in repository.iterdir()) == [".git", "models", "net.prototxt"]


def test_git_is_asked_for_an_object_alone(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = subprocess.run

    def run(words: list[str], **options: object) -> object:
        asked.append((words, options.get("shell", False)))
        return real(words, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(InputError):
        git.read_object("HEAD:net.prototxt; touch here")
    assert not (repository / "here").exists()
    assert all(words[0] == "git" and words[-1].startswith("HEAD:") and not shell for words, shell in asked)
    assert {word for words, _ in asked for word in words[1:-1]} == {
        "--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false", "cat-file", "-s",
    }  # fmt: skip


def test_filters_and_drivers_of_a_repository_are_not_run(repository: Path) -> None:
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/attributes").write_text("*.prototxt filter=evil diff=evil\n")
    config = repository / ".git/config"
    lines = [
        '[filter "evil"]',
        "smudge = touch here",
        '[diff "evil"]',
        "textconv = touch here",
        "[core]",
        "fsmonitor = touch here",
    ]
    config.write_text(config.read_text() + "\n".join(lines) + "\n")
    assert ran("HEAD:net.prototxt", "net.prototxt").exit_code == 0
    assert not (repository / "here").exists()


def test_no_git(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    monkeypatch.setenv("PATH", str(repository))
    done = ran("HEAD:net.prototxt", "net.prototxt")
    assert done.exit_code == 2
    assert "needs git, which is not installed" in done.stderr
