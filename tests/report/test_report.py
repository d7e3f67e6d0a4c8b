"""The report for people: what is folded, whose shapes are told how, and a notebook's view of it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pandas as pd
import pytest

import netcount
from netcount.analysis.count import count
from netcount.graph.load import load_net, load_text
from netcount.graph.options import LoadOptions
from netcount.report.analysis import View, headline, layer_parts, report, totals_parts
from netcount.report.columns import COLUMNS, CSV_KEYS
from netcount.report.formats.html import html
from netcount.report.formats.layout import Table, lines, plain
from netcount.report.formats.markdown import markdown
from netcount.report.tabular import analysis_csv
from tests.helpers import SAMPLES, conformance_cases, graph_of, inputs

DEEP = SAMPLES / "mobilenet_v1.prototxt"
BOXES = inputs(data=(1, 2, 18, 22), rois=(30, 5)) + (
    'layer { name: "pool" type: "ROIPooling" bottom: "data" bottom: "rois" top: "pool" '
    "roi_pooling_param { pooled_h: 3 pooled_w: 4 spatial_scale: 0.5 } }\n"
    'layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 7 } }\n'
)


def shown_types(view: View, convention: str = "madds") -> set[str]:
    counted = count(load_net(DEEP), netcount.load(DEEP).analyze(convention).convention)
    table, *_ = layer_parts(counted, view)
    assert isinstance(table, Table)
    names = {row[0] for row in table.rows}
    return {row.type for row in counted.layers if row.name in names}


ACCEPTED = [case for case in conformance_cases() if case["verdict"] == "accepted"]


@pytest.mark.parametrize("case", ACCEPTED, ids=[case["name"] for case in ACCEPTED])
def test_every_kind_of_layer_in_every_format(case: dict[str, Any]) -> None:
    analysis = netcount.loads(case["prototxt"], batch="net").analyze("flops")
    counted = count(graph_of(analysis.net), analysis.convention)
    parts = report(counted, View(columns=tuple(COLUMNS), fold=False))
    for text in (plain(parts, 40), plain(parts), markdown(parts), html(parts)):
        assert all(row.name in text.replace("\\", "") for row in analysis.layers)
    names = [row["name"] for row in csv.DictReader(io.StringIO(analysis_csv([counted], View())))]
    assert names == [row.name for row in analysis.layers] == list(analysis.to_frame()["name"])
    document = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    assert [layer["name"] for layer in document["layers"]] == names


def test_a_deep_net_is_folded_to_the_rows_that_tell_a_number() -> None:
    assert shown_types(View()) == {"Convolution", "Scale"}
    assert shown_types(View(columns=("name", "madds"))) == {"Convolution"}
    assert shown_types(View(columns=("name", "statistics"))) == {"BatchNorm"}
    assert shown_types(View(columns=("name", "type"))) == {"Convolution", "Scale"}
    assert "ReLU" in shown_types(View(), "flops")
    assert "Input" in shown_types(View(fold=False))


def test_what_was_folded_is_told() -> None:
    parts = layer_parts(count(load_net(DEEP)), View())
    assert parts[1:] == [
        "57 layers hidden, no value in any shown column: "
        "27 BatchNorm, 27 ReLU, 1 Input, 1 Pooling, 1 Softmax (--no-fold shows them)"
    ]


def test_a_shallow_net_is_folded_on_demand_only() -> None:
    counted = count(load_net(SAMPLES / "nin.prototxt"))
    (table,) = layer_parts(counted, View())
    assert isinstance(table, Table)
    assert len(table.rows) == len(counted.layers)
    folded, _ = layer_parts(counted, View(fold=True))
    assert isinstance(folded, Table)
    assert len(folded.rows) == sum(bool(row.madds) for row in counted.layers)


def test_many_boxes_of_one_image_are_told() -> None:
    counted = count(load_text(BOXES))
    assert "input data 18×22×2, rois [30×5]" in headline(counted)
    table, *_ = layer_parts(counted, View(columns=("name", "tops", "bottoms")))
    assert isinstance(table, Table)
    assert table.rows[2:] == (("pool", "30·3×4×2", "18×22×2 (+1)"), ("fc", "[30×7]", "30·3×4×2"))


def test_a_layer_that_borrows_its_params_says_whose_they_are() -> None:
    text = inputs(x=(1, 3, 8, 9)) + "".join(
        f'layer {{ name: "c/{index}" type: "Convolution" bottom: "x" top: "y{index}" param {{ name: "w" }} '
        'param { name: "b" } convolution_param { num_output: 4 kernel_size: 3 } }\n'
        for index in range(2)
    )
    counted = count(load_text(text))
    table, *_ = layer_parts(counted, View())
    assert isinstance(table, Table)
    assert (table.titles[4], table.titles[-1]) == ("params", "shared with")
    assert [(row[0], row[4], row[-1]) for row in table.rows[1:]] == [("c/0", "112", ""), ("c/1", "", "c/0")]
    rows = list(csv.DictReader(io.StringIO(analysis_csv([counted], View()))))
    assert [row["shared_with"] for row in rows] == ["", "", "c/0/0 c/0/1"]


def test_a_batch_is_not_part_of_a_shape() -> None:
    counted = count(load_net(SAMPLES / "nin.prototxt", LoadOptions(batch=4)))
    assert "input data 224×224×3 · counts for a batch of 4" in headline(counted)


def test_totals_are_rounded_and_exact() -> None:
    analysis = netcount.load(DEEP).analyze("netscope")
    table, others, about = totals_parts(count(load_net(DEEP), analysis.convention))
    assert isinstance(table, Table)
    assert table.rows == (
        ("params", "4.23M", "4,231,976"),
        ("statistics, not learned", "21.92k", "21,915"),
        ("madds", "568.74M", "568,740,352"),
        ("activations", "5.20M", "5,196,240"),
        ("netscope", "573.78M", "573,783,040"),
        ("weight bytes, float32", "16.23 MiB", "17,015,564"),
    )
    assert others == "other ops: 10.15M adds, 5.06M muls, 5.04M divs, 5.04M compares, 11.94k exps"
    assert isinstance(about, str)
    assert about.startswith("netscope: madds, and")


def test_a_footers_label_stands_over_the_empty_cells_behind_it() -> None:
    table = Table(("a", "b", "n"), (False, False, True), (("x", "y", "1"),), ("total of all", "", "1"))
    assert plain([table]).splitlines()[-1] == "total of all  1"
    assert plain([table], 8).splitlines()[-1] == "to…l  1"
    wide = table._replace(rows=(("xxxxxx", "yyyyyy", "1"),))
    assert plain([wide]).splitlines()[-1] == "total of all    1"
    assert [line.role for line in lines([wide, "text"])] == ["title", "rule", "row", "rule", "footer", "text"]


def test_the_frame_has_the_columns_in_order_and_whole_numbers() -> None:
    analysis = netcount.load(SAMPLES / "alexnet.prototxt").analyze()
    frame = analysis.to_frame()
    assert list(frame.columns) == list(CSV_KEYS)
    assert frame["madds"].dtype == "int64"
    assert frame["group"].dtype == pd.Int64Dtype()
    conv2 = frame.set_index("name").loc["conv2"]
    assert (conv2["kernel"], conv2["group"], conv2["tops"]) == ((5, 5), 2, ((1, 256, 27, 27),))
    assert frame["group"].isna().sum() == (frame["type"] != "Convolution").sum() - 3
    assert frame["madds"].sum() == analysis.totals.madds
    assert frame["share"].sum() == pytest.approx(1)


def test_an_analysis_shows_itself() -> None:
    analysis = netcount.load(SAMPLES / "squeezenet_v1.1.prototxt").analyze()
    assert repr(analysis) == "<Analysis of 'SqueezeNet_v1.1': 67 layers, 1.24M params, 387.75M madds>"
    assert str(analysis).count("387.75M") == 2
    page = analysis._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 4
    assert page.count("<tr>") == 1 + 67 + 1 + 5 + 3 + 3
    assert "77.61%" in page
