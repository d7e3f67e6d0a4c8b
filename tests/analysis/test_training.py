"""What Caffe keeps while it trains: its own rules for diffs, the solvers' histories, the batch that fits."""

from __future__ import annotations

from pathlib import Path

import pytest

import netcount
from netcount.analysis._support.gradients import Gradients, gradients
from netcount.core.errors import InputError
from tests.helpers import ROOT, graph_of, inputs, net_of

X = inputs(x=(2, 3, 5, 7), label=(2,))


def op(type: str, bottoms: str, tops: str, rest: str = "", name: str = "") -> str:
    ends = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{name or tops}" type: "{type}"{ends} {rest} }}\n'


def conv(bottom: str, top: str, rest: str = "", made: int = 4) -> str:
    return op(
        "Convolution", bottom, top, f"convolution_param {{ num_output: {made} kernel_size: 3 pad: 1 }} {rest}"
    )


def fc(bottom: str, top: str, rest: str = "") -> str:
    return op("InnerProduct", bottom, top, f"inner_product_param {{ num_output: 6 }} {rest}")


LOSS = op("SoftmaxWithLoss", "f label", "loss")
FROZEN = "param { lr_mult: 0 } param { lr_mult: 0 }"


def backward(text: str) -> tuple[netcount.Net, Gradients]:
    net = net_of(text, phase="TRAIN", batch="net")
    return net, gradients(graph_of(net))


def diffs(text: str) -> dict[str, int]:
    """Elements of the diffs of what each layer makes, where there are any."""
    net, flow = backward(text)
    return {node.name: number for node, number in zip(net.layers, flow.diffs, strict=True) if number}


def test_every_blob_up_to_the_loss_has_a_diff_and_labels_have_none() -> None:
    text = X + conv("x", "c") + op("ReLU", "c", "c", name="r") + fc("c", "f") + LOSS
    # a convolution's Backward touches the diff of x, which nobody needs
    assert diffs(text) == {"x": 2 * 3 * 35, "c": 2 * 4 * 35, "f": 2 * 6, "loss": 1}
    net, flow = backward(text)
    assert dict(zip((node.name for node in net.layers), flow.bottoms, strict=True)) == {
        "x": (), "label": (), "c": (False,), "r": (True,), "f": (True,), "loss": (True, False),
    }  # fmt: skip


def test_a_net_without_a_loss_is_told_of() -> None:
    def said(text: str) -> list[str]:
        answer = net_of(text, phase="TRAIN", batch="net").training()
        return [warning.message for warning in answer.counted.warnings if "no backward pass" in warning.message]

    assert len(said(X + fc("x", "f"))) == 1
    assert not said(X + fc("x", "f") + LOSS)


def test_below_what_learns_there_are_no_diffs() -> None:
    text = X + conv("x", "c", FROZEN) + op("Sigmoid", "c", "s") + fc("s", "f") + LOSS
    assert diffs(text) == {"f": 12, "loss": 1}
    net, flow = backward(text)
    assert [node.name for node, needed in zip(net.layers, flow.layers, strict=True) if needed] == ["f", "loss"]
    assert flow.params[2] == (False, False)
    half = X + conv("x", "c", "param { lr_mult: 0 }") + fc("c", "f") + LOSS
    assert backward(half)[1].params[2] == (False, True), "the bias learns"


def test_an_inner_product_leaves_its_bottom_alone_where_nothing_needs_it() -> None:
    assert diffs(X + fc("x", "f") + LOSS) == {"f": 12, "loss": 1}


def test_a_batch_norm_first_makes_its_bottoms_diff_as_its_rates_are_1_in_the_file() -> None:
    text = X + op("BatchNorm", "x", "b") + fc("b", "f") + LOSS
    assert diffs(text) == {"x": 210, "b": 210, "f": 12, "loss": 1}
    fixed = X + op("BatchNorm", "x", "b", "param { lr_mult: 0 } " * 3) + fc("b", "f") + LOSS
    assert diffs(fixed) == {"f": 12, "loss": 1}


def test_copies_of_a_split_have_diffs_of_their_own() -> None:
    text = X + conv("x", "c") + op("Sigmoid", "c", "a") + op("Eltwise", "c a", "e") + fc("e", "f") + LOSS
    assert diffs(text) == {"x": 210, "c": 3 * 280, "a": 280, "e": 280, "f": 12, "loss": 1}
    _, flow = backward(text)
    assert flow.logged == 210 + 2 + 3 * 280 + 280 + 280 + 12 + 1


def test_what_is_flattened_shares_its_diff_too() -> None:
    text = X + conv("x", "c") + op("Flatten", "c", "v") + fc("v", "f") + LOSS
    assert diffs(text) == {"x": 210, "c": 280, "f": 12, "loss": 1}


def test_what_does_not_lead_to_the_loss_has_no_diff() -> None:
    text = X + conv("x", "c") + fc("c", "f") + LOSS + conv("c", "side", made=5) + op("Silence", "side", "")
    flow = diffs(text)
    # c goes to two layers: the copy for "side" has no gradient, but the Split adds up both
    assert flow == {"x": 210, "c": 3 * 280, "f": 12, "loss": 1}


def test_propagate_down_stops_gradients() -> None:
    text = X + conv("x", "c") + fc("c", "f", "propagate_down: false") + LOSS
    net, flow = backward(text)
    assert [node.name for node, needed in zip(net.layers, flow.layers, strict=True) if needed] == ["f", "loss"]
    assert diffs(text) == {"f": 12, "loss": 1}


def test_force_backward_reaches_everything_but_labels() -> None:
    text = "force_backward: true " + X + conv("x", "c", FROZEN) + fc("c", "f", FROZEN) + LOSS
    _, flow = backward(text)
    assert flow.layers == (True,) * 5
    assert flow.bottoms[2:] == ((True,), (True,), (True, False))
    assert flow.params[2] == (True, True)


def test_a_loss_of_another_layer() -> None:
    text = X + conv("x", "c") + op("Reduction", "c", "r", "loss_weight: 2")
    assert diffs(text) == {"x": 210, "c": 280, "r": 1}
    read = X + fc("x", "f") + op("Reduction", "f", "r", "loss_weight: 2") + op("Sigmoid", "r", "s")
    assert diffs(read)["r"] == 3, "the blob, and two copies: for the loss and for the reader"


@pytest.mark.parametrize(
    ("solver", "history"),
    [("sgd", 1), ("nesterov", 1), ("adagrad", 1), ("rmsprop", 1), ("adadelta", 2), ("adam", 2)],
)
def test_a_solver_keeps_history_also_of_what_does_not_learn(solver: str, history: int) -> None:
    net = net_of(X + conv("x", "c", FROZEN) + fc("c", "f") + LOSS)
    kept = net.training(solver)
    assert kept.weight_bytes == kept.weight_diff_bytes == 4 * net.learnable()
    assert (kept.history_bytes, kept.update_bytes) == (history * kept.weight_bytes, 0)
    assert kept.total_bytes == kept.data_bytes + kept.diff_bytes + (2 + history) * kept.weight_bytes + 4 * 27 * 35


@pytest.mark.parametrize(
    ("fields", "name", "update"),
    [
        ("solver_mode: CPU", "SGD", 0),
        ("solver_mode: CPU weight_decay: 1 regularization_type: 'L1'", "SGD", 1),
        ("weight_decay: 1 regularization_type: 'L1'", "SGD", 1),
        ("weight_decay: 1", "SGD", 0),
        ("type: 'Nesterov' solver_mode: CPU", "Nesterov", 1),
        ("type: 'AdaDelta' solver_mode: CPU", "AdaDelta", 2),
        ("type: 'Adam' solver_mode: CPU weight_decay: 1 regularization_type: 'L1'", "Adam", 1),
        ("solver_type: RMSPROP", "RMSProp", 0),
    ],
)
def test_a_solver_file_says_what_it_keeps(tmp_path: Path, fields: str, name: str, update: int) -> None:
    path = tmp_path / "solver.prototxt"
    path.write_text(f'net: "net.prototxt" base_lr: 1 {fields}')
    (tmp_path / "net.prototxt").write_text(X + fc("x", "f") + LOSS)
    kept = netcount.load(tmp_path / "net.prototxt").training(path)
    assert (kept.solver.name, kept.solver.update) == (name, update)
    followed = netcount.load(path).training()
    assert (followed.solver, followed.total_bytes) == (kept.solver, kept.total_bytes), "it names the net"


def test_a_solver_that_caffe_lacks_is_refused(tmp_path: Path) -> None:
    net = net_of(X + fc("x", "f") + LOSS)
    with pytest.raises(InputError, match='did you mean "adam"') as refusal:
        net.training("adams")
    assert refusal.value.argument == "solver"
    path = tmp_path / "solver.prototxt"
    path.write_text('net: "n"\ntype: "SGDD"')
    with pytest.raises(InputError, match=r'solver.prototxt:2:1.*no solver of type "SGDD"; did you mean "SGD"'):
        net.training(path)
    path.write_text("layer { }")
    with pytest.raises(InputError, match="is no solver"):
        net.training(path)


@pytest.mark.parametrize("spare", [0, 1])
def test_the_largest_batch_fits_and_the_next_does_not(spare: int) -> None:
    net = net_of(X + conv("x", "c") + fc("c", "f") + LOSS)
    at = {images: net.training(batch=images).total_bytes for images in (1, 2, 37, 38)}
    fit = net.training(fits=at[38] - 1 + spare).fit
    assert fit is not None
    assert fit.largest is not None
    assert fit.over is not None
    assert fit.largest == ((37, at[37]), (38, at[38]))[spare]
    assert fit.over.images == 38 + spare
    none = net.training(fits=at[1] - 1).fit
    assert none is not None
    assert (none.fits, none.largest, none.over) == (False, None, (1, at[1]))


def test_a_batch_that_cannot_be_changed_is_not_searched() -> None:
    text = inputs(x=(2, 6)) + op("Reshape", "x", "v", "reshape_param { shape { dim: 2 dim: 6 } }") + fc("v", "f")
    fit = net_of(text).training(fits="1 GiB").fit
    assert fit is not None
    assert (fit.fits, fit.largest, fit.over) == (True, None, None)


def test_the_phase_is_train_whatever_the_net_was_loaded_in() -> None:
    text = (
        X
        + fc("x", "f")
        + op("Softmax", "f", "p", "include { phase: TEST }")
        + LOSS.replace("}", "include { phase: TRAIN } }")
    )
    net = net_of(text)
    assert "loss" not in [node.name for node in net.layers]
    assert [layer.row.name for layer in net.training().layers] == ["x", "label", "f", "loss"]
    assert net.training(phase="TEST").diff_bytes == 0, "no loss"


def test_vgg_a_of_16_images_as_caffe_logs_it() -> None:
    kept = netcount.load(ROOT / "tests" / "data" / "field" / "66-vgg-a-batch16.prototxt").training()
    assert kept.log_bytes == 1_059_748_420
    sizes = (kept.diff_bytes, kept.weight_bytes, kept.weight_diff_bytes, kept.history_bytes)
    assert [round(size / 2**20) for size in sizes] == [556, 507, 507, 507]
    assert round(kept.total_bytes / 2**30, 1) == 2.7


@pytest.mark.parametrize(("phase", "images", "logged"), [("TRAIN", 64, 5_169_924), ("TEST", 100, 8_086_808)])
def test_lenet_as_caffe_logs_it_in_its_tutorial(phase: netcount.Phase, images: int, logged: int) -> None:
    pool = "pooling_param { kernel_size: 2 stride: 2 }"
    text = (
        inputs(x=(images, 1, 28, 28), label=(images,))
        + op("Convolution", "x", "c1", "convolution_param { num_output: 20 kernel_size: 5 }")
        + op("Pooling", "c1", "p1", pool)
        + op("Convolution", "p1", "c2", "convolution_param { num_output: 50 kernel_size: 5 }")
        + op("Pooling", "c2", "p2", pool)
        + op("InnerProduct", "p2", "i1", "inner_product_param { num_output: 500 }")
        + op("ReLU", "i1", "i1", name="relu1")
        + op("InnerProduct", "i1", "f", "inner_product_param { num_output: 10 }")
        + op("Accuracy", "f label", "accuracy", "include { phase: TEST }")
        + LOSS
    )
    assert net_of(text).training(phase=phase).log_bytes == logged
