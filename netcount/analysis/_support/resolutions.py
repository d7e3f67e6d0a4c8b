"""A net for images of another size: which numbers of the file say the size, and what follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from netcount.analysis._support.topology import pools_all
from netcount.core.errors import InputError
from netcount.core.shape import Shape
from netcount.graph.graph import Blob, Graph, Node
from netcount.layers.bases import Source as SourceLayer
from netcount.layers.convolution.convolution import Convolution
from netcount.layers.layer import give_all
from netcount.prototxt.edit import Span, below, first_span, own_span, spans
from netcount.prototxt.reader import read
from netcount.prototxt.tree import Tree
from netcount.prototxt.values import whole_number


class Resolution(NamedTuple):
    """Height and width of an image."""

    high: int
    wide: int

    def __str__(self) -> str:
        return str(self.high) if self.high == self.wide else f"{self.high}x{self.wide}"


_PAIRS = (("new_height", "new_width"), ("height", "width"))


def image_inputs(net: Graph) -> list[Blob]:
    """The inputs that hold images: those with the H×W of the first one of 4 axes.

    InputError where there is none.
    """
    images = [net.blobs[index] for index in net.inputs if len(net.blobs[index].shape) == 4]
    if not images:
        raise InputError(f"{net.file}: no input has 4 axes N×C×H×W, so there is no resolution to change")
    return [blob for blob in images if blob.shape[2:] == images[0].shape[2:]]


def input_edits(net: Graph, wanted: Resolution, given: Mapping[str, object]) -> dict[Span, str]:
    """The numbers of the file that set the images' size; inputs the caller has given are passed over."""
    edits: dict[Span, str] = {}
    inputs = image_inputs(net)
    for blob in inputs:
        if blob.name in given or ("" in given and len(inputs) == 1):
            continue
        node = net.nodes[blob.producer]
        changes = _told_by(node, blob, wanted) or _legacy(net, blob, wanted)
        if not changes:
            raise InputError(
                f'{node.type} "{node.name}": the file does not hold the size of "{blob.name}"',
                node.place,
                advice=give_all("input_shapes", "N,C,H,W", [blob.name]),
            )
        edits.update(changes)
    return edits


def pool_edits(net: Graph, wanted: Resolution) -> dict[Span, str]:
    """The kernels of the poolings over a whole plane, for the planes that images of that size make.

    Shapes run through the net's own layers.  InputError where one refuses them, or where a constant
    of a Reshape makes channels out of them.
    """
    edits: dict[Span, str] = {}
    images = {blob.index for blob in image_inputs(net)}
    shapes: dict[int, Shape] = {}
    for node in net.nodes:
        bottoms = [shapes[blob.index] for blob in node.bottoms]
        _check_channels(node, bottoms)
        if not bottoms:
            tops = [Shape((*b.shape[:2], *wanted)) if b.index in images else b.shape for b in node.tops]
        elif pools_all(node):
            plane = Resolution(*bottoms[0][2:])
            edits |= _kernel_edits(node, plane)
            tops = [Shape((*bottoms[0][:2], 1, 1))] * len(node.tops)
        else:
            tops = node.top_shapes if bottoms == node.bottom_shapes else node.layer.infer(bottoms)
        shapes |= {blob.index: shape for blob, shape in zip(node.tops, tops, strict=True)}
    return edits


def _check_channels(node: Node, bottoms: Sequence[Shape]) -> None:
    for before, now in zip(node.bottom_shapes, bottoms, strict=True):
        if isinstance(node.layer, Convolution) and before[:2] != now[:2]:
            node.layer.refuse(
                f"would read {now}, not {before[1]} channels: a constant stands for a plane", "bottom"
            )


def _kernel_edits(node: Node, wanted: Resolution) -> dict[Span, str]:
    """The kernel of one pooling; nothing where it is global."""
    tree = node.message.child("pooling_param").tree
    one = own_span(tree, "kernel_size", "kernelsize")
    if one is not None:
        if wanted.high != wanted.wide:
            node.layer.refuse(
                f"its one kernel_size cannot cover {wanted.high}×{wanted.wide}", "pooling_param.kernel_size"
            )
        return {one[1]: str(wanted.high)}
    pairs = (("kernel_h", wanted.high), ("kernel_w", wanted.wide))
    return {span[1]: str(extent) for name, extent in pairs if (span := own_span(tree, name))}


def _told_by(node: Node, blob: Blob, wanted: Resolution) -> dict[Span, str]:
    """A source layer's own fields: a shape, a crop, or a height and a width."""
    if not isinstance(node.layer, SourceLayer):
        return {}
    tree = node.message.tree
    crop = first_span(tree, "crop_size", "cropsize")
    if crop is not None and whole_number(crop[0]):
        if wanted.high != wanted.wide:
            node.layer.refuse(f"a crop is square, not {wanted.high}×{wanted.wide}", "transform_param.crop_size")
        return {crop[1]: str(wanted.high)}
    position = [top.index for top in node.tops].index(blob.index)
    shapes = [part for part in below(tree) if spans(part, "dim")]
    if shapes:
        return _dims(shapes[min(position, len(shapes) - 1)], 0, wanted)
    for names in _PAIRS:
        high, wide = ([one for part in below(tree) for one in spans(part, name)] for name in names)
        if high and wide:  # one for all tops, or one per top
            places = [by_axis[min(position, len(by_axis) - 1)][1] for by_axis in (high, wide)]
            return dict(zip(places, map(str, wanted), strict=True))
    return {}


def _legacy(net: Graph, blob: Blob, wanted: Resolution) -> dict[Span, str]:
    """`input_dim`, or `input_shape`, of the net itself."""
    source = net.nodes[blob.producer].message.tree.source
    root = read(source.text, source.file)
    tree = next((part for part in below(root) if spans(part, "input")), root)
    names = [value.strip("\"'") for value, _ in spans(tree, "input")]
    if blob.name not in names:
        return {}
    position = names.index(blob.name)
    shapes = [value for name, value, _ in tree.fields if name == "input_shape" and isinstance(value, Tree)]
    if shapes:
        return _dims(shapes[min(position, len(shapes) - 1)], 0, wanted)
    return _dims(tree, 4 * position, wanted, "input_dim")


def _dims(tree: Tree, first: int, wanted: Resolution, name: str = "dim") -> dict[Span, str]:
    """The third and fourth of the extents from `first` on."""
    dims = spans(tree, name)[first : first + 4]
    if len(dims) != 4:
        return {}
    return {dims[2][1]: str(wanted.high), dims[3][1]: str(wanted.wide)}
