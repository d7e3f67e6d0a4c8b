"""The acceptance figures: what papers and Netscope say of the nets everybody compares."""

from __future__ import annotations

import re

import pytest

import netcount
from netcount.core.units import human
from tests.helpers import CORPUS, SAMPLES, needs_corpus


def sample(name: str, **options: object) -> netcount.Analysis:
    return netcount.load(SAMPLES / f"{name}.prototxt", **options).analyze()  # type: ignore[arg-type]


def mobilenet(alpha: float = 1.0, resolution: int = 224) -> netcount.Analysis:
    """MobileNet v1 with every width but the classifier's times alpha."""
    text = (SAMPLES / "mobilenet_v1.prototxt").read_text(encoding="utf-8")

    def narrowed(found: re.Match[str]) -> str:
        width = int(found[2])
        return f"{found[1]}{width if width == 1000 else int(width * alpha)}"

    text = re.sub(r"((?:num_output|group): )(\d+)", narrowed, text)
    shape = {"": (1, 3, resolution, resolution)}
    return netcount.loads(text, input_shapes=shape).analyze()


MADDS = {
    "squeezenet_v1.1": 387_747_520,
    "squeezenet_v1.0": 832_667_936,
    "squeezenet_v1.0_release": 861_339_936,
    "squeezenet_v1.0_simple_bypass": 832_667_936,
    "squeezenet_v1.0_complex_bypass": 1_183_953_184,
    "mobilenet_v1": 568_740_352,
    "mobilenet_v2": 300_774_272,
    "mobilenet_v2_arxiv1": 429_111_936,
    "alexnet": 724_406_816,
    "nin": 1_100_188_800,
    "googlenet": 1_582_671_872,
    "vgg16": 15_470_264_320,
    "resnet50": 3_857_973_248,
}
PARAMS = {
    "squeezenet_v1.1": (1_235_496, 0),
    "squeezenet_v1.0": (1_248_424, 0),
    "squeezenet_v1.0_release": (1_248_424, 0),
    "squeezenet_v1.0_simple_bypass": (1_248_424, 0),
    "squeezenet_v1.0_complex_bypass": (1_589_672, 0),
    "mobilenet_v1": (4_231_976, 21_915),
    "mobilenet_v2": (3_504_872, 34_164),
    "mobilenet_v2_arxiv1": (3_505_960, 34_229),
    "alexnet": (60_965_224, 0),
    "nin": (7_595_176, 0),
    "googlenet": (6_998_552, 0),
    "vgg16": (138_357_544, 0),
    "resnet50": (25_557_096, 53_173),
}


def test_every_sample_has_its_figures() -> None:
    assert {path.stem for path in SAMPLES.glob("*.prototxt")} == set(MADDS) == set(PARAMS)


@pytest.mark.parametrize("name", MADDS)
def test_samples(name: str) -> None:
    totals = sample(name).totals
    assert totals.madds == MADDS[name]
    assert (totals.params, totals.statistics) == PARAMS[name]
    assert totals.weight_bytes == 4 * sum(PARAMS[name])


def test_as_people_write_it() -> None:
    assert human(sample("squeezenet_v1.1").totals.madds) == "387.75M"


@pytest.mark.parametrize(
    ("name", "extent", "shape", "madds"),
    [
        ("squeezenet_v1.1", 227, (1, 1000, 14, 14), 100_352_000),
        ("squeezenet_v1.1", 224, (1, 1000, 13, 13), 86_528_000),
        ("squeezenet_v1.0", 227, (1, 1000, 13, 13), 86_528_000),
        ("squeezenet_v1.0_release", 227, (1, 1000, 15, 15), 115_200_000),
    ],
)
def test_conv10(name: str, extent: int, shape: tuple[int, ...], madds: int) -> None:
    analysis = sample(name, input_shapes={"": (1, 3, extent, extent)})
    (conv10,) = (row for row in analysis.layers if row.name == "conv10")
    assert conv10.tops[0].shape == shape
    assert conv10.madds == madds


@pytest.mark.parametrize(
    ("name", "inside", "whole"),
    [
        ("squeezenet_v1.1", 77.61, 58.80),
        ("squeezenet_v1.0_release", 78.20, 51.95),
        ("squeezenet_v1.0", 78.20, 53.74),
    ],
)
def test_share_of_3x3(name: str, inside: float, whole: float) -> None:
    shares = {(k.scope, k.kernel): k.share_madds for k in sample(name).kernels}
    assert round(shares["Fire modules", "3x3"] * 100, 2) == inside
    assert round(shares["net", "3x3"] * 100, 2) == whole


@pytest.mark.parametrize(
    ("name", "scope", "shares"),
    [
        ("googlenet", "Inception modules", {"3x3": 55.79, "1x1": 32.27, "5x5": 11.93}),
        ("resnet50", "Res modules", {"1x1": 50.52, "3x3": 49.48}),
        ("mobilenet_v1", "Conv modules", {"1x1": 96.88, "3x3 depthwise": 3.12}),
    ],
)
def test_shares_inside_families_of_blocks(name: str, scope: str, shares: dict[str, float]) -> None:
    kernels = sample(name).kernels
    assert {share.scope for share in kernels} == {"net", scope}
    inside = [share for share in kernels if share.scope == scope]
    found = {s.kernel + " depthwise" * s.depthwise: round(100 * s.share_madds, 2) for s in inside}
    assert found == shares
    assert sum(share.share_madds for share in inside) == pytest.approx(1)


def test_share_of_1x1_in_mobilenet() -> None:
    shares = {(k.kernel, k.depthwise): k.share_madds for k in sample("mobilenet_v1").kernels if k.scope == "net"}
    assert round(shares["1x1", False] * 100, 2) == 95.04
    assert shares["3x3", True] > 0


@pytest.mark.parametrize(
    ("alpha", "resolution", "madds"),
    [
        (1.0, 224, "568.74M"),
        (0.75, 224, "325.40M"),
        (0.5, 224, "149.50M"),
        (0.25, 224, "41.03M"),
        (1.0, 192, "418.12M"),
        (1.0, 160, "290.68M"),
        (1.0, 128, "186.40M"),
        (0.5, 160, "76.52M"),
    ],
)
def test_mobilenet_width_and_resolution(alpha: float, resolution: int, madds: str) -> None:
    assert human(mobilenet(alpha, resolution).totals.madds) == madds


def test_half_mobilenet_has_1_32_million_params_without_batch_norm() -> None:
    rows = mobilenet(0.5, 160).layers
    assert human(sum(row.params for row in rows if row.type == "Convolution")) == "1.32M"


@pytest.mark.parametrize(
    ("name", "extent", "cost"),
    [
        ("squeezenet_v1.1", 227, 387_747_520),
        ("squeezenet_v1.0_release", 227, 861_339_936),
        ("mobilenet_v1", 224, 573_783_040),
        ("mobilenet_v2_arxiv1", 224, 438_035_424),
        ("googlenet", 227, 1_604_042_752),
        ("vgg16", 224, 15_470_264_320),
        ("resnet50", 224, 3_868_560_384),
    ],
)
def test_netscope_convention(name: str, extent: int, cost: int) -> None:
    net = netcount.load(SAMPLES / f"{name}.prototxt", input_shapes={"": (1, 3, extent, extent)})
    assert net.analyze("netscope").totals.cost == cost


@needs_corpus
@pytest.mark.parametrize(
    ("net", "cost"),
    [
        ("googlenet", 1_604_042_752),
        ("resnet-50", 3_868_560_384),
        ("squeezenet", 861_339_936),
        ("squeezenet_v11", 387_747_520),
        ("zynqnet", 529_301_504),
        ("YOLO", 20_285_153_280),
    ],
)
def test_netscopes_own_presets(net: str, cost: int) -> None:
    path = CORPUS / "nets" / f"dgschwend__netscope__presets__{net}.prototxt"
    assert netcount.load(path).analyze("netscope").totals.cost == cost


@needs_corpus
def test_netscopes_resnet_152() -> None:
    path = CORPUS / "nets" / "KaimingHe__deep-residual-networks__prototxt__ResNet-152-deploy.prototxt"
    assert netcount.load(path).analyze("netscope").totals.cost == 11_304_442_880


@needs_corpus
def test_netscopes_vgg_mixes_two_formats_and_is_refused() -> None:
    path = CORPUS / "nets" / "dgschwend__netscope__presets__vgg-16.prototxt"
    with pytest.raises(netcount.InputError, match="'layer' and 'layers'"):
        netcount.load(path)


def test_flops_are_two_for_a_madd_and_one_for_every_other_operation() -> None:
    totals = netcount.load(SAMPLES / "mobilenet_v1.prototxt").analyze("flops").totals
    assert totals.cost == 2 * totals.madds + totals.ops.others
    assert totals.ops.others > 0


def test_fire_module_7_against_a_plain_layer() -> None:
    rows = {row.name: row for row in sample("squeezenet_v1.0").layers}
    weights = sum(
        rows[f"fire7/{part}"].blobs[0].shape.count() for part in ("squeeze1x1", "expand1x1", "expand3x3")
    )
    assert 384 * 384 * 9 / weights == 12.0


def test_conv10_against_a_fully_connected_layer() -> None:
    rows = {row.name: row for row in sample("squeezenet_v1.0").layers}
    assert 13 * 13 * 512 * 1000 / rows["conv10"].blobs[0].shape.count() == 169


def test_a_depthwise_separable_pair_against_a_plain_convolution() -> None:
    rows = {row.name: row for row in sample("mobilenet_v1").layers}
    depthwise, pointwise = rows["conv5_1/dw"], rows["conv5_1/sep"]
    plain = 9 * 512 * 512 * 14 * 14
    assert (depthwise.madds + pointwise.madds) / plain == pytest.approx(1 / 512 + 1 / 9)
