"""Input data from files: numpy arrays, and images by Pillow."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, NamedTuple
from warnings import catch_warnings, simplefilter

from netcount.core.errors import InputError, NetcountError, reason
from netcount.core.files import shown_path
from netcount.core.lazy_numpy import np
from netcount.core.shape import Shape
from netcount.core.units import human_bytes
from netcount.graph.graph import Graph

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Preparation(NamedTuple):
    """What is done to an image: (pixel − mean of its channel) · scale.  mean: one value, or one a
    channel in the order blue, green, red; empty for none."""

    mean: tuple[float, ...] = ()
    scale: float = 1.0


def read_inputs(values: Sequence[str], net: Graph, prepared: Preparation) -> dict[str, Array]:
    """`["data=cat.jpg"]` -> {"data": array of the blob's shape}.  InputError names what is wrong."""
    arrays: dict[str, Array] = {}
    shapes = {blob.name: blob.shape for blob in reversed(net.blobs)}
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not path:
            raise InputError(f"{value} is not BLOB=FILE", argument="inputs")
        if name not in shapes:
            known = ", ".join(net.blobs[index].name for index in net.inputs)
            raise InputError(f'the net has no blob "{name}"; its inputs are {known}', argument="inputs")
        if name in arrays:
            raise InputError(f'the data of "{name}" are given twice', argument="inputs")
        arrays[name] = _read(path, name, shapes[name], prepared)
    return arrays


def _read(path: str, blob: str, shape: Shape, prepared: Preparation) -> Array:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError(f"{shown_path(path)} is not a regular file")
        with open(path, "rb") as stream:
            if stream.peek(2)[:2] == b"PK":  # a .npz, whatever it is called
                return _member(path, blob, shape)
            if stream.peek(6)[:6] == b"\x93NUMPY" or path.endswith((".npy", ".npz")):
                return _array(stream, os.path.getsize(path), shape)
        return read_image(path, shape, prepared)
    except NetcountError:
        raise
    except Exception as failure:  # numpy, zipfile and Pillow raise many kinds for a damaged file
        raise InputError(f"cannot read {shown_path(path)}: {reason(failure)}") from None


def _member(path: str, blob: str, shape: Shape) -> Array:
    """The array of a blob's name in a .npz, or its only one."""
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        name = blob if blob in names else names[0] if len(names) == 1 else None
        if name is None:
            raise InputError(f'{shown_path(path)} has no array "{blob}"; it has {", ".join(names) or "none"}')
        member = archive.infolist()[names.index(name)]
        with archive.open(member) as stream:
            return _array(stream, member.file_size, shape)


def _array(stream: IO[bytes], stored_bytes: int, shape: Shape) -> Array:
    """The numbers of a .npy stream, if they are not far more than the blob holds.  ValueError else."""
    if stored_bytes > 16 * shape.count() + 2**20:
        raise ValueError(f"its {human_bytes(stored_bytes)} are far more than a blob of {shape} holds")
    array = np.lib.format.read_array(stream, allow_pickle=False)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"it holds {array.dtype}, not real numbers")
    with np.errstate(over="ignore"):  # values beyond float32 become infinite, as in weights
        return np.asarray(array, dtype=np.float32)


def read_image(path: str, shape: Shape, prepared: Preparation) -> Array:
    """An image scaled to N×C×H×W: channels blue, green, red (C = 3) or grey (C = 1), values 0 to 255."""
    try:
        from PIL import Image
    except ImportError:
        raise InputError(
            f"to read {shown_path(path)} as an image takes Pillow, of the extra netcount[image]; "
            "in a clone: python -m pip install '.[image]'"
        ) from None
    if len(shape) != 4 or shape[1] not in (1, 3):
        raise InputError(f"an image cannot fill a blob of {shape}; it needs N×1×H×W or N×3×H×W")
    images, channels, height, width = shape
    if len(prepared.mean) not in (0, 1, channels):
        raise InputError(f"{len(prepared.mean)} mean values for {channels} channels")
    with catch_warnings():
        simplefilter("ignore", Image.DecompressionBombWarning)  # twice as large is an error
        with Image.open(path) as image:
            if image.mode[0] in "IF":  # which Pillow would cut off at 255
                raise InputError(
                    f"{shown_path(path)} has pixels of more than 8 bits; convert it, or give an array"
                )
            mode = image.convert("L" if channels == 1 else "RGB")
            pixels = np.asarray(mode.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)
    planes = pixels.reshape(height, width, channels)[:, :, ::-1].transpose(2, 0, 1)
    mean = np.asarray(prepared.mean or (0.0,), dtype=np.float32).reshape(-1, 1, 1)
    one = (planes - mean) * np.float32(prepared.scale)
    return np.ascontiguousarray(np.broadcast_to(one, (images, channels, height, width)))
