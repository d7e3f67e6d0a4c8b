"""The JSON documents as types.  netcount/schemas and the tables of docs/json.md are made from them by
tools/write_schemas.py; nothing here is imported when a command runs.

A string in Annotated describes a field, Keywords are keywords of JSON Schema.  The figures that a part
holds are not spelled here: INLINE says after which field they stand, and the table of figures which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

from netcount.analysis.figures import COMPARED, KEPT, LAYER, MAIN, SWEPT, Figure
from netcount.budget.limits import rule_names


class Keywords(tuple[tuple[str, Any], ...]):
    """Keywords of JSON Schema that a type does not say, each with its value."""

    __slots__ = ()

    def __new__(cls, *pairs: tuple[str, Any]) -> Keywords:
        """Of pairs of a keyword and its value."""
        return super().__new__(cls, pairs)


def one_of(*values: str | None) -> Keywords:
    """The only values that a string has."""
    return Keywords(("enum", values))


Count = Annotated[int, Keywords(("minimum", 0))]
Positive = Annotated[int, Keywords(("minimum", 1))]
Share = Annotated[float, Keywords(("minimum", 0), ("maximum", 1))]
Ratio = Annotated[float, Keywords(("minimum", 0))]
Shape = Annotated[list[Count], "Extents in Caffe's order, N×C×H×W; none for a loss."]
Phase = Annotated[str, one_of("TEST", "TRAIN")]
Role = Annotated[str, one_of("weight", "bias", "statistic")]


class Place(TypedDict):
    """A position in a file; 0 where it has no line or column."""

    file: str
    line: Count
    column: Count


class Warning(TypedDict):
    """What a reader of the figures has to know."""

    place: Place | None
    message: str


class Blob(TypedDict):
    """A blob and its shape."""

    blob: str
    shape: Shape


class ParamBlob(TypedDict):
    """A parameter blob."""

    role: Role
    shape: Shape
    shared_with: Annotated[str | None, "owner/index where another layer owns it."]


class Ops(TypedDict):
    """Operations by class."""

    madds: Count
    adds: Count
    muls: Count
    divs: Count
    compares: Count
    exps: Count


class Totals(TypedDict):
    """Figures of layers, summed."""


class Layer(TypedDict):
    """A layer: where it stands, its shapes, its figures.  Rows sum to totals."""

    name: str
    type: str
    line: Positive
    bottoms: list[Blob]
    tops: list[Blob]
    blobs: Annotated[list[ParamBlob], "Parameter blobs, in the order of a .caffemodel."]
    kernel: Annotated[list[Positive] | None, "Extents of the sliding window; null where there is none."]
    stride: Annotated[list[Count] | None, "Its stride by axis."]
    pad: Annotated[list[Count] | None, "Its padding by axis."]
    dilation: Annotated[list[Count] | None, "Its dilation by axis."]
    group: Positive | None
    end_line: Annotated[int, Keywords(("minimum", 1)), "The last line of the layer in the file."]
    note: Annotated[str | None, "What a shape that depends on data stands for."]


class Kernel(TypedDict):
    """The layers of one kernel size; shares are of the sums of the scope."""

    scope: Annotated[str, "net, or a family of blocks such as Fire modules."]
    kernel: Annotated[str, "3x3, or the layer type where there is no window."]
    depthwise: bool
    layers: Positive
    params: Count
    madds: Count
    share_madds: Share
    share_params: Share


class Subject(TypedDict):
    """Which net a document is about."""

    net: Annotated[str, "The name in the file, empty where it gives none."]
    file: str
    phase: Phase
    batch: Annotated[
        int | None, Keywords(("minimum", 0)), "Images that the counts are for; null for a net without inputs."
    ]


class LayerTime(TypedDict):
    """The estimated time of a layer; 0 where it costs nothing, or runs on the CPU."""

    name: str
    type: str
    line: Count
    cycles: Count
    bytes: Count
    ms: Ratio
    utilisation: Share
    bound: Annotated[str | None, one_of("products", "memory", None), "What holds it up."]


class Estimate(TypedDict):
    """An estimated time; no measurement."""

    caveat: str
    assumptions: str
    ms: Annotated[float, Keywords(("minimum", 0)), "One image on one core."]
    images_a_second: Annotated[float | None, Keywords(("minimum", 0)), "On all cores."]
    utilisation: Share
    naive_ms: Annotated[float, Keywords(("minimum", 0)), "Multiply-adds over the peak."]
    uncounted: Annotated[list[str], "Layers whose time is not in it."]
    layers: list[LayerTime]


class Analysis(Subject):
    """What every layer costs; one document per net, each on a line of its own."""

    schema: Literal["netcount/analysis/1"]
    convention: Annotated[str, "What cost counts."]
    complete: Annotated[bool, "False when the cost of an assumed layer is missing."]
    warnings: list[Warning]
    layers: Annotated[list[Layer], "In the order of the file."]
    totals: Totals
    kernels: Annotated[list[Kernel], "For the net, then for each family of blocks, most madds first."]
    inputs: Annotated[list[Blob], "Blobs that no layer computes."]
    outputs: Annotated[list[Blob], "Blobs that no layer reads."]
    estimate: NotRequired[Annotated[Estimate, "Where a target is given."]]


class Plain(TypedDict):
    """The one convolution that would do a block's work; biases are left out of all four numbers."""

    kernel: list[Count]
    channels: Count
    num_output: Count
    params: Count
    madds: Count
    own_params: Annotated[int, Keywords(("minimum", 0)), "Those of the block."]
    own_madds: Annotated[int, Keywords(("minimum", 0)), "Those of the block."]


class Block(TypedDict):
    """A block of layers."""

    name: str
    line: Count
    layers: list[str]
    inputs: list[Blob]
    outputs: list[Blob]
    totals: Totals
    share_madds: Share
    share_params: Share
    kernels: list[Kernel]
    plain: Plain | None
    why_not_plain: Annotated[str | None, "Why there is no plain equivalent."]


class Blocks(Subject):
    """What every block of layers costs."""

    schema: Literal["netcount/blocks/1"]
    convention: str
    complete: bool
    blocks: list[Block]
    outside: Annotated[list[str], "The layers of no block."]
    totals: Totals


class Factor(TypedDict):
    """A factor of a product, by the letter of a formula."""

    name: str
    extent: Count


class Product(TypedDict):
    """Multiply-adds as a product: the elements of a matrix, and how often each is used."""

    weights: list[Factor]
    uses: list[Factor]
    madds: Count


class Term(TypedDict):
    """A parameter blob as a product."""

    role: Role
    factors: list[Factor]
    elements: Count
    shared_with: str | None


class Alternative(TypedDict):
    """What else could stand in the layer's place; biases are left out of all four numbers."""

    kind: Annotated[str, one_of("fully_connected", "pooled_first", "plain", "plain_for_pair", "separable")]
    title: str
    params: Count
    madds: Count
    own_params: Annotated[int, Keywords(("minimum", 0)), "Those of the layers that it would replace."]
    own_madds: Annotated[int, Keywords(("minimum", 0)), "Those of the layers that it would replace."]
    products: list[Product]
    note: str


class ReceptiveField(TypedDict):
    """What the values of a blob see of one input, spatial axis by axis; padding counts as pixels."""

    input: Annotated[str, "The blob that is looked at."]
    extents: Annotated[list[int], "The spatial extents of the input."]
    size: Annotated[list[int], "Pixels from the first to the last that a value sees, along all paths."]
    least: Annotated[list[int], "The same along the path that sees least."]
    stride: Annotated[
        list[float | None], "Pixels from one value's field to the next one's; null: not by steps of one size."
    ]
    offset: Annotated[
        list[float | None], "Centre of the first value's field, in pixels from the centre of the first pixel."
    ]
    pad: Annotated[list[int | None], "Pixels of padding that the first value's field begins with."]


class Priors(TypedDict):
    """The boxes of a PriorBox, and what a detector that reads them wants of its heads."""

    boxes: Annotated[Count, "At each position."]
    positions: Annotated[Count, "Of the feature map."]
    number: Annotated[Count, "Boxes that the layer makes."]
    location_channels: Annotated[Count, "Of the convolution that locates the boxes."]
    confidence_channels: Annotated[
        int | None, Keywords(("minimum", 0)), "Of the one that classifies them; null where no detector reads them."
    ]
    detector: Annotated[str | None, "The DetectionOutput or MultiBoxLoss that reads them."]
    line: Annotated[int | None, Keywords(("minimum", 1)), "Of the detector."]
    all_boxes: Annotated[int | None, Keywords(("minimum", 1)), "That the detector reads, of every PriorBox."]
    classes: Annotated[int | None, Keywords(("minimum", 0)), "The background is one."]


class ExplainedLayer(Layer):
    """A layer with the reasons for its figures."""

    rule: Annotated[str, "How the layer's type counts."]
    detail: Annotated[
        str | None, "What its parameters come to and no shape shows: a PriorBox's boxes per position."
    ]
    params_formula: str
    madds_formula: str
    terms: list[Term]
    products: list[Product]
    alternatives: list[Alternative]
    priors: Annotated[list[Priors], "Of a PriorBox, one for each detector that reads it."]
    receptive: Annotated[
        list[ReceptiveField], "Of the first top, in each input with spatial axes that it depends on."
    ]


class Explanation(Subject):
    """Why a layer or a block costs what it costs."""

    schema: Literal["netcount/explain/1"]
    complete: bool
    kind: Annotated[str, one_of("layer", "block")]
    name: str
    block: Block | None
    layers: list[ExplainedLayer]


class Convention(TypedDict):
    """A convention of counting."""

    name: str
    about: str
    used_by: str


class TypeCosts(TypedDict):
    """The layers of one type."""

    type: str
    layers: Count
    costs: Annotated[dict[str, Count], "By convention."]
    differing: Annotated[list[str], "The layers on which the conventions disagree."]


class Reconciliation(Subject):
    """Where conventions differ, by layer type."""

    schema: Literal["netcount/reconcile/1"]
    complete: bool
    conventions: list[Convention]
    types: list[TypeCosts]
    totals: Annotated[dict[str, Count], "By convention."]


class LayerMemory(TypedDict):
    """What is in memory while one layer runs."""

    name: str
    type: str
    line: Count
    live_bytes: Annotated[int, Keywords(("minimum", 0)), "Activations alive."]
    scratch_bytes: Annotated[int, Keywords(("minimum", 0)), "Its im2col matrix."]
    weight_bytes: Count


class AliveBlob(Blob):
    """A blob that is alive at the peak."""

    bytes: Count


class Peak(TypedDict):
    """The layer at which most activations are alive."""

    layer: str | None
    line: Annotated[int | None, Keywords(("minimum", 0))]
    bytes: Count
    alive: list[AliveBlob]


class Working(TypedDict):
    """The layer at which activations and scratch together are largest."""

    layer: str | None
    bytes: Count


class CaffeMemory(TypedDict):
    """What Caffe keeps, in bytes of float32."""

    blobs: Count
    columns: Count
    weights: Count
    total: Count


class ModelSize(TypedDict):
    """The estimated size of a pruned and quantized model, in bytes but for bits, density and fillers."""

    bits: Count
    density: Ratio
    index_bits: Count
    values: Count
    indices: Count
    codebooks: Count
    others: Count
    fillers: Annotated[int, Keywords(("minimum", 0)), "Zeros that are stored because a distance is too long."]
    dense: Annotated[int, Keywords(("minimum", 0)), "The same model in float32."]
    total: Count


class WeightStats(TypedDict):
    """What a weight blob holds, as counted."""

    layer: str
    index: Count
    role: Role
    elements: Count
    nonzero: Count
    distinct: Count
    least: float
    most: float
    nonfinite: Count


class OverLayer(TypedDict):
    """A layer that needs more than there is."""

    name: str
    line: Count
    bytes: Count


class OverBlob(TypedDict):
    """A blob that is larger than all there is."""

    name: Annotated[str, "The blob's name, or for weights the name of their layer."]
    role: Annotated[str, one_of("activation", "weight", "bias", "statistic")]
    shape: Shape
    bytes: Count


class MemoryNeed(TypedDict):
    """A part of what a net needs, held against what there is."""

    what: Annotated[str, one_of("activations", "scratch", "weights", "all")]
    bytes: Annotated[int, Keywords(("minimum", 0)), "The most of it that is needed at once."]
    layer: Annotated[str | None, "Where; null for weights, which stay."]
    line: Annotated[int | None, Keywords(("minimum", 0))]
    fits: bool
    over: Annotated[list[OverLayer], "Layers that need more than there is."]


class Strips(TypedDict):
    """A way to cut a layer: strips of rows of its tops."""

    rows: Annotated[int, Keywords(("minimum", 1)), "Of the tops, in each strip but the last."]
    number: Annotated[int, Keywords(("minimum", 1)), "How many strips."]
    bytes: Annotated[int, Keywords(("minimum", 0)), "What the largest strip needs, with the rows that it reads."]
    bottom_rows: Annotated[int, Keywords(("minimum", 0)), "The most rows of a bottom that a strip reads."]
    halo: Annotated[int, Keywords(("minimum", 0)), "The most rows of a bottom that two neighbours both read."]
    again_bytes: Annotated[int, Keywords(("minimum", 0)), "What all strips together read more than once."]
    again_madds: Annotated[int, Keywords(("minimum", 0)), "What all strips of a chain compute more than once."]


class LayerTiling(TypedDict):
    """What it takes to compute a layer by rows."""

    name: str
    line: Count
    rows: Annotated[int, Keywords(("minimum", 0)), "Of its tops."]
    least: Annotated[Strips | None, "One row at a time; null where the layer cannot be cut."]
    fitting: Annotated[Strips | None, "The strips with most rows that fit; null where not even one row does."]
    reason: Annotated[str | None, "Why it cannot be cut."]


class ChainTiling(TypedDict):
    """Layers that follow each other, computed together by rows of the last."""

    layers: list[str]
    line: Count
    rows: Annotated[int, Keywords(("minimum", 1)), "Of the last one's top."]
    least: Annotated[Strips, "One row at a time."]
    fitting: Annotated[Strips, "The strips with most rows that fit."]


class MemoryVerdict(TypedDict):
    """A net's memory held against a size."""

    limit_bytes: Annotated[int, Keywords(("minimum", 1)), "What there is."]
    what: Annotated[str, one_of("activations", "scratch", "weights", "all"), "What the verdict is about."]
    fits: bool
    needs: list[MemoryNeed]
    blobs: Annotated[list[OverBlob], "Blobs that are larger than all there is."]
    tilings: Annotated[list[LayerTiling], "Layers whose activations are over it, computed by rows."]
    chains: Annotated[list[ChainTiling], "Such layers that follow each other, computed together."]


class Memory(Subject):
    """What a net needs in memory, all in bytes."""

    schema: Literal["netcount/memory/1"]
    complete: bool
    bits: Annotated[int, Keywords(("minimum", 0)), "Of an activation."]
    weight_bits: Count
    layers: list[LayerMemory]
    peak: Peak
    working: Working
    weight_bytes: Count
    total_bytes: Count
    caffe: CaffeMemory
    model: Annotated[ModelSize | None, "Where a density or weights are given."]
    weights: Annotated[list[WeightStats], "Where weights are given."]
    verdict: Annotated[MemoryVerdict | None, "Where a size is given that it has to fit."]


class Solver(TypedDict):
    """What a net is trained by."""

    type: Annotated[str, "As in a solver.prototxt."]
    gpu: bool
    history: Annotated[int, Keywords(("minimum", 1)), "Values that it keeps for each weight."]
    update: Annotated[int, Keywords(("minimum", 0)), "Values for each weight that it computes an update in."]


class LayerTraining(TypedDict):
    """What Caffe keeps for a layer while it trains."""

    name: str
    type: str
    line: Count
    data_bytes: Annotated[int, Keywords(("minimum", 0)), "Of the tops that have memory of their own."]
    diff_bytes: Annotated[int, Keywords(("minimum", 0)), "Gradients of the tops, and of a Split's copies of them."]
    weight_bytes: Annotated[int, Keywords(("minimum", 0)), "Its own parameter blobs, once."]
    column_bytes: Count


class TrainingBatch(TypedDict):
    """A batch, and what training with it keeps."""

    images: Positive
    bytes: Count


class TrainingFits(TypedDict):
    """Whether training fits into a size."""

    limit_bytes: Positive
    fits: Annotated[bool, "At the net's batch."]
    largest: Annotated[TrainingBatch | None, "The largest batch that fits; null where there is none."]
    over: Annotated[TrainingBatch | None, "The next one, which does not fit; null where Caffe cannot have it."]


class Training(Subject):
    """What Caffe keeps in memory while it trains a net, in bytes of float32."""

    schema: Literal["netcount/training/1"]
    complete: bool
    solver: Solver
    layers: list[LayerTraining]
    data_bytes: Count
    diff_bytes: Count
    weight_bytes: Count
    weight_diff_bytes: Count
    history_bytes: Count
    update_bytes: Count
    column_bytes: Count
    total_bytes: Count
    log_bytes: Annotated[int, Keywords(("minimum", 0)), "What Caffe's log calls the memory required for data."]
    fit: Annotated[TrainingFits | None, "Where a size is given that it has to fit."]


class LayerBackward(TypedDict):
    """What a layer costs in a forward and a backward pass."""

    name: str
    type: str
    line: Count
    learned_params: Annotated[int, Keywords(("minimum", 0)), "Its own params whose gradient is computed."]
    frozen_params: Annotated[int, Keywords(("minimum", 0)), "Its other params."]
    needed: Annotated[bool, "Whether Caffe computes its backward pass."]
    forward: Ops
    backward: Annotated[Ops | None, "Null where its rule is not written down."]


class BackwardTotals(TypedDict):
    """The sums of all layers."""

    learned_params: Count
    frozen_params: Count
    forward: Ops
    backward: Annotated[Ops, "But for layers whose rule is not written down."]


class Backward(Subject):
    """What a net costs while it is trained: a forward pass and a backward one."""

    schema: Literal["netcount/backward/1"]
    complete: Annotated[bool, "Whether every layer is counted, forward and backward."]
    warnings: list[Warning]
    layers: list[LayerBackward]
    totals: BackwardTotals


class ArenaSizes(TypedDict):
    """How large the arena is, by the order in which buffers are placed."""

    size: Annotated[int, Keywords(("minimum", 0)), "The largest first."]
    order: Annotated[int, Keywords(("minimum", 0)), "As they are made."]


class ArenaBuffer(TypedDict):
    """A part of the arena, for some of the layers."""

    name: Annotated[str, "Of the first blob in it, or of the layer whose scratch it is."]
    kind: Annotated[str, one_of("activations", "scratch")]
    blobs: Annotated[list[str], "That live in it, one after the other or as one."]
    first: Annotated[int, Keywords(("minimum", 0)), "The index of the layer that makes it."]
    last: Annotated[int, Keywords(("minimum", 0)), "The index of the last layer that needs it."]
    offset: Annotated[int, Keywords(("minimum", 0)), "In bytes."]
    bytes: Annotated[int, Keywords(("minimum", 0)), "A multiple of `align`."]


class ArenaLayer(TypedDict):
    """Where a layer finds its blobs: indices of buffers."""

    name: str
    type: str
    line: Count
    bottoms: list[Count]
    tops: list[Count]
    scratch: Annotated[int | None, Keywords(("minimum", 0))]


class Arena(Subject):
    """One block of memory for a whole run: where each buffer lies in it."""

    schema: Literal["netcount/arena/1"]
    complete: bool
    bits: Annotated[int, Keywords(("minimum", 1)), "Of a value."]
    align: Annotated[int, Keywords(("minimum", 1)), "What offsets and sizes are multiples of, in bytes."]
    total_bytes: Annotated[int, Keywords(("minimum", 0)), "How large the arena is."]
    method: Annotated[str, one_of("size", "order"), "The order that gives the smaller arena; the plan is its."]
    sizes: ArenaSizes
    bound_bytes: Annotated[int, Keywords(("minimum", 0)), "What one layer needs at once: no plan is smaller."]
    peak_bytes: Annotated[int, Keywords(("minimum", 0)), "The same by liveness, without alignment."]
    limit_bytes: Annotated[int | None, Keywords(("minimum", 1)), "Where a size is given that it has to fit."]
    fits: bool | None
    buffers: list[ArenaBuffer]
    layers: list[ArenaLayer]


class FitTarget(TypedDict):
    """A target, and how far its rules can be trusted."""

    id: str
    name: str
    vendor: str
    toolchain: str
    version: Annotated[str, "Of the tool-chain the rules were read from."]
    precision: Annotated[str | None, "What the net is computed in, where rules speak of it."]
    board: str | None
    reliability: str
    sources: list[str]
    unchecked: Annotated[list[str], "What no rule of the profile covers."]


class FitFinding(TypedDict):
    """What a target does not take as it is."""

    effect: Annotated[str, one_of("refused", "wrong", "cpu", "extra")]
    rule: Annotated[str, "type, memory, or the rule as the profile writes it."]
    layer: Annotated[str | None, "Null where it is about the file or the net."]
    type: str
    place: Place | None
    value: Annotated[str, "What there is."]
    bound: Annotated[str, "What would pass; empty where nothing would."]
    note: str
    source: Annotated[str, "Where the rule was read."]
    message: str


class FitMemory(TypedDict):
    """A memory of a target, and the most that it has to hold."""

    name: str
    bytes: Positive
    needed_bytes: Count
    layer: Annotated[str | None, "Where that is needed; null for the whole net."]
    over: Annotated[int, Keywords(("minimum", 0)), "How many layers need more than it holds."]
    fits: bool
    source: str


class Unjudged(TypedDict):
    """A rule that a layer lacks a figure for."""

    layer: str
    line: Count
    rule: str
    lacks: str


class MeasuredTime(TypedDict):
    """A time that the profile says was measured, and the estimate of it."""

    net: str
    board: str | None
    measured_ms: Ratio
    estimated_ms: Ratio
    source: str


class Edit(TypedDict):
    """What to write in a layer's place, and what it changes."""

    layer: str
    line: Count
    what: str
    params: Annotated[int, "How many more."]
    madds: Annotated[int, "How many more."]
    same: Annotated[bool, "Whether it computes the same with the weights there are."]


class Smaller(TypedDict):
    """A smaller net that fits once the edits are made."""

    width: Ratio
    resolution: Annotated[list[Count] | None, "Height and width, where it is the resolution that is smaller."]
    params: Count
    madds: Count


class WouldFit(TypedDict):
    """What of a net would fit a target."""

    edits: list[Edit]
    rest: Annotated[list[str], "Layers that no edit helps; empty for the file or the net."]
    width: Smaller | None
    resolution: Smaller | None


class Fit(Subject):
    """Whether a net fits a target."""

    schema: Literal["netcount/fit/1"]
    target: FitTarget
    verdict: str
    fits: bool
    exit_code: Count
    complete: bool
    warnings: list[Warning]
    findings: list[FitFinding]
    memories: list[FitMemory]
    unjudged: list[Unjudged]
    estimate: Annotated[Estimate | None, "Where the profile has hardware figures."]
    would_fit: Annotated[WouldFit | None, "Where it is asked for."]
    measured: Annotated[list[MeasuredTime], "The profile's own measurements."]


class LintFinding(TypedDict):
    """Something that costs and does nothing, or is not what it seems."""

    code: str
    level: Annotated[str, one_of("warning", "note")]
    layer: str
    type: str
    place: Place | None
    message: Annotated[str, "What there is."]
    write: Annotated[str, "What to write instead."]
    params: Annotated[Count, "Learned values that this would save."]
    madds: Annotated[Count, "Multiply-adds that this would save."]
    bytes: Annotated[Count, "Bytes of float32 blobs that this would save."]


class Lint(Subject):
    """What in a net costs and does nothing."""

    schema: Literal["netcount/lint/1"]
    verdict: str
    exit_code: Count
    complete: bool
    target: Annotated[str | None, "What the channels were held against."]
    ignored: Annotated[Count, "Findings that were switched off."]
    warnings: list[Warning]
    findings: list[LintFinding]


class ListedTarget(FitTarget):
    """A profile that netcount has."""

    types: list[str]
    rules: Count
    precisions: list[str]
    boards: list[str]
    estimate: Annotated[bool, "Whether it has the hardware figures that a time needs."]


class Targets(TypedDict):
    """The targets that netcount has profiles of."""

    schema: Literal["netcount/targets/1"]
    targets: list[ListedTarget]


class ChannelChange(TypedDict):
    """A layer whose channels changed."""

    layer: str
    line: Count
    num_output_was: Count
    num_output: Count


class Rescaled(Subject):
    """A net at another width and resolution."""

    schema: Literal["netcount/rescale/1"]
    complete: bool
    text: Annotated[str, "The prototxt, in which only numbers differ."]
    changes: list[ChannelChange]
    classifiers: Annotated[list[str], "Layers whose channels are the net's answer, and stay."]
    notes: Annotated[list[Warning], "What a reader of the text has to know."]
    totals_was: Totals
    totals: Totals


class SweepLimits(TypedDict):
    """The largest value that still fits, by figure."""


class Variant(TypedDict):
    """One width at one resolution; its figures are 0 where it is impossible."""

    width: Annotated[str, "As it was given."]
    resolution: Annotated[list[Count] | None, Keywords(("minItems", 2), ("maxItems", 2)), "Height and width."]
    over: list[Annotated[str, one_of(*(figure.key for figure in SWEPT))]]
    error: Annotated[str | None, "Why there is no such variant."]
    fits: bool


class Search(TypedDict):
    """The largest width, or resolution, that fits; both sides of it are among the variants."""

    axis: Literal["width", "resolution"]
    step: Annotated[str, "A fraction, or a number."]
    fits: Annotated[int | None, Keywords(("minimum", 0)), "The index of the largest variant that fits."]
    over: Annotated[int | None, Keywords(("minimum", 0)), "The index of the next step, which does not fit."]
    counted: Annotated[Count, "How many variants were looked at."]


class Sweep(TypedDict):
    """Cost of a net at many widths and resolutions, and which fit."""

    schema: Literal["netcount/sweep/1"]
    net: str
    file: str
    complete: bool
    bits: Count
    limits: SweepLimits
    variants: list[Variant]
    best: Annotated[int | None, Keywords(("minimum", 0)), "The index of the largest variant that fits."]
    searches: Annotated[list[Search], "Where fit_width or fit_resolution asked for them."]


class VerifiedTop(TypedDict):
    """A top as it was inferred and as it came out."""

    blob: str
    inferred: Shape
    executed: Shape
    by_data: Annotated[bool, "Whether the data have a say in the extents."]


class VerifiedLayer(TypedDict):
    """A layer as it ran."""

    name: str
    type: str
    line: Count
    tops: list[VerifiedTop]
    madds_counted: Count
    madds_performed: Count
    seconds: Ratio
    gmacs_per_second: Ratio
    live_bytes: Annotated[int, Keywords(("minimum", 0)), "Activations alive, measured."]
    agrees: bool


class RunMemory(TypedDict):
    """What a run needs in memory."""

    layer: str
    weight_bytes: Count
    blob_bytes: Count
    scratch_bytes: Count


class Verification(Subject):
    """What one run of a net showed; one document per net, each on a line of its own."""

    schema: Literal["netcount/verification/1"]
    agrees: bool
    complete: bool
    random_weights: bool
    extra_layers: Annotated[list[str], "Layers of the weights that the net does not have."]
    needed_bytes: Count
    memory: RunMemory
    peak: Annotated[Peak, "Measured on the arrays."]
    layers: list[VerifiedLayer]
    outputs: Annotated[dict[str, list[Count]], "Shapes by blob."]


class SurveyRow(TypedDict):
    """A file of a survey; of one with an error there is only the error."""

    file: str
    net: str | None
    phase: str | None
    input: Annotated[list[Count] | None, "The shape of the first input."]
    layers: Annotated[int | None, Keywords(("minimum", 0))]
    warnings: Annotated[int | None, Keywords(("minimum", 0)), "How many the analysis has."]
    complete: bool | None
    error: str | None


class Survey(TypedDict):
    """A table of many nets, one row each."""

    schema: Literal["netcount/survey/1"]
    interrupted: bool
    nets: list[SurveyRow]


class Change(TypedDict):
    """A layer that differs: was and is, on one line."""

    change: Annotated[str, one_of("added", "removed", "renamed", "changed", "resized")]
    layer: str
    was: str
    type: str
    line: Count
    line_was: Count
    fields: Annotated[str, "What differs: convolution_param.num_output 96 -> 64."]
    tops_was: str
    tops: Annotated[str, "Shapes in Caffe's order, 1x64x113x113, with spaces between several."]


class FieldChange(TypedDict):
    """A field before and after; null where it is not set."""

    was: str | None
    # `is` is a word of Python's: see INLINE


class LayerChange(TypedDict):
    """A layer that differs, with its shapes and fields."""

    change: Annotated[str, one_of("added", "removed", "renamed", "changed", "resized")]
    layer: str
    was: str
    type: str
    line: Count
    line_was: Count
    fields: Annotated[dict[str, FieldChange], "By path, such as convolution_param.num_output."]
    tops_was: list[list[Count]]
    tops: list[list[Count]]


class NetTotals(TypedDict):
    """Every figure of a net; null where a baseline of an older version does not have it."""


class ComparedNet(TypedDict):
    """One of the nets."""

    net: str
    file: str
    phase: Phase
    batch: Annotated[int | None, Keywords(("minimum", 0))]
    convention: str
    totals: NetTotals


class Difference(TypedDict):
    """One net against the first."""

    # `from` is a word of Python's: see INLINE
    to: str
    version: Annotated[bool, "Whether it is a version of the first; else no layers are paired."]
    totals: Annotated[dict[str, int], "By how much each figure grew."]
    changes: list[LayerChange]


class GroupSums(TypedDict):
    """What a group of layers comes to in one net."""

    layers: Count
    params: Count
    madds: Count


class Group(TypedDict):
    """The layers of one kind, or of one stage, in each net."""

    by: Annotated[str, one_of("kind", "stage")]
    name: Annotated[str, "A kernel or a type; a stage by its share of the input's height, as 1/4."]
    nets: Annotated[list[GroupSums], "In the order of the nets."]


class Comparison(TypedDict):
    """What changed between nets."""

    schema: Literal["netcount/compare/1"]
    nets: Annotated[list[ComparedNet], Keywords(("minItems", 2))]
    differences: list[Difference]
    groups: list[Group]


class CheckedLayer(TypedDict):
    """A layer that costs much of a figure."""

    name: str
    type: str
    line: Count
    value: Count


class Check(TypedDict):
    """One limit held against one net, or one layer of it."""

    rule: Annotated[str, one_of(*rule_names()), "The key of the limit in netcount.toml."]
    kernel: str | None
    layer: str | None
    line: Count
    level: Annotated[str, one_of("error", "warn")]
    passed: bool
    value: float
    limit: float
    over: Annotated[float, Keywords(("minimum", 0)), "By how much the limit is missed."]
    left: Annotated[float | None, "How much more (of a least: less) would still pass; of a kept limit."]
    base: Annotated[int | None, "The figure in the baseline."]
    written: Annotated[str, "The limit as it was written."]
    place: Place | None
    message: str
    layers: Annotated[list[CheckedLayer], "Those that cost most."]
    changes: Annotated[list[Change], "Since the baseline."]


class Error(TypedDict):
    """A mistake."""

    place: Place | None
    message: str


class WayOut(TypedDict):
    """An option that helps.  What bears the same number in `way` helps only together."""

    option: str
    value: Annotated[str, "Capitals stand for what the reader knows: N,C,H,W."]
    way: Annotated[int, Keywords(("minimum", 1))]


class Problem(Error):
    """A mistake, and the ways out of it."""

    advice: list[WayOut]


class ErrorDocument(Problem):
    """What a command with --format json prints, on one line, in place of a result.

    message, place and advice are those of the first of its problems.
    """

    schema: Literal["netcount/error/1"]
    file: Annotated[str | None, "The file that was asked for."]
    problems: Annotated[list[Problem], Keywords(("minItems", 1))]


class CheckedNet(TypedDict):
    """A net and what its check found."""

    net: str
    file: str
    status: Annotated[str, one_of("within", "over", "error", "incomplete")]
    complete: bool
    assumptions: Annotated[list[Warning], "What layers and fields were taken for."]
    totals: Totals | None
    warnings: Annotated[list[Warning], "Those of the analysis."]
    errors: list[Error]
    checks: list[Check]


class CheckResult(TypedDict):
    """Check nets against their budgets."""

    schema: Literal["netcount/check/1"]
    ok: bool
    exit_code: Annotated[int, Keywords(("enum", (0, 1, 2, 3)))]
    errors: Annotated[list[Error], "Mistakes of the configuration or the command line."]
    nets: list[CheckedNet]


class TypeField(TypedDict):
    """A field that a layer type reads."""

    path: Annotated[str, "Below the layer, such as convolution_param.num_output."]
    kind: Annotated[str, "Its type in Caffe's format; own for a field of a package."]
    repeated: bool
    default: str | None


class LayerType(TypedDict):
    """A layer type."""

    type: str
    source: Annotated[str, "stock for Caffe's own, else the fork or package it comes from."]
    bottoms: Annotated[str, "How many it takes."]
    tops: Annotated[str, "How many it makes."]
    about: str
    text: NotRequired[Annotated[str, "What it does, in full; where one type was asked for."]]
    fields: NotRequired[Annotated[list[TypeField], "What it reads; where one type was asked for."]]
    weights: NotRequired[Annotated[str, "Its parameter blobs, in words; where one type was asked for."]]
    counts: NotRequired[Annotated[str, "How it is counted, in words; where one type was asked for."]]


class Layers(TypedDict):
    """The layer types that netcount knows."""

    schema: Literal["netcount/layers/1"]
    types: list[LayerType]


class SampleNet(TypedDict):
    """A net that comes with netcount."""

    file: str
    about: str
    path: Annotated[str, "Where it is installed."]


class Samples(TypedDict):
    """The nets that come with netcount."""

    schema: Literal["netcount/samples/1"]
    samples: list[SampleNet]


class StoredLayer(TypedDict):
    """A layer of a file of weights."""

    name: str
    type: Annotated[str, "In today's spelling."]
    blobs: list[Shape]


class Caffemodel(TypedDict):
    """What a .caffemodel holds."""

    schema: Literal["netcount/caffemodel/1"]
    net: Annotated[str, "The name in the file, empty where it gives none."]
    file: str
    layers: list[StoredLayer]
    prototxt: Annotated[str | None, "The net, where the file holds it with its weights."]
    unknown_fields: Annotated[Count, "How many fields of the file no known Caffe has."]


class BaselineLayer(TypedDict):
    """A layer as it was accepted; figures that are 0 are left out."""

    name: str
    type: str
    bottoms: NotRequired[list[str]]
    tops: NotRequired[list[list[Count]]]
    fields: NotRequired[dict[str, str]]


class BaselineTotals(TypedDict):
    """Every figure of a net."""


class BaselineNet(TypedDict):
    """A net as it was accepted."""

    file: str
    phase: Phase
    batch: Annotated[int | None, Keywords(("minimum", 0))]
    convention: str
    totals: BaselineTotals
    layers: list[BaselineLayer]


class Baseline(TypedDict):
    """The figures that increases are measured from; netcount check --update-baseline writes them."""

    schema: Literal["netcount/baseline/1"]
    nets: Annotated[dict[str, BaselineNet], "By label: the name, or the path from the configuration's folder."]


class ViewLayer(TypedDict):
    """A layer of a picture."""

    name: str
    type: str
    line: Count
    end_line: Count
    row: Annotated[
        int | None,
        Keywords(("minimum", 0)),
        "Its index among the layers of `analysis`; null where it could not be counted.",
    ]
    message: Annotated[str | None, "What is wrong with it."]


class ViewLine(TypedDict):
    """A line of text in a box."""

    text: str
    kind: Annotated[str, one_of("name", "type", "more", "shape", "value", "message")]


class ViewBox(TypedDict):
    """A box; lengths are in pixels, from the upper left corner of the picture."""

    name: str
    block: Annotated[bool, "Whether it is a whole block of layers."]
    layers: Annotated[list[Count], "Indices in `layers`."]
    state: Annotated[
        str,
        one_of("known", "broken", "unknown", "removed"),
        "unknown: it depends on a layer that is broken. removed: by `--diff`; it is no layer of this net.",
    ]
    lines: list[ViewLine]
    tone: Annotated[str, "Its colour: a step from 0 to 6, a family of types, its state, or what changed."]
    params: Count
    madds: Count
    activations: Count
    live_bytes: Annotated[int, Keywords(("minimum", 0)), "Most activations alive in it, in float32."]
    x: Count
    y: Count
    width: Positive
    height: Positive
    main: Annotated[bool, "Whether it stands on a longest path."]


class ViewEdge(TypedDict):
    """An arrow from box to box."""

    source: Annotated[int, Keywords(("minimum", 0)), "An index in `boxes`."]
    port: Annotated[int, Keywords(("minimum", 0)), "The number of the output in its box."]
    target: Annotated[int, Keywords(("minimum", 0)), "An index in `boxes`."]
    blob: str
    shape: Annotated[list[Count] | None, "In Caffe's order; null where it is not known."]
    note: Annotated[str, "What stands beside it: the shape, where it changes; once an output."]
    points: Annotated[list[list[Count]], "x and y of its corners; every second piece goes straight down."]


class View(TypedDict):
    """The picture of a net: its analysis, and what stands where."""

    schema: Literal["netcount/view/1"]
    analysis: Annotated[Analysis, "Of the layers that could be counted."]
    errors: Annotated[list[Problem], "Why the net could not be finished; none where it could."]
    text: Annotated[str, "The file."]
    layers: Annotated[list[ViewLayer], "In the order of the file."]
    blocks: Annotated[dict[str, list[Count]], "By name; indices in `layers`."]
    kept_open: Annotated[list[str], "Blocks that are not folded, as that would make a circle of arrows."]
    color: Annotated[str, one_of("madds", "params", "memory", "type", "none", "changes"), "What the colours tell."]
    width: Count
    height: Count
    boxes: list[ViewBox]
    edges: list[ViewEdge]


class Machine(TypedDict):
    """Where and by what was measured."""

    processor: str
    processors: Positive
    system: str
    python: str
    netcount: str
    load: Annotated[
        float | None, "Processes that wanted to run in the minute before; null where the system does not say."
    ]


class TimedNet(TypedDict):
    """A net that was timed."""

    net: str
    file: str
    batch: int | None
    madds: Count
    depthwise_madds: Annotated[int, Keywords(("minimum", 0)), "Of the madds, those of depthwise convolutions."]
    moved_bytes: Annotated[int, Keywords(("minimum", 0)), "What all layers read and write, in float32."]
    random_weights: bool
    depthwise_share: Share
    bytes_per_madd: Annotated[
        float | None, Keywords(("minimum", 0)), "`moved_bytes` by `madds`; null where there are no madds."
    ]


class TimedLayer(TypedDict):
    """A layer in an engine."""

    name: str
    type: str
    line: Count
    madds: Count
    seconds: Annotated[float | None, "Null where it was computed with another layer, or the engine does not say."]
    gmacs_per_second: float | None
    within: Annotated[str | None, "The layer whose seconds hold this one's."]


class TimedRun(TypedDict):
    """A net in an engine; figures are null where it did not run."""

    net: Annotated[int, Keywords(("minimum", 0)), "An index in `nets`."]
    engine: str
    version: str
    seconds: Annotated[list[Ratio], "Of each pass that counts, in order."]
    median: Annotated[float | None, "Of the seconds."]
    minimum: Annotated[float | None, "Of the seconds."]
    spread: Annotated[float | None, "How far the middle half of the seconds lies apart, by the median."]
    gmacs_per_second: Annotated[float | None, "Madds by the median, in units of 10⁹."]
    peak_bytes: Annotated[int | None, "The most memory of its process; null where the system does not tell."]
    difference: Annotated[float | None, "Of its outputs from the executor's, by their largest value."]
    agrees: Annotated[bool | None, "Whether that is small; null where no output has Caffe's name."]
    layers: Annotated[list[TimedLayer], "None where they were not asked for, or the engine does not tell."]
    rest: Annotated[float | None, "Seconds in no layer."]
    error: Annotated[str | None, "Why it did not run."]


class Surprise(TypedDict):
    """Two nets of which the one with fewer madds took longer."""

    fewer: Annotated[int, Keywords(("minimum", 0)), "An index in `nets`."]
    more: Annotated[int, Keywords(("minimum", 0)), "An index in `nets`."]
    madds_ratio: Annotated[float, "Below 1."]
    time_ratio: Annotated[float, "Above 1."]


class Prediction(TypedDict):
    """What madds were worth in an engine."""

    engine: str
    nets: Count
    rank_correlation: Annotated[float | None, "Spearman's, of madds and median time."]
    surprises: list[Surprise]


class Timing(TypedDict):
    """How long nets take in engines."""

    schema: Literal["netcount/time/1"]
    machine: Machine
    threads: Positive
    rounds: Positive
    warm_up: Count
    complete: Annotated[bool, "Whether every net ran in every engine."]
    nets: list[TimedNet]
    runs: list[TimedRun]
    predictions: Annotated[list[Prediction], "For each engine in which two nets or more ran."]


class TimedSide(TypedDict):
    """A net in an engine, on one side."""

    version: str
    median: Annotated[float | None, "Of the seconds; null where it did not run."]
    error: Annotated[str | None, "Why it did not run."]


class TimedPair(TypedDict):
    """A net in an engine, in two timings."""

    net: str
    file: Annotated[str, "Where the first timing that has it read it."]
    batch: int | None
    madds: Count
    engine: str
    a: Annotated[TimedSide | None, "In the first timing; null where it is not in it."]
    b: Annotated[TimedSide | None, "In the second."]
    ratio: Annotated[float | None, "The second median by the first."]


class TimedFile(TypedDict):
    """A timing that was read."""

    file: str
    machine: Machine
    threads: Positive
    rounds: Positive


class EngineBetween(TypedDict):
    """An engine in which a net ran in both timings."""

    engine: str
    nets: Positive
    ratio: Annotated[float, Keywords(("minimum", 0)), "The geometric mean of the ratios."]
    rank_correlation: Annotated[float | None, "Spearman's, of the nets' times in one and in the other."]


class Times(TypedDict):
    """Two timings beside each other."""

    schema: Literal["netcount/times/1"]
    timings: Annotated[list[TimedFile], "Two, in the order of the command."]
    pairs: list[TimedPair]
    engines: list[EngineBetween]


DOCUMENTS: Mapping[str, type] = MappingProxyType(
    {
        "analysis": Analysis,
        "explain": Explanation,
        "blocks": Blocks,
        "backward": Backward,
        "reconcile": Reconciliation,
        "memory": Memory,
        "training": Training,
        "arena": Arena,
        "fit": Fit,
        "lint": Lint,
        "targets": Targets,
        "rescale": Rescaled,
        "sweep": Sweep,
        "check": CheckResult,
        "compare": Comparison,
        "survey": Survey,
        "verification": Verification,
        "time": Timing,
        "times": Times,
        "layers": Layers,
        "samples": Samples,
        "caffemodel": Caffemodel,
        "baseline": Baseline,
        "error": ErrorDocument,
        "view": View,
    }
)
"""By the name of its schema."""


class Inline(NamedTuple):
    """Fields that stand in a part after one of those that are written out (first: after "").

    fields: their types by name.  required: whether they are always there.
    """

    after: str
    fields: Mapping[str, Any]
    required: bool = True


def _each(figures: Sequence[Figure], kind: Any = int, width: str = "in float32") -> dict[str, Any]:
    """The fields of figures; those that depend on a width are at this one."""
    return {
        figure.key: Annotated[
            kind, Keywords(("minimum", 0)), f"The {figure.about}{f', {width}' if figure.bits else ''}."
        ]
        for figure in figures
    }


def _of_layers() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for figure in LAYER:
        if figure.is_op_class:
            fields.setdefault("ops", Annotated[Ops, "Operations by class."])
        else:
            fields |= _each([figure])
    return fields


def _of_changes() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for figure in KEPT:
        fields |= {f"{figure.key}_was": Count, figure.key: Count, f"{figure.key}_delta": int}
    return fields


INLINE: Mapping[type, Inline] = MappingProxyType(
    {
        Layer: Inline("end_line", _of_layers()),
        ExplainedLayer: Inline("end_line", _of_layers()),
        Totals: Inline("", _of_layers()),
        Variant: Inline("resolution", _each(SWEPT, width="at `bits` a value")),
        SweepLimits: Inline("", _each(SWEPT, width="at `bits` a value"), required=False),
        SurveyRow: Inline("layers", _each(MAIN, int | None)),
        Change: Inline("tops", _of_changes()),
        LayerChange: Inline("tops", _of_changes()),
        FieldChange: Inline("was", {"is": str | None}),
        NetTotals: Inline("", _each(COMPARED, int | None)),
        Difference: Inline("", {"from": str}),
        BaselineLayer: Inline("type", _each(KEPT), required=False),
        BaselineTotals: Inline("", _each(COMPARED)),
    }
)
"""What parts hold besides the fields written out: the figures, by the table of figures."""
