"""`upgrade` and the other ways into an engine, as people and programs meet them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_analyze import hostile_net
from tests.command import run
from tests.helpers import ROOT, SAMPLES

SQUEEZENET = str(SAMPLES / "squeezenet_v1.1.prototxt")
TINY = str(ROOT / "tests" / "data" / "tiny.caffemodel")
OLD = """input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9
layers { name: "r" type: RELU bottom: "x" top: "y" }  # stays
"""


def test_upgrade_writes_the_net_and_tells_what_was_old(tmp_path: Path) -> None:
    path = tmp_path / "new.prototxt"
    done = run("upgrade", "-", "-o", str(path), stdin=OLD)
    assert done.returncode == 0
    assert not done.stdout
    assert done.stderr == f"{path}: upgraded V1 layers, inputs in the header\n"
    assert run("upgrade", "-", stdin=OLD).stdout == path.read_text(encoding="utf-8")
    again = run("upgrade", str(path))
    assert "in the current form already" in again.stderr
    assert again.stdout == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        (["upgrade", "-"], "layers { layer { type: 'nothing' } top: 'x' }", "V0 has no layer type"),
        (["upgrade", "-"], "layer {", "the file ends inside"),
        (["upgrade", "no/such.prototxt"], "", "cannot read no/such.prototxt"),
        (["from-caffemodel", SQUEEZENET], "", "not a .caffemodel"),
        (["from-caffemodel", TINY, "-f", "prototxt"], "", "holds weights alone"),
        (["upgrade", "-"], "name: 3", '"name" needs a string'),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: list[str], text: str, said: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    done = run(*arguments, "-o", str(kept), stdin=text)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "as it was"


def test_hostile_names_stay_data() -> None:
    done = run("upgrade", "-", stdin=hostile_net())
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
