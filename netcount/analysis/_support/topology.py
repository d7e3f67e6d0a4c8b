"""What the graph of a net tells: which layers classify, what stands between two layers."""

from __future__ import annotations

from netcount.graph.graph import Blob, Graph, Node


def sets_channels(node: Node) -> bool:
    """Whether a learned matrix decides how many channels the layer makes, free of what it reads.

    A channelwise convolution (one group a channel) makes as many as it reads, or a fixed multiple.
    """
    if not node.layer.products(node.bottom_shapes, node.top_shapes):
        return False
    window = node.layer.window(node.bottom_shapes)
    return window is None or not window.depthwise


def classifiers(net: Graph) -> set[int]:
    """The nodes that feed the net's outputs, or boxes, with no other learned layer in between.

    Such a layer's channels are the net's answer (classes, box coordinates). Silence is no output,
    and a layer that reads only the shape of a bottom is not fed by it.
    """
    answering = set(net.outputs)
    last = set()
    for node in reversed(net.nodes):
        if node.tops and not makes_boxes(node):
            if answering.isdisjoint(top.index for top in node.tops):
                continue
        elif node.type == "Silence":
            continue
        if sets_channels(node):
            last.add(node.index)
            continue
        answering.update(blob.index for blob in node.value_bottoms)
    return last


def makes_boxes(node: Node) -> bool:
    """Whether the layer reads scores and makes of them rows of its own, as many as the values say.

    A Proposal does; a Filter hands on what it reads.
    """
    if node.layer.data_dependent(node.bottom_shapes) is None:
        return False
    return all(top[1:] != node.bottom_shapes[0][1:] for top in node.top_shapes)


def only_reader(net: Graph, blob: Blob) -> Node | None:
    """The one layer that reads a blob; None where none or several do, or the caller sees it too."""
    readers = set(net.readers[blob.index])
    if len(readers) != 1 or blob.index in net.output_set:
        return None
    return net.nodes[readers.pop()]


def followed(net: Graph, node: Node) -> tuple[list[Node], Node | None]:
    """The layers behind `node` that treat every value by itself, and the first that does not.

    Such layers have one bottom, one top of its shape, and no learned matrix: an activation,
    BatchNorm, Scale, Dropout. (…, None) where the way forks or ends.
    """
    between: list[Node] = []
    at = node
    while len(at.tops) == 1:
        following = only_reader(net, at.tops[0])
        if following is None:
            break
        if not is_pointwise(following):
            return between, following
        between.append(following)
        at = following
    return between, None


def is_pointwise(node: Node) -> bool:
    """Whether the layer has one bottom, one top of the same shape, and neither window nor matrix."""
    if len(node.bottoms) != 1 or len(node.tops) != 1:
        return False
    shapes = node.bottom_shapes, node.top_shapes
    return shapes[0] == shapes[1] and node.layer.window(shapes[0]) is None and not node.layer.products(*shapes)


def pools_all(node: Node) -> bool:
    """Whether the layer is a pooling of the whole H×W plane to one value per channel."""
    window = node.layer.window(node.bottom_shapes) if node.type == "Pooling" else None
    if window is None:
        return False
    (bottom,) = node.bottom_shapes
    return window.kernel == tuple(bottom[2:]) and not any(window.pad) and set(node.top_shapes[0][2:]) == {1}
