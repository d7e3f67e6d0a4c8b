"""Whoever does what the errors say reaches a table: over public nets, and on small files of each class."""

from __future__ import annotations

import runpy
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netcount.core.errors import InputError
from netcount.core.files import read_text
from netcount.graph.graph import Graph
from netcount.graph.load import load_text
from netcount.graph.options import LoadOptions
from tests.helpers import CORPUS, ROOT, WIDE, inputs, needs_corpus, needs_wide, public_nets

TOOL = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "breadth.py")))
INPUT = inputs(x=(2, 3, 9, 11))
CONV = (
    'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
    "convolution_param { num_output: 4 kernel_size: 3 } }"
)
SMALL = {
    "complete": (TOOL.UNAIDED, INPUT + CONV),
    "shape": (
        TOOL.ASKED,
        'layer { name: "d" type: "Data" top: "x" data_param { source: "d" batch_size: 2 } }' + CONV,
    ),
    "phase": (TOOL.ASKED, INPUT.replace("input_param", "include { phase: TRAIN } input_param") + CONV),
    "type": (TOOL.COUNTED, INPUT + CONV.replace('"Convolution"', '"ConvolutionTwin"')),
    "field": (TOOL.PARTIAL, INPUT + CONV.replace("kernel_size", "of_mine: 2 kernel_size")),
    "both": (TOOL.STUCK, INPUT + CONV + 'layers { name: "r" type: RELU bottom: "c" top: "r" }'),
    "labels": (TOOL.EMPTY, 'item { name: "cat" label: 1 }'),
    "template": (TOOL.TEMPLATE, INPUT + CONV.replace("4", "${N}")),
    "broken": (TOOL.UNREADABLE, "layer { name: "),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("nets")
    for name, (_, text) in SMALL.items():
        (folder / f"{name}.prototxt").write_text(text)
    return {Path(row.file).stem: row for row in TOOL.results([str(path) for path in sorted(folder.iterdir())])}


@pytest.mark.parametrize("name", SMALL)
def test_the_class_of_a_file(small: dict[str, Any], name: str) -> None:
    assert small[name].kind == SMALL[name][0]


def test_the_table_counts_each_file_once(small: dict[str, Any]) -> None:
    lines = TOOL.table(list(small.values())).splitlines()
    assert "| complete after only the shape or phase that the message names | 2 | 33.3% |" in lines
    assert "| holds a placeholder | 1 |  |" in lines
    assert lines[-1] == "| together | 9 | 6 |"
    ((file, reason),) = TOOL.reasons(list(small.values())).items()
    assert Path(file).stem == "both"
    assert "both 'layer' and 'layers'" in reason


def test_a_guess_is_fitted_to_what_the_layer_asks_for() -> None:
    text = (
        'layer { name: "d" type: "HDF5Data" top: "x" top: "t" hdf5_data_param { source: "d" batch_size: 2 } }'
        + CONV
    )
    text += 'layer { name: "l" type: "EuclideanLoss" bottom: "c" bottom: "t" top: "l" }'
    reached = TOOL.follow(partial(_load, text, "it"), TOOL.ASKS)
    assert reached.net.complete
    assert reached.steps == ("input_shapes x=N,C,H,W", "input_shapes t=N,C,H,W")


HOPELESS = {
    "both 'layer' and 'layers' fields, which Caffe refuses": {
        "fhsdfblk+Histogram-Learning-in-Image-Contrast-Enhancement__69eace45_train.prototxt",
        "dgschwend__netscope__presets__fcn-16s.prototxt",
        "dgschwend__netscope__presets__vgg-16.prototxt",
    },
}
"""Nets that no Caffe loads, by the reason, which the last error has to name."""


def _load(text: str, file: str, **arguments: Any) -> Graph:
    return load_text(text, LoadOptions.of(batch="net", **arguments), file)


def _stuck(paths: list[Path]) -> dict[str, str]:
    """The nets that give no table, with the last error."""
    left = {}
    for path in paths:
        try:
            text = read_text(path)
        except InputError:
            continue
        for image in TOOL.IMAGES:
            reached = TOOL.follow(partial(_load, text, path.name), image=image)
            if reached.net is not None:
                break
        if reached.net is None and TOOL.without_net(text, path.name, reached.error) is None:
            left[path.name] = str(reached.error)
    return left


@pytest.mark.parametrize(
    ("folder", "every"),
    [
        pytest.param(WIDE, 9, marks=needs_wide, id="wide"),
        pytest.param(CORPUS, 2, marks=needs_corpus, id="corpus"),
    ],
)
def test_whoever_follows_the_advice_reaches_a_table(folder: Path, every: int) -> None:
    stuck = _stuck(public_nets(folder, every))
    for reason, names in HOPELESS.items():
        for name in names & stuck.keys():
            assert reason in stuck.pop(name)
    assert stuck == {}
