from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from netcount.core.lazy_numpy import np
from netcount.core.opcount import OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Arity, Layer, ParamBlob, Product, WorkingMemory, madds_of
from netcount.prototxt.message import Message

if TYPE_CHECKING:
    from netcount.kernels.run import Array, Run

PARAM = "multi_stage_meanfield_param"
LATENT = 200
"""Values of caffe-tvg's second top: two for each of 100 boxes."""
LATTICES = {"spatial": 2, "bilateral": 5}
"""Dimensions that each filter's lattice has."""


MOST_PIXELS = 1 << 14
"""An image of more pixels is not run: each is held against all others."""


class MultiStageMeanfield(Layer):
    """A conditional random field as num_iterations steps of a recurrent net (Zheng et al. 2015).

    (unary N×C×H×W, the same, image N×3×H×W) -> N×C×H×W.  Weights 1×1×C×C three times: of the spatial and of
    the bilateral filter, and of the compatibility.  torrvision/caffe-tvg, known by a fourth bottom, has a
    second top 1×1×1×200 and blobs 1×1×1×C, 1×1×1×C, 1×1×1×L and 1×1×1×L more.  Sources:
    multi_stage_meanfield.cpp and meanfield_iteration.cpp of torrvision/crfasrnn and torrvision/caffe-tvg.
    """

    type = "MultiStageMeanfield"
    source = "CRF-RNN"
    bottoms: ClassVar[Arity] = Arity(3, 4)
    tops: ClassVar[Arity] = Arity(1, 2)
    replaceable = True
    iterations: int
    alpha: float
    beta: float
    gamma: float
    later: bool
    layers: int

    def read(self, message: Message) -> None:
        """The iterations."""
        param = message.child(PARAM)
        self.iterations = param.integer("num_iterations")
        self.alpha, self.beta, self.gamma = (param.number(f"theta_{name}") for name in ("alpha", "beta", "gamma"))
        self.later = len(message.texts("bottom")) > 3
        self.layers = param.integer("ho_num_layers") if param.has("ho_num_layers") else 1
        if self.iterations < 2:
            self.refuse(f"num_iterations {self.iterations} must be more than 1", f"{PARAM}.num_iterations")
        if self.top_count != 1 + self.later:
            self.refuse(f"makes {1 + self.later} tops of {3 + self.later} bottoms", "top")

    def infer(self, bottoms: Sequence[Shape]) -> list[Shape]:
        """The unary's shape."""
        unary, same, image = bottoms[:3]
        if len(unary) != 4 or same != unary:
            self.refuse(f"{self.named(1)} {same} must be as {self.named(0)} {unary}, N×C×H×W", "bottom", 1)
        if len(image) != 4 or image[2:] != unary[2:]:
            self.refuse(f"{self.named(2)} {image} must be an image of {unary[2]}×{unary[3]}", "bottom", 2)
        return [unary, Shape((1, 1, 1, LATENT))][: self.top_count]

    def blobs(self, bottoms: Sequence[Shape]) -> list[ParamBlob]:
        """Three matrices of classes, and caffe-tvg's rows."""
        classes = bottoms[0][1]
        rows = [classes, classes, self.layers, self.layers] if self.later else []
        return [
            *[ParamBlob(Shape((1, 1, classes, classes)), "weight")] * 3,
            *[ParamBlob(Shape((1, 1, 1, number)), "weight") for number in rows],
        ]

    def products(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> list[Product]:
        """Each matrix with every pixel of every iteration."""
        n, classes, high, wide = bottoms[0]
        uses = (("iterations", self.iterations), ("N", n), ("H", high), ("W", wide))
        return [Product((("C", classes), ("C'", classes)), uses)] * 3

    def ops(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> OpCount:
        """The products; an iteration's softmax, normalization and sum, and both filters: each value goes to
        and comes from one more corners of its simplex than the lattice has dimensions.  How the values on the
        lattice are blurred depends on the image and is not counted."""
        values = bottoms[0].count() * self.iterations
        corners = 2 * sum(dimensions + 1 for dimensions in LATTICES.values())
        return OpCount(
            madds_of(self.products(bottoms, tops)),
            adds=(corners + 3) * values,
            muls=(corners + 2) * values,
            divs=values,
            compares=values,
            exps=values,
        )

    def working_memory(self, bottoms: Sequence[Shape], tops: Sequence[Shape]) -> WorkingMemory:
        """A kernel of all pairs of pixels beside what the next is made of, in 64 bits, and the last image's; or
        both kernels and what an iteration makes, or the images before they are joined."""
        images, pixels = bottoms[0][0], bottoms[0].count(2)
        if not self._runs(pixels):
            return WorkingMemory()
        pairs, values = pixels * pixels, bottoms[0].count(1)
        kernels = (8 if images > 1 else 7) * pairs + values
        return WorkingMemory(forward=max(kernels, 2 * pairs + max(6, images + 3) * values))

    def _runs(self, pixels: int) -> bool:
        """Whether `forward` makes an image of so many pixels."""
        return not self.later and pixels <= MOST_PIXELS

    def forward(self, bottoms: Sequence[Array], blobs: Sequence[Array], run: Run) -> list[Array]:
        """The filters in full: the forks reach nearly the same faster, on a lattice."""
        if not self._runs(bottoms[0][0, 0].size):
            why = "caffe-tvg's boxes and superpixels lie in files" if self.later else "the image is too large"
            self.refuse(f"it is not run here: {why}", "bottom", advice=self.given_tops())
        spatial, bilateral, compatibility = (blob.reshape(blob.shape[-2:]) for blob in blobs[:3])
        made = []
        for unary, start, image in zip(*bottoms[:3], strict=True):
            high, wide = unary.shape[1:]
            places = np.stack(np.meshgrid(np.arange(wide), np.arange(high)), axis=-1).reshape(-1, 2)
            colours = image.reshape(len(image), -1).T / np.float32(self.beta)
            near = _kernel(places / np.float32(self.gamma))
            alike = _kernel(np.concatenate([places / np.float32(self.alpha), colours], axis=1))
            flat = unary.reshape(len(unary), -1)
            y = start.reshape(flat.shape)
            for _ in range(self.iterations):
                likely = np.exp(y - y.max(axis=0))
                likely /= likely.sum(axis=0)
                message = run.gemm(spatial, likely @ near) + run.gemm(bilateral, likely @ alike)
                y = flat - run.gemm(compatibility, message)
            made.append(y.reshape(unary.shape))
        return [np.stack(made)]


def _kernel(features: Array) -> Array:
    """How much each pixel hears of each other: Gaussian, a column adds up to 1."""
    squares = np.square(features).sum(axis=1)
    distances = squares[:, None] + squares - 2 * (features @ features.T)
    kernel: Array = np.exp(-np.maximum(distances, 0) / 2).astype(np.float32)
    kernel /= kernel.sum(axis=0)
    return kernel
