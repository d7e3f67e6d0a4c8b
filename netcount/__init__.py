"""netcount tells what a Caffe network costs, and shows why it can be believed."""

from __future__ import annotations

from netcount.api import Analysis, Net, load
from netcount.errors import InputError, NetcountError, Place
from netcount.layers.catalogue import CATALOGUE, Catalogue
from netcount.layers.layer import Arity, Layer, ParamBlob, Window
from netcount.opcount import NOTHING, OpCount
from netcount.shape import Shape

__all__ = [
    "CATALOGUE",
    "NOTHING",
    "Analysis",
    "Arity",
    "Catalogue",
    "InputError",
    "Layer",
    "Net",
    "NetcountError",
    "OpCount",
    "ParamBlob",
    "Place",
    "Shape",
    "Window",
    "__version__",
    "load",
]

__version__ = "0.1.0"
