from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.kernels.scratch import workspace
from netcount.layers.filler import Filler
from netcount.layers.layer import Arity, Layer, ParamBlob, Product, Window, WorkingMemory, madds_of
from netcount.layers.recurrent.lstm import lstm_cell
from netcount.layers.window import convolved, spatial_factors, spatial_text
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

GATES = 4
STATES = 2
PARAM, DEBUG = "lstm_conv_param", "lstm_debug_param"


class _Filter:
    """One LSTMConvolutionParameter: the window, groups and fillers of the input's or the state's products."""

    group: int
    bias: bool
    kernel: list[int]
    stride: list[int]
    pad: list[int]
    dilation: list[int]
    weight_filler: Filler
    bias_filler: Filler

    def __init__(self, layer: ConvLSTM, param: Message) -> None:
        self.layer = layer
        self.group, self.bias = param.integer("group"), param.flag("bias_term")
        self.kernel, self.stride = param.integers("kernel_size"), param.integers("stride") or [1]
        self.pad, self.dilation = param.integers("pad") or [0], param.integers("dilation") or [1]
        self.weight_filler, self.bias_filler = Filler(param, "weight_filler"), Filler(param, "bias_filler")
        for name in ("kernel_size", "stride", "pad", "dilation"):
            if len(param.integers(name)) > 2:
                layer.refuse(
                    f"{name} is given {len(param.integers(name))} times for 2 spatial axes", f"{PARAM}.{name}"
                )
        for name in ("kernel_size", "stride", "dilation", "group"):
            value = param.get(name)
            if 0 in (value if isinstance(value, list) else [value]) or (name == "kernel_size" and not value):
                layer.refuse(f"needs a positive {name}", f"{PARAM}.{name}")

    def window(self) -> Window:
        """Kernel, stride, pad and dilation of both axes."""
        kernel, stride, pad, dilation = (
            (*given, *given)[:2] for given in (self.kernel, self.stride, self.pad, self.dilation)
        )
        return Window(kernel, stride, pad, dilation, self.group)

    def check(self, what: str, channels: int, extents: Sequence[int]) -> None:
        """Refuse where the products would change height or width, or groups do not divide the channels."""
        kernel, stride, pad, dilation, group, _ = self.window()
        made = tuple(convolved(*axis) for axis in zip(extents, kernel, stride, pad, dilation, strict=True))
        if made != tuple(extents):
            self.layer.refuse(
                f"the products of the {what} make {spatial_text(made)} of {spatial_text(extents)}, "
                "which the state cannot take; check kernel_size and pad",
                f"{PARAM}.kernel_size",
            )
        if channels % group or GATES * self.layer.num_output % group:
            self.layer.refuse(f"group {group} does not divide the channels of the {what}", f"{PARAM}.group")

    def weight(self, channels: int) -> ParamBlob:
        """4C'×C/g×*K."""
        made = GATES * self.layer.num_output
        return ParamBlob(
            Shape((made, channels // self.group, *self.window().kernel)), "weight", self.weight_filler
        )

    def product(
        self, name: str, channels: int, instants: tuple[tuple[str, int], ...], plane: Sequence[int]
    ) -> Product:
        """The filter at every position of every instant."""
        weights = (("gates", GATES), ("C'", self.layer.num_output), (name, channels // self.group))
        uses = (*instants, *spatial_factors("", plane))
        return Product((*weights, *spatial_factors("k", self.window().kernel)), uses)

    def workspace(self, channels: int, plane: Sequence[int]) -> int:
        """Elements of the columns, and of a padded image, that `convolve` needs at once."""
        kernel, stride, pad, _, group, _ = self.window()
        if {*kernel, *stride} == {1} and not any(pad):
            return 0
        columns = channels * prod(kernel) * prod(plane)
        return workspace(columns, columns // plane[0], (channels, *plane), pad, channels == group > 1)

    def convolve(self, x: Array, weight: Array, bias: Array | None, run: Run) -> Array:
        """N×C×H×W -> N×4C'×H×W."""
        from netcount.kernels.im2col import convolve, spread

        return convolve(
            x, weight, bias, x.shape[1] // weight.shape[1], spread(self.stride, 2), spread(self.pad, 2),
            spread(self.dilation, 2), run,
        )  # fmt: skip


class ConvLSTM(Layer):
    """LSTM with convolutions for products (Shi et al. 2015).

    (x T×N×C×H×W, marks T×N[, static 1×N×S×H×W][, h, c]) -> T×N×C'×H×W[, exposed blobs][, h, c], all
    states 1×N×C'×H×W.  Blobs: 4C'×C/g×K unless ignore_x, [4C'×S/g×K,] 4C'×C'/g×K, bias 4C', and unless
    disable_hadamard a factor of the cell for each of three gates, over num_axes_hadamard axes from
    axis_hadamard on.  One lstm_conv_param is for both products, of two the one of type "hidden" for the
    state's.  Source: conv_lstm_layer.cpp of agethen/ConvLSTM-for-Caffe.
    """

    type = "ConvLSTM"
    source = "ConvLSTM-for-Caffe"
    bottoms: ClassVar[Arity] = Arity(2, 5)
    tops: ClassVar[Arity] = Arity(1, None)
    time_major = True
    rectified: ClassVar[bool] = False
    """Whether a ReLU stands in each tanh's place."""

    num_output: int
    for_x: _Filter
    for_state: _Filter
    ignored: bool
    factored: bool
    axis_given: int
    num_axes: int
    exposed: bool
    told: list[str]
    static: bool

    def read(self, message: Message) -> None:
        """The filters, the factors of the cell, and which blobs are told."""
        params, debug = message.children(PARAM), message.child(DEBUG)
        if len(params) not in (1, 2):
            self.refuse(f"takes 1 or 2 {PARAM}, not {len(params)}", PARAM)
        self.num_output = params[0].integer("num_output")
        if not self.num_output or any(param.integer("num_output") != self.num_output for param in params):
            self.refuse("num_output must be positive and the same in both parameters", f"{PARAM}.num_output")
        first, last = params[0], params[-1]
        self.for_x = _Filter(self, last if first.text("type") == "hidden" else first)
        self.for_state = _Filter(self, last if first.text("type") == "input" else first)
        self.ignored, self.factored = debug.flag("ignore_x"), not debug.flag("disable_hadamard")
        self.axis_given, self.num_axes = debug.integer("axis_hadamard"), debug.integer("num_axes_hadamard")
        self.exposed, self.told = message.child("recurrent_param").flag("expose_hidden"), debug.texts("expose")
        for index, name in enumerate(self.told):
            if not re.fullmatch(r"[hc]_t=\d{1,6}", name):
                self.refuse(f'can expose h_t=… and c_t=…, not "{name}"', f"{DEBUG}.expose", index)
        hidden, number = STATES * self.exposed, len(message.texts("bottom"))
        self.static = number == 3 + hidden
        if number not in (2 + hidden, 3 + hidden):
            self.refuse(f"takes {2 + hidden} or {3 + hidden} bottoms, not {number}", "bottom")
        if self.top_count != 1 + len(self.told) + hidden:
            self.refuse(f"makes {1 + len(self.told) + hidden} tops, not {self.top_count}", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """T×N×C'×H×W, and a state for each top that tells one."""
        x, marks, *rest = bottoms
        if len(x) != 5 or 0 in x:
            self.refuse(f"{self.named(0)} {x} must be T×N×C×H×W with elements", "bottom")
        steps, streams, channels, *plane = x
        if marks != (steps, streams):
            self.refuse(f"{self.named(1)} {marks} must be T×N = {steps}×{streams}", "bottom", 1)
        state = Shape((1, streams, self.num_output, *plane))
        if self.static and (streams != 1 or len(rest[0]) != 5 or rest[0][:2] != (1, 1) or rest[0][3:] != x[3:]):
            self.refuse(f"{self.named(2)} {rest[0]} must be 1×1×S×{plane[0]}×{plane[1]}, and N 1", "bottom", 2)
        for index, shape in enumerate(rest[self.static :], 2 + self.static):
            if shape.count() != state.count():
                self.refuse(f"{self.named(index)} {shape} must hold as many values as {state}", "bottom", index)
        if not self.ignored:
            self.for_x.check("input", channels, plane)
        self.for_state.check("state", self.num_output, plane)
        if self.factored and self.axis_given + self.num_axes > len(state):
            self.refuse(f"{self.num_axes} axes from axis {self.axis_given} are more than {state} has", DEBUG)
        for index, name in enumerate(self.told):
            if int(name[4:]) > steps:
                self.refuse(f'cannot expose "{name}" of {steps} instants', f"{DEBUG}.expose", index)
        return [Shape((steps, streams, self.num_output, *plane)), *[state] * (self.top_count - 1)]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Filters of the input, of a static input and of the state, its bias, and the cell's factors."""
        x, _, *rest = bottoms
        blobs = [] if self.ignored else [self.for_x.weight(x[2])]
        if self.static and not self.ignored:
            blobs.append(self.for_x.weight(rest[0][2]))
        blobs.append(self.for_state.weight(self.num_output))
        if self.for_state.bias:
            blobs.append(ParamBlob(Shape((GATES * self.num_output,)), "bias", self.for_state.bias_filler))
        if self.factored:
            state = Shape((1, x[1], self.num_output, *x[3:]))
            factors = Shape(state[self.axis_given : self.axis_given + self.num_axes])
            blobs += [ParamBlob(factors, "weight")] * (GATES - 1)
        return blobs

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """With the input and with the state at every instant, with a static input once."""
        x, _, *rest = bottoms
        steps, streams, channels, *plane = x
        instants = (("T", steps), ("N", streams))
        products = [] if self.ignored else [self.for_x.product("C", channels, instants, plane)]
        if self.static and not self.ignored:
            products.append(self.for_x.product("S", rest[0][2], instants[1:], plane))
        return [*products, self.for_state.product("C'", self.num_output, instants, plane)]

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The products; an add a gate for each further term and for the bias; a mul a hidden value by its
        mark and three by the cell's factors; three sigmoids, two tanhs (or compares) and the cell's
        update."""
        values = tops[0].count()
        terms = (not self.ignored) + self.factored + self.static + self.for_state.bias
        sums = OpCount(adds=GATES * values * terms, muls=values)
        factors = OpCount(muls=(GATES - 1) * values) if self.factored else NOTHING
        update = OpCount(adds=4 * values, muls=4 * values, divs=3 * values, exps=3 * values)
        bound = OpCount(adds=4 * values, muls=4 * values, divs=2 * values, exps=2 * values)
        update += OpCount(compares=2 * values) if self.rectified else bound
        return OpCount(madds_of(self.products(bottoms, tops))) + sums + factors + update

    def window(self, bottoms: Sequence[Shape]) -> Window:
        """That of the state's products."""
        return self.for_state.window()

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """The gates of every instant, and columns; every state before the outputs are joined, or before the last
        instant what that one is made of.  A static input's gates are added to a copy."""
        x, _, *rest = bottoms
        steps, streams, channels, *plane = x
        state = streams * self.num_output * prod(plane)
        columns = [self.for_state.workspace(self.num_output, plane)]
        gates = 0
        if not self.ignored:
            gates = GATES * steps
            columns.append(self.for_x.workspace(channels, plane))
        states = max(steps + 11, STATES * steps + GATES + 1)
        if self.static and not self.ignored:
            columns.append(self.for_x.workspace(rest[0][2], plane))
            states = max(states, (GATES - 1) * steps + GATES)
        return WorkingMemory(forward=(gates + states) * state + max(columns))

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The input's products in one go, then instant by instant."""
        x, marks, *rest = bottoms
        steps, streams, _, *plane = x.shape
        left = list(blobs)
        gates: Array | float = 0.0
        if not self.ignored:
            gates = self.for_x.convolve(x.reshape(steps * streams, *x.shape[2:]), left.pop(0), None, run)
            gates = gates.reshape(steps, streams, *gates.shape[1:])
        if self.static:
            static = rest.pop(0)
            if not self.ignored:
                gates = gates + self.for_x.convolve(static[0], left.pop(0), None, run)[None]
        own = left.pop(0)
        bias = left.pop(0) if self.for_state.bias else None
        made = len(own) // GATES
        shape = (streams, made, *plane)
        hidden, cell = [state.reshape(shape) for state in rest] or [np.zeros(shape, dtype=np.float32)] * STATES
        told = {"h_t=0": hidden, "c_t=0": cell}
        outputs = []
        for step in range(steps):
            goes = marks[step].reshape(-1, 1, 1, 1)
            parts = self.for_state.convolve(goes * hidden, own, bias, run)
            if not isinstance(gates, float):
                parts = parts + gates[step]
            for gate, factor in enumerate(left):
                spread = factor.reshape(*factor.shape, *(1,) * (5 - self.axis_given - factor.ndim))
                parts[:, gate * made : (gate + 1) * made] += (cell[None] * spread)[0]
            sides = np.moveaxis(parts.reshape(streams, GATES, made, *plane), 1, -1)
            state = lstm_cell(cell[..., None], sides, goes[..., None], self.rectified)
            hidden, cell = (value[..., 0] for value in state)
            told |= {f"h_t={step + 1}": hidden, f"c_t={step + 1}": cell}
            outputs.append(hidden)
        ends = [hidden, cell] if self.exposed else []
        return [np.stack(outputs), *[state[None] for state in (*[told[name] for name in self.told], *ends)]]
