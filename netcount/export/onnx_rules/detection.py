"""ONNX for the last layer of a single-shot detector: boxes decoded, and the best of those that overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from netcount.core.lazy_numpy import np
from netcount.export.graph_of_ops import OpGraph, Rule
from netcount.export.ops import refuse
from netcount.graph.graph import Node
from netcount.layers.detection.detection_output import DetectionOutput
from netcount.layers.layer import Layer

_MOST = 2**31 - 1


def _decoded(g: OpGraph, layer: DetectionOutput, location: str, priors: str, boxes: int) -> str:
    """Corners N×P×4 of predictions N×P×4, relative to priors 1×2×(P·4)."""
    both = g.reshape(priors, (1, 2, boxes * 4), (2, boxes, 4))
    anchors = g.slice(both, 0, 0, 1)
    scaled = location if layer.encoded else g.op("Mul", location, g.slice(both, 0, 1, 2))
    first, second = (g.slice(anchors, 2, at, at + 2) for at in (0, 2))
    size = g.op("Sub", second, first)
    if layer.code == "CORNER":
        return g.op("Add", anchors, scaled)
    if layer.code == "CORNER_SIZE":
        return g.op("Add", anchors, g.op("Mul", scaled, g.op("Concat", size, size, axis=2)))
    half = g.constant(0.5)
    moved, grown = (g.slice(scaled, 2, at, at + 2) for at in (0, 2))
    centre = g.op("Add", g.op("Mul", g.op("Add", first, second), half), g.op("Mul", moved, size))
    reach = g.op("Mul", g.op("Mul", g.op("Exp", grown), size), half)
    return g.op("Concat", g.op("Sub", centre, reach), g.op("Add", centre, reach), axis=2)


def _detection_output(g: OpGraph, node: Node, bottoms: list[str]) -> list[str]:
    layer = cast("DetectionOutput", node.layer)
    g.fixed("goes image by image")
    if len(bottoms) > 3:
        refuse("RefineDet's first stage")
    if not layer.shared:
        refuse("boxes of their own for each class (share_location: false)")
    if layer.eta < 1:
        refuse("a threshold that changes (eta)")
    images, boxes = node.bottoms[0].shape[0], node.bottoms[2].shape[2] // 4
    classes = layer.classes
    location = g.reshape(bottoms[0], node.bottoms[0].shape, (images, boxes, 4))
    corners = _decoded(g, layer, location, bottoms[2], boxes)
    confidence = g.reshape(bottoms[1], node.bottoms[1].shape, (images, boxes, classes))
    scores = g.op("Transpose", confidence, perm=[0, 2, 1])
    wanted = [label for label in range(classes) if label != layer.background]
    if len(wanted) < classes:
        scores = g.op("Gather", scores, g.constant(np.array(wanted, np.int64), "classes"), axis=1)
    floor = float(np.float32(max(layer.confidence, -3.4e38)))
    candidates = scores
    if -1 < layer.top_k < boxes:
        most = g.constant(np.array([layer.top_k], np.int64), "top_k")
        best, _ = g.op_all("TopK", scores, most, outputs=2, axis=2)
        least = g.slice(best, 2, layer.top_k - 1, layer.top_k)
        candidates = g.op("Where", g.op("GreaterOrEqual", scores, least), scores, g.constant(np.float32(-3.4e38)))
    rows = [
        _of_image(g, layer, image, corners, scores, candidates, floor, wanted, boxes) for image in range(images)
    ]
    detections = g.op("Concat", *rows, axis=0) if len(rows) > 1 else rows[0]
    # without any detection a row of -1 for each image: as many of these rows are kept as are needed
    empty = np.full((images, 7), -1, np.float32)
    empty[:, 0] = np.arange(images)
    count = g.op("Gather", g.op("Shape", detections), g.constant(np.array([0], np.int64), "first"), axis=0)
    none = g.op("Cast", g.op("Equal", count, g.constant(np.array([0], np.int64), "nothing")), to=7)
    number = g.op("Mul", none, g.constant(np.array([images], np.int64), "images"))
    start, axis = (g.constant(np.array([v], np.int64), "at") for v in (0, 0))
    filler = g.op("Slice", g.constant(empty, "empty"), start, number, axis)
    whole = g.op("Concat", detections, filler, axis=0)
    return [g.op("Reshape", whole, g.constant(np.array([1, 1, -1, 7], np.int64), "shape"))]


def _of_image(
    g: OpGraph,
    layer: DetectionOutput,
    image: int,
    corners: str,
    scores: str,
    candidates: str,
    floor: float,
    wanted: list[int],
    boxes: int,
) -> str:
    """The rows of one image: by class, in a class the best first."""
    own, likely, sure = (g.slice(name, 0, image, image + 1) for name in (corners, candidates, scores))
    limits = [np.array([_MOST], np.int64), np.array([layer.threshold], np.float32), np.array([floor], np.float32)]
    kept = g.op("NonMaxSuppression", own, likely, *(g.constant(limit, "limit") for limit in limits))
    places = g.slice(kept, 1, 1, 3)
    pairs = g.op("Concat", g.op("Mul", g.slice(kept, 1, 0, 1), g.constant(np.int64(0))), places, axis=1)
    score = g.op("GatherND", sure, pairs)
    if layer.keep_top_k > -1:
        number = g.op("Shape", score)
        most = g.op("Min", number, g.constant(np.array([layer.keep_top_k], np.int64), "keep"))
        _, best = g.op_all("TopK", score, most, outputs=2, axis=0)
        order, _ = g.op_all("TopK", g.op("Neg", best), most, outputs=2, axis=0)
        chosen = g.op("Neg", order)
        score, places = g.op("Gather", score, chosen, axis=0), g.op("Gather", places, chosen, axis=0)
    label = g.op("Gather", g.constant(np.array(wanted, np.float32), "labels"), g.slice(places, 1, 0, 1), axis=0)
    index = g.op("Squeeze", g.slice(places, 1, 1, 2), g.constant(np.array([1], np.int64), "axis"))
    box = g.op("Gather", g.reshape(own, (1, boxes, 4), (boxes, 4)), index, axis=0)
    column = g.op("Unsqueeze", score, g.constant(np.array([1], np.int64), "axis"))
    number = g.op("Add", g.op("Mul", label, g.constant(0.0)), g.constant(float(image)))
    return g.op("Concat", number, label, column, box, axis=1)


RULES: Mapping[type[Layer], Rule] = {DetectionOutput: _detection_output}
