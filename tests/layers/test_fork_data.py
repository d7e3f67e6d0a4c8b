"""Sources of forks: what their parameters tell of the shapes."""

from __future__ import annotations

import pytest

from netcount.core.errors import InputError
from tests.helpers import inputs, net_of


def source(type: str, text: str, tops: str = "x l", **given: tuple[int, ...]) -> list[tuple[int, ...]]:
    names = "".join(f' top: "{name}"' for name in tops.split())
    net = net_of(f'layer {{ name: "d" type: "{type}"{names} {text} }}', input_shapes=given)
    return [tuple(shape) for shape in net.node("d").top_shapes]


CROP = "transform_param { crop_size: 9 }"


@pytest.mark.parametrize(
    ("type", "text", "tops", "shapes"),
    [
        ("BoxData", f"data_param {{ batch_size: 2 side: 7 }} {CROP}", "x l", [(2, 3, 9, 9), (2, 343)]),
        ("BoxData", f"data_param {{ batch_size: 2 }} {CROP}", "x l", [(2, 3, 9, 9), (2, 343)]),
        ("BoxData", f"data_param {{ batch_size: 2 side: 5 side: 3 }} {CROP}", "x a b",
         [(2, 3, 9, 9), (2, 175), (2, 63)]),
        ("BoxData", "data_param { batch_size: 2 min_size_and: 0.1 } transform_param { resize_h: 6 resize_w: 8 }",
         "x l", [(2, 3, 6, 8), (2, 150)]),
        ("ImageLabelmapData", "image_data_param { batch_size: 2 new_height: 5 new_width: 7 normalize: true }",
         "x l s", [(2, 3, 5, 7), (2, 1, 5, 7), (2, 1, 5, 7)]),
        ("CompactData", f"data_param {{ batch_size: 2 }} {CROP}", "x l", [(2, 3, 9, 9), (2, 1, 1, 1)]),
        ("ImageLabelData", f"image_label_data_param {{ batch_size: 2 label_slice {{ dim: 4 dim: 5 }} }} {CROP}",
         "x l", [(2, 3, 9, 9), (2, 1, 4, 5)]),
        ("ImageLabelData", f"image_label_data_param {{ batch_size: 2 scale_prob: 0.5 threads: 1 }} {CROP}", "x l",
         [(2, 3, 9, 9), (2, 1, 9, 9)]),
    ],
)  # fmt: skip
def test_images_and_their_labels(type: str, text: str, tops: str, shapes: list[tuple[int, ...]]) -> None:
    assert source(type, text, tops) == shapes


def test_label_images_follow_an_image_that_is_given() -> None:
    text = "image_data_param { batch_size: 1 }"
    assert source("ImageLabelmapData", text, x=(1, 3, 6, 8)) == [(1, 3, 6, 8), (1, 1, 6, 8)]
    assert source("BoxData", "data_param { side: 3 }", x=(4, 3, 6, 8)) == [(4, 3, 6, 8), (4, 63)]
    with pytest.raises(InputError, match=r'input_shapes=\{"x": \(N, C, H, W\)\}'):
        source("ImageLabelmapData", text)


def test_compact_data_are_written_in_the_old_form() -> None:
    text = f'layers {{ name: "d" type: COMPACT_DATA top: "x" top: "l" data_param {{ batch_size: 2 }} {CROP} }}'
    assert net_of(text).node("d").layer.type == "CompactData"
    with pytest.raises(InputError, match="crop_size must be positive"):
        source("CompactData", "data_param { batch_size: 2 }")


@pytest.mark.parametrize(
    ("param", "truth"),
    [
        ("stride: 16 image_size_x: 1248 image_size_y: 384 object_class { src: 1 dst: 0 }", (2, 9, 24, 78)),
        ("", (2, 9, 96, 312)),
        ("stride: 4 image_size_x: 9 image_size_y: 11 object_class { src: 1 dst: 2 }", (2, 11, 3, 2)),
    ],
)
def test_detectnet_makes_a_truth_for_each_cell(param: str, truth: tuple[int, ...]) -> None:
    text = (
        'layer { name: "t" type: "DetectNetTransformation" bottom: "x" bottom: "b" top: "y" top: "l" '
        f"detectnet_groundtruth_param {{ {param} }} }}"
    )
    images, labels = net_of(inputs(x=(2, 3, 50, 60), b=(2, 1, 5, 16)) + text).node("t").top_shapes
    assert tuple(labels) == truth
    assert images[:2] == (2, 3)
    with pytest.raises(InputError, match="3 channels"):
        net_of(inputs(x=(2, 1, 50, 60), b=(2, 1, 5, 16)) + text)
    with pytest.raises(InputError, match="a row for each of 2 images"):
        net_of(inputs(x=(2, 3, 50, 60), b=(3, 1, 5, 16)) + text)


COEFFICIENTS = (2, 42, 1, 1)


@pytest.mark.parametrize(
    ("text", "shapes", "tops"),
    [
        ('type: "FlowAugmentation" augmentation_param { crop_height: 5 crop_width: 9 }',
         [(2, 2, 4, 5), COEFFICIENTS, COEFFICIENTS], [(2, 2, 5, 9)]),
        ('type: "GenerateAugmentationParameters" augmentation_param { crop_height: 5 crop_width: 6 num: 3 }', [],
         [(3, 42, 1, 1)]),
        ('type: "GenerateAugmentationParameters" augmentation_param { crop_height: 5 crop_width: 6 }',
         [(2, 3, 7, 8)], [COEFFICIENTS]),
        ('type: "GenerateAugmentationParameters"', [COEFFICIENTS, (2, 3, 7, 8), (2, 3, 5, 6)], [COEFFICIENTS]),
        ('type: "BlackAugmentation"', [(2, 3, 7, 8), (2, 2, 7, 8)], [(2, 3, 7, 8), (2, 2, 7, 8)]),
        ('type: "ImgReader" reader_param { num: 4 } transform_param { crop_size: 7 }', [], [(4, 3, 7, 7)]),
    ],
)  # fmt: skip
def test_flownets_data(text: str, shapes: list[tuple[int, ...]], tops: list[tuple[int, ...]]) -> None:
    assert changed(text, shapes, len(tops)) == tops


def changed(text: str, shapes: list[tuple[int, ...]], tops: int) -> list[tuple[int, ...]]:
    names = [f"b{index}" for index in range(len(shapes))]
    blobs = "".join(f' bottom: "{name}"' for name in names) + "".join(f' top: "t{index}"' for index in range(tops))
    net = net_of(inputs(**dict(zip(names, shapes, strict=True))) + f'layer {{ name: "d"{blobs} {text} }}')
    return [tuple(shape) for shape in net.node("d").top_shapes]


@pytest.mark.parametrize(
    ("text", "shapes", "match"),
    [
        ('type: "FlowAugmentation" augmentation_param { crop_height: 5 }',
         [(2, 2, 4, 5), COEFFICIENTS, COEFFICIENTS],
         "crop_height and crop_width"),
        ('type: "FlowAugmentation" augmentation_param { crop_height: 5 crop_width: 9 }',
         [(2, 3, 4, 5), COEFFICIENTS, COEFFICIENTS], "2 channels"),
        ('type: "GenerateAugmentationParameters"', [(2, 3, 7, 8)], "crop_height, where no bottom"),
        ('type: "GenerateAugmentationParameters"', [(2, 3, 7, 8)] * 2, "one bottom or three"),
        ('type: "GenerateAugmentationParameters" augmentation_param { crop_height: 5 crop_width: 6 }', [],
         "a bottom or a positive num"),
        ('type: "GenerateAugmentationParameters" augmentation_param { crop_height: 5 crop_width: 6 }',
         [COEFFICIENTS], "bottomwidth and bottomheight"),
        ('type: "BlackAugmentation"', [(2, 4, 7, 8)], "2 or 3 channels"),
        ('type: "BlackAugmentation"', [(2, 3, 7, 8), (2, 3, 7, 9)], "must have images and extents"),
    ],
)  # fmt: skip
def test_flownets_data_that_are_refused(text: str, shapes: list[tuple[int, ...]], match: str) -> None:
    with pytest.raises(InputError, match=match):
        changed(text, shapes, max(1, len(shapes)) if "Black" in text else 1)


def test_custom_data_share_a_size() -> None:
    text = "data_param { batch_size: 4 slice_point: 3 slice_point: 6 }"
    shapes = source("CustomData", text, "x z f", x=(8, 3, 320, 448), f=(8, 2, 320, 448))
    assert shapes == [(8, 3, 320, 448), (8, 3, 320, 448), (8, 2, 320, 448)]
    assert source("CustomData", "", "x l", x=(8, 3, 5, 7)) == [(8, 3, 5, 7), (8, 1, 1, 1)]
    with pytest.raises(InputError, match='only the database knows the shape of "f"'):
        source("CustomData", text, "x z f", x=(8, 3, 320, 448))
    with pytest.raises(InputError, match="2 slice_points make 3 tops, not 2"):
        source("CustomData", text, "x z")
    with pytest.raises(InputError, match="cannot crop"):
        source("CustomData", "data_param { crop_size: 3 }", "x")
    with pytest.raises(InputError, match="must rise"):
        source("CustomData", "data_param { slice_point: 3 slice_point: 3 }", "x z f")


def test_only_the_file_knows_its_numbers() -> None:
    assert source("FloatReader", 'reader_param { file: "flow.float3" }', "x", x=(1, 2, 5, 7)) == [(1, 2, 5, 7)]
    with pytest.raises(InputError, match="only the file of numbers knows"):
        source("FloatReader", 'reader_param { file: "flow.float3" }', "x")


def test_a_label_a_side() -> None:
    with pytest.raises(InputError, match="makes 2 labels, not 1"):
        source("BoxData", f"data_param {{ batch_size: 2 side: 7 side: 5 }} {CROP}")


@pytest.mark.parametrize("type", ["FLOWriter", "ImgWriter", "FloatWriter", "PFMWriter", "MatWrite"])
def test_writers_have_no_top_and_cost_nothing(type: str) -> None:
    text = f'layer {{ name: "w" type: "{type}" bottom: "x" writer_param {{ folder: "out" }} }}'
    row = net_of(inputs(x=(1, 2, 3, 4)) + text).analyze().layers[-1]
    assert (row.tops, row.params, row.ops.others) == ((), 0, 0)


def test_mat_write_takes_many_bottoms_and_a_period() -> None:
    text = 'layer { name: "w" type: "MatWrite" bottom: "x" bottom: "z" mat_write_param { prefix: "o" strip: 0 } }'
    assert net_of(inputs(x=(1, 2), z=(3,)) + text).analyze().complete
    with pytest.raises(InputError, match="period"):
        net_of(inputs(x=(1, 2), z=(3,)) + text.replace("strip", "period"))
