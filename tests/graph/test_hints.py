"""Errors name the cause, not a bystander."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netcount.core.errors import InputError, NetcountError, each
from netcount.core.suggest import nearest
from netcount.graph.graph import Graph
from netcount.graph.load import load_net, load_text
from netcount.graph.options import LoadOptions
from tests.helpers import inputs


def load(text: str, **arguments: Any) -> Graph:
    return load_text(text, LoadOptions.of(batch="net", **arguments))


def refusal(text: str, **arguments: Any) -> NetcountError:
    with pytest.raises(InputError) as caught:
        load(text, **arguments)
    return each(caught.value)[0]


def layer(kind: str, bottoms: str, tops: str, rest: str = "", name: str = "l") -> str:
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {rest} }}\n'


CUT = inputs(x=(2, 5, 9, 11)) + layer("Slice", "x", "a b", "slice_param { slice_point: 2 }", "cut")


def test_a_part_that_does_not_fit_names_the_slice_that_cut_it() -> None:
    error = refusal(CUT + layer("Eltwise", "a b", "y"))
    assert '; "a" is what Slice "cut" (line 2) cuts from "x" 2×5×9×11' in error.message


def test_a_slice_is_named_in_place_of_windows() -> None:
    text = CUT + layer("Pooling", "b", "p", "pooling_param { kernel_size: 3 }", "p")
    error = refusal(text + layer("Concat", "a p", "y"))
    assert "differ in height and width; " in error.message
    assert "cuts from" in error.message
    assert "kernel_size" not in error.message
    error = refusal(text + layer("Concat", "x p", "y"))
    assert "check kernel_size, pad and stride" in error.message


def test_a_slice_behind_a_layer_is_no_cause() -> None:
    relus = layer("ReLU", "a", "c", "", "r") + layer("ReLU", "b", "d", "", "s")
    assert "cuts from" not in refusal(CUT + relus + layer("Eltwise", "c d", "y")).message


def test_weights_that_cannot_be_shared_name_the_slice() -> None:
    conv = "param { name: 'w' } convolution_param { num_output: 4 kernel_size: 3 bias_term: false }"
    text = CUT + layer("Convolution", "a", "c", conv, "c") + layer("Convolution", "b", "d", conv, "d")
    assert '(line 3); "b" is what Slice "cut" (line 2) cuts from "x" 2×5×9×11' in refusal(text).message
    assert load(text.replace("slice_param { slice_point: 2 }", ""), input_shapes={"x": (2, 6, 9, 11)}).complete


ROIS = layer(
    "Python", "", "data im_info gt_boxes", 'python_param { module: "roi_data_layer.layer" layer: "RoIDataLayer" }'
)
HALVES = layer("Pooling", "data", "half", "pooling_param { kernel_size: 16 stride: 16 }", "half") + layer(
    "Deconvolution",
    "half",
    "whole",
    "convolution_param { num_output: 3 kernel_size: 16 stride: 16 }",
    "whole",
)


def test_the_assumed_size_of_a_detectors_images_is_named_in_any_distance() -> None:
    text = ROIS + HALVES + layer("ReLU", "whole", "r", "", "r") + layer("ReLU", "data", "d", "", "d")
    text += layer("Eltwise", "r d", "y")
    error = refusal(text)
    assert '"data" is only assumed to be 1×3×600×1000' in error.message
    assert ("input_shapes", "data") in [(one.argument, one.key) for one in error.advice]
    assert load(text, input_shapes={"data": (1, 3, 640, 1024)}).complete
    given = refusal(text, input_shapes={"data": (1, 3, 600, 1000)})
    assert "assumed" not in given.what


def test_nothing_is_suggested_that_was_typed() -> None:
    assert nearest("convolve", ["convolve"]) == ""
    assert nearest("convolve", ["convolve", "convolved"]) == '; did you mean "convolved"?'


RULED = 'layer { name: "m" type: "ReLU" bottom: "x" top: "y" %s }\n' + layer("ReLU", "y", "z", "", "reader")


@pytest.mark.parametrize(
    ("rules", "asked", "advised"),
    [
        ("include { phase: TRAIN }", {}, [("phase", "TRAIN")]),
        ("exclude { phase: TEST }", {}, [("phase", "TRAIN")]),
        ('include { stage: "all" }', {}, [("stages", "all")]),
        ('include { stage: "all" stage: "more" }', {"stages": ["more"]}, [("stages", "all")]),
        ('include { stage: "all" stage: "more" }', {}, [("stages", "all"), ("stages", "more")]),
        ('include { phase: TRAIN stage: "all" }', {}, [("phase", "TRAIN"), ("stages", "all")]),
        ('include { phase: TRAIN stage: "all" } include { min_level: 2 }', {}, [("level", "2")]),
        ('include { phase: TEST not_stage: "deploy" }', {"stages": ["deploy"]}, []),
        ('exclude { stage: "deploy" }', {"stages": ["deploy"]}, []),
        ('exclude { phase: TEST stage: "deploy" }', {"stages": ["deploy"]}, [("phase", "TRAIN")]),
    ],
)
def test_what_takes_a_layer_in(rules: str, asked: dict[str, Any], advised: list[tuple[str, str]]) -> None:
    error = refusal(inputs(x=(2, 3)) + RULED % rules, **asked)
    ways = [(one.argument, one.value) for one in error.advice]
    assert ways == [*advised, ("input_shapes", "N,C,H,W")]
    stages = [value for argument, value in advised if argument == "stages"]
    taken: dict[str, Any] = {argument: value for argument, value in advised if argument != "stages"}
    if "level" in taken:
        taken["level"] = int(taken["level"])
    if advised:
        assert load(inputs(x=(2, 3)) + RULED % rules, stages=[*asked.get("stages", []), *stages], **taken).complete


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('item { name: "cat" label: 1 }', "a label map, not a net"),
        (
            'name: "A" type: "A" isa_version: 3 bank_group { name: "B" }',
            "a description of a DPU target, not a net",
        ),
        ('name: "A" type: "A" load_engine { name: "B" } input_bank: 2', "not a net"),
        ('name: "ssd" caffe_ssd { box_input: "7" }', "a detector's head for TIDL, not a net"),
        ('model { name: "m" kernel { mean: 3 } }', "settings of a model for a library or a trainer, not a net"),
        ('node { name: "n" op: "Relu" } versions { producer: 3 }', "a graph of TensorFlow, not a net of Caffe"),
        ('ir_version: 7 producer_name: "p" graph { name: "g" }', "a model in ONNX, not a net of Caffe"),
    ],
)
def test_a_file_that_is_no_net_is_called_what_it_is(text: str, what: str) -> None:
    assert f"this is {what}: it has " in refusal(text).message


def test_a_misspelt_layer_is_still_one_of_a_net() -> None:
    assert 'did you mean "layer"?' in refusal('layr { name: "a" type: "ReLU" }').message


def test_a_solver_with_a_forks_field_is_followed(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(inputs(x=(2, 3, 9, 11)))
    solver = tmp_path / "solver.prototxt"
    solver.write_text('net: "net.prototxt" base_lr: 0.1 pruning_of_ours: 3 sparse_of_ours { kind: "l1" }\n')
    net = load_net(solver)
    assert [warning.message.split(" in any")[0] for warning in net.warnings] == [
        'SolverParameter has no field "pruning_of_ours"',
        'SolverParameter has no field "sparse_of_ours"',
    ]
    assert net.complete
    assert net.blobs[0].shape[1:] == (3, 9, 11)
