"""A run inside one block of memory, in which each blob lies where a plan says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from netcount.analysis.arena import Arena
from netcount.core.errors import InputError
from netcount.core.lazy_numpy import np
from netcount.execute.blob_store import BlobStore
from netcount.execute.executor import Executor
from netcount.graph.graph import Node

if TYPE_CHECKING:
    from netcount.kernels.run import Array


class ArenaStore(BlobStore):
    """The blobs of a run, all in one array of float32.

    Before a layer runs, its scratch and the memory of its tops are filled with what is not a number, but for
    tops that lie in a bottom's memory: what a plan lets overlap by mistake shows in the outputs.
    """

    def __init__(self, plan: Arena, keep: Collection[str] = ()) -> None:
        if plan.bits % 8 or any(buffer.offset * 8 % plan.bits for buffer in plan.buffers):
            raise InputError(
                f"a plan for values of {plan.bits} bits has no place for whole values", argument="bits"
            )
        super().__init__(plan.counted.net, keep)
        self._plan = plan
        self._block = np.full(self._elements(plan.total_bytes), np.nan, np.float32)
        self._shapes: dict[int, tuple[int, ...]] = {}

    def _elements(self, size: int) -> int:
        return size * 8 // self._plan.bits

    def _part(self, index: int) -> Array:
        """The memory of a buffer."""
        buffer = self._plan.buffers[index]
        start = self._elements(buffer.offset)
        return self._block[start : start + self._elements(buffer.bytes)]

    def _view(self, blob: int) -> Array:
        shape = self._shapes[blob]
        return self._part(self._plan.homes[blob])[: int(np.prod(shape))].reshape(shape)

    def bottoms(self, node: Node) -> list[Array]:
        """Views of the block; what is read by its shape alone has no values any more."""
        homes = self._plan.homes
        read = {homes[blob.index] for blob in node.value_bottoms}
        spoilt = {homes[top.index] for top in node.tops} - read
        own = self._plan.scratch[node.index]
        for index in spoilt if own is None else {*spoilt, own}:
            self._part(index)[:] = np.nan
        shapes_only = node.layer.extents_only
        return [
            np.broadcast_to(np.float32(np.nan), self._shapes[blob.index])
            if position in shapes_only
            else self._view(blob.index)
            for position, blob in enumerate(node.bottoms)
        ]

    def replace(self, node: Node, tops: Sequence[Array]) -> int:
        """Write the tops where the plan has them; the bytes of the whole block."""
        made = [np.array(top, np.float32) for top in tops]
        for blob, top in zip(node.tops, made, strict=True):
            if top.size > self._part(self._plan.homes[blob.index]).size:
                what = f'top "{blob.name}" has {top.size} values, {blob.shape.count()} were planned'
                why = "how many there are depends on the data"
                raise InputError(f'{node.type} "{node.name}": {what}; {why}', node.place)
            self._shapes[blob.index] = top.shape
            self._view(blob.index)[...] = top
            if blob.name in self._keep:
                self.results[blob.name] = top
        if node.index == len(self._plan.counted.net.nodes) - 1:
            for index in self._outputs:
                blob = self._plan.counted.net.blobs[index]
                self.results[blob.name] = self._view(index).copy()
        return self._block.nbytes


class ArenaExecutor(Executor):
    """Runs a net inside the arena that was planned for it.

    Args:
        plan: Where each buffer lies.
        weights: As for `Executor`.
        seed: As for `Executor`.
    """

    def __init__(
        self, plan: Arena, weights: Mapping[str, Sequence[Array]] | None = None, *, seed: int = 0
    ) -> None:
        super().__init__(plan.counted.net, weights, seed=seed, fuse=False)
        self._plan = plan

    def _store(self) -> BlobStore:
        return ArenaStore(self._plan, self.keep)
