"""The answers to questions about one net: memory, blocks, reasons, conventions, a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from netcount.analysis._support.plain import Plain
from netcount.analysis.arena import Arena as ArenaValue
from netcount.analysis.backward import Backward as BackwardValue
from netcount.analysis.blocks import Block
from netcount.analysis.count import Count
from netcount.analysis.explain import Explanation as ExplanationValue
from netcount.analysis.lint import Lint as LintValue
from netcount.analysis.memory import Memory as MemoryValue
from netcount.analysis.reconcile import Reconciliation as ReconciliationValue
from netcount.analysis.training import Training as TrainingValue
from netcount.core.opcount import OpCount
from netcount.core.units import bytes_of, human, human_bytes, plural
from netcount.execute.verify import Verification as VerificationValue
from netcount.results.result import Result, frame_of
from netcount.targets.fit import Fit as FitValue

if TYPE_CHECKING:
    import pandas as pd

    from netcount.kernels.run import Array


def _whether(fits: bool | None) -> str:
    """The verdict at the end of a line; nothing where it was not asked for."""
    return {None: "", True: ", fits", False: ", does not fit"}[fits]


class Memory(Result, MemoryValue):
    """What a net needs in memory.

    Attributes:
        bits: Of an activation.
        weight_bits: Of a parameter.
        layers: A `LayerMemory` a layer, in elements.
        peak: The index of the layer at which most activations are alive.
        alive: The blobs that are, one a buffer, largest first.
        with_scratch: The index of the layer at which activations and scratch together are largest.
        caffe: What Caffe keeps, in bytes of float32.
        peak_bytes: Activations alive at the peak.
        working_bytes: The most that activations and scratch take together.
        weight_bytes: All parameters and statistics.
        total_bytes: What an engine needs: weights, activations and scratch.
        model: The estimated size of the model, where a density or weights were given.
        stats: What the weights hold, a `BlobStats` a parameter blob, where they were given.
        verdict: Whether it fits, where a size was given.
    """

    __slots__ = ()
    question = "memory"

    def _line(self) -> str:
        net = self.counted.net
        fits = _whether(self.verdict and self.verdict.fits)
        return (
            f"of {net.name!r}: {human_bytes(self.peak_bytes)} activations at the peak, "
            f"{human_bytes(self.weight_bytes)} weights{fits}"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row a layer: `name`, `type`, `line`, `live_bytes`, `scratch_bytes`, `weight_bytes`."""
        return frame_of(
            ("name", "type", "line", "live_bytes", "scratch_bytes", "weight_bytes"),
            (
                {
                    "name": layer.row.name,
                    "type": layer.row.type,
                    "line": layer.row.line,
                    "live_bytes": self.bytes_of(layer.live),
                    "scratch_bytes": self.bytes_of(layer.scratch),
                    "weight_bytes": bytes_of(layer.weights, self.weight_bits),
                }
                for layer in self.layers
            ),
        )


class Training(Result, TrainingValue):
    """What Caffe keeps in memory while it trains a net, in bytes of float32.

    Attributes:
        solver: What it is trained by.
        layers: A `LayerTraining` a layer, in elements.
        data_bytes: A buffer for each blob.
        diff_bytes: Gradients of the blobs.
        weight_bytes: All parameter blobs, statistics included.
        weight_diff_bytes: A gradient of each.
        history_bytes: What the solver keeps from one iteration to the next.
        update_bytes: What the solver computes an update in.
        column_bytes: A column matrix for each layer that needs one.
        total_bytes: All of it.
        log_bytes: What Caffe's log calls "Memory required for data".
        fit: Whether it fits, and the largest batch that does, where that was asked.
    """

    __slots__ = ()
    question = "training"

    def _line(self) -> str:
        net = self.counted.net
        fits = _whether(self.fit and self.fit.fits)
        total = human_bytes(self.total_bytes)
        return f"of {net.name!r} by {self.solver.name}, batch {net.batch or 1}: {total}{fits}"

    def to_frame(self) -> pd.DataFrame:
        """A row a layer: `name`, `type`, `line`, `data_bytes`, `diff_bytes`, `weight_bytes`, `column_bytes`."""
        from netcount.report.training import FIELDS, training_records

        return frame_of(FIELDS, (dict(zip(FIELDS, record, strict=True)) for record in training_records(self)))


class Arena(Result, ArenaValue):
    """One block of memory for a whole run: where each buffer lies in it.

    Attributes:
        bits: Of a value.
        align: What offsets and sizes are multiples of, in bytes.
        buffers: An `ArenaBuffer` each, in the order in which they are made.
        homes: Of each blob version the index of its buffer.
        scratch: Of each layer the index of its scratch, or None.
        method: "size" or "order": which buffers were placed first.
        sizes: How large the arena is by each method.
        total_bytes: How large it is.
        bound_bytes: What one layer needs at once: no plan is smaller.
        peak_bytes: The same by liveness, without alignment.
        limit_bytes: What there is, where that was given.
        fits: Whether it fits into that.
    """

    __slots__ = ()
    question = "arena"

    def run(
        self,
        inputs: Mapping[str, Array] | None = None,
        *,
        weights: Mapping[str, Sequence[Array]] | None = None,
        seed: int = 0,
    ) -> dict[str, Array]:
        """One forward pass in float32 inside one array that is laid out as planned.

        Args:
            inputs: Arrays by blob name; an input that is not given is random.
            weights: Arrays by layer name; without them they are random.
            seed: For what is random.

        Returns:
            The outputs by name: those of `Net.run`, or the plan would be wrong.

        Raises:
            InputError: Values of `bits` bits have no whole bytes, or an extent that depends on data is larger than
                planned.
        """
        from netcount.execute.arena_store import ArenaExecutor

        return ArenaExecutor(self, weights, seed=seed).run(inputs)

    def _line(self) -> str:
        size = f"{human_bytes(self.total_bytes)} for {plural(len(self.buffers), 'buffer')}"
        fits = _whether(self.fits)
        return f"of {self.counted.net.name!r}: {size}{fits}"

    def to_frame(self) -> pd.DataFrame:
        """A row a buffer: `name`, `kind`, `blobs`, `first`, `last`, `offset`, `bytes`."""
        columns = ("name", "kind", "blobs", "first", "last", "offset", "bytes")
        return frame_of(columns, (buffer._asdict() for buffer in self.buffers))


class Fit(Result, FitValue):
    """Whether a net fits a target, and what stops it.

    Attributes:
        verdict: The answer in words: `fits with 3 layers on the CPU`.
        fits: Whether nothing is refused, computed wrongly or over a memory.
        target: The profile, precision and board it was held against.
        findings: What the target does not take as it is, in the order of the file.
        held: The most that each memory has to hold.
        unjudged: Rules that a layer lacks a figure for.
        estimate: The time of every layer; None where the profile has no hardware figures.
        compared: The profile's own measured times beside its estimates.
        would_fit: What would fit, where that was asked.
    """

    __slots__ = ()
    question = "fit"

    def _line(self) -> str:
        return f"of {self.counted.net.name!r} on {self.target.profile.id}: {self.verdict}"

    def to_frame(self) -> pd.DataFrame:
        """A row a finding: `effect`, `layer`, `type`, `line`, `value`, `bound`, `rule`, `note`, `source`."""
        columns = ("effect", "layer", "type", "line", "value", "bound", "rule", "note", "source")
        return frame_of(
            columns,
            (
                {"line": found.place.line, **{key: getattr(found, key) for key in columns if key != "line"}}
                for found in self.findings
            ),
        )


class Lint(Result, LintValue):
    """What in a net costs and does nothing.

    Attributes:
        findings: A `LintFinding` each, in the order of the file.
        ignored: How many more were switched off.
        fail_on: From which level on it fails: "note", "warning" or "never".
        target: What the channels were held against; empty without one.
        warnings: How many findings are more than advice.
        verdict: The sum in words.
    """

    __slots__ = ()
    question = "lint"

    def _line(self) -> str:
        return f"of {self.counted.net.name!r}: {self.verdict}"

    def to_frame(self) -> pd.DataFrame:
        """A row a finding: `code`, `level`, `layer`, `type`, `line`, `message`, `write`, and what it costs."""
        from netcount.report.lint import FIELDS, lint_records

        return frame_of(FIELDS, (dict(zip(FIELDS, record, strict=True)) for record in lint_records(self)))


class Blocks(Result, Sequence[Block]):
    """The blocks of a net, a sequence of `Block`."""

    __slots__ = ("_blocks", "_counted")
    question = "blocks"

    def __init__(self, counted: Count, blocks: Sequence[Block]) -> None:
        self._counted = counted
        self._blocks = tuple(blocks)

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Block]: ...
    def __getitem__(self, index: int | slice) -> Block | Sequence[Block]:
        return self._blocks[index]

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def _arguments(self) -> Sequence[object]:
        return self._counted, self._blocks

    def _line(self) -> str:
        return f"of {self._counted.net.name!r}: {plural(len(self), 'block')}"

    def to_frame(self) -> pd.DataFrame:
        """A row a block, with what it costs, its shares of the net, and its plain equivalent."""
        return frame_of(_BLOCK, (self._record(block) for block in self))

    def _record(self, block: Block) -> dict[str, Any]:
        totals = self._counted.totals
        plain = block.plain if isinstance(block.plain, Plain) else None
        return {
            "block": block.name,
            "line": block.rows[0].line,
            "layers": len(block.rows),
            "inputs": tuple(tuple(blob.shape) for blob in block.inputs),
            "outputs": tuple(tuple(blob.shape) for blob in block.outputs),
            "params": block.totals.params,
            "statistics": block.totals.statistics,
            "madds": block.totals.madds,
            "cost": block.totals.cost,
            "share_madds": block.totals.madds / totals.madds if totals.madds else 0.0,
            "share_params": block.totals.params / totals.params if totals.params else 0.0,
            "plain_kernel": tuple(plain.kernel) if plain else None,
            "plain_params": plain.params if plain else None,
            "plain_madds": plain.madds if plain else None,
        }


_BLOCK = (
    "block", "line", "layers", "inputs", "outputs", "params", "statistics", "madds", "cost", "share_madds",
    "share_params", "plain_kernel", "plain_params", "plain_madds",
)  # fmt: skip


class Explanation(Result, ExplanationValue):
    """Why a layer or a block costs what it costs.

    Attributes:
        name: What was asked about.
        block: The block, or None where it is a layer.
        layers: `LayerReasons`, of the layer or of each layer of the block.
        also: What else has this name, and how to ask for it.
    """

    __slots__ = ()
    question = "explain"

    def _line(self) -> str:
        kind = "block" if self.block else "layer"
        madds = sum(reasons.row.madds for reasons in self.layers)
        params = sum(reasons.row.params for reasons in self.layers)
        return f"of {kind} {self.name!r}: {human(params)} params, {human(madds)} madds"

    def to_frame(self) -> pd.DataFrame:
        """A row a layer, with the formulas of params and madds as texts."""
        from netcount.report.explanation import madds_formula, params_formula, rule

        return frame_of(
            ("name", "type", "line", "params", "params_formula", "statistics", "madds", "madds_formula", "rule"),
            (
                {
                    "name": reasons.row.name,
                    "type": reasons.row.type,
                    "line": reasons.row.line,
                    "params": reasons.row.params,
                    "params_formula": params_formula(reasons),
                    "statistics": reasons.row.statistics,
                    "madds": reasons.row.madds,
                    "madds_formula": madds_formula(reasons.products),
                    "rule": rule(reasons),
                }
                for reasons in self.layers
            ),
        )


class Reconciliation(Result, ReconciliationValue):
    """Conventions of counting beside each other.

    Attributes:
        conventions: Those that were asked for.
        rows: A `TypeCosts` a layer type, largest difference first.
        totals: The net's number by each convention.
    """

    __slots__ = ()
    question = "reconcile"

    def _line(self) -> str:
        pairs = zip(self.conventions, self.totals, strict=True)
        return f"of {self.net.name!r}: {', '.join(f'{each.name} {human(total)}' for each, total in pairs)}"

    def to_frame(self) -> pd.DataFrame:
        """A row a layer type: `type`, `layers`, a column a convention, and the `differing` layers."""
        names = [convention.name for convention in self.conventions]
        return frame_of(
            ("type", "layers", *names, "differing"),
            (
                {
                    "type": row.type,
                    "layers": row.layers,
                    **dict(zip(names, row.costs, strict=True)),
                    "differing": row.differing,
                }
                for row in self.rows
            ),
        )


class Backward(Result, BackwardValue):
    """What a net costs while it is trained: a forward pass and a backward one.

    Attributes:
        layers: A `LayerBackward` a layer.
        warnings: What a reader of the figures has to know.
        forward: The forward pass, as an `OpCount`.
        ops: The backward pass, but for layers whose rule is not written down.
        learned: Params that learn.
        frozen: Params that do not.
        unknown: Layers whose backward pass is not counted, as its rule is not written down.
        complete: Whether every layer is counted, forward and backward.
    """

    __slots__ = ()
    question = "backward"

    def _line(self) -> str:
        return (
            f"of {self.counted.net.name!r}: {human(self.forward.madds)} madds forward, "
            f"{human(self.ops.madds)} backward, {human(self.learned)} params learned"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row a layer: params learned and frozen, and every class of operation, forward and backward."""
        kinds = OpCount._fields
        nothing = dict.fromkeys(kinds)
        return frame_of(
            ("name", "type", "line", "learned_params", "frozen_params", "needed",
             *(f"forward_{kind}" for kind in kinds), *(f"backward_{kind}" for kind in kinds)),
            (
                {
                    "name": layer.row.name,
                    "type": layer.row.type,
                    "line": layer.row.line,
                    "learned_params": layer.learned,
                    "frozen_params": layer.frozen,
                    "needed": layer.needed,
                    **{f"forward_{kind}": number for kind, number in layer.row.ops._asdict().items()},
                    **{
                        f"backward_{kind}": number
                        for kind, number in (nothing if layer.ops is None else layer.ops._asdict()).items()
                    },
                }
                for layer in self.layers
            ),
        )  # fmt: skip


class Verification(Result, VerificationValue):
    """What one run showed.

    Attributes:
        layers: A `LayerCheck` a layer: shapes inferred and executed, madds counted and performed.
        outputs: The arrays that came out, by blob name.
        random_weights: Whether no trained weights were given.
        unfilled: Whether some of the random weights have no filler of their own in the file.
        extra_layers: Layers of the .caffemodel that the net does not have.
        memory: What the run needed.
        peak: The layer with most bytes of activations alive, as measured.
        agrees: Whether every layer did what was inferred.
    """

    __slots__ = ()
    question = "verify"

    def _line(self) -> str:
        wrong = sum(not layer.agrees for layer in self.layers)
        verdict = f"{plural(wrong, 'layer')} differ" if wrong else f"all {plural(len(self.layers), 'layer')} agree"
        return f"of {self.net.name!r}: {verdict}"

    def to_frame(self) -> pd.DataFrame:
        """A row a layer: its tops' shapes inferred and executed, madds, seconds, bytes alive."""
        return frame_of(
            ("name", "type", "line", "tops", "inferred", "executed", "madds_counted", "madds_performed", "seconds",
             "gmacs_per_second", "live_bytes", "agrees"),
            (
                {
                    "name": layer.name,
                    "type": layer.type,
                    "line": layer.line,
                    "tops": tuple(top.name for top in layer.tops),
                    "inferred": tuple(tuple(top.inferred) for top in layer.tops),
                    "executed": tuple(tuple(top.executed) for top in layer.tops),
                    "madds_counted": layer.counted,
                    "madds_performed": layer.performed,
                    "seconds": layer.seconds,
                    "gmacs_per_second": layer.gmacs_per_second,
                    "live_bytes": layer.live_bytes,
                    "agrees": layer.agrees,
                }
                for layer in self.layers
            ),
        )  # fmt: skip
