"""What makes the planes of a net vanish: such a net costs nothing, and nothing can be said of it."""

from __future__ import annotations

from netcount.core.errors import Warned
from netcount.graph.graph import Graph, Node
from netcount.layers.window import spatial_text


def emptied(net: Graph) -> list[Warned]:
    """Where a net becomes empty, causes only.

    Caffe accepts an input without elements, and a kernel that leaves nothing of a plane: everything
    behind it costs nothing.
    """
    if not any(0 in blob.shape for blob in net.blobs):
        return []
    return [
        Warned(_why(node), node.place)
        for node in net.nodes
        if any(not top.shape.count() for top in node.tops) and all(blob.shape.count() for blob in node.bottoms)
    ]


def _why(node: Node) -> str:
    top = next(top for top in node.tops if not top.shape.count())
    title = f'{node.type} "{node.name}"'
    window = node.layer.window(node.bottom_shapes)
    if node.bottoms and window is not None:
        shape = node.bottoms[0].shape
        plane = shape[len(shape) - len(window.kernel) :]
        reach = [
            1 + dilation * (kernel - 1) for kernel, dilation in zip(window.kernel, window.dilation, strict=True)
        ]
        padded = [extent + 2 * pad for extent, pad in zip(plane, window.pad, strict=True)]
        if any(needed > extent for needed, extent in zip(reach, padded, strict=True)):
            kernel = f"kernel {spatial_text(window.kernel)}"
            if reach != list(window.kernel):
                kernel += f", dilated to {spatial_text(reach)},"
            its = f"its {spatial_text(plane)} input"
            if padded != list(plane):
                its += f" padded to {spatial_text(padded)}"
            return f"{title}: {kernel} is larger than {its}: nothing is left of the plane"
    return f'{title}: "{top.name}" is {top.shape}, which holds nothing'
