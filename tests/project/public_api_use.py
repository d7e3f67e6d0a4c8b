"""A program that uses the whole public API: mypy --strict reads it, and a test runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor as Pool
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, assert_type

import numpy as np

import netcount
from netcount.testing import assert_within

if TYPE_CHECKING:
    import pandas as pd
    from google.protobuf.message import Message
    from numpy.typing import NDArray

SAMPLE: netcount.FilePath = Path("prototxt_samples") / "squeezenet_v1.1.prototxt"
OTHER: netcount.FilePath = "prototxt_samples/squeezenet_v1.0.prototxt"
TEXT = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 9 } } }
layer { name: "r" type: "Repeat" bottom: "x" top: "y" repeat_param { times: 3 } }
layer { name: "c" type: "Convolution" bottom: "y" top: "c" convolution_param { num_output: 4 kernel_size: 3 } }
"""


class Repeat(netcount.NoBlobs):
    """A layer type of one's own."""

    type = "Repeat"
    bottoms: ClassVar[netcount.Arity] = netcount.Arity(1, 1)
    times: int

    def read(self, message: netcount.Message) -> None:
        self.times = message.extra("repeat_param", "times", 1)

    def infer(self, bottoms: Sequence[netcount.Shape]) -> list[netcount.Shape]:
        (x,) = bottoms
        return [netcount.Shape((*x[:-1], x[-1] * self.times))]

    def ops(self, bottoms: Sequence[netcount.Shape], tops: Sequence[netcount.Shape]) -> netcount.OpCount:
        return netcount.NOTHING

    def forward(
        self, bottoms: Sequence[NDArray[Any]], blobs: Sequence[NDArray[Any]], run: netcount.Run
    ) -> list[NDArray[Any]]:
        (x,) = bottoms
        return [x.repeat(self.times, axis=-1)]

    def working_memory(
        self, bottoms: Sequence[netcount.Shape], tops: Sequence[netcount.Shape]
    ) -> netcount.WorkingMemory:
        return netcount.WorkingMemory(forward=tops[0].count())


class Doubled(netcount.ElementWise):
    """A function of each element."""

    type = "Doubled"
    each = netcount.OpCount(muls=1)

    def value(self, x: NDArray[Any]) -> NDArray[Any]:
        return 2 * x


class Weighted(netcount.SameShape):
    """A layer with a weight, a window and products."""

    type = "Weighted"

    def read(self, message: netcount.Message) -> None:
        self.filler = netcount.Filler(message.child("convolution_param"), "weight_filler")

    def blobs(self, bottoms: Sequence[netcount.Shape]) -> list[netcount.ParamBlob]:
        return [netcount.ParamBlob(netcount.Shape(bottoms[0][1:2]), "weight", self.filler)]

    def products(
        self, bottoms: Sequence[netcount.Shape], tops: Sequence[netcount.Shape]
    ) -> list[netcount.Product]:
        factors: netcount.Factors = (("C", bottoms[0][1]),)
        return [netcount.Product(factors, (("N", bottoms[0][0]),))]

    def ops(self, bottoms: Sequence[netcount.Shape], tops: Sequence[netcount.Shape]) -> netcount.OpCount:
        return netcount.OpCount(madds=bottoms[0].count())

    def backward(
        self, bottoms: Sequence[netcount.Shape], tops: Sequence[netcount.Shape], wanted: netcount.Wanted
    ) -> netcount.OpCount | None:
        return netcount.OpCount(madds=bottoms[0].count() * (wanted.bottoms[0] + wanted.params[0]))

    def window(self, bottoms: Sequence[netcount.Shape]) -> netcount.Window | None:
        return netcount.Window((1, 1), (1, 1), (0, 0), (1, 1))

    def forward(
        self, bottoms: Sequence[NDArray[Any]], blobs: Sequence[NDArray[Any]], run: netcount.Run
    ) -> list[NDArray[Any]]:
        return list(bottoms)


BASES: tuple[type[netcount.Layer], ...] = (
    netcount.Layer, netcount.Moving, netcount.Source, netcount.ShapesOnly,
)  # fmt: skip


def results(net: netcount.Net, pool: Pool) -> list[netcount.Result]:
    """Every answer that there is."""
    phase: netcount.Phase = net.phase
    convention: netcount.ConventionName = "macs"
    own: netcount.Convention = netcount.weighted("npu", {"madds": 1, "muls": 1})
    width: netcount.Width = "1/2"
    size: netcount.Size = (227, 200)
    analysis = assert_type(net.analyze(convention), netcount.Analysis)
    part: netcount.MemoryPart = "activations"
    memory = assert_type(net.memory(8, weight_bits=4, density=0.5, fits="2 MiB", fits_what=part), netcount.Memory)
    assert memory.verdict is not None
    arena = assert_type(net.arena(8, align=4, scratch=False, fits="2 MiB"), netcount.Arena)
    trained = assert_type(net.backward(batch=2), netcount.Backward)
    training = assert_type(net.training("adam", batch=2, fits="1 GiB"), netcount.Training)
    assert training.fit is not None
    blocks = assert_type(net.blocks(r"^(fire\d)"), netcount.Blocks)
    picture = assert_type(net.graph(color="params", collapse=["all"], fuse=False), netcount.Picture)
    fit = assert_type(net.fit("kendryte-k210", what_would_fit=True), netcount.Fit)
    linted = assert_type(net.lint(ignore=["dead-blob"], fail_on="warning"), netcount.Lint)
    assert_type(linted.findings, tuple[netcount.LintFinding, ...])
    explained = assert_type(net.explain("fire2", kind="block"), netcount.Explanation)
    reconciled = assert_type(net.reconcile("madds", own, *netcount.CONVENTIONS), netcount.Reconciliation)
    compared = assert_type(net.compare(OTHER), netcount.Comparison)
    rescaled = assert_type(net.rescale(width=width, resolution=size, multiple=8), netcount.Rescaled)
    swept = assert_type(net.sweep([width, 1], [size], limits={"madds": "200M"}, executor=pool), netcount.Sweep)
    surveyed = assert_type(netcount.survey([SAMPLE, OTHER], pool, phase=phase), netcount.Survey)
    verified = assert_type(net.verify(max_memory="1 GiB"), netcount.Verification)
    upgraded = assert_type(net.upgrade(), netcount.UpgradedNet)
    folded = assert_type(net.fold(), netcount.FoldedNet)
    exported = assert_type(net.export("ncnn", check=False), netcount.ExportedNet)
    checked: netcount.EngineCheck | None = exported.checked
    if checked or upgraded.forms or folded.left:
        raise AssertionError("a net of today, without a run, and all of it folded")
    timed = assert_type(net.time(engines=["numpy"], rounds=1, layers=True), netcount.Timing)
    held: list[object] = [
        assert_type(analysis.layers[0], netcount.LayerRow).madds,
        assert_type(analysis.layers[1].blobs[0], netcount.BlobRow).role,
        assert_type(analysis.totals, netcount.Totals).params,
        assert_type(analysis.kernels[0], netcount.KernelShare).share_madds,
        assert_type(memory.layers[0], netcount.LayerMemory).live,
        assert_type(memory.caffe, netcount.CaffeMemory).total,
        assert_type(memory.model, netcount.ModelSize | None),
        assert_type(memory.stats, tuple[netcount.BlobStats, ...]),
        assert_type(memory.verdict, netcount.MemoryVerdict).fits,
        assert_type(memory.verdict.asked, netcount.MemoryNeed).bytes,
        assert_type(memory.verdict.asked.over, tuple[netcount.OverLayer, ...]),
        assert_type(memory.verdict.blobs, tuple[netcount.OverBlob, ...]),
        assert_type(memory.verdict.tilings, tuple[netcount.LayerTiling, ...]),
        assert_type(memory.verdict.chains, tuple[netcount.ChainTiling, ...]),
        [assert_type(tiling.fitting, netcount.Strips | None) for tiling in memory.verdict.tilings],
        assert_type(arena.buffers[0], netcount.ArenaBuffer).offset,
        assert_type(arena.method, netcount.ArenaMethod),
        assert_type(trained.layers[0], netcount.LayerBackward).ops,
        assert_type(training.layers[0], netcount.LayerTraining).diffs,
        assert_type(training.solver, netcount.SolverKind).history,
        assert_type(training.fit, netcount.TrainingFits).fits,
        assert_type(training.fit.largest, netcount.TrainingBatch | None),
        assert_type(blocks[0], netcount.Block).totals.madds,
        assert_type(blocks[0].plain, netcount.Plain | str),
        assert_type(explained.layers[0], netcount.LayerReasons).row,
        assert_type(explained.layers[0].terms[0], netcount.Term).elements,
        assert_type(explained.layers[0].alternatives, tuple[netcount.Alternative, ...]),
        assert_type(reconciled.rows[0], netcount.TypeCosts).agrees,
        assert_type(compared.nets[0], netcount.NetFacts).layers,
        assert_type(compared.nets[0].layers[0], netcount.LayerFacts).type,
        assert_type(compared.changes[0][0], netcount.LayerChange).kind,
        assert_type(rescaled.changes[0], netcount.ChannelChange).now,
        assert_type(rescaled.net, netcount.Net).name,
        assert_type(swept.variants[0], netcount.Variant).fits,
        assert_type(swept.variants[0].resolution, netcount.Resolution | None),
        assert_type(swept.searches, tuple[netcount.Search, ...]),
        assert_type(surveyed.rows[0], netcount.SurveyRow).error,
        assert_type(fit.target, netcount.Target).precision,
        assert_type(fit.target.profile, netcount.Profile).reliability,
        assert_type(fit.findings[0], netcount.Finding).effect,
        assert_type(fit.held[0], netcount.Held).need,
        assert_type(fit.unjudged, tuple[netcount.Unjudged, ...]),
        assert_type(fit.compared, tuple[netcount.Compared, ...]),
        assert_type(fit.estimate, netcount.Estimate | None),
        [assert_type(layer, netcount.LayerTime).ms for layer in fit.estimate.layers] if fit.estimate else [],
        assert_type(fit.would_fit, netcount.WhatFits | None),
        [assert_type(edit, netcount.Edit).what for edit in fit.would_fit.edits] if fit.would_fit else [],
        assert_type(fit.would_fit.width, netcount.Smaller | None) if fit.would_fit else None,
        assert_type(verified.layers[0], netcount.LayerCheck).agrees,
        assert_type(verified.layers[0].tops[0], netcount.BlobCheck).by_data,
        assert_type(verified.memory, netcount.RunMemory),
        assert_type(net.page(height=500), netcount.Page),
        assert_type(picture.svg, str),
        assert_type(timed.nets[0], netcount.TimedNet).depthwise_share,
        assert_type(timed.runs[0], netcount.Measured).error,
        assert_type(timed.runs[0].layers[0], netcount.TimedLayer).seconds,
        assert_type(timed.machine, netcount.Machine).busy,
        assert_type(net.warnings, tuple[netcount.Warned, ...]),
    ]
    assert len(held) == 58
    older: list[netcount.Result] = [
        netcount.sweep(net, [0.5]), netcount.compare(net, OTHER), netcount.rescale(SAMPLE, width=0.5),
    ]  # fmt: skip
    return [
        analysis,
        memory,
        training,
        trained,
        arena,
        fit,
        blocks,
        explained,
        picture,
        reconciled,
        compared,
        rescaled,
        swept,
        surveyed,
        verified,
        timed,
        *older,
    ]


def run(folder: Path) -> Mapping[str, NDArray[Any]]:
    """A net with a layer of one's own, run, written and read."""
    catalogue: netcount.Catalogue = netcount.CATALOGUE.with_(Repeat, Doubled, Weighted)
    options: netcount.LoadArguments = {"catalogue": catalogue, "batch": 1}
    net = assert_type(netcount.loads(TEXT, **options), netcount.Net)
    node: netcount.Node = net.layer("c")
    blob: netcount.Blob = net.inputs[0]
    owners: tuple[netcount.Owner | None, ...] = node.owners
    assert owners == (None, None)
    executor = netcount.Executor(net, seed=3, keep=["y"])
    outputs = executor.run({blob.name: np.ones(blob.shape, np.float32)})
    steps: list[netcount.Step] = executor.steps
    assert sum(step.madds for step in steps) == net.analyze().totals.madds
    blobs: dict[str, list[NDArray[Any]]] = {"c": [np.ones((4, 3, 3, 3)), np.zeros(4)]}
    netcount.write_caffemodel(folder / "c.caffemodel", net, blobs)
    weights: netcount.Weights = folder / "c.caffemodel"
    return {**outputs, **net.run(weights=weights)}


def errors() -> list[netcount.NetcountError]:
    """What is raised."""
    by_hand: netcount.ByHand = {"params": 3, "madds": 4}
    assume: dict[str, netcount.Assumable] = {"Foo": by_hand}
    caught: list[netcount.NetcountError] = []
    for text in ("layer {", 'layer { name: "f" type: "Foo" top: "x" }'):
        try:
            netcount.loads(text)
        except netcount.UnknownTypeError as error:
            advice: netcount.Advice = error.advice[0]
            assert advice.argument in ("assume", "input_shapes")
            caught.append(error)
        except netcount.InputError as error:
            place: netcount.Place | None = error.place
            assert place is not None
            caught.append(error)
    try:
        netcount.load("no.prototxt", assume=assume)
    except netcount.MissingFileError as error:
        caught.append(error)
    kinds: tuple[type[netcount.NetcountError], ...] = (
        netcount.Errors, netcount.LimitError, netcount.MissingShapeError, netcount.PredictionsError,
    )  # fmt: skip
    assert all(issubclass(kind, netcount.NetcountError) for kind in kinds)
    return caught


def main(folder: Path) -> None:
    """All of it."""
    net = netcount.load(SAMPLE)
    assert_within(net, max_madds="400M")
    with ThreadPoolExecutor(2) as pool:
        for result in results(net, pool):
            document: dict[str, Any] = result.to_dict()
            frame: pd.DataFrame = result.to_frame()
            assert document["schema"].startswith("netcount/")
            assert len(frame)
            assert str(result)
            assert repr(result)
    proto: Message = net.to_proto()
    assert netcount.loads(str(proto)).analyze().totals == net.analyze().totals
    assert run(folder)["y"].shape == (1, 3, 8, 27)
    assert len(errors()) == 3
    assert all(issubclass(kind, netcount.Layer) for kind in BASES)
    assert netcount.__version__
