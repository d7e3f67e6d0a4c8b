"""The command line's names of arguments are spelled in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from netcount.cli.flags import flag
from netcount.cli.main import netcount as group
from netcount.cli.options import given_options
from tests.command import run
from tests.helpers import ROOT

COMMANDS = group.list_commands(click.Context(group))
OPTION = re.compile(
    r"(?<!netcount check )(?<!netcount fit )(?<!netcount from-caffemodel )(?<!\S)"
    r"\(?--(?!no-fold shows|help shows)[a-z]"
)
NOT_ARGUMENTS = {"config_files", "form", "is_first", "listing"}
"""Parameters of the command line alone."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_the_flag_of_its_argument(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    for param in command.params:
        if isinstance(param, click.Option) and param.name not in NOT_ARGUMENTS:
            assert flag(param.name or "") in param.opts, (name, param.name)


def test_an_option_that_switches_off_is_named_as_it_was_written() -> None:
    names: list[str] = []

    @click.command()
    @click.argument("file")
    @click.option("--input-shape", "input_shapes", multiple=True)
    @click.option("--scratch/--no-scratch", default=True)
    @click.option("--fold/--no-fold", default=None)
    @click.option("--top", "-n")
    def command(**values: object) -> None:
        names.extend(option for name, option in given_options().items() if name != "file")

    command.main(["--no-scratch", "--fold", "-n", "3", "a.prototxt"], standalone_mode=False)
    assert names == ["--no-scratch", "--fold", "--top"]
    names.clear()
    command.main(["a.prototxt", "--scratch", "--no-fold", "--input-shape", "x=1"], standalone_mode=False)
    assert names == ["--input-shape", "--scratch", "--no-fold"]


def test_no_option_is_spelled_outside_the_command_line() -> None:
    """In texts that people read; a whole command ("netcount check --update-baseline") may be."""
    spelled = []
    for file in (ROOT / "netcount").rglob("*.py"):
        room = file.relative_to(ROOT / "netcount").parts[0]
        if room == "cli" or file.name == "git.py":  # whose options are git's
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            docs = node.body[:1] if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) else []
            for one in docs:
                if isinstance(one, ast.Expr):
                    one.value = ast.Constant("")
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if OPTION.search(text):
                spelled.append((Path(file).name, node.lineno, node.value))
    assert spelled == []


def test_advice_can_be_typed_into_a_shell(tmp_path: Path) -> None:
    file = tmp_path / "a.prototxt"
    file.write_text('layer { name: "d" type: "Data" top: "my blob" data_param { batch_size: 2 } }')
    done = run("analyze", str(file))
    assert done.returncode == 2
    assert "give it with --input-shape 'my blob=N,C,H,W'" in done.stderr
