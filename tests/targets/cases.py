"""For each rule of the shipped profiles a layer just inside, and one just outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from netcount.targets.profile import Profile, Rule
from tests.cases import CASES as CASES_OF_TYPES


class Pair(NamedTuple):
    """Two nets, of which the rule passes the first and finds the layer "l" of the second."""

    inside: str
    outside: str


Case: TypeAlias = "Pair | Callable[[Profile], Pair]"


def key(rule: Rule, text: str) -> str:
    """How a rule is called in the table below."""
    when = f" when {rule.when.text}" if rule.when else ""
    return f"{'/'.join(rule.types) or 'file'}: {text}{when}"


def net(type_name: str, shape: tuple[int, ...], fields: str = "", *, bottoms: int = 1, tops: int = 1) -> str:
    """A layer "l" of a type, whose bottoms all have this shape."""
    names = [f"x{i}" for i in range(bottoms)]
    dims = " ".join(f"dim: {extent}" for extent in shape)
    text = "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ {dims} }} }} }}\n'
        for name in names
    )
    sides = " ".join([*(f'bottom: "{name}"' for name in names), *(f'top: "y{i}"' for i in range(tops))])
    return f'{text}layer {{ name: "l" type: "{type_name}" {sides}\n{fields} }}\n'


def behind(text: str, type_name: str, fields: str = "") -> str:
    """The same net with a layer in front of "l"."""
    head, _, tail = text.partition('layer { name: "l"')
    before = f'layer {{ name: "before" type: "{type_name}" bottom: "x0" top: "b" {fields} }}\n'
    tail = tail.replace('bottom: "x0"', 'bottom: "b"', 1)
    return f'{head}{before}layer {{ name: "l"{tail}'


def lstm(batch: int) -> str:
    """An LSTM over three steps."""
    return (
        f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ dim: 3 dim: {batch} dim: 5 }} }} }}\n'
        f'layer {{ name: "c" type: "Input" top: "c" input_param {{ shape {{ dim: 3 dim: {batch} }} }} }}\n'
        'layer { name: "l" type: "LSTM" bottom: "x" bottom: "c" top: "y" recurrent_param { num_output: 4 } }\n'
    )


def conv(
    fields: str = "kernel_size: 3 pad: 1",
    *,
    shape: tuple[int, ...] = (1, 8, 20, 22),
    out: int = 8,
    kind: str = "Convolution",
) -> str:
    """A convolution."""
    return net(kind, shape, f"convolution_param {{ num_output: {out} {fields} }}")


def deconv(fields: str = "kernel_size: 4 stride: 2 pad: 1", **more: object) -> str:
    """A deconvolution."""
    return conv(fields, kind="Deconvolution", **more)  # type: ignore[arg-type]


def pool(fields: str = "pool: MAX kernel_size: 2 stride: 2", shape: tuple[int, ...] = (1, 8, 20, 22)) -> str:
    """A pooling."""
    return net("Pooling", shape, f"pooling_param {{ {fields} }}")


def after_conv(text: str, fields: str = "") -> str:
    """The same net behind a convolution."""
    return behind(text, "Convolution", f"convolution_param {{ num_output: 8 kernel_size: 1 {fields} }}")


def eltwise(fields: str = "operation: SUM", channels: int = 8) -> str:
    """An Eltwise of two."""
    return net("Eltwise", (1, channels, 5, 7), f"eltwise_param {{ {fields} }}", bottoms=2)


def concat(axis: int, shape: tuple[int, ...] = (2, 8, 5, 7), bottoms: int = 2) -> str:
    """A Concat."""
    return net("Concat", shape, f"concat_param {{ axis: {axis} }}", bottoms=bottoms)


def full(shape: tuple[int, ...], fields: str = "") -> str:
    """An InnerProduct."""
    return net("InnerProduct", shape, f"inner_product_param {{ num_output: 4 {fields} }}")


def then_add(text: str) -> str:
    """The same net with an Eltwise that reads y0."""
    return text + 'layer { name: "add" type: "Eltwise" bottom: "y0" bottom: "y0" top: "z" }\n'


SLICE_POINT = "slice_param { slice_point: 1 }"
METHODS = Pair(pool("pool: AVE kernel_size: 2"), pool("pool: STOCHASTIC kernel_size: 2"))
SUM_OR_PRODUCT = Pair(eltwise("operation: PROD"), eltwise("operation: MAX"))
NO_COEFFICIENT = Pair(eltwise(), eltwise("operation: SUM coeff: 1 coeff: 1"))
DILATED = Pair(conv(), conv("kernel_size: 3 dilation: 2"))
SOFTMAX_AXIS = Pair(net("Softmax", (1, 8, 5, 7)), net("Softmax", (1, 8, 5, 7), "softmax_param { axis: 2 }"))
CONV_AXIS = Pair(conv(), conv("kernel_size: 1 axis: 0", shape=(2, 8, 5, 7), out=2))
V1 = Pair(
    conv(),
    'input: "x" input_dim: 1 input_dim: 2 input_dim: 5 input_dim: 7\n'
    'layers { name: "l" type: RELU bottom: "x" top: "y" }',
)
HEADER = Pair(
    conv(),
    'input: "x" input_shape { dim: 1 dim: 2 dim: 5 dim: 7 } layer { name: "l" type: "ReLU" bottom: "x" top: "y" }',
)


def most(profile: Profile) -> int:
    """The channels that a DPU takes."""
    return int(profile.constants["most_channels"])


def lanes(profile: Profile) -> int:
    """The channels that a weight bank of a DPU is wide."""
    return int(profile.constants["lanes"])


def _bank(profile: Profile) -> Pair:
    """2048 rows of a bank: 4×4 of 128 lanes' worth of channels."""
    channels = 128 * lanes(profile)
    fits, over = "kernel_h: 4 kernel_w: 4 group: 1", "kernel_h: 4 kernel_w: 5 group: 1"
    return Pair(conv(fits, shape=(1, channels, 5, 6), out=2), conv(over, shape=(1, channels, 5, 6), out=2))


def _full_bank(profile: Profile) -> Pair:
    channels = 128 * lanes(profile)
    return Pair(full((1, channels, 4, 4)), full((1, channels + 1, 4, 4)))


def _dilated(profile: Profile) -> Pair:
    half, field = most(profile) // 2, "kernel_size: 2 dilation: 2"
    return Pair(conv(field, shape=(1, half, 5, 6), out=2), conv(field, shape=(1, half + 1, 5, 6), out=2))


def _channels_in(kind: str) -> Callable[[Profile], Pair]:
    def pair(profile: Profile) -> Pair:
        if kind == "Eltwise":
            return Pair(eltwise(channels=most(profile)), eltwise(channels=most(profile) + 1))
        made = [conv("kernel_size: 1", shape=(1, most(profile) + more, 4, 5), out=2, kind=kind) for more in (0, 1)]
        return Pair(*made)

    return pair


def _channels_out(kind: str) -> Callable[[Profile], Pair]:
    def pair(profile: Profile) -> Pair:
        return Pair(*[conv("kernel_size: 1", out=most(profile) + more, kind=kind) for more in (0, 1)])

    return pair


def _reorg(profile: Profile) -> Pair:
    channels = most(profile) // 4
    made = [net("Reorg", (1, channels + more, 4, 6), "reorg_param { stride: 2 }") for more in (0, 1)]
    return Pair(*made)


DEPTHWISE = "DepthwiseConvolution"

CASES: Mapping[str, Mapping[str, Case]] = {
    "kendryte-k210": {
        "file: v1_form false": V1,
        "file: header_inputs false": HEADER,
        "Convolution: kernel 1 or 3": Pair(conv(), conv("kernel_size: 5 pad: 2")),
        "Convolution: kernel_h kernel_w": Pair(conv(), conv("kernel_h: 3 kernel_w: 1")),
        "Convolution: group == 1 or (group == channels_in and channels_in == channels_out)": Pair(
            conv("kernel_size: 3 pad: 1 group: 8"), conv("kernel_size: 3 pad: 1 group: 8", out=16)
        ),
        "Convolution: dilation 1": DILATED,
        "Convolution: channels_in 1..1024": Pair(conv(shape=(1, 1024, 5, 6)), conv(shape=(1, 1025, 5, 6))),
        "Convolution: channels_out 1..1024": Pair(conv(out=1024), conv(out=1025)),
        "Convolution: in_h 4..256": Pair(conv(shape=(1, 2, 256, 9)), conv(shape=(1, 2, 257, 9))),
        "Convolution: in_w 4..512": Pair(conv(shape=(1, 2, 9, 4)), conv(shape=(1, 2, 9, 3))),
        "Convolution: out 4..": Pair(
            conv("kernel_size: 3 pad: 1 stride: 2", shape=(1, 8, 7, 8)),
            conv("kernel_size: 3 pad: 1 stride: 2", shape=(1, 8, 6, 8)),
        ),
        "Convolution: stride_h == stride_w and stride_h in (1, 2)": Pair(
            conv("kernel_size: 3 pad: 1 stride: 2"), conv("kernel_size: 3 pad: 1 stride: 3")
        ),
        "Convolution: group 1 when stride_h == 2": Pair(
            conv("kernel_size: 3 pad: 1 stride: 2"), conv("kernel_size: 3 pad: 1 stride: 2 group: 8")
        ),
        "Convolution: pad 0 if kernel_h == 1 else 1": Pair(conv("kernel_size: 1"), conv("kernel_size: 1 pad: 1")),
        "Convolution: convolution_param.bias_term true": Pair(
            conv(), conv("kernel_size: 3 pad: 1 bias_term: false")
        ),
        "Convolution: not has(convolution_param.stride_h)": Pair(
            conv("kernel_size: 3 pad: 1 stride: 2"), conv("kernel_size: 3 pad: 1 stride_h: 2 stride_w: 2")
        ),
        "Eltwise: eltwise_param.coeff in (1, -1)": Pair(
            eltwise("coeff: 1 coeff: -1"), eltwise("coeff: 1 coeff: 0.5")
        ),
        "ReLU: negative_slope 0": Pair(
            net("ReLU", (1, 2, 5, 7)), net("ReLU", (1, 2, 5, 7), "relu_param { negative_slope: 0.1 }")
        ),
        "Reshape: reshape_param.axis == 0 and reshape_param.num_axes == -1": Pair(
            net("Reshape", (1, 2, 5, 7), "reshape_param { shape { dim: 1 dim: 70 } }"),
            net("Reshape", (1, 2, 5, 7), "reshape_param { axis: 1 shape { dim: 70 } }"),
        ),
        "Slice: has(slice_param.slice_point) or outputs == 1": Pair(
            net("Slice", (1, 4, 5, 7), "slice_param { slice_point: 1 }", tops=2),
            net("Slice", (1, 4, 5, 7), tops=2),
        ),
        "Pooling: kernel_h == kernel_w and stride_h == stride_w": Pair(
            pool(), pool("kernel_h: 2 kernel_w: 3 stride: 2")
        ),
        "Pooling: (kernel_h == 2 and stride_h in (1, 2)) or (kernel_h == 4 and stride_h == 4)": Pair(
            pool("kernel_size: 4 stride: 4"), pool("kernel_size: 3 stride: 2")
        ),
        "Pooling: method MAX or AVE": METHODS,
        "Pooling: after_convolution and not after_depthwise": Pair(
            after_conv(pool()), after_conv(pool(), "group: 8")
        ),
        "BatchNorm: batch_norm_param.use_global_stats or not has(batch_norm_param.use_global_stats)": Pair(
            net("BatchNorm", (1, 4, 5, 7)),
            net("BatchNorm", (1, 4, 5, 7), "batch_norm_param { use_global_stats: false }"),
        ),
        "Scale: inputs 1": Pair(
            net("Scale", (1, 4, 5, 7)), net("Scale", (1, 4, 5, 7), "scale_param { axis: 0 }", bottoms=2)
        ),
        "memory: KPU memory": Pair(
            conv("kernel_size: 1", shape=(1, 128, 64, 128), out=128),
            conv("kernel_size: 1", shape=(1, 128, 64, 128), out=129),
        ),
        "memory: general memory": Pair(
            net("InnerProduct", (1, 6144), "inner_product_param { num_output: 1024 bias_term: false }"),
            net("InnerProduct", (1, 6145), "inner_product_param { num_output: 1024 bias_term: false }"),
        ),
    },
    "xilinx-dpuczdx8g": {
        "Convolution: kernel 1..16": Pair(conv("kernel_size: 16"), conv("kernel_h: 16 kernel_w: 17")),
        "Convolution: stride 1..8 when not (kernel_h == in_h and kernel_w == in_w)": Pair(
            conv("kernel_size: 3 stride: 8"), conv("kernel_size: 3 stride: 9")
        ),
        "Convolution: pad_h <= (kernel_h - 1) * dilation_h and pad_w <= (kernel_w - 1) * dilation_w": Pair(
            conv("kernel_size: 3 pad: 2"), conv("kernel_size: 3 pad_h: 2 pad_w: 3")
        ),
        "Convolution: dilation_h * channels_in <= most_channels and dilation_w * channels_in <= most_channels"
        " when group == 1": _dilated,
        "Convolution: channels_in ..most_channels": _channels_in("Convolution"),
        "Convolution: channels_out ..most_channels": _channels_out("Convolution"),
        "Convolution: kernel_h * kernel_w * ceil_div(channels_in, lanes) <= 2048 when group == 1": _bank,
        "Convolution: group 1 or channels_in": Pair(
            conv("kernel_size: 3 group: 8"), conv("kernel_size: 3 group: 2")
        ),
        "DepthwiseConvolution: kernel 1..16": Pair(
            conv("kernel_size: 16", kind=DEPTHWISE), conv("kernel_size: 17", kind=DEPTHWISE)
        ),
        "DepthwiseConvolution: stride 1..8": Pair(
            conv("kernel_size: 3 stride: 8", kind=DEPTHWISE), conv("kernel_size: 3 stride: 9", kind=DEPTHWISE)
        ),
        "Deconvolution: kernel 1..16": Pair(deconv("kernel_size: 16"), deconv("kernel_size: 17")),
        "Deconvolution: stride 1..16": Pair(
            deconv("kernel_size: 3 stride: 16"), deconv("kernel_size: 3 stride: 17")
        ),
        "Deconvolution: channels_out ..most_channels": _channels_out("Deconvolution"),
        "Deconvolution: group 1 or channels_in": Pair(
            deconv("kernel_size: 3 group: 8"), deconv("kernel_size: 3 group: 2")
        ),
        "Pooling: kernel 1..8 when method == 'MAX' and not global_pool": Pair(
            pool("kernel_size: 8"), pool("kernel_size: 9")
        ),
        "Pooling: stride 1..8 when method == 'MAX' and not global_pool": Pair(
            pool("kernel_size: 8 stride: 8"), pool("kernel_size: 8 stride: 9")
        ),
        "Pooling: kernel_h == kernel_w and 2 <= kernel_h <= 8 and stride_h <= 8 when method == 'AVE'": Pair(
            pool("pool: AVE kernel_size: 8"), pool("pool: AVE global_pooling: true", (1, 8, 9, 9))
        ),
        "Pooling: method MAX or AVE": METHODS,
        "Eltwise: op SUM or PROD": SUM_OR_PRODUCT,
        "Eltwise: channels_in ..most_channels": _channels_in("Eltwise"),
        "Concat: axis 1": Pair(concat(1), concat(-1)),
        "InnerProduct: in_h * in_w * ceil_div(channels_in, lanes) <= 2048": _full_bank,
        "InnerProduct: in ..16": Pair(full((1, 2, 16, 5)), full((1, 2, 17, 5))),
        "ReLU: negative_slope 0 or 0.1015625": Pair(
            net("ReLU", (1, 2, 5, 7), "relu_param { negative_slope: 0.1015625 }"),
            net("ReLU", (1, 2, 5, 7), "relu_param { negative_slope: 0.1 }"),
        ),
        "Scale: after_convolution or after('BatchNorm')": Pair(
            after_conv(net("Scale", (1, 8, 5, 7))), behind(net("Scale", (1, 8, 5, 7)), "Sigmoid")
        ),
        "Reorg: reorg_param.stride * reorg_param.stride * channels_in <= most_channels": _reorg,
        "ArgMax: channels_in ..128": Pair(net("ArgMax", (1, 128, 2, 3)), net("ArgMax", (1, 129, 2, 3))),
    },
    "nvdla": {
        "Convolution: pad_h <= kernel_h and pad_w <= kernel_w": Pair(
            conv("kernel_size: 3 pad: 3"), conv("kernel_size: 3 pad_h: 4 pad_w: 3")
        ),
        "Convolution: dilation 1 when first_layer and channels_in <= 4": Pair(
            conv(shape=(1, 4, 9, 11)), conv("kernel_size: 3 dilation: 2", shape=(1, 4, 9, 11))
        ),
        "Convolution: group 1 when precision == 'int8'": Pair(conv(), conv("kernel_size: 3 group: 2")),
        "Pooling: kernel ..8": Pair(pool("kernel_size: 8"), pool("kernel_h: 8 kernel_w: 9")),
        "Pooling: stride ..16": Pair(
            pool("kernel_size: 8 stride: 16"), pool("kernel_size: 8 stride_h: 16 stride_w: 17")
        ),
        "Pooling: method MAX or AVE": METHODS,
        "LRN: false when precision == 'int8'": Pair(conv(), net("LRN", (1, 8, 5, 7))),
        "Eltwise: op SUM or PROD when precision == 'int8'": SUM_OR_PRODUCT,
        "Concat: axis ..2": Pair(concat(2), concat(3)),
        "Deconvolution: pad 0": Pair(deconv("kernel_size: 3"), deconv("kernel_size: 3 pad_h: 0 pad_w: 1")),
        "Deconvolution: stride ..32": Pair(
            deconv("kernel_size: 3 stride: 32"), deconv("kernel_size: 3 stride: 33")
        ),
        "Deconvolution: stride_w * in_w <= 8192": Pair(
            deconv("kernel_size: 3 stride: 2", shape=(1, 2, 3, 4096), out=2),
            deconv("kernel_size: 3 stride: 2", shape=(1, 2, 3, 4097), out=2),
        ),
        "Sigmoid/TanH: false when precision == 'int8'": Pair(conv(), net("Sigmoid", (1, 8, 5, 7))),
    },
    "horizon-x3": {
        "file: batch ..128": Pair(net("ReLU", (128, 2, 3, 4)), net("ReLU", (129, 2, 3, 4))),
        "Convolution: kernel 1..7": Pair(conv("kernel_size: 7"), conv("kernel_h: 7 kernel_w: 8")),
        "Convolution: channels_in // group <= (4096 if group == 1 else 2048)": Pair(
            conv("kernel_size: 1", shape=(1, 4096, 3, 4)), conv("kernel_size: 1 group: 2", shape=(1, 4098, 3, 4))
        ),
        "Convolution: stride 1 or 2 when before_eltwise": Pair(
            then_add(conv("kernel_size: 3 stride: 2")), then_add(conv("kernel_size: 3 stride: 3"))
        ),
        "Convolution: dilation_h in (1, 2, 4, 8, 16) and dilation_w in (1, 2, 4, 8, 16)"
        " and dilation_h <= dilation_w": Pair(
            conv("kernel_size: 3 dilation: 2 dilation: 4"), conv("kernel_size: 3 dilation: 4 dilation: 2")
        ),
        "Convolution: dilation_h % stride_h == 0 and dilation_w % stride_w == 0"
        " when dilation_h > 1 or dilation_w > 1": Pair(
            conv("kernel_size: 3 dilation: 4 stride: 2"), conv("kernel_size: 3 dilation: 4 stride: 3")
        ),
        "Convolution: kernel_h * kernel_w * (channels_in // group) <= 32768": Pair(
            conv("kernel_size: 4", shape=(1, 2048, 5, 6)), conv("kernel_size: 4", shape=(1, 2049, 5, 6))
        ),
        "Convolution: axis 1": CONV_AXIS,
        "Deconvolution: kernel 2..14": Pair(
            deconv("kernel_size: 14 stride: 2"), deconv("kernel_size: 1 stride: 2")
        ),
        "Deconvolution: channels_in ..2048": Pair(
            deconv(shape=(1, 2048, 3, 4), out=2), deconv(shape=(1, 2049, 3, 4), out=2)
        ),
        "Deconvolution: pad_h <= (kernel_h - 1) // 2 and pad_w <= (kernel_w - 1) // 2": Pair(
            deconv(), deconv("kernel_size: 4 stride: 2 pad_h: 1 pad_w: 2")
        ),
        "Deconvolution: stride_h in (2, 4) and stride_w in (2, 4) and stride_h <= stride_w": Pair(
            deconv("kernel_size: 4 stride_h: 2 stride_w: 4"), deconv("kernel_size: 4 stride_h: 4 stride_w: 2")
        ),
        "Deconvolution: dilation 1": Pair(deconv(), deconv("kernel_size: 4 stride: 2 dilation: 2")),
        "Pooling: kernel ..64 when method == 'MAX' and not global_pool": Pair(
            pool("kernel_size: 64", (1, 2, 70, 72)), pool("kernel_size: 65", (1, 2, 70, 72))
        ),
        "Pooling: stride ..185 when not global_pool": Pair(
            pool("kernel_size: 2 stride: 185"), pool("kernel_size: 2 stride: 186")
        ),
        "Pooling: kernel ..7 when method == 'AVE' and not global_pool": Pair(
            pool("pool: AVE kernel_size: 7"), pool("pool: AVE kernel_size: 8")
        ),
        "Pooling: in_h * in_w <= 8192 when method == 'AVE' and global_pool": Pair(
            pool("pool: AVE global_pooling: true", (1, 2, 64, 128)),
            pool("pool: AVE global_pooling: true", (1, 2, 65, 128)),
        ),
        "Pooling: in ..1024 when method == 'MAX' and global_pool": Pair(
            pool("global_pooling: true", (1, 2, 3, 1024)), pool("global_pooling: true", (1, 2, 3, 1025))
        ),
        "InnerProduct: in ..7": Pair(full((1, 2, 7, 5)), full((1, 2, 8, 5))),
        "InnerProduct: channels_in <= (16384 if in_h == 1 and in_w == 1 else 2048)": Pair(
            full((1, 16384)), full((1, 2049, 1, 2))
        ),
        "Sigmoid: channels_in * in_h * in_w <= 8192": Pair(
            net("Sigmoid", (1, 128, 8, 8)), net("Sigmoid", (1, 129, 8, 8))
        ),
        "Eltwise: op SUM or PROD": SUM_OR_PRODUCT,
        "Eltwise: channels_in ..2048": Pair(eltwise(channels=2048), eltwise(channels=2049)),
        "Concat: channels_out ..2048": Pair(concat(1, (1, 1024, 2, 3)), concat(1, (1, 1025, 2, 3))),
        "ArgMax: has(argmax_param.axis) and axis == 1 and channels_in <= 64": Pair(
            net("ArgMax", (1, 64, 2, 3), "argmax_param { axis: 1 }"),
            net("ArgMax", (1, 65, 2, 3), "argmax_param { axis: 1 }"),
        ),
        "LSTM: batch 1": Pair(lstm(1), lstm(2)),
        "Upsample: upsample_param.scale 1 or 2 or 4 or 8 or 16 or 32": Pair(
            net("Upsample", (1, 2, 3, 4), "upsample_param { scale: 4 }"),
            net("Upsample", (1, 2, 3, 4), "upsample_param { scale: 3 }"),
        ),
    },
    "sigmastar-ipu": {
        "ArgMax: argmax_param.top_k 1": Pair(
            net("ArgMax", (1, 9)), net("ArgMax", (1, 9), "argmax_param { top_k: 2 }")
        ),
        "Concat: inputs ..256": Pair(concat(1, (1, 1, 1, 1), 256), concat(1, (1, 1, 1, 1), 257)),
        "Convolution: kernel_h * kernel_w < 64": Pair(
            conv("kernel_h: 7 kernel_w: 9"), conv("kernel_h: 8 kernel_w: 8")
        ),
        "Convolution: ceil_div(channels_in, 16) * ceil_div(channels_out, 16) < 524288": Pair(
            conv("kernel_size: 1", shape=(1, 16384, 1, 1), out=8176),
            conv("kernel_size: 1", shape=(1, 16384, 1, 1), out=8177),
        ),
        "ConvolutionDepthwise: kernel_h == kernel_w and kernel_h in (3, 6, 9) and pad_h <= 1 and pad_w <= 1": Pair(
            conv(kind="ConvolutionDepthwise"), conv("kernel_size: 3 pad: 2", kind="ConvolutionDepthwise")
        ),
        "Pooling: kernel ..19 when not global_pool": Pair(pool("kernel_size: 19"), pool("kernel_size: 20")),
        "Pooling: in_h * in_w <= 65025 when global_pool": Pair(
            pool("global_pooling: true", (1, 2, 255, 255)), pool("global_pooling: true", (1, 2, 255, 256))
        ),
        "Power: power_param.power > 0 and power_param.power % 1 == 0": Pair(
            net("Power", (1, 9), "power_param { power: 2 }"), net("Power", (1, 9), "power_param { power: 0.5 }")
        ),
        "ReLU/PReLU: rank ..4": Pair(net("ReLU", (1, 2, 3, 4)), net("ReLU", (1, 2, 3, 4, 5))),
        "Softmax: channels_in ..16384": Pair(net("Softmax", (1, 16384)), net("Softmax", (1, 16385))),
        "Threshold: rank 4": Pair(net("Threshold", (1, 2, 3, 4)), net("Threshold", (1, 2, 3))),
        "Upsample: upsample_param.scale_h == upsample_param.scale_w": Pair(
            net("Upsample", (1, 2, 3, 4), "upsample_param { scale: 2 }"),
            net("Upsample", (1, 2, 3, 4), "upsample_param { scale_h: 2 scale_w: 3 }"),
        ),
        "Reorg: reorg_param.stride 2": Pair(
            net("Reorg", (1, 36, 6, 12), "reorg_param { stride: 2 }"),
            net("Reorg", (1, 36, 6, 12), "reorg_param { stride: 3 }"),
        ),
    },
    "tensorrt": {
        "Pooling: method MAX or AVE": METHODS,
        "Softmax: axis 1..": Pair(
            net("Softmax", (2, 8, 5, 7)), net("Softmax", (2, 8, 5, 7), "softmax_param { axis: 0 }")
        ),
        "Concat: axis 1..": Pair(concat(-1), concat(0)),
        "Deconvolution: dilation 1": Pair(deconv(), deconv("kernel_size: 4 stride: 2 dilation: 2")),
    },
    "openvino": {
        "Python: python_param.layer ProposalLayer": Pair(
            CASES_OF_TYPES["Python:rpn.proposal_layer.ProposalLayer"],
            net("Python", (4, 3), 'python_param { module: "norm2layer" layer: "Norm2Layer" }'),
        )
    },
    "ncnn": {"file: v1_form false": V1},
    "mnn": {"file: v1_form false": V1},
    "tengine": {},
    "opencv": {},
    "coremltools": {
        "InnerProduct: axis 1": Pair(full((2, 8, 5)), full((2, 8, 5), "axis: 2")),
        "InnerProduct: inner_product_param.transpose false": Pair(full((2, 8)), full((2, 8), "transpose: true")),
        "Convolution: axis 1": CONV_AXIS,
        "LRN: lrn_param.norm_region ACROSS_CHANNELS": Pair(
            net("LRN", (1, 8, 5, 7)), net("LRN", (1, 8, 5, 7), "lrn_param { norm_region: WITHIN_CHANNEL }")
        ),
        "Softmax: axis 1": SOFTMAX_AXIS,
        "Pooling: method MAX or AVE": METHODS,
        "Eltwise: not has(eltwise_param.coeff)": NO_COEFFICIENT,
        "Slice: not has(slice_param.slice_point)": Pair(
            net("Slice", (1, 4, 5, 7), tops=2),
            net("Slice", (1, 4, 5, 7), "slice_param { slice_point: 1 }", tops=2),
        ),
        "Exp: exp_param.base -1": Pair(net("Exp", (1, 9)), net("Exp", (1, 9), "exp_param { base: 2 }")),
        "Log: log_param.base -1": Pair(net("Log", (1, 9)), net("Log", (1, 9), "log_param { base: 2 }")),
    },
    "armnn": {
        "Convolution: dilation 1": DILATED,
        "Convolution: axis 1": CONV_AXIS,
        "Convolution: kernel_h == kernel_w and pad_h == pad_w and stride_h == stride_w": Pair(
            conv(), conv("kernel_size: 3 pad_h: 1 pad_w: 0")
        ),
        "Convolution: kernel ..11": Pair(conv("kernel_size: 11"), conv("kernel_size: 12")),
        "Convolution: pad ..11": Pair(conv("kernel_size: 3 pad: 11"), conv("kernel_size: 3 pad: 12")),
        "Convolution: stride ..11": Pair(conv("kernel_size: 3 stride: 11"), conv("kernel_size: 3 stride: 12")),
        "Concat: axis 1": Pair(concat(1), concat(2)),
        "Eltwise: not has(eltwise_param.coeff)": NO_COEFFICIENT,
        "Pooling: method MAX or AVE": METHODS,
        "Softmax: axis 1": SOFTMAX_AXIS,
    },
    "rknn1": {
        "file: v1_form false": V1,
        "Convolution/Deconvolution: dilation_h == dilation_w or min(dilation_h, dilation_w) == 1": Pair(
            conv("kernel_size: 3 dilation: 1 dilation: 2"), conv("kernel_size: 3 dilation: 3 dilation: 2")
        ),
        "Convolution: kernel_h <= 11 * stride_h and kernel_w <= 11 * stride_w"
        " and stride_h <= in_h and stride_w <= in_w": Pair(conv("kernel_size: 11"), conv("kernel_size: 12")),
        "Pooling: kernel 2 or 3 when method == 'MAX' and not global_pool": Pair(
            pool("kernel_size: 3"), pool("kernel_size: 4")
        ),
        "Pooling: kernel_h kernel_w when method == 'MAX' and not global_pool": Pair(
            pool("kernel_size: 3"), pool("kernel_h: 2 kernel_w: 3")
        ),
        "Pooling: kernel ..11 when method == 'AVE' and not global_pool": Pair(
            pool("pool: AVE kernel_size: 11"), pool("pool: AVE kernel_size: 12")
        ),
        "LSTM: batch 1": Pair(lstm(1), lstm(2)),
        "Softmax: rank 2..": Pair(net("Softmax", (1, 9)), net("Softmax", (9,), "softmax_param { axis: 0 }")),
    },
}

BY_CAFFE: frozenset[str] = frozenset(
    {
        "Eltwise: op SUM or PROD or MAX",
        "Pooling: pad_h < kernel_h and pad_w < kernel_w",
        "Pooling: pad_h <= kernel_h and pad_w <= kernel_w",
    }
)
"""Rules outside of which there is no layer that Caffe takes."""
