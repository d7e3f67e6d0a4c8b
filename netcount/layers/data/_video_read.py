"""LRCN's clips of videos, read by a Python layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from netcount.core.shape import Shape
from netcount.layers.bases import Source
from netcount.layers.layer import Arity
from netcount.prototxt.message import Message

FRAMES = 16
"""Frames of a clip."""


class VideoRead(Source):
    """Frames of `clips` videos -> (16·clips)×3×227×227, their labels, and which go on with a clip.

    All three have one row per frame; where there are other tops than three, only its code knows them.
    """

    type = "Python"
    source = "LRCN"
    tops: ClassVar[Arity] = Arity(1, None)
    sizes_assumed = True
    clips: int

    def read(self, message: Message) -> None:
        """Nothing that the file says."""
        self.assumed = f"{self.clips} clips of {FRAMES} frames 3×227×227 are assumed, LRCN's custom"

    def infer_given(self, given: Mapping[int, Shape]) -> list[Shape]:
        """Nothing is assumed of frames that are given."""
        if 0 in given:
            self.assumed = None
        return super().infer_given(given)

    def shape_of(self, index: int, given: Mapping[int, Shape]) -> Shape | None:
        """By the top's position."""
        if self.top_count != 3 and index:
            return None
        frames = given[0][0] if given.get(0) else self.clips * FRAMES
        return Shape((frames,)) if index else Shape((frames, 3, 227, 227))
