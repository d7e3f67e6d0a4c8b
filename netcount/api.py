"""netcount in Python: load a net, ask it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

from netcount.analysis._support.kernels import KernelShare
from netcount.analysis.conventions import Convention, convention_named
from netcount.analysis.count import Count, count
from netcount.analysis.rows import LayerRow, Totals
from netcount.core import arguments
from netcount.core.errors import InputError, Warned
from netcount.core.files import exists, read_text
from netcount.core.units import human, plural
from netcount.graph.graph import Blob, Graph, Node
from netcount.graph.load import load_text, name_of
from netcount.graph.options import LoadArguments, LoadOptions
from netcount.prototxt.select import Phase
from netcount.results.result import Result, frame_of

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from fractions import Fraction

    import pandas as pd
    from google.protobuf.message import Message as ProtoMessage

    from netcount.analysis._support.verdict import MemoryPart
    from netcount.analysis.lint import FailOn
    from netcount.analysis.rescale import ChannelChange
    from netcount.analysis.rescale import Rescaled as RescaledValue
    from netcount.analysis.survey import SurveyRow
    from netcount.analysis.sweep import Variant
    from netcount.analysis.upgrade import Upgraded as UpgradedValue
    from netcount.deploy.agree import Agreed
    from netcount.export.written import ExportedNet
    from netcount.kernels.run import Array
    from netcount.picture.picture import Picture as PictureValue
    from netcount.report.picture import Colour
    from netcount.results.of_a_net import (
        Arena,
        Backward,
        Blocks,
        Explanation,
        Fit,
        Lint,
        Memory,
        Reconciliation,
        Training,
        Verification,
    )
    from netcount.results.of_nets import Comparison, Survey, Sweep, Timing
    from netcount.results.picture import Page, Picture

ConventionName: TypeAlias = Literal["madds", "macs", "netscope", "flops"]
"""The conventions of counting that netcount has; a `Convention` of your own stands beside them."""
FilePath: TypeAlias = "str | os.PathLike[str]"
"""A path; "-" is standard input."""
Width: TypeAlias = "float | str | Fraction"
"""A factor for channels; a text such as "1/3" is exact."""
Size: TypeAlias = "int | str | tuple[int, int]"
"""Height and width of images: one number for both, a pair, or a text such as "160x320"."""
Weights: TypeAlias = "str | os.PathLike[str] | Mapping[str, Sequence[Array]]"
"""A .caffemodel, or arrays by layer name."""


class Net:
    """A net whose shapes are known, and the questions it can be asked.  `netcount.load` makes it; it is frozen.

    >>> import netcount
    >>> net = netcount.loads('''
    ... layer { name: "data" type: "Input" top: "data"
    ...         input_param { shape { dim: 1 dim: 3 dim: 9 dim: 11 } } }
    ... layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
    ...         convolution_param { num_output: 4 kernel_size: 3 } }
    ... ''')
    >>> net
    <Net '': 2 layers, TEST, batch 1>
    >>> [(blob.name, blob.shape) for blob in net.outputs]
    [('conv1', (1, 4, 7, 9))]
    """

    __slots__ = ("_counts", "_graph", "_name", "_options", "_text")

    def __init__(self, graph: Graph, text: str, name: str, options: LoadOptions) -> None:
        """For netcount itself: a graph, and what it was made from."""
        self._graph = graph
        self._text = text
        self._name = name
        self._options = options
        self._counts: dict[Convention, Count] = {}

    @property
    def name(self) -> str:
        """The net's name in the file; "" where it has none."""
        return self._graph.name

    @property
    def file(self) -> str:
        """What the file is called in messages."""
        return self._graph.file

    @property
    def text(self) -> str:
        """The prototxt it was read from."""
        return self._text

    @property
    def phase(self) -> Phase:
        """ "TEST" or "TRAIN": the phase it was built in."""
        return self._graph.phase

    @property
    def batch(self) -> int | None:
        """Images that are counted for; None where the file says none."""
        return self._graph.batch

    @property
    def layers(self) -> tuple[Node, ...]:
        """The layers, in the order of the file, each with its bottoms and tops."""
        return self._graph.nodes

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The same as `layers`, under its older name."""
        return self._graph.nodes

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Every version of every blob: a blob that a layer overwrites in place is a version of its own."""
        return self._graph.blobs

    @property
    def inputs(self) -> tuple[Blob, ...]:
        """The blobs that no layer computes."""
        return tuple(self._graph.blobs[index] for index in self._graph.inputs)

    @property
    def outputs(self) -> tuple[Blob, ...]:
        """The blobs that no layer reads, sorted by name as Caffe lists them."""
        return tuple(self._graph.blobs[index] for index in self._graph.outputs)

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What a reader of the figures has to know."""
        return self._graph.warnings

    @property
    def assumptions(self) -> tuple[Warned, ...]:
        """What was assumed, of `assume`."""
        return self._graph.assumptions

    @property
    def complete(self) -> bool:
        """False where a layer's shape was assumed, so that its cost is missing."""
        return self._graph.complete

    def learnable(self) -> int:
        """Elements of all distinct parameter blobs, statistics included: Caffe's own count."""
        return self._graph.learnable()

    def layer(self, name: str) -> Node:
        """The first layer of that name.

        Raises:
            KeyError: There is none.
        """
        return self._graph.node(name)

    def node(self, name: str) -> Node:
        """The same as `layer`, under its older name."""
        return self._graph.node(name)

    def analyze(self, convention: ConventionName | str | Convention = "madds") -> Analysis:
        """What every layer costs.

        Args:
            convention: What the column `cost` counts.
        """
        return Analysis(self, self._counted(convention))

    def memory(
        self,
        bits: int = 32,
        weight_bits: int | None = None,
        *,
        density: float | None = None,
        weights: Weights | None = None,
        fits: int | str | None = None,
        fits_what: MemoryPart = "all",
    ) -> Memory:
        """What the net needs in memory: live activations, scratch, weights.

        Args:
            bits: Of an activation, 1 to 64.
            weight_bits: Of a parameter; as `bits` by default.
            density: Estimate the size of a model pruned to this share of its weights.
            weights: A .caffemodel, or arrays by layer name: measure density, distinct values and ranges of these,
                and estimate from them.
            fits: Bytes, or a text such as "2 MiB": `verdict` says whether it fits.
            fits_what: What has to fit: "activations", "scratch", "weights", or "all" of them together.

        Raises:
            InputError: An argument is wrong, both density and weights are given, or the weights are not the net's.
        """
        from netcount.analysis._support.verdict import PARTS
        from netcount.analysis.memory import memory
        from netcount.results.of_a_net import Memory

        bits = arguments.whole("bits", bits, 1, arguments.MOST_BITS)
        if weight_bits is not None:
            weight_bits = arguments.whole("weight_bits", weight_bits, 1, arguments.MOST_BITS)
        limit = None if fits is None else arguments.size_in_bytes("fits", fits)
        fits_what = arguments.one_of("fits_what", fits_what, *PARTS)
        answer = memory(self._counted(), bits, weight_bits)
        if density is not None or weights is not None:
            from netcount.execute.weight_stats import stored_size

            given = weights if isinstance(weights, str | os.PathLike) else _by_name("weights", weights)
            share = None if density is None else arguments.real("density", density)
            answer = answer.stored(*stored_size(self._graph, answer.weight_bits, given, share))
        return Memory._make(answer if limit is None else answer.fitting(limit, fits_what))

    def arena(
        self, bits: int = 32, *, align: int = 16, scratch: bool = True, fits: int | str | None = None
    ) -> Arena:
        """A plan of the net's memory as engines make one: where each buffer lies in one block.

        Args:
            bits: Of a value, 1 to 64.
            align: What offsets and sizes are multiples of, in bytes.
            scratch: Plan the im2col columns of layers too.
            fits: Bytes, or a text such as "512 KiB": `fits` of the answer says whether the block does.
        """
        from netcount.analysis.arena import MOST_ALIGN, arena
        from netcount.results.of_a_net import Arena

        return Arena._make(
            arena(
                self._counted(),
                arguments.whole("bits", bits, 1, arguments.MOST_BITS),
                arguments.whole("align", align, 1, MOST_ALIGN),
                scratch=arguments.one_of("scratch", scratch, True, False),
                limit_bytes=None if fits is None else arguments.size_in_bytes("fits", fits),
            )
        )

    def training(
        self,
        solver: FilePath | None = None,
        *,
        batch: int | Literal["net"] = "net",
        phase: Phase = "TRAIN",
        fits: int | str | None = None,
    ) -> Training:
        """What Caffe keeps in memory while it trains the net: data, diffs, weights, history, columns.

        Args:
            solver: "sgd", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", or the path of a solver.prototxt;
                by default the one that the net was loaded from, or SGD.
            batch: Images; "net" for the batch that the file declares.
            phase: In which the net is trained, whatever the phase it was loaded in.
            fits: Bytes, or a text such as "8 GiB": `fit` says whether it fits, and the largest batch that does.

        Raises:
            InputError: An argument is wrong, or the net cannot be built in that phase.
        """
        from netcount.analysis.training import training
        from netcount.graph.load import draft_text
        from netcount.graph.solver_kind import SOLVERS, kind_of, solver_kind
        from netcount.results.of_a_net import Training

        own = LoadOptions.of(batch=batch, phase=phase)
        limit = None if fits is None else arguments.size_in_bytes("fits", fits)
        if solver is None:
            kind = kind_of(self._text, self._name) or SOLVERS["sgd"]
        else:
            kind = solver_kind(arguments.path("solver", solver))
        draft = draft_text(self._text, self._options._replace(batch=own.batch, phase=own.phase), self._name)
        return Training._make(training(draft, kind, limit))

    def backward(self, *, batch: int | Literal["net"] = 1, phase: Phase = "TRAIN") -> Backward:
        """What the net costs while it is trained: a forward pass and a backward one, by Caffe's own rules.

        Args:
            batch: Images; "net" for the batch that the file declares.
            phase: In which the net is trained, whatever the phase it was loaded in.

        Raises:
            InputError: An argument is wrong, or the net cannot be built in that phase.
        """
        from netcount.analysis.backward import backward
        from netcount.results.of_a_net import Backward

        own = LoadOptions.of(batch=batch, phase=phase)
        net = load_text(self._text, self._options._replace(batch=own.batch, phase=own.phase), self._name)
        return Backward._make(backward(count(net)))

    def fit(
        self,
        target: FilePath,
        *,
        precision: str | None = None,
        board: str | None = None,
        what_would_fit: bool = False,
    ) -> Fit:
        """Whether the net fits a target: what its tool-chain refuses, leaves to the CPU, or gets wrong.

        Args:
            target: The name of a profile, such as "kendryte-k210", or the path of one of your own.
            precision: What the net is computed in; the profile's first by default.
            board: On which board of the target the time is estimated.
            what_would_fit: Look for edits that help, and for the largest width and resolution that fit.

        Raises:
            InputError: There is no such target, precision or board, or the profile has mistakes.
        """
        from netcount.analysis.rescale import Rescaler
        from netcount.results.of_a_net import Fit
        from netcount.targets.fit import Target, compared, fit
        from netcount.targets.shipped import profile
        from netcount.targets.what_fits import what_fits

        against = Target.of(profile(arguments.path("target", target)), precision, board)
        answer = fit(self._counted(), against)._replace(compared=compared(against))
        if arguments.one_of("what_would_fit", what_would_fit, True, False):
            rescaler = Rescaler(self._text, self._name, self._options, both_phases=False)
            answer = answer._replace(would_fit=what_fits(rescaler, answer))
        return Fit._make(answer)

    def lint(
        self,
        *,
        ignore: Collection[str] = (),
        target: FilePath | None = None,
        fail_on: FailOn = "note",
    ) -> Lint:
        """What in the net costs and does nothing, or is not what it seems, and what to write instead.

        Args:
            ignore: Codes that are not wanted; those that a comment of the file switches off are not shown either.
            target: The name of a profile, or the path of one: channels that its array fills up are shown.
            fail_on: From which level on `exit_code` is 1: "note", "warning" or "never".

        Raises:
            InputError: There is no such code or target, or its profile does not say how wide its array is.
        """
        from netcount.analysis.lint import lint
        from netcount.results.of_a_net import Lint
        from netcount.targets.shipped import channel_multiple

        path = None if target is None else arguments.path("target", target)
        name, multiple = ("", 0) if path is None else channel_multiple(path)
        level: FailOn = arguments.one_of("fail_on", fail_on, "note", "warning", "never")
        codes = arguments.names("ignore", ignore, "dead-layer")
        return Lint._make(lint(self._counted(), codes, multiple=multiple, target=name, fail_on=level))

    def blocks(
        self, pattern: str | None = None, *, convention: ConventionName | str | Convention = "madds"
    ) -> Blocks:
        """The blocks of layers (`fire2/…`), each with its ends, totals and plain equivalent.

        Args:
            pattern: A regular expression that names blocks by its first group, or by what it matches.
            convention: What `cost` counts.
        """
        from netcount.analysis.blocks import blocks
        from netcount.results.of_a_net import Blocks

        counted = self._counted(convention)
        return Blocks(counted, blocks(counted, _pattern(pattern)))

    def explain(
        self,
        name: str,
        *,
        pattern: str | None = None,
        kind: Literal["layer", "block"] | None = None,
        convention: ConventionName | str | Convention = "madds",
    ) -> Explanation:
        """Why the layer or block called `name` costs what it costs, and what else could stand there.

        Args:
            name: A layer or a block.
            pattern: As for `blocks`.
            kind: "layer" or "block" where a name is both.
            convention: What `cost` counts.

        Raises:
            InputError: Nothing has that name.
        """
        from netcount.analysis.explain import explain
        from netcount.results.of_a_net import Explanation

        arguments.text("name", name, "the name of a layer or block")
        if kind is not None:
            kind = arguments.one_of("kind", kind, "layer", "block")
        return Explanation._make(explain(self._counted(convention), name, pattern=_pattern(pattern), kind=kind))

    def graph(self, *, color: Colour = "madds", collapse: Collection[str] = (), fuse: bool = True) -> Picture:
        """The net as a picture, which a notebook shows.

        Args:
            color: What the colours tell: a box's share of the "madds" or "params", the "memory" alive while it
                runs, the family of its "type", or "none".
            collapse: Blocks to draw as one box each; `["all"]` for every one.
            fuse: Draw layers that only work on what another makes in that layer's box.

        Raises:
            InputError: There is no block of a name in `collapse`.
        """
        from netcount.report.picture import COLOURS, drawing
        from netcount.results.picture import Picture

        color = arguments.one_of("color", color, *COLOURS)
        (drawn,) = self._pictures(fuse, arguments.names("collapse", collapse))
        return Picture(drawing(drawn, color), self._text)

    def page(
        self,
        *,
        color: Colour = "madds",
        collapse: Collection[str] = (),
        fuse: bool = True,
        height: int = 640,
    ) -> Page:
        """The page to look around in, which a notebook shows in a frame: graph, table, text and memory, linked.

        Args:
            color: What the colours tell at first, as for `graph`.
            collapse: Blocks that are folded at first.
            fuse: As for `graph`.
            height: Of the frame, in pixels.

        Raises:
            InputError: There is no block of a name in `collapse`.
        """
        from netcount.picture.picture import ALL
        from netcount.report.page import net_page
        from netcount.report.picture import COLOURS
        from netcount.results.picture import Page

        color = arguments.one_of("color", color, *COLOURS)
        height = arguments.whole("height", height, 1)
        closed = arguments.names("collapse", collapse)
        drawn, whole, folded = self._pictures(fuse, closed, (), (ALL,))
        return Page(net_page(whole, folded, self._text, color, drawn.folded), self.name or self.file, height)

    def _pictures(self, fuse: bool, *collapses: Collection[str]) -> list[PictureValue]:
        from netcount.graph.partial import outline_of
        from netcount.picture.picture import picture

        fuse = arguments.one_of("fuse", fuse, True, False)
        counted, outline = self._counted(), outline_of(self._graph)
        return [picture(counted, outline, fuse, collapse) for collapse in collapses]

    def reconcile(self, *conventions: ConventionName | str | Convention) -> Reconciliation:
        """What each convention makes of the net, by layer type: where and why they differ.

        Raises:
            InputError: There are fewer than two.
        """
        from netcount.analysis.reconcile import reconcile
        from netcount.results.of_a_net import Reconciliation

        rules = [_convention(each, "conventions") for each in conventions]
        return Reconciliation._make(reconcile(self._graph, rules))

    def compare(
        self, *others: Net | FilePath, convention: ConventionName | str | Convention = "madds"
    ) -> Comparison:
        """What is different in another net, or in each of several: layers added, removed, renamed or changed.

        Args:
            others: Nets, or paths.
            convention: What `cost` counts.
        """
        from netcount.analysis.compare import compared, facts, told_apart
        from netcount.results.of_nets import Comparison

        if not others:
            arguments.refuse("others", "there is no net to compare with")
        nets = [self, *(one if isinstance(one, Net) else load(one) for one in others)]
        return Comparison._make(compared(told_apart([facts(net._counted(convention)) for net in nets])))

    def rescale(
        self,
        *,
        width: Width = 1,
        resolution: Size | None = None,
        multiple: int = 1,
        keep: Collection[str] = (),
        dense: bool = False,
    ) -> Rescaled:
        """The net at another width and resolution: `text` is its prototxt, in which only numbers differ.

        Args:
            width: A factor for every convolution's num_output but the classifiers'.
            resolution: Of the images.
            multiple: What channels are rounded to.
            keep: Layers whose channels stay.
            dense: Scale InnerProduct layers too, but the classifiers.

        Raises:
            InputError: A constant in the file makes it impossible; with its place.
        """
        from netcount.analysis._support.scales import image_size, width_factor
        from netcount.analysis.rescale import Rescaler

        factor = width_factor("width", width)
        size = None if resolution is None else image_size("resolution", resolution)
        multiple = arguments.whole("multiple", multiple, 1)
        names, dense = arguments.names("keep", keep), arguments.one_of("dense", dense, True, False)
        rescaler = Rescaler(self._text, self._name, self._options, keep=names, dense=dense)
        return Rescaled(self, rescaler.rescaled(factor, size, multiple))

    def sweep(
        self,
        widths: Sequence[Width] | Width = (1,),
        resolutions: Sequence[Size] | Size = (),
        *,
        limits: Mapping[str, int | str] | None = None,
        fit: Literal["width", "resolution"] | None = None,
        step: Width | None = None,
        multiple: int = 1,
        keep: Collection[str] = (),
        dense: bool = False,
        bits: int = 32,
        executor: Executor | None = None,
        on_variant: Callable[[Variant], None] | None = None,
    ) -> Sweep:
        """What every combination of widths and resolutions costs, and which fit.

        Args:
            widths: Factors for every convolution's num_output but the classifiers'.
            resolutions: Of the images; that of the file by default.
            limits: The largest value of a figure that still fits: whole, or with a unit ("100M", "2 MiB").
            fit: Search the largest "width", or "resolution", within the limits, at each value given of the other:
                `searches` of the result says what was found, and the next step, which does not fit.
            step: Of the search; 0.001 of a width and 1 of a height by default.
            multiple: What channels are rounded to.
            keep: Layers whose channels stay.
            dense: Scale InnerProduct layers too, but the classifiers.
            bits: Of a value in memory, 1 to 64.
            executor: What counts the variants: threads, processes, a cluster's.  It is not shut down.
            on_variant: Called with each `Variant` as it is done.
        """
        from netcount.analysis._support.scales import image_size, several, width_factor
        from netcount.analysis.rescale import Rescaler
        from netcount.analysis.sweep import sweep
        from netcount.results.of_nets import Sweep

        factors = several("widths", widths)
        for factor in factors:
            width_factor("widths", factor)
        given = [resolutions] if _is_pair(resolutions) else several("resolutions", resolutions)
        sizes = [image_size("resolutions", size) for size in given]
        if limits is not None and not isinstance(limits, Mapping):
            arguments.refuse("limits", f'they are given by figure, such as {{"madds": "100M"}}, not {limits!r}')
        bounds = {str(key): arguments.quantity("limits", most) for key, most in (limits or {}).items()}
        names = arguments.names("keep", keep)
        _check_executor(executor)
        multiple = arguments.whole("multiple", multiple, 1)
        bits = arguments.whole("bits", bits, 1, arguments.MOST_BITS)
        dense = arguments.one_of("dense", dense, True, False)
        rescaler = Rescaler(self._text, self._name, self._options, keep=names, both_phases=False, dense=dense)
        shown = [factor.strip() if isinstance(factor, str) else factor for factor in factors]
        if fit is not None:
            from netcount.analysis.fit import fit as fitted

            arguments.one_of("fit", fit, "width", "resolution")
            others = sizes if fit == "width" else shown
            return Sweep._make(
                fitted(rescaler, fit, others, limits=bounds, step=step, multiple=multiple, bits=bits)
            )
        return Sweep._make(
            sweep(
                rescaler,
                shown,
                sizes,
                limits=bounds,
                multiple=multiple,
                bits=bits,
                executor=executor,
                on_variant=on_variant,
            )
        )

    def run(
        self,
        inputs: Mapping[str, Array] | None = None,
        *,
        weights: Weights | None = None,
        seed: int = 0,
        keep: Collection[str] = (),
    ) -> dict[str, Array]:
        """One forward pass in float32.

        Args:
            inputs: Arrays by blob name; an input that is not given is random.
            weights: A .caffemodel, or arrays by layer name; without them they are random, by the net's own
                fillers.
            seed: For what is random.
            keep: Blobs to return besides the outputs.

        Returns:
            Outputs and kept blobs by name.
        """
        from netcount.execute.executor import Executor

        blobs, _ = self._weights(weights)
        seed = arguments.whole("seed", seed, 0)
        executor = Executor(self._graph, blobs, seed=seed, keep=arguments.names("keep", keep, "pool1"))
        return executor.run(_by_name("inputs", inputs))

    def verify(
        self,
        inputs: Mapping[str, Array] | None = None,
        *,
        weights: Weights | None = None,
        seed: int = 0,
        max_memory: int | str | None = None,
    ) -> Verification:
        """Run the net once and hold it to the analysis: shapes inferred and executed, madds counted and performed.

        Args:
            inputs: As for `run`.
            weights: As for `run`.
            seed: As for `run`.
            max_memory: Bytes, or a text such as "4 GiB".

        Raises:
            LimitError: The run would need more than `max_memory`.
        """
        from netcount.execute.verify import verify
        from netcount.results.of_a_net import Verification

        blobs, extra = self._weights(weights)
        return Verification._make(
            verify(
                self._graph,
                blobs,
                _by_name("inputs", inputs),
                seed=arguments.whole("seed", seed, 0),
                max_bytes=None if max_memory is None else arguments.quantity("max_memory", max_memory),
                extra_layers=extra,
            )
        )

    def time(
        self,
        *others: Net | FilePath,
        engines: Collection[str] | None = None,
        weights: Weights | None = None,
        threads: int = 1,
        rounds: int = 11,
        warm_up: int = 2,
        layers: bool = False,
        seed: int = 0,
        max_memory: int | str | None = None,
    ) -> Timing:
        """How long the net, and others beside it, take in engines, each in a process of its own and in turn.

        Args:
            others: Nets, or paths.
            engines: Their names, such as "numpy" and "onnxruntime"; all that are installed by default.
            weights: Of this net, for `others` random; a .caffemodel, or arrays by layer name.
            threads: Of each engine.
            rounds: Passes that count.
            warm_up: Passes before them.
            layers: Ask the engines what each layer took, too.
            seed: For what is random.
            max_memory: In bytes, or a text such as "2 GiB"; a net that needs more is refused.

        Raises:
            InputError: An engine is not installed.
            LimitError: A net would need more memory.
        """
        from netcount.engines.machine import Machine
        from netcount.engines.timing import Wanted, time_nets
        from netcount.results.of_nets import Timing

        given = None if weights is None else self._weights(weights)[0]
        nets = [self, *(one if isinstance(one, Net) else load(one) for one in others)]
        return Timing._make(
            time_nets(
                [
                    Wanted(net._text, net._name, net._options, None if number else given)
                    for number, net in enumerate(nets)
                ],
                None if engines is None else arguments.names("engines", engines, "numpy"),
                machine=Machine.here(),
                threads=arguments.whole("threads", threads, 1),
                rounds=arguments.whole("rounds", rounds, 1),
                warm_up=arguments.whole("warm_up", warm_up, 0),
                layers=arguments.one_of("layers", layers, True, False),
                seed=arguments.whole("seed", seed, 0),
                max_bytes=None if max_memory is None else arguments.quantity("max_memory", max_memory),
            )
        )

    def upgrade(self) -> UpgradedNet:
        """The net in the form that today's Caffe reads, in the file's own text.

        Raises:
            InputError: What is written would not be the same net.
        """
        from netcount.analysis.upgrade import upgrade

        return UpgradedNet(self, upgrade(self._text, self._name, self._options))

    def fold(
        self, *, weights: Weights | None = None, seed: int = 0, max_memory: int | str | None = None
    ) -> FoldedNet:
        """The net as it is deployed: BatchNorm, Scale, Bias and the like in the layers beside them, Dropout gone.

        Args:
            weights: A .caffemodel, or arrays by layer name; they are folded too.
            seed: For the inputs of the run, and for weights that are not given.
            max_memory: Bytes, or a text such as "4 GiB".

        Raises:
            InputError: Both nets were run, and their outputs differ.
            LimitError: The run would need more than `max_memory`.
        """
        from netcount.deploy.agree import fold_and_run

        made = fold_and_run(
            self._text,
            self._name,
            self._options,
            self._weights(weights)[0],
            seed=arguments.whole("seed", seed, 0),
            max_bytes=None if max_memory is None else arguments.quantity("max_memory", max_memory),
        )
        return FoldedNet(self, made)

    def export(
        self,
        form: Literal["onnx", "ncnn"],
        *,
        weights: Weights | None = None,
        until: str | None = None,
        open_batch: bool = False,
        fp16: bool = False,
        check: bool = True,
        seed: int = 0,
        max_memory: int | str | None = None,
    ) -> ExportedNet:
        """The net as a model of ONNX or ncnn, checked blob by blob in ONNX Runtime or ncnn.

        Args:
            form: "onnx" or "ncnn".
            weights: A .caffemodel, or arrays by layer name; random ones by default.
            until: The last blob that is exported.
            open_batch: Leave the number of images of an ONNX model open.
            fp16: Store the weights of an ncnn model as float16.
            check: Run the model in its engine.
            seed: For random weights and inputs.
            max_memory: Bytes, or a text such as "4 GiB".

        Raises:
            InputError: A package is missing, the form has no words for some layers, or the engine does not agree.
            LimitError: The run would need more than `max_memory`.
        """
        from netcount.execute.verify import allowed_memory
        from netcount.export.written import export_net

        form = arguments.one_of("form", form, "onnx", "ncnn")
        allowed_memory(self._graph, None if max_memory is None else arguments.quantity("max_memory", max_memory))
        other = None
        if arguments.one_of("open_batch", open_batch, True, False):
            batch = 2 if self.batch != 2 else 3
            other = load_text(self._text, self._options._replace(batch=batch), self._name)
        return export_net(
            self._graph,
            form,
            self._weights(weights)[0],
            until=until,
            other_batch=other,
            fp16=arguments.one_of("fp16", fp16, True, False),
            check=arguments.one_of("check", check, True, False),
            seed=arguments.whole("seed", seed, 0),
        )

    def to_proto(self) -> ProtoMessage:
        """The upgraded net as Caffe's own message, a protobuf NetParameter of the schema that netcount ships.

        It holds the layers of this phase in Caffe's current form, without include and exclude rules, as the file
        declares them: `batch` and `input_shapes` change counts, not the message.  `str` of it is a prototxt that
        loads to the same net, `SerializeToString()` is what Caffe reads as a binary NetParameter.

        Warns:
            UserWarning: Layers have messages that no schema knows (a custom layer's parameters); protobuf has no
                place for them, and they are left out.
        """
        from netcount.prototxt.protobuf import net_to_protobuf

        graph = self._graph
        net, left_out = net_to_protobuf(graph.name, graph.phase, (node.message for node in graph.nodes))
        for layer, field in left_out:
            warnings.warn(f'"{layer}": no schema knows {field}, which is left out', stacklevel=2)
        message: ProtoMessage = net
        return message

    def _counted(self, convention: str | Convention = "madds") -> Count:
        rule = _convention(convention)
        if rule not in self._counts:
            self._counts[rule] = count(self._graph, rule)
        return self._counts[rule]

    def _weights(self, weights: Weights | None) -> tuple[Mapping[str, Sequence[Array]] | None, tuple[str, ...]]:
        """Blobs by layer name, and the layers of a file that the net does not have."""
        if isinstance(weights, (str, os.PathLike)):
            from netcount.execute.weights import read_caffemodel

            stored = read_caffemodel(arguments.path("weights", weights), self._graph)
            return stored.blobs, stored.extra
        return _by_name("weights", weights), ()

    def __repr__(self) -> str:
        batch = "" if self.batch is None else f", batch {self.batch}"
        return f"<Net {self.name!r}: {plural(len(self.layers), 'layer')}, {self.phase}{batch}>"


class Analysis(Result):
    """The cost of a net: `layers` in the order of the file, `totals`, shares by kernel size.

    >>> import netcount
    >>> net = netcount.loads('''
    ... layer { name: "data" type: "Input" top: "data"
    ...         input_param { shape { dim: 1 dim: 3 dim: 9 dim: 11 } } }
    ... layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
    ...         convolution_param { num_output: 4 kernel_size: 3 } }
    ... ''')
    >>> net.analyze().totals.madds
    6804
    """

    __slots__ = ("_count", "_net")
    question = "analyze"

    def __init__(self, net: Net, counted: Count) -> None:
        """For netcount itself; `Net.analyze` makes it."""
        self._net = net
        self._count = counted

    @property
    def net(self) -> Net:
        """The net that was analyzed."""
        return self._net

    @property
    def convention(self) -> Convention:
        """The rule behind `cost`."""
        return self._count.convention

    @property
    def layers(self) -> tuple[LayerRow, ...]:
        """A row per layer."""
        return self._count.layers

    @property
    def totals(self) -> Totals:
        """The sums of all rows."""
        return self._count.totals

    @property
    def kernels(self) -> tuple[KernelShare, ...]:
        """Shares by kernel size, for the net and for families of named blocks."""
        return self._count.kernels

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What a reader of the figures has to know."""
        return self._count.warnings

    @property
    def complete(self) -> bool:
        """False when the cost of an assumed layer is missing."""
        return self._count.net.complete

    def explain(
        self, name: str, *, pattern: str | None = None, kind: Literal["layer", "block"] | None = None
    ) -> Explanation:
        """Deprecated: `Net.explain`."""
        return self._net.explain(name, pattern=pattern, kind=kind, convention=self.convention)

    def blocks(self, pattern: str | None = None) -> Blocks:
        """Deprecated: `Net.blocks`."""
        return self._net.blocks(pattern, convention=self.convention)

    def memory(self, bits: int = 32, weight_bits: int | None = None) -> Memory:
        """Deprecated: `Net.memory`."""
        return self._net.memory(bits, weight_bits)

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame, one row per layer, exact integers; shapes as tuples in Caffe's order."""
        import pandas as pd

        from netcount.analysis.figures import NetFigures
        from netcount.report.columns import COLUMNS, CSV_KEYS

        totals = NetFigures(self._count)
        columns: dict[str, Any] = {
            key: [COLUMNS[key].exact(row, totals) for row in self.layers] for key in CSV_KEYS
        }
        columns["bottoms"] = [tuple(tuple(blob.shape) for blob in row.bottoms) for row in self.layers]
        columns["tops"] = [tuple(tuple(blob.shape) for blob in row.tops) for row in self.layers]
        for extents in ("kernel", "stride", "pad", "dilation"):
            columns[extents] = [getattr(row.window, extents) if row.window else None for row in self.layers]
        groups = [row.window.group if row.window else None for row in self.layers]
        columns["group"] = pd.array(groups, dtype="Int64")
        return pd.DataFrame(columns)

    def _arguments(self) -> Sequence[object]:
        return ([self._count],)

    def _line(self) -> str:
        totals = self.totals
        layers = plural(len(self.layers), "layer")
        return f"of {self.net.name!r}: {layers}, {human(totals.params)} params, {human(totals.madds)} madds"

    def __iter__(self) -> Iterator[LayerRow]:
        return iter(self.layers)


class Rescaled(Result):
    """A net at another width and resolution."""

    __slots__ = ("_before", "_made", "_net")
    question = "rescale"

    def __init__(self, before: Net, made: RescaledValue) -> None:
        """For netcount itself; `Net.rescale` makes it."""
        self._before = before
        self._made = made
        self._net = Net(made.net, made.text, made.net.file, made.options)

    @property
    def text(self) -> str:
        """The prototxt, in which only numbers differ."""
        return self._made.text

    @property
    def net(self) -> Net:
        """The net that the text describes."""
        return self._net

    @property
    def before(self) -> Net:
        """The net as it was."""
        return self._before

    @property
    def changes(self) -> tuple[ChannelChange, ...]:
        """The layers whose channels changed."""
        return self._made.changes

    @property
    def classifiers(self) -> tuple[str, ...]:
        """The layers whose channels are the net's answer, and were left alone."""
        return self._made.classifiers

    @property
    def notes(self) -> tuple[Warned, ...]:
        """What a reader of the text has to know."""
        return self._made.notes

    def to_frame(self) -> pd.DataFrame:
        """A row a changed convolution: `layer`, `line`, `num_output_was`, `num_output`."""
        columns = ("layer", "line", "num_output_was", "num_output")
        return frame_of(columns, (dict(zip(columns, change, strict=True)) for change in self.changes))

    def __str__(self) -> str:
        return self.text

    def _arguments(self) -> Sequence[object]:
        return (self._made,)

    def _line(self) -> str:
        return f"of {self.net.name!r}: {plural(len(self.changes), 'layer')} changed"


class UpgradedNet:
    """A net in the form that today's Caffe reads."""

    __slots__ = ("_made", "_net")

    def __init__(self, before: Net, made: UpgradedValue) -> None:
        """For netcount itself; `Net.upgrade` makes it."""
        self._made = made
        options = before._options._replace(define={})
        self._net = None if made.net is None else Net(made.net, made.text, before.file, options)

    @property
    def text(self) -> str:
        """The prototxt, with the file's comments and layout."""
        return self._made.text

    @property
    def net(self) -> Net | None:
        """The net that the text describes; None where it alone does not say enough to build it."""
        return self._net

    @property
    def forms(self) -> tuple[str, ...]:
        """What was old, in words."""
        return self._made.forms

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left as it was, and why."""
        return self._made.notes

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<UpgradedNet: {', '.join(self.forms) or 'in the current form already'}>"


class FoldedNet:
    """A net without the layers that others can do along, which was run beside the net before."""

    __slots__ = ("_made", "_net")

    def __init__(self, before: Net, made: Agreed) -> None:
        """For netcount itself; `Net.fold` makes it."""
        self._made = made
        options = before._options._replace(define={})
        self._net = Net(made.folded.net, made.folded.text, before.file, options)

    @property
    def text(self) -> str:
        """The prototxt, with the file's comments and layout."""
        return self._made.folded.text

    @property
    def net(self) -> Net:
        """The net that the text describes."""
        return self._net

    @property
    def weights(self) -> Mapping[str, Sequence[Array]] | None:
        """Its blobs by layer name, for `write_caffemodel`; None where no weights were given."""
        return self._made.folded.weights

    @property
    def gone(self) -> Mapping[str, tuple[str, ...]]:
        """The layers that are gone, and into which each was folded; into none where it changed nothing."""
        return {step.layer: step.into for step in self._made.folded.steps}

    @property
    def left(self) -> Mapping[str, str]:
        """The layers that could not be folded, and why."""
        return {one.layer: one.reason for one in self._made.folded.left}

    @property
    def error(self) -> float:
        """The largest difference of an output of both nets, by the output's largest absolute value."""
        return self._made.error

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<FoldedNet of {self.net.name!r}: {plural(len(self.gone), 'layer')} gone, {len(self.left)} left>"


def load(path: FilePath, **options: Unpack[LoadArguments]) -> Net:
    """The net of a prototxt file.  A solver is followed to the net it names.

    Args:
        path: The file, or "-" for standard input.
        **options: Which layers are taken, for how many images, what is assumed (`LoadArguments`): phase, level,
            stages, batch, input_shapes, assume, define, catalogue.

    Raises:
        InputError: Caffe would refuse the net, with file, line and column; or an argument is wrong.
        MissingFileError: There is no such file; a FileNotFoundError too.
    """
    file = arguments.path("path", path)
    if isinstance(path, str) and ("{" in path or "\n" in path) and not exists(path):
        arguments.refuse("path", "this is the text of a net, not a path: netcount.loads takes texts")
    checked = LoadOptions.of(**options)
    text, name = read_text(file), name_of(file)
    return Net(load_text(text, checked, name), text, name, checked)


def loads(text: str, **options: Unpack[LoadArguments]) -> Net:
    """The net of a prototxt's text.

    Args:
        text: What a prototxt holds.
        **options: As for `load`.

    Raises:
        InputError: Caffe would refuse the net, with line and column; or an argument is wrong.
    """
    arguments.text("text", text, "the text of a prototxt (netcount.load takes paths)")
    checked = LoadOptions.of(**options)
    return Net(load_text(text, checked, _TEXT), text, _TEXT, checked)


_TEXT = "<text>"
"""What a text is called in messages."""


def rescale(
    source: Net | FilePath,
    *,
    width: Width = 1,
    resolution: Size | None = None,
    multiple: int = 1,
    keep: Collection[str] = (),
    dense: bool = False,
    **options: Unpack[LoadArguments],
) -> Rescaled:
    """A net at another width and resolution, as by `Net.rescale`.

    Args:
        source: A net, or a path.
        width: A factor for every convolution's num_output but the classifiers'.
        resolution: Of the images.
        multiple: What channels are rounded to.
        keep: Layers whose channels stay.
        dense: Scale InnerProduct layers too, but the classifiers.
        **options: As for `load`, of a path.
    """
    net = _net(source, options)
    return net.rescale(width=width, resolution=resolution, multiple=multiple, keep=keep, dense=dense)


def survey(
    paths: Iterable[FilePath] | FilePath,
    executor: Executor | None = None,
    *,
    jobs: int | None = None,
    convention: ConventionName | str | Convention = "madds",
    on_start: Callable[[int], None] | None = None,
    on_row: Callable[[SurveyRow], None] | None = None,
    **options: Unpack[LoadArguments],
) -> Survey:
    """A row a net, for many nets.  A file that cannot be counted gives a row with an error.

    Without an executor fresh processes count, which import nothing from the working folder and run no script:
    no `if __name__ == "__main__":` is needed.

    Args:
        paths: Files, folders (all .prototxt below) and globs.
        executor: Any concurrent.futures.Executor: threads, processes, a cluster's.  It is not shut down, and its
            workers need netcount and the files.
        jobs: How many processes, one for each processor by default; 1 counts in this process.
        convention: What `cost` counts.
        on_start: Called with the number of files.
        on_row: Called with every row as it is done.
        **options: As for `load`; `assume` may name types that only some nets have.

    Raises:
        InputError: A folder or glob holds no net, or what is to be counted cannot be sent to another process.
        NetcountError: All workers of an executor ended without a row.
    """
    from netcount.analysis.survey import survey
    from netcount.results.of_nets import Survey

    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    if not hasattr(paths, "__iter__"):
        arguments.refuse("paths", f"they are a list of paths, not {paths!r}")
    _check_executor(executor)
    return Survey._make(
        survey(
            [arguments.path("paths", path) for path in paths],
            executor,
            jobs=None if jobs is None else arguments.whole("jobs", jobs, 1),
            convention=_convention(convention),
            options=LoadOptions.of(**options),
            on_start=on_start,
            on_row=on_row,
        )
    )


def sweep(
    source: Net | FilePath,
    widths: Sequence[Width] | Width = (1,),
    resolutions: Sequence[Size] | Size = (),
    *,
    limits: Mapping[str, int | str] | None = None,
    fit: Literal["width", "resolution"] | None = None,
    step: Width | None = None,
    multiple: int = 1,
    keep: Collection[str] = (),
    dense: bool = False,
    bits: int = 32,
    executor: Executor | None = None,
    **options: Unpack[LoadArguments],
) -> Sweep:
    """Deprecated: `Net.sweep`, of a net or a path."""
    return _net(source, options).sweep(
        widths,
        resolutions,
        limits=limits,
        fit=fit,
        step=step,
        multiple=multiple,
        keep=keep,
        dense=dense,
        bits=bits,
        executor=executor,
    )


def compare(
    before: Net | FilePath, after: Net | FilePath, convention: ConventionName | str | Convention = "madds"
) -> Comparison:
    """Deprecated: `Net.compare`, of nets or paths."""
    return _net(before, {}).compare(after, convention=convention)


def graph_of(argument: str, net: object) -> Graph:
    """The graph that a net holds, for the files beside this one."""
    if not isinstance(net, Net):
        arguments.refuse(argument, f"it is a netcount.Net, not {net!r}")
    return net._graph


def _net(source: Net | FilePath, options: LoadArguments) -> Net:
    if not isinstance(source, Net):
        return load(source, **options)
    if options:
        arguments.refuse(next(iter(options)), "the net is read already; this belongs to netcount.load")
    return source


def _convention(value: object, argument: str = "convention") -> Convention:
    if not isinstance(value, (str, Convention)):
        arguments.refuse(argument, f"it is a name or a netcount.Convention, not {value!r}")
    try:
        return convention_named(value)
    except InputError as problem:
        raise InputError(problem.what, argument=argument) from None


def _pattern(value: object) -> str | None:
    return None if value is None else arguments.text("pattern", value, "a regular expression")


def _is_pair(value: object) -> bool:
    """Whether it is a height and a width, not a list of resolutions."""
    return isinstance(value, tuple) and type(value) is not tuple


def _check_executor(value: object) -> None:
    if value is not None and not callable(getattr(value, "submit", None)):
        arguments.refuse("executor", f"it is a concurrent.futures.Executor, not {value!r}")


def _by_name(argument: str, value: Any) -> Any:
    if value is not None and not isinstance(value, Mapping):
        arguments.refuse(argument, f"they are arrays by name, not {type(value).__name__}")
    return value
