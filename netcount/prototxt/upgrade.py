"""V0 and V1 nets and legacy inputs -> the current form (Caffe's util/upgrade_proto.cpp)."""

from __future__ import annotations

from typing import Any

from netcount.core.errors import NetcountError
from netcount.prototxt.bind import BROKEN
from netcount.prototxt.message import Message
from netcount.prototxt.schema import fields_of

V1_TYPES = {
    "NONE": "",
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IM2COL": "Im2col",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
    # forks' own
    "COMPACT_DATA": "CompactData",
    "CONVOLUTION3D": "Convolution3D",
    "DECONVOLUTION3D": "Deconvolution3D",
    "LOCAL": "Local",
    "MULTI_STAGE_MEANFIELD": "MultiStageMeanfield",
    "POOLING3D": "Pooling3D",
    "VIDEO_DATA": "VideoData",
}
"""V1's enum names and the type strings that took their place."""

DROPPED = "?dropped"
"""Holds the numbers of `input_dim` that Caffe leaves out."""

PAST_THE_END = "?past_the_end"
"""Marks a shape that Caffe would take from beyond the end of `input_dim`."""

KEPT_OF_V0 = ("name", "input", "input_dim", "force_backward")
"""The fields of a V0 net, besides its layers, that Caffe's upgrade copies."""

DATA_PARAMS = {
    "DATA": "data_param",
    "COMPACT_DATA": "data_param",
    "IMAGE_DATA": "image_data_param",
    "WINDOW_DATA": "window_data_param",
    "VIDEO_DATA": "image_data_param",
}
"""V1 type -> the data parameters that held what is now in transform_param."""

MOVED_TO_TRANSFORM = ("scale", "mean_file", "crop_size", "mirror")
"""The fields that moved there."""

PARAM_SPECS = (
    ("param", "name"),
    ("blob_share_mode", "share_mode"),
    ("blobs_lr", "lr_mult"),
    ("weight_decay", "decay_mult"),
)
"""V1's repeated fields, an entry a parameter blob, and what they are called in `param { … }`."""


def upgrade(net: Message, problems: list[NetcountError]) -> Message:
    """The same net in the current form: `layer` messages only, inputs as an Input layer."""
    values = dict(net.values)
    layers: list[Message] = values.get("layer", [])
    old: list[Message] = values.pop("layers", [])
    if old and layers:
        problems.append(
            net.error(
                "the net has both 'layer' and 'layers' fields, which Caffe refuses to read; "
                "write all layers in the current 'layer' form",
                "layers" if old[0].tree.offset > layers[0].tree.offset else "layer",
            )
        )
        old = []
    if old:
        if any(message.has("layer") for message in old):
            from netcount.prototxt.upgrade_v0 import upgrade_v0  # few nets are so old

            old = upgrade_v0(old, net.texts("input"), problems)
            values = {name: values[name] for name in KEPT_OF_V0 if name in values}
        layers = [_upgrade_v1(message) for message in old]
    layers = [_with_fixed_statistics(layer) for layer in layers]
    inputs = _input_layers(Message(net.type, values, net.tree), layers, problems)
    return Message(net.type, {**values, "layer": inputs + layers}, net.tree)


def _upgrade_v1(old: Message) -> Message:
    known = fields_of("LayerParameter")
    values: dict[str, Any] = {
        name: value
        for name, value in old.values.items()
        if (name in known and name not in ("param", "type", "layer")) or name[0] == "?"
    }
    if old.has("type"):
        enum_name = old.text("type")
        # a fork's enum value is told by its own name, and then found unknown
        values["type"] = V1_TYPES.get(enum_name, enum_name)
        data_param = DATA_PARAMS.get(enum_name, "")
        transform = _transform(old, data_param)
        if transform:
            data = old.child(data_param)
            left = {name: value for name, value in data.values.items() if name not in MOVED_TO_TRANSFORM}
            values |= {"transform_param": transform, data_param: Message(data.type, left, data.tree)}
    specs: list[dict[str, Any]] = []
    for field, target in PARAM_SPECS:
        for index, value in enumerate(old.get(field)):
            while len(specs) <= index:
                specs.append({})
            specs[index][target] = value
    if BROKEN in old.values:
        values[BROKEN] = True
    if specs:
        values["param"] = [Message("ParamSpec", spec, old.tree) for spec in specs]
    return Message("LayerParameter", values, old.tree)


def _transform(old: Message, data_param: str) -> Message | None:
    """V1's crop_size and the like, which moved from the data parameters to transform_param."""
    if not data_param:
        return None
    data = old.child(data_param)
    moved = {name: data.values[name] for name in MOVED_TO_TRANSFORM if data.has(name)}
    if not moved:
        return None
    transform = old.child("transform_param")
    return Message("TransformationParameter", {**transform.values, **moved}, data.tree)


def _with_fixed_statistics(layer: Message) -> Message:
    """BatchNorm's three `param` entries of old files, with the rates set to 0; names stay."""
    specs = layer.values.get("param", ())
    if layer.text("type") != "BatchNorm" or len(specs) != 3:
        return layer
    fixed = [Message(s.type, {**s.values, "lr_mult": 0.0, "decay_mult": 0.0}, s.tree) for s in specs]
    return Message(layer.type, {**layer.values, "param": fixed}, layer.tree)


def _input_layers(net: Message, layers: list[Message], problems: list[NetcountError]) -> list[Message]:
    """Legacy `input:` fields as one Input layer named "input".

    Inputs without any shape, which Caffe drops, make an Input layer without shapes where a layer
    needs them: --input-shape can give them.  Where `input_dim` ends early Caffe reads past its
    end; here those tops have no shape.  Caffe takes four numbers per input and leaves out the rest.
    """
    names = net.texts("input")
    shapes = list(net.children("input_shape"))[: len(names)]
    short = 0 < len(shapes) < len(names)
    if short:
        problems.append(
            net.error(
                f"{len(names)} inputs but {len(shapes)} input_shape; Caffe would read past the end of them",
                "input_shape",
            )
        )
    dropped: list[int] = []
    if not shapes:
        dims = net.integers("input_dim")
        dropped = dims[4 * len(names) :]
        for first in range(0, min(len(dims) // 4, len(names)) * 4, 4):
            shapes.append(Message("BlobShape", {"dim": dims[first : first + 4]}, net.tree))
        if shapes:
            missing = len(names) - len(shapes)
            shapes += [Message("BlobShape", {PAST_THE_END: True}, net.tree) for _ in range(missing)]
        else:
            read = {bottom for layer in layers for bottom in layer.texts("bottom")}
            made = {top for layer in layers for top in layer.texts("top")}
            names = [name for name in names if name in read - made]
    if not names:
        return []
    left_out = {DROPPED: dropped} if dropped else {}
    values: dict[str, Any] = {
        "name": "input",
        "type": "Input",
        "top": names,
        "input_param": Message("InputParameter", {"shape": shapes, **left_out}, net.tree),
    }
    if short:
        values[BROKEN] = True
    tree = type(net.tree)(net.tree.source, net.place_offset("input"))
    tree.fields = [(field, value, at) for field, value, at in net.tree.fields if field == "input"]
    return [Message("LayerParameter", values, tree)]
