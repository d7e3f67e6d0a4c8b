"""Hold the estimate of times against measured ones, and write the tables of docs/estimate.md.

It needs ../shared beside the clone: the published times, and five nets that are no samples. Run it after a change
of the estimate or of a DPU's figures: python tools/validate_estimates.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from netcount.analysis.count import Count, count
from netcount.core.units import human
from netcount.graph.load import load_net
from netcount.graph.options import LoadOptions
from netcount.targets.estimate import Estimate
from netcount.targets.fit import Target, fit
from netcount.targets.profile import COMBINED, Board
from netcount.targets.shipped import profile

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PAGE = ROOT / "docs" / "estimate.md"
WIDE = "wide/nets/"
NETS: Mapping[str, tuple[str, Mapping[str, tuple[int, ...]]]] = {
    "resnet50": ("prototxt_samples/resnet50.prototxt", {}),
    "resnet18": (WIDE + "beniz+deepdetect__20eb6346_templates_caffe_resnet_18_deploy.prototxt", {}),
    "inception_v1": ("prototxt_samples/googlenet.prototxt", {}),
    "inception_v2": (WIDE + "beniz+deepdetect__eef73fbc_templates_caffe_googlenet_bn_deploy.prototxt", {}),
    "inception_v3": (
        WIDE + "SnailTyan+caffe-model-zoo__285fdf9c_Inception-v3_deploy.prototxt",
        {"data": (1, 3, 299, 299)},
    ),
    "inception_v4": (WIDE + "SnailTyan+caffe-model-zoo__bbbcf67f_Inception-v4_deploy.prototxt", {}),
    "mobilenet_v1": ("prototxt_samples/mobilenet_v1.prototxt", {}),
    "mobilenet_v2": ("prototxt_samples/mobilenet_v2.prototxt", {}),
    "squeezenet_v1.1": ("prototxt_samples/squeezenet_v1.1.prototxt", {}),
    "vgg16": ("prototxt_samples/vgg16.prototxt", {}),
    "vgg19": (WIDE + "SnailTyan+caffe-model-zoo__95044342_VGG19_deploy.prototxt", {}),
}
"""The nets, where each lies, and input shapes where the file's are not those of the measurement."""
PUBLISHED = {
    "cf_resnet50_imagenet_224_224_7.7G": "resnet50",
    "cf_resnet18_imagenet_224_224_3.65G": "resnet18",
    "cf_inceptionv1_imagenet_224_224_3.16G": "inception_v1",
    "cf_inceptionv2_imagenet_224_224_4G": "inception_v2",
    "cf_inceptionv3_imagenet_299_299_11.4G": "inception_v3",
    "cf_inceptionv4_imagenet_299_299_24.5G": "inception_v4",
    "tf_mobilenetv1_1.0_imagenet_224_224_1.14G": "mobilenet_v1",
    "tf_mobilenetv1_imagenet_224_224_1.14G": "mobilenet_v1",
    "cf_mobilenetv2_imagenet_224_224_0.59G": "mobilenet_v2",
    "cf_squeezenet_imagenet_227_227_0.76G": "squeezenet_v1.1",
    "cf_squeeze_imagenet_227_227_0.76G": "squeezenet_v1.1",
    "tf_vgg16_imagenet_224_224_30.96G": "vgg16",
    "tf_vgg19_imagenet_224_224_39.28G": "vgg19",
}
"""The published models, and which of the nets each is; the last number of a name is twice the multiply-adds."""
BOARDS = {"KV260": "kv260", "ZCU104": "zcu104", "ZCU102": "zcu102", "Ultra96": "ultra96_v1.2"}
BANDWIDTHS = [round(10**9 * 1.02**step) for step in range(-35, 120)]
"""What is tried: from a half to ten GB a second, in steps of 2 %."""
CPU = "Raspberry Pi 4"
_MARKS = re.compile(r"(<!-- made by tools/validate_estimates\.py: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Row(NamedTuple):
    """One net on one board, in milliseconds of one core; `fitted` with a bandwidth from the other nets."""

    board: str
    net: str
    measured: float
    fitted: float
    naive: float

    def error(self, ms: float) -> float:
        """By which part of the measured time an estimate is off."""
        return ms / self.measured - 1


def measured(board: Board) -> dict[str, float]:
    """Milliseconds an image on one core, from the published images a second with all cores busy."""
    table = BOARDS[board.name]
    version = "1.2" if table.startswith("ultra") else "1.4"
    document = json.loads((SHARED / "targets" / f"validation_vitis_ai_{version}.json").read_text(encoding="utf-8"))
    rows = (document["perf"] if version == "1.2" else document)[table]
    found = {}
    for row in rows:
        if row[2] in PUBLISHED:
            rate = row[5] if row[5] != "NA" else row[4]
            found.setdefault(PUBLISHED[row[2]], 1000 * board.cores / float(rate))
    return found


def counted() -> dict[str, Count]:
    """All nets."""
    return {
        name: count(load_net((ROOT if path[0] == "p" else SHARED) / path, LoadOptions.of(input_shapes=shapes)))
        for name, (path, shapes) in NETS.items()
    }


def seconds(estimate: Estimate, bandwidth: int) -> float:
    """The estimate with another bandwidth."""
    clock, less = estimate.speed.clock_hz, float(COMBINED[estimate.speed.hardware.combine])
    sides = [(layer.cycles / clock, layer.bytes / bandwidth) for layer in estimate.layers]
    return sum(max(pair) + less * min(pair) for pair in sides)


def fitted(errors: Mapping[str, Sequence[float]], without: str = "") -> int:
    """The bandwidth with the smallest mean square error over the nets but one, of each net's error at each one."""
    nets = [name for name in errors if name != without]
    means = [fmean(errors[name][step] ** 2 for name in nets) for step in range(len(BANDWIDTHS))]
    return BANDWIDTHS[means.index(min(means))]


def compared() -> tuple[list[Row], dict[str, int]]:
    """Every net on every board, and the bandwidth that fits each board best."""
    nets = counted()
    rows, best = [], {}
    for name in BOARDS:
        chips = [profile("xilinx-dpuczdx8g-b4096"), profile("xilinx-dpuczdx8g-b1600")]
        one = next(chip for chip in chips if name in [board.name for board in chip.boards])
        board = one.board(name)
        times = measured(board)
        estimates = {}
        for net in times:
            found = fit(nets[net], Target(one, "", board)).estimate
            assert found is not None
            estimates[net] = found
        errors = {
            net: [1000 * seconds(estimates[net], bandwidth) / ms - 1 for bandwidth in BANDWIDTHS]
            for net, ms in times.items()
        }
        best[name] = fitted(errors)
        for net, ms in times.items():
            left_out = seconds(estimates[net], fitted(errors, net))
            rows.append(Row(name, net, ms, 1000 * left_out, estimates[net].naive_ms))
    return rows, best


def boards_table(rows: Sequence[Row], best: Mapping[str, int]) -> str:
    """A row a board: mean errors."""
    lines = [
        "| board | nets | bandwidth of a core | estimate: mean error | worst | madds ÷ peak: mean error |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for board in BOARDS:
        own = [row for row in rows if row.board == board]
        errors = [row.error(row.fitted) for row in own]
        naive = fmean(abs(row.error(row.naive)) for row in own)
        worst = max(errors, key=abs)
        lines.append(
            f"| {board} | {len(own)} | {best[board] / 10**9:.2f} GB/s | {fmean(map(abs, errors)):.1%} | "
            f"{worst:+.0%} | {naive:.0%} |"
        )
    return "\n".join(lines)


def nets_table(rows: Sequence[Row]) -> str:
    """A row a net: measured and estimated milliseconds on each board."""
    lines = [f"| net | {' | '.join(BOARDS)} |", "|---" * (len(BOARDS) + 1) + "|"]
    for net in NETS:
        cells = []
        for board in BOARDS:
            found = [row for row in rows if (row.board, row.net) == (board, net)]
            cells.append(
                f"{found[0].measured:.2f} / {found[0].fitted:.2f} ({found[0].error(found[0].fitted):+.0%})"
                if found
                else "-"
            )
        lines.append(f"| {net} | {' | '.join(cells)} |")
    return "\n".join(lines)


CPU_NETS = {
    "squeezenet": "squeezenet_v1.1",
    "mobilenet": "mobilenet_v1",
    "mobilenet_v2": "mobilenet_v2",
    "googlenet": "inception_v1",
    "resnet18": "resnet18",
    "alexnet": "",
    "vgg16": "vgg16",
    "resnet50": "resnet50",
}
"""ncnn's names of the nets."""


def cpu_table(nets: Mapping[str, Count]) -> str:
    """ncnn on one core of a Raspberry Pi 4: the rate of every net."""
    rows = json.loads((SHARED / "targets" / "validation_ncnn.json").read_text(encoding="utf-8"))
    chosen = next(row for row in rows if CPU in row["device"] and row["threads"] == 1 and row["gpu"] == -1)
    lines = [f"{chosen['device']}, one thread:", "", "| net | madds | ms | madds a second |", "|---|--:|--:|--:|"]
    for name, own in CPU_NETS.items():
        if name in chosen["ms"] and own:
            ms = chosen["ms"][name]["min"]
            madds = nets[own].totals.madds
            lines.append(f"| {name} | {human(madds)} | {ms:g} | {madds / ms / 10**6:.1f} G |")
    return "\n".join(lines)


def page() -> str:
    """docs/estimate.md with its tables made anew."""
    rows, best = compared()
    tables = {"boards": boards_table(rows, best), "nets": nets_table(rows), "cpu": cpu_table(counted())}
    return _MARKS.sub(
        lambda marks: f"{marks[1]}\n{tables[marks[2]]}\n\n{marks[3]}", PAGE.read_text(encoding="utf-8")
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
