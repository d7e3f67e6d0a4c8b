from __future__ import annotations

from netcount.layers.bases import Source
from netcount.prototxt.message import Message


class Python(Source):
    """A Python layer without bottoms: a source whose shapes only its code knows."""

    type = "Python"
    knows: str

    def read(self, message: Message) -> None:
        """Which class it is."""
        param = message.child("python_param")
        self.knows = f"only its code ({param.text('module')}.{param.text('layer')}) knows"
