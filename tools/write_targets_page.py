"""Write the tables of docs/targets.md: what the samples come to on the shipped targets.

Run it after a change of a profile or a sample: python tools/write_targets_page.py
"""

from __future__ import annotations

import re
from pathlib import Path

from netcount.analysis.count import Count, count
from netcount.graph.load import load_net
from netcount.targets.fit import Fit, Target, fit
from netcount.targets.shipped import profile

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "targets.md"
CHIPS = (
    "kendryte-k210", "xilinx-dpuczdx8g-b512", "xilinx-dpuczdx8g-b4096", "nvdla-small", "nvdla-large", "horizon-x3",
    "sigmastar-ipu", "rknn1",
)  # fmt: skip
CONVERTERS = ("tensorrt", "openvino", "ncnn", "mnn", "tengine", "coremltools", "armnn", "opencv")
_MARKS = re.compile(r"(<!-- made by tools/write_targets_page\.py -->\n).*?(<!-- end -->)", re.DOTALL)


def nets() -> dict[str, Count]:
    """The samples by name."""
    return {path.stem: count(load_net(path)) for path in sorted((ROOT / "prototxt_samples").glob("*.prototxt"))}


def cell(found: Fit) -> str:
    """`fits`, `2 CPU`, `**no**: 3` (layers that stop it), `**no**: memory`."""
    if found.fits:
        cpu = len(found.layers("cpu"))
        extra = len([name for name in found.layers("extra") if name not in found.layers("cpu")])
        notes = [f"{cpu} CPU"] * bool(cpu) + [f"{extra} extra"] * bool(extra)
        return ", ".join(notes) or "fits"
    layers = len(found.layers("refused", "wrong"))
    whole = [one for one in found.findings if one.stops and one.layer is None]
    return "**no**: " + ", ".join([str(layers)] * bool(layers) + ["memory"] * bool(whole))


def table(targets: tuple[str, ...], counted: dict[str, Count]) -> str:
    """A row a net, a column a target."""
    heads = [name.replace("xilinx-dpuczdx8g-", "DPU ") for name in targets]
    lines = [f"| net | {' | '.join(heads)} |", "|---" * (len(targets) + 1) + "|"]
    against = [Target.of(profile(name)) for name in targets]
    for name, net in counted.items():
        lines.append(f"| `{name}` | {' | '.join(cell(fit(net, target)) for target in against)} |")
    return "\n".join(lines)


def page() -> str:
    """docs/targets.md with its tables made anew."""
    counted = nets()
    made = "\n\n".join(table(targets, counted) for targets in (CHIPS, CONVERTERS))
    return _MARKS.sub(lambda marks: f"{marks[1]}\n{made}\n\n{marks[2]}", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
