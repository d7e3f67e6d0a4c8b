"""Reading and writing .caffemodel, held to protobuf; damage of any kind is an InputError."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from netcount.caffemodel import read as caffemodel
from netcount.caffemodel import wire
from netcount.caffemodel import write as caffemodel_writer
from netcount.caffemodel.read import CaffeModel, StoredBlob
from netcount.core.errors import InputError
from netcount.prototxt.protobuf import message_class
from netcount.prototxt.schema import fields_of
from tests.helpers import GOLDEN, examples, needs_golden

MIB = 2**20
Opened = Callable[[bytes], CaffeModel]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """bytes -> the model they are."""
    return lambda data: open_bytes(tmp_path, data)


def open_bytes(folder: Path, data: bytes) -> CaffeModel:
    path = folder / "it.caffemodel"
    path.unlink(missing_ok=True)  # a file that is open must not change
    path.write_bytes(data)
    return caffemodel.open(path)


def varint(value: int) -> bytes:
    """A number as protobuf writes it, made here so that the tests depend on nobody's encoder."""
    value &= 2**64 - 1
    groups = [value >> shift & 0x7F for shift in range(0, 64, 7) if value >> shift or not shift]
    return bytes([*(g | 0x80 for g in groups[:-1]), groups[-1]])


def record(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def packed(number: int, values: Any, dtype: str = "<f4") -> bytes:
    return record(number, np.asarray(values, dtype).tobytes())


def unpacked(number: int, values: Any, dtype: str = "<f4") -> bytes:
    wire = 5 if dtype == "<f4" else 1
    array = np.asarray(values, dtype)
    return b"".join(varint(number << 3 | wire) + v.tobytes() for v in array)


def shaped(*dims: int) -> bytes:
    return record(7, record(1, b"".join(map(varint, dims))))


def net_with(*blobs: bytes, name: bytes = b"ip") -> bytes:
    layer = record(1, name) + record(2, b"InnerProduct")
    return record(100, layer + b"".join(record(7, blob) for blob in blobs))


def only_blob(model: CaffeModel) -> StoredBlob:
    ((blob,),) = (layer.blobs for layer in model.layers)
    return blob


def small_net() -> Any:
    """A net of three layers as a protobuf message; its shapes are pairwise different."""
    rng = np.random.default_rng(7)
    net = message_class("NetParameter")(name="small")
    for name, type, shapes in (
        ("conv", "Convolution", [(2, 3, 1, 5), (2,)]),
        ("relu", "ReLU", []),
        ("ip", "InnerProduct", [(4, 3)]),
    ):
        layer = net.layer.add(name=name, type=type, bottom=["in"], top=["out"])
        for shape in shapes:
            layer.blobs.add(shape={"dim": shape}, data=rng.standard_normal(np.prod(shape)).astype(np.float32))
    net.layer[0].convolution_param.num_output = 2
    return net


def listed(model: CaffeModel) -> list[Any]:
    """Everything a model says, down to the values' bytes."""
    return [
        (layer.name, layer.type, [(b.shape, b.legacy, b.array().tobytes()) for b in layer.blobs])
        for layer in model.layers
    ]


# ---- what protobuf writes, and what protobuf reads


def test_what_protobuf_wrote_is_read(opened: Opened) -> None:
    net = small_net()
    with opened(net.SerializeToString()) as model:
        assert model.net_name == "small"
        for mine, theirs in zip(model.layers, net.layer, strict=True):
            assert (mine.name, mine.type) == (theirs.name, theirs.type)
            for blob, stored in zip(mine.blobs, theirs.blobs, strict=True):
                assert blob.shape == tuple(stored.shape.dim)
                assert not blob.legacy
                assert blob.array().dtype == np.float32
                np.testing.assert_array_equal(blob.array(), np.array(stored.data, np.float32).reshape(blob.shape))


def test_what_is_written_protobuf_reads(tmp_path: Path) -> None:
    weights = np.arange(24, dtype=np.float32).reshape(2, 3, 1, 4)
    scalar, empty = np.array(2.5, np.float32), np.zeros((0, 3), np.float32)
    caffemodel_writer.write(tmp_path / "m", "nét", [("a", "Convolution", [weights, scalar]), ("b", "X", [empty])])
    net = message_class("NetParameter").FromString((tmp_path / "m").read_bytes())
    assert net.name == "nét"
    assert [(layer.name, layer.type) for layer in net.layer] == [("a", "Convolution"), ("b", "X")]
    blobs = [blob for layer in net.layer for blob in layer.blobs]
    assert [tuple(blob.shape.dim) for blob in blobs] == [(2, 3, 1, 4), (), (0, 3)]
    assert all(blob.HasField("shape") for blob in blobs)
    assert [list(blob.data) for blob in blobs] == [weights.ravel().tolist(), [2.5], []]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "m.caffemodel"
    arrays = [np.full(shape, 1.5, np.float32) for shape in ((3, 1, 2), (), (4, 0), (1,) * 32)]
    caffemodel_writer.write(path, "n", (("l", "T", [array]) for array in arrays))
    with caffemodel.open(path) as model:
        for layer, array in zip(model.layers, arrays, strict=True):
            np.testing.assert_array_equal(layer.blobs[0].array(), array)
            assert layer.blobs[0].count == array.size


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<f2", "i4", "u1"])
def test_other_number_types_are_written_as_float32(tmp_path: Path, dtype: str) -> None:
    array = np.arange(6).astype(dtype).reshape(2, 3).T
    caffemodel_writer.write(tmp_path / "m", "", [("l", "T", [array])])
    with caffemodel.open(tmp_path / "m") as model:
        np.testing.assert_array_equal(only_blob(model).array(), array.astype(np.float32))


# ---- the forms a blob can have


def test_arrays_stay_good_and_are_not_writable(opened: Opened) -> None:
    model = opened(net_with(shaped(2, 3) + packed(5, range(6))))
    array = only_blob(model).array()
    assert not array.flags.writeable
    model.close()
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_closed_model_gives_no_more_arrays(opened: Opened) -> None:
    with opened(net_with(shaped(1) + packed(5, [1]))) as model:
        pass
    with pytest.raises(ValueError, match="closed"):
        only_blob(model).array()


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
@pytest.mark.parametrize("form", [packed, unpacked])
def test_a_file_cut_short_while_it_is_read_is_an_error(tmp_path: Path, dtype: str, form: Any) -> None:
    values = np.arange(100_000)
    data = net_with(shaped(100_000) + form(8 if dtype == "<f8" else 5, values, dtype))
    path = tmp_path / "m.caffemodel"
    path.write_bytes(data)
    with caffemodel.open(path) as model:
        np.testing.assert_array_equal(only_blob(model).array(), values)
        os.truncate(path, len(data) // 2)
        with pytest.raises(InputError, match="cut short while it was read"):
            only_blob(model).array()


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 18, 47, 48, 49, 50, 200_000])
def test_unpacked_values_of_any_number(opened: Opened, count: int) -> None:
    values = np.arange(count, dtype=np.float32) + np.float32(0.5)
    blob = unpacked(5, values) + shaped(count)
    array = only_blob(opened(net_with(blob))).array()
    np.testing.assert_array_equal(array, values)


def test_values_that_look_like_tags_are_values(opened: Opened) -> None:
    value = struct.unpack("<f", b"\x2d\x2d\x2d\x2d")[0]
    blob = unpacked(5, [value] * 40) + shaped(40)
    assert only_blob(opened(net_with(blob))).array().tolist() == [value] * 40


def test_mixed_runs_are_one_row_of_values(opened: Opened) -> None:
    blob = packed(5, [0, 1]) + unpacked(5, [2, 3]) + unpacked(6, [9, 9]) + shaped(4, 2)
    blob += packed(5, []) + unpacked(5, [4]) + b"\xad\x00" + struct.pack("<f", 5) + packed(5, [6, 7])
    found = only_blob(opened(net_with(blob)))
    assert (found.shape, found.count) == ((4, 2), 8)
    assert found.array().ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("form", [packed, unpacked])
def test_double_data_is_taken_before_data(opened: Opened, form: Any) -> None:
    blob = shaped(3) + packed(5, [7, 7]) + form(8, [0.1, -2, 1e300], "<f8")
    with np.errstate(over="ignore"):
        expected = np.array([0.1, -2, 1e300]).astype(np.float32)
    array = only_blob(opened(net_with(blob))).array()
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(("type", "dtype"), [(0, "<f8"), (1, "<f4"), (2, "<f2")])
def test_raw_data_of_nvidia(opened: Opened, type: int, dtype: str) -> None:
    blob = shaped(2, 1) + b"\x50" + varint(type) + packed(12, [0.5, -3], dtype)
    assert only_blob(opened(net_with(blob))).array().tolist() == [[0.5], [-3]]


@pytest.mark.parametrize("type", [b"", b"\x50\x03"])
def test_raw_data_of_no_or_another_type_is_refused(opened: Opened, type: bytes) -> None:
    with pytest.raises(InputError, match="raw_data"):
        opened(net_with(shaped(2) + type + packed(12, [0.5, -3])))


def test_legacy_axes_win_over_a_shape(opened: Opened) -> None:
    legacy = b"".join(varint(axis << 3) + varint(n) for axis, n in enumerate((1, 3, 2, 4), 1))
    found = only_blob(opened(net_with(shaped(24) + legacy + packed(5, range(24)))))
    assert (found.shape, found.legacy) == ((1, 3, 2, 4), True)
    assert found.array()[0, 2, 1, 3] == 23


def test_a_legacy_axis_left_out_is_zero(opened: Opened) -> None:
    found = only_blob(opened(net_with(varint(1 << 3) + varint(5))))
    assert (found.shape, found.count, found.legacy) == ((5, 0, 0, 0), 0, True)
    assert found.array().shape == (5, 0, 0, 0)


def test_a_shape_in_pieces_is_one_shape(opened: Opened) -> None:
    blob = shaped(2) + record(7, b"\x08\x03" + record(1, b"\x01")) + packed(5, range(6))
    assert only_blob(opened(net_with(blob))).shape == (2, 3, 1)


def test_a_blob_without_axes_is_one_value(opened: Opened) -> None:
    assert only_blob(opened(net_with(packed(5, [4.5])))).array().shape == ()


# ---- older nets


def test_v1_layers(opened: Opened) -> None:
    net = message_class("NetParameter")(name="old")
    layer = net.layers.add(name="conv1", type="CONVOLUTION")
    layer.blobs.add(num=2, channels=3, height=1, width=1, data=range(6))
    net.layers.add(name="unset")
    with opened(net.SerializeToString()) as model:
        kinds = [(found.name, found.type) for found in model.layers]
        assert kinds == [("conv1", "CONVOLUTION"), ("unset", "NONE")]
        assert model.layers[0].blobs[0].shape == (2, 3, 1, 1)
        assert model.layers[0].blobs[0].array().ravel().tolist() == [0, 1, 2, 3, 4, 5]


def test_a_v0_layer_inside_a_v1_layer(opened: Opened) -> None:
    net = message_class("NetParameter")()
    inner = net.layers.add(bottom=["data"]).layer
    inner.name, inner.type = "conv1", "conv"
    inner.blobs.add(num=1, channels=1, height=1, width=2, data=[3, 4])
    (layer,) = opened(net.SerializeToString()).layers
    assert (layer.name, layer.type) == ("conv1", "conv")
    assert layer.blobs[0].array().ravel().tolist() == [3, 4]


def test_a_v1_type_that_nobody_knows_is_refused(opened: Opened) -> None:
    with pytest.raises(InputError, match="LayerType"):
        opened(record(2, record(4, b"x") + b"\x28" + varint(999)))


def test_fields_that_forks_use_otherwise_are_passed_over(opened: Opened) -> None:
    forked = b"".join(varint(n << 3) + b"\x01" for n in (145, 146, 147, 148, 149))  # NVIDIA's
    (layer,) = opened(record(100, record(1, b"x") + forked)).layers
    assert layer.name == "x"


# ---- refusals

REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "is empty"),
    ("text", b'name: "x"\nlayer { name: "y" }\n', "wire type"),
    ("zeros", bytes(64), "byte 0"),
    ("ones", b"\xff" * 64, "more than 10 bytes"),
    ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
    ("png", b"\x89PNG\r\n\x1a\n" + bytes(64), "field 0"),
    ("no known field", record(77, b"abc") * 3, "not a .caffemodel"),
    (
        "a mean file",
        b"\x08\x01\x10\x03\x18\x02\x20\x02" + packed(5, range(12)),
        "NetParameter.name",
    ),
    ("a solver state", b"\x08\x80\x01" + record(2, b"net"), "NetParameter.name"),
    ("both generations", net_with() + record(2, record(4, b"x")), "layers"),
    ("a group", record(1, b"n") + b"\x9b\x06", "wire type 3"),
    ("too few values", net_with(shaped(2, 3) + packed(5, range(5))), "6 values, the file 5"),
    ("too many values", net_with(shaped(2, 3) + packed(5, range(7))), "6 values, the file 7"),
    ("no values", net_with(shaped(2, 3)), "6 values, the file 0"),
    ("an empty blob", net_with(b""), "1 values, the file 0"),
    ("a broken value", net_with(shaped(1) + record(5, b"abcde")), "whole number"),
    ("a negative axis", net_with(shaped(-1, -6) + packed(5, range(6))), "not possible"),
    ("a negative legacy axis", net_with(b"\x08" + varint(-1)), "not possible"),
    ("33 axes", net_with(shaped(*[1] * 33) + packed(5, [1])), "32 axes"),
    ("33 axes in pieces", net_with(shaped(1) * 33 + packed(5, [1])), "not possible"),
    ("a vast empty shape", net_with(shaped(0, 2**31 - 1, 2**31 - 1)), "larger"),
    ("a count that overflows", net_with(shaped(2**62, 4)), "larger"),
    ("data as a number", net_with(shaped(1) + b"\x28\x01"), "BlobProto.data"),
    ("data as doubles", net_with(shaped(1) + b"\x29" + bytes(8)), "BlobProto.data"),
    ("a name as a number", record(100, b"\x08\x01"), "LayerParameter.name"),
    ("a name not in UTF-8", net_with(name=b"\xff\xfe"), "UTF-8"),
    ("a layer past the end", varint(100 << 3 | 2) + varint(2**40) + b"abc", "missing"),
    ("a blob past its layer", record(100, b"\x3a\x40") + bytes(64), "missing"),
]


@pytest.mark.parametrize(("data", "words"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_it_is_refused_in_one_line_that_names_the_file(opened: Opened, data: bytes, words: str) -> None:
    with pytest.raises(InputError) as refusal:
        opened(data)
    assert words in str(refusal.value)
    assert "it.caffemodel" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_error_names_the_byte(opened: Opened) -> None:
    good = net_with(shaped(1) + packed(5, [1]))
    with pytest.raises(InputError, match=f"byte {len(good)}:"):
        opened(good + b"\x09")


@pytest.mark.parametrize("path", ["", "nowhere", ".", "a\0b"])
def test_what_is_no_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError):
        caffemodel.open(f"{tmp_path}/{path}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="regular"):
        caffemodel.open(tmp_path / "pipe")


def test_a_file_of_layers_without_end_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_ITEMS", 50)
    with pytest.raises(InputError, match="50"):
        opened(record(100, b"") * 51)
    with pytest.raises(InputError, match="50"):
        opened(net_with(*[shaped(0)] * 50))


# ---- damage


def ends_of_top_fields(net: Any) -> dict[int, int]:
    """Length of each prefix of the file that is a whole net -> the number of its layers."""
    position = len(record(1, net.name.encode()))
    ends = {position: 0}
    for count, layer in enumerate(net.layer, 1):
        position += len(record(100, layer.SerializeToString()))
        ends[position] = count
    return ends


def test_cut_anywhere_it_is_refused_or_a_whole_prefix(tmp_path: Path) -> None:
    net = small_net()
    data, ends = net.SerializeToString(), ends_of_top_fields(net)
    whole = listed(open_bytes(tmp_path, data))
    assert max(ends) == len(data)
    for length in range(len(data)):
        if length in ends:
            cut = open_bytes(tmp_path, data[:length])
            assert listed(cut) == whole[: ends[length]]
        else:
            with pytest.raises(InputError):
                open_bytes(tmp_path, data[:length])


SMALL = small_net()
CLEAN = SMALL.SerializeToString()
WHERE = st.integers(0, len(CLEAN) - 1)
FOLDER_IS_SHARED = [HealthCheck.function_scoped_fixture]


@examples(1500, suppress_health_check=FOLDER_IS_SHARED)
@given(WHERE, st.integers(0, 4), st.binary(max_size=6))
def test_damage_is_refused_or_leaves_what_stands_before_it(tmp_path: Path, at: int, cut: int, put: bytes) -> None:
    damaged = CLEAN[:at] + put + CLEAN[at + cut :]
    whole = listed(open_bytes(tmp_path, CLEAN))
    try:
        found = listed(open_bytes(tmp_path, damaged))
    except InputError:
        return
    intact = max((n for end, n in ends_of_top_fields(SMALL).items() if end <= at), default=0)
    assert found[:intact] == whole[:intact]
    assert_as_protobuf(damaged, found)


@examples(1500, suppress_health_check=FOLDER_IS_SHARED)
@given(WHERE, st.integers(0, 255))
def test_one_wrong_byte(tmp_path: Path, at: int, value: int) -> None:
    damaged = CLEAN[:at] + bytes([value]) + CLEAN[at + 1 :]
    try:
        found = listed(open_bytes(tmp_path, damaged))
    except InputError:
        return
    assert_as_protobuf(damaged, found)


pieces = st.one_of(
    st.binary(max_size=8),
    st.builds(record, st.sampled_from([1, 2, 7, 100]), st.binary(max_size=12)),
    st.builds(net_with, st.binary(max_size=12)),
    st.builds(net_with, st.builds(packed, st.sampled_from([5, 8]), st.lists(st.just(1), max_size=3))),
)


@examples(1500, suppress_health_check=FOLDER_IS_SHARED)
@given(st.lists(pieces, max_size=4).map(b"".join))
def test_noise(tmp_path: Path, data: bytes) -> None:
    try:
        found = listed(open_bytes(tmp_path, data))
    except InputError:
        return
    assert_as_protobuf(data, found)


def assert_as_protobuf(data: bytes, found: list[Any]) -> None:
    """What was read is what protobuf reads, unless it refuses what is not looked at here."""
    try:
        net = message_class("NetParameter").FromString(data)
    except Exception:  # protobuf's DecodeError, or UnicodeDecodeError; by its implementation
        return
    layers = net.layers or net.layer
    assert len(found) == len(layers)
    for (name, type, blobs), layer in zip(found, layers, strict=True):
        if net.layers and layer.HasField("layer"):
            layer = layer.layer
        kind = fields_of(layer.DESCRIPTOR.name)["type"]
        number_name = layer.DESCRIPTOR.fields_by_name["type"].enum_type
        assert name == layer.name
        expected = number_name.values_by_number[layer.type].name if kind[1] == "enum" else layer.type
        assert type == expected
        for (shape, legacy, values), blob in zip(blobs, layer.blobs, strict=True):
            axes = [axis for axis in ("num", "channels", "height", "width") if blob.HasField(axis)]
            assert legacy == bool(axes)
            old = (blob.num, blob.channels, blob.height, blob.width)
            assert shape == (old if legacy else tuple(blob.shape.dim))
            if blob.double_data or blob.data or not blob.HasField("raw_data"):
                with np.errstate(all="ignore"):
                    given_values = np.array(blob.double_data or blob.data).astype(np.float32)
                np.testing.assert_array_equal(np.frombuffer(values, np.float32), given_values)


# ---- what it costs


@pytest.fixture
def traced() -> Iterator[None]:
    """tracemalloc from zero, and off again."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def resident_bytes() -> int:
    """The process's resident memory; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.usefixtures("traced")
def test_a_large_file_is_listed_without_reading_its_weights(tmp_path: Path) -> None:
    values = 150 * MIB
    tail = shaped(values)
    inner = varint(5 << 3 | 2) + varint(4 * values)
    blob_bytes = len(inner) + 4 * values + len(tail)
    blob = varint(7 << 3 | 2) + varint(blob_bytes)
    name = record(1, b"fc6")
    head = varint(100 << 3 | 2) + varint(len(name) + len(blob) + blob_bytes) + name + blob + inner
    path = tmp_path / "sparse.caffemodel"
    with path.open("wb") as stream:  # a hole of 600 MiB, which takes no room on the disk
        stream.write(head)
        stream.seek(4 * values, os.SEEK_CUR)
        stream.write(tail + net_with(shaped(2) + packed(5, [1, 2]), name=b"fc7"))
    before = resident_bytes()
    with caffemodel.open(path) as model:
        assert [(layer.name, layer.blobs[0].shape) for layer in model.layers] == [
            ("fc6", (values,)),
            ("fc7", (2,)),
        ]
        assert model.layers[1].blobs[0].array().tolist() == [1, 2]
        assert resident_bytes() - before < 32 * MIB
    assert tracemalloc.get_traced_memory()[1] < MIB


@pytest.mark.usefixtures("traced")
def test_a_length_that_lies_allocates_nothing(opened: Opened) -> None:
    for data in (
        varint(1 << 3 | 2) + varint(2**62) + b"x",
        record(100, varint(7 << 3 | 2) + varint(2**40)),
        net_with(varint(5 << 3 | 2) + varint(2**33)),
        net_with(shaped(2**30, 2**30)),
    ):
        with pytest.raises(InputError):
            opened(data)
    assert tracemalloc.get_traced_memory()[1] < MIB


def test_listing_does_not_import_numpy(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(CLEAN)
    code = (
        "import sys; from netcount.caffemodel import read as caffemodel\n"
        "assert len(caffemodel.open(sys.argv[1]).layers) == 3\n"
        "assert not {'numpy', 'google.protobuf'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "m")], check=True)


@pytest.mark.usefixtures("traced")
def test_writing_holds_one_blob_at_a_time(tmp_path: Path) -> None:
    def layers() -> Iterator[tuple[str, str, list[Any]]]:
        for index in range(6):
            yield f"l{index}", "T", [np.zeros((2, MIB), np.float32)]

    caffemodel_writer.write(tmp_path / "m", "n", layers())
    assert tracemalloc.get_traced_memory()[1] < 2.5 * 8 * MIB
    assert (tmp_path / "m").stat().st_size > 6 * 8 * MIB


# ---- writing that fails


def fails_after_one() -> Iterator[tuple[str, str, list[Any]]]:
    yield "a", "T", [np.zeros(3, np.float32)]
    raise KeyError("the source of the weights broke")


@pytest.mark.parametrize("old", [None, b"what stood there"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, old: bytes | None) -> None:
    path = tmp_path / "m"
    if old:
        path.write_bytes(old)
    with pytest.raises(KeyError):
        caffemodel_writer.write(path, "n", fails_after_one())
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([old] if old else [])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(2, np.complex64), "complex64"),
        (np.array(["a"]), "cannot be stored"),
        (np.zeros((1,) * 33, np.float32), "33 axes"),
        (np.array([1e300]), "exceeds float32"),
        (np.broadcast_to(np.float32(0), (2**29,)), "2 GiB"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path: Path, array: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        caffemodel_writer.write(tmp_path / "m", "n", [("l", "T", [array])])
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Unicode"):
        caffemodel_writer.write(tmp_path / "m", "\ud800", [])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        caffemodel_writer.write(tmp_path / "no" / "m", "n", [])


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    caffemodel_writer.write(tmp_path / "link", "n", [])
    assert (tmp_path / "link").is_symlink()
    assert caffemodel.open(tmp_path / "real").net_name == "n"


# ---- real models


@needs_golden
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.caffemodel")), ids=lambda p: p.stem)
def test_golden_models_are_read_and_rewritten_as_protobuf_has_them(path: Path, tmp_path: Path) -> None:
    net = message_class("NetParameter").FromString(path.read_bytes())
    copy = tmp_path / "copy.caffemodel"
    with caffemodel.open(path) as model:
        assert model.net_name == net.name
        for mine, theirs in zip(model.layers, net.layer, strict=True):
            assert (mine.name, mine.type) == (theirs.name, theirs.type)
            for blob, stored in zip(mine.blobs, theirs.blobs, strict=True):
                assert blob.shape == tuple(stored.shape.dim)
                expected = np.array(stored.data, np.float32).reshape(blob.shape)
                np.testing.assert_array_equal(blob.array(), expected)
        caffemodel_writer.write(
            copy,
            model.net_name,
            ((layer.name, layer.type, [b.array() for b in layer.blobs]) for layer in model.layers),
        )
        with caffemodel.open(copy) as again:
            assert again == model
            assert listed(again) == listed(model)
