"""What MS-CNN trains on, and its judges: shapes and costs by their sources."""

from __future__ import annotations

from typing import Any

import pytest

from netcount.core.errors import InputError, MissingShapeError
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from tests.helpers import layer_of, net_of


def infer(text: str, *shapes: tuple[int, ...], tops: int = 1, phase: str = "TEST") -> list[Any]:
    return layer_of(text, len(shapes), tops, phase).infer([Shape(shape) for shape in shapes])


TARGET = 'type: "ProposalTarget" proposal_target_param { %s }'


def test_regions_are_sampled_up_to_the_batch() -> None:
    found = infer(TARGET % "cls_num: 4 batch_size: 16", (9, 5, 1, 1), (2, 7, 1, 1), tops=7)
    values = [5, 1, 16, 16, 16, 6, 1]
    assert found == [(16, number, 1, 1) for number in values]
    assert layer_of(TARGET % "cls_num: 4 batch_size: 16", 2, 6).data_dependent([]) is None


def test_classes_may_share_their_boxes_and_all_regions_may_count() -> None:
    text = TARGET % "cls_num: 4 batch_size: -1" + " bbox_reg_param { cls_aware: false }"
    assert infer(text, (9, 5, 1, 1), (2, 7, 1, 1), tops=6)[2:] == [(9, 8, 1, 1)] * 3 + [(9, 6, 1, 1)]
    assert layer_of(text, 2, 6).data_dependent([]) == "one row per region that is sampled"


def test_boxes_of_a_volume_have_six_sides() -> None:
    found = infer(TARGET % "class_num: 3", (9, 7), (2, 7), tops=5)
    assert found == [(1, 7), (1, 1), (1, 18), (1, 18), (1, 18)]


@pytest.mark.parametrize(
    ("param", "tops", "said"),
    [
        ("cls_num: 4", 5, "takes 6 to 7 tops, not 5"),
        ("class_num: 4", 6, "takes 5 tops, not 6"),
        ("", 6, "needs cls_num"),
        ("cls_num: 4 batch_size: 0", 6, "batch_size 0 must be positive"),
    ],
)
def test_what_a_sampler_needs(param: str, tops: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        layer_of(TARGET % param, 2, tops)


def test_sampled_regions_and_truth_are_rows_of_five_and_seven() -> None:
    with pytest.raises(InputError, match="must hold 7 or 8 values per box"):
        infer(TARGET % "cls_num: 4", (9, 5, 1, 1), (2, 6, 1, 1), tops=6)
    found = layer_of(TARGET % "cls_num: 4 batch_size: 16", 2, 6).ops(
        [Shape((9, 5, 1, 1)), Shape((2, 7, 1, 1))], [Shape((16, 5, 1, 1))]
    )
    pairs = (9 + 2) * 2
    assert found == OpCount(
        adds=10 * pairs + 18 * 16, muls=3 * pairs + 64, divs=pairs + 128, compares=8 * pairs + 33, exps=32
    )


LOSS = 'type: "DetectionLoss" detection_loss_param { %s }'


def test_mscnns_loss_has_two_numbers() -> None:
    assert infer(LOSS % "cls_num: 3", (2, 7, 5, 6), (2, 6, 5, 6)) == [(1, 1, 1, 2)]
    with pytest.raises(InputError, match="must have 7 channels: 3 classes and 4 coordinates"):
        infer(LOSS % "cls_num: 3", (2, 8, 5, 6), (2, 6, 5, 6))
    with pytest.raises(InputError, match="differ in height or width"):
        infer(LOSS % "cls_num: 3", (2, 7, 5, 6), (2, 6, 5, 7))
    with pytest.raises(InputError, match="objectness needs cls_num 2, not 3"):
        layer_of(LOSS % "cls_num: 3 objectness: true", 2)


def test_yolos_loss_of_the_same_name_has_one() -> None:
    text = LOSS % "side: 7 num_class: 20 num_object: 2 constriant: true"
    assert infer(text, (3, 1470), (3, 343)) == [()]
    with pytest.raises(InputError, match="must hold 1470 values per image"):
        infer(text, (3, 1471), (3, 343))
    with pytest.raises(InputError, match="must hold 343 values per image"):
        infer(text, (3, 1470), (3, 340))
    cells, values, pairs = 3 * 49, 3 * 49 * (20 + 2 + 4), 3 * 49 * 2
    assert layer_of(text, 2).ops([Shape((3, 1470)), Shape((3, 343))], [Shape()]) == OpCount(
        adds=2 * values + 17 * pairs,
        muls=2 * values + 9 * pairs,
        divs=3 * pairs + 5,
        compares=20 * cells + 8 * pairs,
        exps=pairs + 2 * cells,
    )


def test_judges_give_numbers_without_positions() -> None:
    accuracy = 'type: "DetectionAccuracy" detection_accuracy_param { cls_num: 3 }'
    assert infer(accuracy, (2, 7, 5, 6), (2, 6, 5, 6), tops=2) == [(1, 1, 1, 2), (1, 1, 1, 1)]
    with pytest.raises(InputError, match="must have 7 channels"):
        infer(accuracy, (2, 6, 5, 6), (2, 6, 5, 6))
    with pytest.raises(InputError, match="differ in images, height or width"):
        infer(accuracy, (2, 7, 5, 6), (1, 6, 5, 6))
    assert infer('type: "BboxAccuracy"', (9, 12), (9, 5, 1, 1), (9, 6, 1, 1), tops=2) == [(1, 1, 1, 1)] * 2
    with pytest.raises(InputError, match="differ in boxes"):
        infer('type: "BboxAccuracy"', (9, 12), (8, 5, 1, 1), (9, 6, 1, 1))


FIELDS = "field_w: 40 field_h: 40 downsample_rate: 8 field_w: 80 field_h: 80 downsample_rate: 32"


def images(rest: str, tops: str = "x a b", phase: str = "TEST") -> str:
    names = "".join(f' top: "{name}"' for name in tops.split())
    return (
        f'layer {{ name: "d" type: "ImageGtData"{names} image_gt_data_param {{ batch_size: 2 {FIELDS} {rest} }} }}'
    )


def test_each_branch_has_a_truth_of_its_own_size() -> None:
    net = net_of(images("resize_width: 250 resize_height: 130 output_gt_boxes: true", "x a b g"))
    assert [top.shape for top in net.nodes[0].tops] == [
        (2, 3, 130, 250),
        (2, 6, 16, 31),
        (2, 6, 4, 7),
        (1, 7, 1, 1),
    ]
    assert "3 channels are assumed" in net.warnings[0].message
    cropped = net_of(images("resize_width: 250 resize_height: 130 crop_width: 96 crop_height: 64 coord_num: 3"))
    assert [top.shape for top in cropped.nodes[0].tops] == [(2, 3, 64, 96), (2, 5, 8, 12), (2, 5, 2, 3)]


def test_the_list_of_images_knows_the_size_where_the_file_does_not() -> None:
    with pytest.raises(MissingShapeError, match=r'input_shapes=\{"x"'):
        net_of(images("resize_width: 250"))
    net = net_of(images(""), input_shapes={"x": (2, 1, 64, 96)})
    assert [top.shape for top in net.nodes[0].tops][1:] == [(2, 6, 8, 12), (2, 6, 2, 3)]
    assert not net.warnings
    with pytest.raises(InputError, match="needs 3 tops"):
        net_of(images("", "x a"))
    with pytest.raises(InputError, match="crop_width 96 is larger than the resized image's 90"):
        net_of(images("resize_width: 90 resize_height: 130 crop_width: 96 crop_height: 64"))
    with pytest.raises(InputError, match="3 field_h for 2 downsample_rate"):
        net_of(images("field_h: 9"))
