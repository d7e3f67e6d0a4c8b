"""Sources of images: whose extents count, and what forks refuse."""

from __future__ import annotations

from typing import Any

import pytest

from netcount.core.errors import InputError
from tests.helpers import layer_of, net_of


def shapes(kind: str, rest: str, tops: str = "y l", **options: object) -> list[tuple[int, ...]]:
    names = "".join(f' top: "{name}"' for name in tops.split())
    net = net_of(f'layer {{ name: "d" type: "{kind}"{names} {rest} }}', **options)
    return [tuple(top.shape) for top in net.nodes[0].tops]


@pytest.mark.parametrize(
    ("rest", "extent"),
    [
        ("dense_image_data_param { batch_size: 2 new_height: 7 new_width: 9 }", (7, 9)),
        (
            "dense_image_data_param { batch_size: 2 new_height: 7 new_width: 9 crop_height: 4 crop_width: 5 }",
            (4, 5),
        ),
        (
            "transform_param { crop_size: 3 } "
            "dense_image_data_param { batch_size: 2 new_height: 7 new_width: 9 crop_height: 4 crop_width: 5 }",
            (3, 3),
        ),
    ],
)
def test_a_dense_image_is_cropped_by_crop_size_first(rest: str, extent: tuple[int, int]) -> None:
    assert shapes("DenseImageData", rest) == [(2, 3, *extent), (2, 1, *extent)]


def test_only_databases_are_made_grey_by_the_transformation() -> None:
    grey = "transform_param { force_gray: true crop_size: 5 }"
    files = "image_data_param { batch_size: 2 new_height: 7 new_width: 9"
    assert shapes("Data", f"{grey} data_param {{ batch_size: 2 }}")[0] == (2, 1, 5, 5)
    assert shapes("ImageData", f"{grey} {files} }}")[0] == (2, 3, 5, 5)
    assert shapes("ImageData", f"{files} is_color: false }}")[0] == (2, 1, 7, 9)


def test_several_resize_params_are_read_and_the_first_counts() -> None:
    resize = "resize_param { height: 352 width: 416 } resize_param { height: 320 width: 320 }"
    rest = f"transform_param {{ {resize} }} data_param {{ batch_size: 4 }}"
    assert shapes("AnnotatedData", rest) == [(4, 3, 352, 416), (1, 1, 1, 8)]
    rest += " annotated_data_param { yolo_data_type: 1 }"
    assert shapes("AnnotatedData", rest) == [(4, 3, 352, 416), (4, 1, 300, 5)]


def test_the_image_decides_where_only_its_small_side_fits() -> None:
    resize = "transform_param { resize_param { height: 300 width: 300 resize_mode: FIT_SMALL_SIZE } }"
    with pytest.raises(InputError, match="does not tell the shape of"):
        shapes("AnnotatedData", resize + " data_param { batch_size: 1 }")
    with pytest.raises(InputError, match="needs a batch_size of 1, not 2"):
        layer_of(f'type: "AnnotatedData" {resize} data_param {{ batch_size: 2 }}', 0, 2)


def test_an_image_seg_data_may_leave_tops_out_and_says_how_it_labels() -> None:
    rest = (
        "transform_param { crop_size: 9 } image_data_param { batch_size: 2 label_type: PIXEL ignore_label: 255 }"
    )
    assert shapes("ImageSegData", rest) == [(2, 3, 9, 9), (2, 1, 9, 9)]
    assert shapes("ImageSegData", rest, "y l d") == [(2, 3, 9, 9), (2, 1, 9, 9), (2, 1, 1, 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"DenseImageData" dense_image_data_param { new_height: 7 }', "new_height and new_width"),
        ('"DenseImageData" dense_image_data_param { crop_width: 7 }', "crop_height and crop_width"),
        ('"ImageSegData" image_data_param { new_height: 7 }', "new_height and new_width"),
        ('"ImageSegData" transform_param { mean_file: "m" }', "knows no mean_file"),
        ('"ImageSegData" transform_param { crop_height: 7 }', "both crop_height and crop_width"),
        (
            '"ImageSegData" transform_param { crop_size: 7 crop_height: 7 crop_width: 7 }',
            "needs crop_size, or both",
        ),
        ('"ImageData" image_data_param { new_width: 7 }', "new_height and new_width"),
    ],
)
def test_what_the_forks_refuse(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(f"type: {text}", 0, 2)


@pytest.mark.parametrize(
    ("settings", "channels"), [("", 30), ("modality: RGB", 45), ("modality: RGB grayscale: true", 15)]
)
def test_the_frames_of_a_snippet_are_channels(settings: str, channels: int) -> None:
    text = f"""layer {{ name: "d" type: "VideoData" top: "data" top: "label" transform_param {{ crop_size: 224 }}
        video_data_param {{ source: "list" batch_size: 4 new_length: 5 num_segments: 3 {settings} }} }}"""
    assert [blob.shape for blob in net_of(text).blobs] == [(4, channels, 224, 224), (4, 1, 1, 1)]


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ("", (4, 1, 40, 64)),
        ("seg_scales: 4", (4, 1, 80, 128)),
        ("seg_resize_width: 20 seg_resize_height: 10", (4, 1, 20, 10)),
    ],
)
def test_maps_of_one_class_have_their_own_size_or_a_part_of_the_images(settings: str, shape: Any) -> None:
    text = f"""layer {{ name: "d" type: "AnnotatedData" top: "data" top: "label" top: "seg"
        data_param {{ batch_size: 4 }} transform_param {{ resize_param {{ height: 320 width: 512 }} }}
        annotated_data_param {{ yolo_data_type: 1 {settings} }} }}"""
    assert [blob.shape for blob in net_of(text).blobs] == [(4, 3, 320, 512), (4, 1, 300, 5), shape]
    with pytest.raises(InputError, match=r'input_shapes=\{"seg": \(N, C, H, W\)\}'):
        net_of(text.replace("yolo_data", "single_class: false yolo_data"))


def test_a_part_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="seg_scales 0 must be positive"):
        shapes(
            "AnnotatedData",
            "data_param { batch_size: 4 } transform_param { crop_size: 64 } "
            "annotated_data_param { seg_scales: 0 }",
            "y l s",
        )
