"""netcount tells what a Caffe network costs, and shows why it can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netcount.api import Analysis, Net, load, rescale, sweep
from netcount.core.errors import InputError, NetcountError, Place
from netcount.core.opcount import NOTHING, OpCount
from netcount.core.shape import Shape
from netcount.layers.layer import Arity, Layer, ParamBlob, Product, Window
from netcount.layers.registry import CATALOGUE, Catalogue

if TYPE_CHECKING:
    from netcount.analysis._support.record import compare
    from netcount.execute.executor import Executor
    from netcount.execute.weights import write_caffemodel

__all__ = [
    "CATALOGUE",
    "NOTHING",
    "Analysis",
    "Arity",
    "Catalogue",
    "Executor",
    "InputError",
    "Layer",
    "Net",
    "NetcountError",
    "OpCount",
    "ParamBlob",
    "Place",
    "Product",
    "Shape",
    "Window",
    "__version__",
    "compare",
    "load",
    "rescale",
    "sweep",
    "write_caffemodel",
]

__version__ = "0.1.0"

_ON_DEMAND = {
    "Executor": "netcount.execute.executor",
    "compare": "netcount.analysis._support.record",
    "write_caffemodel": "netcount.execute.weights",
}
"""Names that are imported when somebody asks for them, as counting alone does not."""


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module 'netcount' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ON_DEMAND[name]), name)
