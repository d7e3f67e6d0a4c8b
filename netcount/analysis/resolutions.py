"""A net for images of another size: which numbers of the file say the size, and what follows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netcount.analysis.graph import pools_all
from netcount.errors import InputError
from netcount.layers.base import Source as SourceLayer
from netcount.net import Blob, Net, Node
from netcount.prototxt.bind import whole_number
from netcount.prototxt.edit import Span, below, first_span, spans
from netcount.prototxt.reader import read
from netcount.prototxt.tree import Tree


class Resolution(NamedTuple):
    """Height and width of an image."""

    high: int
    wide: int

    def __str__(self) -> str:
        return str(self.high) if self.high == self.wide else f"{self.high}x{self.wide}"


_PAIRS = (("new_height", "new_width"), ("height", "width"))


def image_inputs(net: Net) -> list[Blob]:
    """The inputs that hold images: those with the H×W of the first one of 4 axes.

    InputError where there is none.
    """
    images = [net.blobs[index] for index in net.inputs if len(net.blobs[index].shape) == 4]
    if not images:
        raise InputError(f"{net.file}: no input has 4 axes N×C×H×W, so that a resolution has no meaning")
    return [blob for blob in images if blob.shape[2:] == images[0].shape[2:]]


def input_edits(net: Net, wanted: Resolution, given: Mapping[str, object]) -> dict[Span, str]:
    """The numbers of the file that set the images' size; inputs the caller has given are passed over."""
    edits: dict[Span, str] = {}
    inputs = image_inputs(net)
    for blob in inputs:
        if blob.name in given or ("" in given and len(inputs) == 1):
            continue
        node = net.nodes[blob.producer]
        found = _told_by(node, blob, wanted) or _legacy(net, blob, wanted)
        if not found:
            raise InputError(
                f'{node.type} "{node.name}": the file does not hold the size of "{blob.name}"; '
                f"give it with --input-shape {blob.name}=N,C,H,W",
                node.place,
            )
        edits.update(found)
    return edits


def pool_edits(node: Node, wanted: Resolution) -> dict[Span, str]:
    """The kernel of a pooling over the whole plane, for a plane of another size."""
    edits: dict[Span, str] = {}
    tree = node.message.tree
    one = _first_of(tree, "kernel_size", "kernelsize")
    if one is not None:
        if wanted.high != wanted.wide:
            node.layer.refuse(
                f"its one kernel_size cannot cover {wanted.high}×{wanted.wide}", "pooling_param.kernel_size"
            )
        return {one[1]: str(wanted.high)}
    for name, extent in (("kernel_h", wanted.high), ("kernel_w", wanted.wide)):
        found = first_span(tree, name)
        if found is not None:
            edits[found[1]] = str(extent)
    return edits


def whole_plane_poolings(net: Net) -> list[Node]:
    """The poolings with a kernel in the file that covers the whole plane."""
    return [node for node in net.nodes if pools_all(node) and not _is_global(node)]


def _is_global(node: Node) -> bool:
    return node.message.child("pooling_param").flag("global_pooling")


def _told_by(node: Node, blob: Blob, wanted: Resolution) -> dict[Span, str]:
    """A source layer's own fields: a shape, a crop, or a height and a width."""
    if not isinstance(node.layer, SourceLayer):
        return {}
    tree = node.message.tree
    crop = _first_of(tree, "crop_size", "cropsize")
    if crop is not None and whole_number(crop[0]):
        if wanted.high != wanted.wide:
            node.layer.refuse(f"a crop is square, not {wanted.high}×{wanted.wide}", "transform_param.crop_size")
        return {crop[1]: str(wanted.high)}
    position = [top.index for top in node.tops].index(blob.index)
    shapes = [part for part in below(tree) if spans(part, "dim")]
    if shapes:
        return _dims(shapes[min(position, len(shapes) - 1)], 0, wanted)
    for names in _PAIRS:
        found = [first_span(tree, name) for name in names]
        if found[0] and found[1]:
            return {found[0][1]: str(wanted.high), found[1][1]: str(wanted.wide)}
    return {}


def _first_of(tree: Tree, *names: str) -> tuple[str, Span] | None:
    """The first field of one of these names: today's, or V0's."""
    return next((found for name in names if (found := first_span(tree, name))), None)


def _legacy(net: Net, blob: Blob, wanted: Resolution) -> dict[Span, str]:
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
    found = spans(tree, name)[first : first + 4]
    if len(found) != 4:
        return {}
    return {found[2][1]: str(wanted.high), found[3][1]: str(wanted.wide)}
