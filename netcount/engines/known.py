"""The engines by name, and which of them are installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from netcount.core.errors import InputError
from netcount.core.suggest import unknown
from netcount.engines.engine import Engine


class Known(NamedTuple):
    """An engine before it is imported.

    Attributes:
        module: What Python imports for it.
        extra: The extra of netcount that installs it; "" where it is always there.
        package: The name of that module's distribution.
        home: "file:Class" below `netcount.engines`.
    """

    module: str
    extra: str
    package: str
    home: str

    def loaded(self) -> type[Engine]:
        """The class."""
        from importlib import import_module

        file, _, name = self.home.partition(":")
        kind: type[Engine] = getattr(import_module(f"netcount.engines.{file}"), name)
        return kind

    @property
    def installed(self) -> bool:
        """Whether it can be imported; it is not."""
        return find_spec(self.module) is not None


ENGINES: Mapping[str, Known] = {
    "numpy": Known("numpy", "", "numpy", "numpy:Numpy"),
    "opencv": Known("cv2", "opencv", "opencv-python-headless", "opencv:OpenCV"),
    "onnxruntime": Known("onnxruntime", "onnx", "onnxruntime", "onnxruntime:OnnxRuntime"),
    "openvino": Known("openvino", "openvino", "openvino", "openvino:OpenVINO"),
    "ncnn": Known("ncnn", "ncnn", "ncnn", "ncnn:Ncnn"),
}
"""By name, in the order in which they are shown."""


def chosen(names: Sequence[str] | None = None) -> list[str]:
    """The engines of these names; without names all that are installed.

    Raises:
        InputError: There is no engine of that name, or it is not installed.
    """
    if names is None:
        return [name for name, engine in ENGINES.items() if engine.installed]
    for name in names:
        if name not in ENGINES:
            raise InputError(unknown("engine", name, ENGINES, show_all=True), argument="engines")
        if not ENGINES[name].installed:
            engine = ENGINES[name]
            raise InputError(
                f'"{name}" takes {engine.package}, of the extra netcount[{engine.extra}]; in a clone: '
                f"python -m pip install '.[{engine.extra}]'",
                argument="engines",
            )
    if not names:
        raise InputError("there is no engine to time", argument="engines")
    return list(dict.fromkeys(names))
