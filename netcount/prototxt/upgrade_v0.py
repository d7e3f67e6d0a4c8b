"""The oldest form, `layers { layer { type: "conv" … } }`, -> V1 (Caffe's upgrade_proto.cpp)."""

from __future__ import annotations

from typing import Any

from netcount.core.errors import InputError, NetcountError
from netcount.core.suggest import nearest
from netcount.prototxt.bind import BROKEN
from netcount.prototxt.message import Message

TYPES = {
    "accuracy": "ACCURACY",
    "bnll": "BNLL",
    "concat": "CONCAT",
    "conv": "CONVOLUTION",
    "data": "DATA",
    "dropout": "DROPOUT",
    "euclidean_loss": "EUCLIDEAN_LOSS",
    "flatten": "FLATTEN",
    "hdf5_data": "HDF5_DATA",
    "hdf5_output": "HDF5_OUTPUT",
    "im2col": "IM2COL",
    "images": "IMAGE_DATA",
    "infogain_loss": "INFOGAIN_LOSS",
    "innerproduct": "INNER_PRODUCT",
    "lrn": "LRN",
    "multinomial_logistic_loss": "MULTINOMIAL_LOGISTIC_LOSS",
    "pool": "POOLING",
    "relu": "RELU",
    "sigmoid": "SIGMOID",
    "softmax": "SOFTMAX",
    "softmax_loss": "SOFTMAX_LOSS",
    "split": "SPLIT",
    "tanh": "TANH",
    "window_data": "WINDOW_DATA",
}
"""V0's type names and V1's."""

PARAMS = {
    "conv": ("convolution_param", "ConvolutionParameter"),
    "innerproduct": ("inner_product_param", "InnerProductParameter"),
    "pool": ("pooling_param", "PoolingParameter"),
    "dropout": ("dropout_param", "DropoutParameter"),
    "lrn": ("lrn_param", "LRNParameter"),
    "data": ("data_param", "DataParameter"),
    "hdf5_data": ("hdf5_data_param", "HDF5DataParameter"),
    "images": ("image_data_param", "ImageDataParameter"),
    "window_data": ("window_data_param", "WindowDataParameter"),
    "infogain_loss": ("infogain_loss_param", "InfogainLossParameter"),
    "concat": ("concat_param", "ConcatParameter"),
}
"""V0 type -> the parameter message its own fields moved to, and that message's type."""

MOVES: dict[str, tuple[str, tuple[str, ...]]] = {
    "num_output": ("num_output", ("conv", "innerproduct")),
    "biasterm": ("bias_term", ("conv", "innerproduct")),
    "weight_filler": ("weight_filler", ("conv", "innerproduct")),
    "bias_filler": ("bias_filler", ("conv", "innerproduct")),
    "pad": ("pad", ("conv", "pool")),
    "kernelsize": ("kernel_size", ("conv", "pool")),
    "group": ("group", ("conv",)),
    "stride": ("stride", ("conv", "pool")),
    "pool": ("pool", ("pool",)),
    "dropout_ratio": ("dropout_ratio", ("dropout",)),
    "local_size": ("local_size", ("lrn",)),
    "alpha": ("alpha", ("lrn",)),
    "beta": ("beta", ("lrn",)),
    "k": ("k", ("lrn",)),
    "source": ("source", ("data", "hdf5_data", "images", "window_data", "infogain_loss")),
    "batchsize": ("batch_size", ("data", "hdf5_data", "images", "window_data")),
    "rand_skip": ("rand_skip", ("data", "images")),
    "shuffle_images": ("shuffle", ("images",)),
    "new_height": ("new_height", ("images",)),
    "new_width": ("new_width", ("images",)),
    "concat_dim": ("concat_dim", ("concat",)),
    "det_fg_threshold": ("fg_threshold", ("window_data",)),
    "det_bg_threshold": ("bg_threshold", ("window_data",)),
    "det_fg_fraction": ("fg_fraction", ("window_data",)),
    "det_context_pad": ("context_pad", ("window_data",)),
    "det_crop_mode": ("crop_mode", ("window_data",)),
}
"""V0 field -> its later name and the V0 types it means something for; elsewhere Caffe drops it."""

_REPEATED = {("conv", "pad"), ("conv", "kernel_size"), ("conv", "stride")}
TRANSFORM = {
    "scale": "scale",
    "meanfile": "mean_file",
    "cropsize": "crop_size",
    "mirror": "mirror",
}
"""V0 fields that went into transform_param, and their later names."""


def upgrade_v0(connections: list[Message], inputs: list[str], problems: list[NetcountError]) -> list[Message]:
    """V1 layers for V0 ones; padding layers go into the layer that reads them."""
    upgraded = []
    maker: dict[str, Message] = {}
    for connection in connections:
        inner = connection.child("layer")
        bottoms = list(connection.texts("bottom"))
        pad = None
        for index, blob in enumerate(bottoms):
            padding = maker.get(blob)
            if padding is None or padding.child("layer").text("type") != "padding":
                continue
            problem = _padding_problem(inner, bottoms, padding)
            if problem:
                problems.append(connection.error(problem))
                continue
            pad = padding.child("layer").integer("pad")
            bottoms[index] = padding.texts("bottom")[0]
        if inner.text("type") == "padding":  # it goes now, so nobody else tells
            problems.extend(
                connection.error(f'padding "{inner.text("name")}": unknown bottom "{blob}"', "bottom", index)
                for index, blob in enumerate(connection.texts("bottom"))
                if blob not in maker and blob not in inputs
            )
        else:
            unknown = _type_problem(inner)
            if unknown:
                problems.append(unknown)
            upgraded.append(_upgraded(connection, inner, bottoms, pad, unknown is not None))
        for blob in connection.texts("top"):
            maker[blob] = connection
    return upgraded


def _type_problem(inner: Message) -> InputError | None:
    """The error for a type that V0 has not; a layer without any is told with the unknown types."""
    old_type = inner.text("type")
    if not inner.has("type") or old_type in TYPES:
        return None
    return inner.error(f'V0 has no layer type "{old_type}"{nearest(old_type, TYPES)}', "type")


def _padding_problem(inner: Message, bottoms: list[str], padding: Message) -> str | None:
    if inner.text("type") not in ("conv", "pool"):
        return f'a padding layer feeds a "{inner.text("type")}" layer; it may feed conv or pool only'
    if len(bottoms) != 1:
        return f"a layer that a padding layer feeds takes one bottom, not {len(bottoms)}"
    if len(padding.texts("bottom")) != 1 or len(padding.texts("top")) != 1:
        return "a padding layer takes one bottom and one top"
    return None


def _upgraded(connection: Message, inner: Message, bottoms: list[str], pad: int | None, broken: bool) -> Message:
    old_type = inner.text("type")
    given = dict(inner.values)
    if pad is not None:
        given["pad"] = pad
    values: dict[str, Any] = {"bottom": bottoms, "top": connection.texts("top")}
    for name in ("name", "blobs", "blobs_lr", "weight_decay"):
        if name in given:
            values[name] = given[name]
    if "type" in given:
        values["type"] = TYPES.get(old_type, old_type)
    if broken or BROKEN in connection.values:
        values[BROKEN] = True
    moved: dict[str, Any] = {}
    for field, (target, types) in MOVES.items():
        if field in given and old_type in types:
            value = given[field]
            moved[target] = [value] if (old_type, target) in _REPEATED else value
    if moved:
        param, param_type = PARAMS[old_type]
        values[param] = Message(param_type, moved, inner.tree)
    transform = {target: given[field] for field, target in TRANSFORM.items() if field in given}
    if transform:
        values["transform_param"] = Message("TransformationParameter", transform, inner.tree)
    if "hdf5_output_param" in given and old_type == "hdf5_output":
        values["hdf5_output_param"] = given["hdf5_output_param"]
    return Message("V1LayerParameter", values, connection.tree)
