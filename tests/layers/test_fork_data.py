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
    with pytest.raises(InputError, match="--input-shape x=N,C,H,W"):
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
