"""A prototxt of any age, or with a fork's spelling, in the form that today's Caffe reads; comments stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from netcount.core.errors import InputError, NetcountError, raise_all
from netcount.graph.graph import Graph, Node
from netcount.graph.load import DEFAULTS, load_text
from netcount.graph.options import LoadOptions
from netcount.graph.solver import is_solver
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.convolution.convolution_depthwise import ConvolutionDepthwise
from netcount.layers.convolution.depthwise_convolution import DepthwiseConvolution
from netcount.layers.pooling.pooling import Pooling
from netcount.prototxt import read_net
from netcount.prototxt.bind import bind
from netcount.prototxt.message import Message
from netcount.prototxt.modernize import modernized, same
from netcount.prototxt.reader import defined, read
from netcount.prototxt.select import Phase
from netcount.prototxt.tree import Tree
from netcount.prototxt.written import GONE, Block, indent_at, retold, written

_PHASES: tuple[Phase, ...] = ("TEST", "TRAIN")


class Upgraded(NamedTuple):
    """A net in the current form.

    Attributes:
        text: Its prototxt.
        forms: What was old in the file, in words.
        net: The net that the text describes; None where the file alone does not say enough to build it.
        notes: What was left as it was, and why.
    """

    text: str
    forms: tuple[str, ...]
    net: Graph | None
    notes: tuple[str, ...]


def upgrade(text: str, file: str = "<text>", options: LoadOptions = DEFAULTS) -> Upgraded:
    """A net in the current form: V0, V1, legacy inputs and forks' spellings are rewritten where they stand.

    >>> print(upgrade('''input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9
    ... layers { name: "r" type: RELU bottom: "x" top: "y" }  # stays
    ... ''').text)
    layer {
      name: "input"
      type: "Input"
      top: "x"
      input_param { shape { dim: 1 dim: 3 dim: 8 dim: 9 } }
    }
    layer { name: "r" type: "ReLU" bottom: "x" top: "y" }  # stays
    <BLANKLINE>

    Args:
        text: A prototxt, of a net or of a solver.
        file: What it is called in messages.
        options: How it is read; values for its placeholders, and what is assumed of unknown layers.

    Raises:
        InputError: The text is no net, or Caffe would refuse to upgrade it.
    """
    text = defined(text, options.define)
    tree = read(text, file)
    problems: list[NetcountError] = []
    if is_solver(tree):
        bind(tree, "SolverParameter", problems, [])
        raise_all(problems)
        return Upgraded(modernized(text), tuple(_forms(tree)), None, ())
    before = read_net(tree, file, problems, [])
    raise_all(problems)
    made = modernized(text)
    if not same(before, _message(made, file)):
        raise InputError(f"{file}: its layers are written in a way that cannot be kept; nothing is upgraded")
    forms = list(_forms(tree))
    nets = _built(made, file, options)
    respelled, notes = _respelled(made, nets)
    if respelled != made:
        forms.append("spellings of forks")
        again = _built(respelled, file, options)
        if [_costs(net) for net in nets] != [_costs(net) for net in again]:
            raise InputError(f"{file}: with Caffe's own layer types it would be another net; nothing is upgraded")
        made, nets = respelled, again
    return Upgraded(made, tuple(forms), nets[0] if nets else None, tuple(notes))


def _message(text: str, file: str) -> Message:
    """The message of a text of our own making."""
    problems: list[NetcountError] = []
    message = read_net(text, file, problems, [])
    raise_all(problems)
    return message


def _forms(tree: Tree) -> Iterator[str]:
    layers = [value for name, value, _ in tree.fields if name == "layers" and isinstance(value, Tree)]
    names = {name for name, _, _ in tree.fields}
    if any(name == "layer" for layer in layers for name, _, _ in layer.fields):
        yield "V0 layers"
    elif layers:
        yield "V1 layers"
    if names & {"input", "input_dim", "input_shape"}:
        yield "inputs in the header"
    if "solver_type" in names:
        yield "solver_type"


def _built(text: str, file: str, options: LoadOptions) -> list[Graph]:
    """The net in each phase in which it can be built, the wanted one first."""
    nets = []
    for phase in sorted(_PHASES, key=lambda phase: phase != options.phase):
        with suppress(NetcountError):
            nets.append(load_text(text, options._replace(phase=phase, define={}), file))
    return nets


def _costs(net: Graph) -> list[object]:
    """What no spelling changes of a net."""
    return [
        (
            node.name,
            node.bottom_shapes,
            node.top_shapes,
            [(blob.shape, blob.role) for blob in node.params],
            node.layer.ops(node.bottom_shapes, node.top_shapes),
        )
        for node in net.nodes
    ]


def _respelled(text: str, nets: list[Graph]) -> tuple[str, list[str]]:
    """Types and fields of forks under the names that Caffe's own layers have for the same."""
    layers = {field.start: block for field in written(text).of("layer") for block in field.blocks}
    edits: dict[tuple[int, int], str] = {}
    notes: dict[str, None] = {}
    for node in {node.message.tree.offset: node for net in nets for node in net.nodes}.values():
        block = layers.get(node.message.tree.offset)
        if block is None:
            continue
        if type(node.layer) is Pooling:
            _round_mode(text, node, block, edits)
        elif isinstance(node.layer, (DepthwiseConvolution, ConvolutionDepthwise)):
            if isinstance(node.layer, ConvolutionDepthwise):
                _grouped(text, node, block, edits)
            (kind,) = block.of("type")
            edits[kind.span] = f'type: "{Convolution.type}"'
        elif node.layer.source != "stock":
            notes[f"{node.type} is a fork's type, for which stock Caffe has none"] = None
    return (retold(text, edits) if edits else text), list(notes)


def _round_mode(text: str, node: Node, block: Block, edits: dict[tuple[int, int], str]) -> None:
    """`ceil_mode: false` is `round_mode: FLOOR`; true is what Caffe does without it."""
    for param in [inner for field in block.of("pooling_param") for inner in field.blocks]:
        for field in param.of("ceil_mode"):
            other = param.of("round_mode")
            floor = isinstance(node.layer, Pooling) and node.layer.floor
            edits[field.span] = "round_mode: FLOOR" if floor and not other else GONE
            for old in other:
                edits[old.span] = f"round_mode: {'FLOOR' if floor else 'CEIL'}"


def _grouped(text: str, node: Node, block: Block, edits: dict[tuple[int, int], str]) -> None:
    """num_output and group as many as channels, which the fork's type takes without being told."""
    channels = node.tops[0].shape[1]
    for param in [inner for field in block.of("convolution_param") for inner in field.blocks][:1]:
        missing = []
        for name in ("num_output", "group"):
            if given := param.of(name):
                edits[given[0].span] = f"{name}: {channels}"
            else:
                missing.append(f"{name}: {channels}")
        if missing:
            first = param.fields[0].start if param.fields else param.end - 1
            indent = indent_at(text, first)
            joint = " " if indent is None else f"\n{indent}"
            edits[first, first] = joint.join(missing) + joint
