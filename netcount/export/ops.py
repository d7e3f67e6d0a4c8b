"""The graph of an engine's ops while it grows, whatever the engine: names, ops, and to which layer they belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from netcount.graph.graph import Blob, Graph, Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class Inexpressible(Exception):
    """A layer that the form has no words for; the argument says why."""


def refuse(why: str) -> NoReturn:
    """Say why a layer cannot be expressed."""
    raise Inexpressible(why)


class Ops:
    """Ops in the order in which they are needed.

    Attributes:
        form: What the form is called.
        identity: The op that only gives a blob another name.
        net: What is exported.
        weights: The parameter blobs of each layer.
        ops: (type, inputs, outputs, attributes), each as the form has it.
        constants: Arrays by name, where they are no ops.
        begun: The index of each layer, and how many ops there were before its own.
        names: By blob version its name.
    """

    form: ClassVar[str]
    identity: ClassVar[str]

    def __init__(self, net: Graph, weights: Sequence[Sequence[Array]]) -> None:
        self.net = net
        self.weights = weights
        self.ops: list[tuple[str, list[str], list[str], dict[str, Any]]] = []
        self.constants: dict[str, Array] = {}
        self.begun: list[tuple[int, int]] = []
        self._layer = ""
        self._taken = {blob.name for blob in net.blobs}
        self.names: list[str] = self._blob_names()

    def _blob_names(self) -> list[str]:
        """A name for each blob version: the file's for the last one, or for an input itself."""
        last = {blob.name: blob.index for blob in self.net.blobs}
        names = []
        for blob in self.net.blobs:
            is_input = blob.index in self.net.inputs
            first = is_input and blob.overwrites is None
            shadowed = any(other in self.net.inputs for other in self._versions(blob)) and not first
            keep = first or (last[blob.name] == blob.index and not shadowed)
            if keep and self.spelled(blob.name) == blob.name:
                names.append(blob.name)
            else:
                maker = "" if keep else f"@{self.net.nodes[blob.producer].name}"
                names.append(self.fresh(blob.name + maker))
        return names

    def _versions(self, blob: Blob) -> list[int]:
        return [other.index for other in self.net.blobs if other.name == blob.name]

    def spelled(self, name: str) -> str:
        """A name as the form can write it."""
        return name

    def fresh(self, base: str) -> str:
        """A name that nothing has yet."""
        base = self.spelled(base)
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}#{number}"
        self._taken.add(name)
        return name

    def begin(self, node: Node) -> None:
        """What is added from here on belongs to this layer."""
        self._layer = node.name
        self.begun.append((node.index, len(self.ops)))

    def values(self, node: Node, index: int) -> Array:
        """A parameter blob of the layer as an array."""
        return self.weights[node.index][index]

    def called(self, made: str, wanted: str, taken: bool) -> str:
        """A tensor under the name of a blob: the op that makes it gets to call it so.

        taken: whether it is a blob already.
        """
        if made == wanted:
            return wanted
        if not taken and made not in self.constants:
            for _, inputs, outputs, _ in self.ops[::-1]:
                if made in outputs:
                    outputs[outputs.index(made)] = wanted
                    return wanted
                if made in inputs:
                    break
        self.ops.append((self.identity, [made], [wanted], {}))
        return wanted

    def makers(self) -> dict[str, int]:
        """By tensor the index of the layer that its op belongs to."""
        ends = [*(start for _, start in self.begun[1:]), len(self.ops)]
        return {
            name: index
            for (index, start), end in zip(self.begun, ends, strict=True)
            for _, _, names, _ in self.ops[start:end]
            for name in names
        }
