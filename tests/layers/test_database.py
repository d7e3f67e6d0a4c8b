"""Sources of images: whose extents count, and what forks refuse."""

from __future__ import annotations

import pytest

from netcount.errors import InputError
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
