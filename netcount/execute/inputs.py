"""Input data from files: numpy arrays, and images by Pillow."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile

from netcount.errors import InputError
from netcount.lazy import np
from netcount.net import Net
from netcount.shape import Shape

if TYPE_CHECKING:
    from numpy.lib.npyio import NpzFile

    from netcount.layers.run import Array


class Preparation(NamedTuple):
    """What is done to an image: (pixel − mean of its channel) · scale.  mean: one value, or one a
    channel in the order blue, green, red; empty for none."""

    mean: tuple[float, ...] = ()
    scale: float = 1.0


def read_inputs(values: Sequence[str], net: Net, prepared: Preparation) -> dict[str, Array]:
    """`["data=cat.jpg"]` -> {"data": array of the blob's shape}.  InputError names what is wrong."""
    found: dict[str, Array] = {}
    shapes = {blob.name: blob.shape for blob in reversed(net.blobs)}
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not path:
            raise InputError(f"--input {value}: needs BLOB=FILE")
        if name not in shapes:
            known = ", ".join(net.blobs[index].name for index in net.inputs)
            raise InputError(f'--input {value}: the net has no blob "{name}"; its inputs are {known}')
        if name in found:
            raise InputError(f"--input {value}: the data of that blob are given twice")
        found[name] = _read(path, name, shapes[name], prepared)
    return found


def _read(path: str, blob: str, shape: Shape, prepared: Preparation) -> Array:
    ending = os.path.splitext(path)[1].lower()
    if ending not in (".npy", ".npz"):
        return read_image(path, shape, prepared)
    try:
        with open(path, "rb") as stream:  # numpy would leave a damaged .npz open
            loaded = np.load(stream, allow_pickle=False)
            array = loaded if isinstance(loaded, np.ndarray) else _member(loaded, path, blob)
    except (OSError, ValueError, EOFError, MemoryError, BadZipFile, zlib.error) as failure:
        raise InputError(f"cannot read {path}: {failure}") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"cannot read {path}: its values are of type {array.dtype}, not real numbers")
    with np.errstate(over="ignore"):  # beyond float32 they are infinite, as in Caffe
        return np.asarray(array, dtype=np.float32)


def _member(arrays: NpzFile, path: str, blob: str) -> Array:
    """The array of an .npz that is called as the blob, or its only one."""
    with arrays:
        names = arrays.files
        name = blob if blob in names else names[0] if len(names) == 1 else None
        if name is None:
            raise InputError(f'{path} has no array "{blob}"; it has {", ".join(names) or "none"}')
        found: Array = arrays[name]
        return found


def read_image(path: str, shape: Shape, prepared: Preparation) -> Array:
    """An image scaled to N×C×H×W: channels blue, green, red (C = 3) or grey (C = 1), values 0 to 255."""
    try:
        from PIL import Image
    except ImportError:
        raise InputError(f"to read {path} as an image, install netcount[image]") from None
    if len(shape) != 4 or shape[1] not in (1, 3):
        raise InputError(f"an image cannot fill a blob of {shape}; it needs N×1×H×W or N×3×H×W")
    images, channels, height, width = shape
    if len(prepared.mean) not in (0, 1, channels):
        raise InputError(f"{len(prepared.mean)} mean values for {channels} channels")
    try:
        with Image.open(path) as image:
            if image.mode[0] in "IF":  # which Pillow would cut off at 255
                raise InputError(f"{path} has pixels of more than 8 bits; convert it, or give an array")
            mode = image.convert("L" if channels == 1 else "RGB")
            pixels = np.asarray(mode.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)
    except (
        OSError,
        ValueError,
        SyntaxError,
        MemoryError,
        Image.DecompressionBombError,
    ) as failure:
        raise InputError(f"cannot read {path}: {failure}") from None
    planes = pixels.reshape(height, width, channels)[:, :, ::-1].transpose(2, 0, 1)
    mean = np.asarray(prepared.mean or (0.0,), dtype=np.float32).reshape(-1, 1, 1)
    one = (planes - mean) * np.float32(prepared.scale)
    return np.ascontiguousarray(np.broadcast_to(one, (images, channels, height, width)))
