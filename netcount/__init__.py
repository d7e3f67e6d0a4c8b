"""netcount tells what a Caffe network costs, and shows why it can be believed.

Every public name is imported when it is first asked for, so that importing netcount costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netcount.analysis._support.alternatives import Alternative
    from netcount.analysis._support.blob_stats import BlobStats
    from netcount.analysis._support.kernels import KernelShare
    from netcount.analysis._support.liveness import RunMemory
    from netcount.analysis._support.modelsize import ModelSize
    from netcount.analysis._support.plain import Plain
    from netcount.analysis._support.resolutions import Resolution
    from netcount.analysis._support.smells import LintFinding
    from netcount.analysis._support.tiling import ChainTiling, LayerTiling, Strips
    from netcount.analysis._support.verdict import MemoryNeed, MemoryPart, MemoryVerdict, OverBlob, OverLayer
    from netcount.analysis.arena import ArenaBuffer, ArenaMethod
    from netcount.analysis.backward import LayerBackward
    from netcount.analysis.blocks import Block
    from netcount.analysis.compare import LayerChange, LayerFacts, NetFacts
    from netcount.analysis.conventions import CONVENTIONS, Convention, weighted
    from netcount.analysis.explain import LayerReasons, Term
    from netcount.analysis.memory import CaffeMemory, LayerMemory
    from netcount.analysis.reconcile import TypeCosts
    from netcount.analysis.rescale import ChannelChange
    from netcount.analysis.rows import BlobRow, LayerRow, Totals
    from netcount.analysis.survey import SurveyRow
    from netcount.analysis.sweep import Search, Variant
    from netcount.analysis.training import LayerTraining, TrainingBatch, TrainingFits
    from netcount.api import (
        Analysis,
        ConventionName,
        FilePath,
        FoldedNet,
        Net,
        Rescaled,
        Size,
        UpgradedNet,
        Weights,
        Width,
        compare,
        load,
        loads,
        rescale,
        survey,
        sweep,
    )
    from netcount.core.errors import (
        Advice,
        Errors,
        InputError,
        LimitError,
        MissingFileError,
        MissingShapeError,
        NetcountError,
        Place,
        PredictionsError,
        UnknownTypeError,
        Warned,
    )
    from netcount.core.opcount import NOTHING, OpCount
    from netcount.core.shape import Shape
    from netcount.engines.machine import Machine
    from netcount.engines.timing import Measured, TimedLayer, TimedNet
    from netcount.execute.executor import Step
    from netcount.execute.verify import BlobCheck, LayerCheck
    from netcount.export.agreement import EngineCheck
    from netcount.export.written import ExportedNet
    from netcount.graph.graph import Blob, Node, Owner
    from netcount.graph.options import Assumable, ByHand, LoadArguments
    from netcount.graph.solver_kind import SolverKind
    from netcount.kernels.run import Run
    from netcount.layers.bases import ElementWise, Moving, NoBlobs, SameShape, ShapesOnly, Source
    from netcount.layers.filler import Filler
    from netcount.layers.layer import Arity, Factors, Layer, ParamBlob, Product, Wanted, Window, WorkingMemory
    from netcount.layers.registry import CATALOGUE, Catalogue
    from netcount.prototxt.message import Message
    from netcount.prototxt.select import Phase
    from netcount.results.of_a_net import (
        Arena,
        Backward,
        Blocks,
        Explanation,
        Fit,
        Lint,
        Memory,
        Reconciliation,
        Training,
        Verification,
    )
    from netcount.results.of_nets import Comparison, Survey, Sweep, Timing
    from netcount.results.picture import Page, Picture
    from netcount.results.result import Result
    from netcount.running import Executor, write_caffemodel
    from netcount.targets.estimate import Estimate, LayerTime
    from netcount.targets.fit import Compared, Edit, Finding, Held, Smaller, Target, Unjudged, WhatFits
    from netcount.targets.profile import Profile

__all__ = [
    "CATALOGUE",
    "CONVENTIONS",
    "NOTHING",
    "Advice",
    "Alternative",
    "Analysis",
    "Arena",
    "ArenaBuffer",
    "ArenaMethod",
    "Arity",
    "Assumable",
    "Backward",
    "Blob",
    "BlobCheck",
    "BlobRow",
    "BlobStats",
    "Block",
    "Blocks",
    "ByHand",
    "CaffeMemory",
    "Catalogue",
    "ChainTiling",
    "ChannelChange",
    "Compared",
    "Comparison",
    "Convention",
    "ConventionName",
    "Edit",
    "ElementWise",
    "EngineCheck",
    "Errors",
    "Estimate",
    "Executor",
    "Explanation",
    "ExportedNet",
    "Factors",
    "FilePath",
    "Filler",
    "Finding",
    "Fit",
    "FoldedNet",
    "Held",
    "InputError",
    "KernelShare",
    "Layer",
    "LayerBackward",
    "LayerChange",
    "LayerCheck",
    "LayerFacts",
    "LayerMemory",
    "LayerReasons",
    "LayerRow",
    "LayerTiling",
    "LayerTime",
    "LayerTraining",
    "LimitError",
    "Lint",
    "LintFinding",
    "LoadArguments",
    "Machine",
    "Measured",
    "Memory",
    "MemoryNeed",
    "MemoryPart",
    "MemoryVerdict",
    "Message",
    "MissingFileError",
    "MissingShapeError",
    "ModelSize",
    "Moving",
    "Net",
    "NetFacts",
    "NetcountError",
    "NoBlobs",
    "Node",
    "OpCount",
    "OverBlob",
    "OverLayer",
    "Owner",
    "Page",
    "ParamBlob",
    "Phase",
    "Picture",
    "Place",
    "Plain",
    "PredictionsError",
    "Product",
    "Profile",
    "Reconciliation",
    "Rescaled",
    "Resolution",
    "Result",
    "Run",
    "RunMemory",
    "SameShape",
    "Search",
    "Shape",
    "ShapesOnly",
    "Size",
    "Smaller",
    "SolverKind",
    "Source",
    "Step",
    "Strips",
    "Survey",
    "SurveyRow",
    "Sweep",
    "Target",
    "Term",
    "TimedLayer",
    "TimedNet",
    "Timing",
    "Totals",
    "Training",
    "TrainingBatch",
    "TrainingFits",
    "TypeCosts",
    "Unjudged",
    "UnknownTypeError",
    "UpgradedNet",
    "Variant",
    "Verification",
    "Wanted",
    "Warned",
    "Weights",
    "WhatFits",
    "Width",
    "Window",
    "WorkingMemory",
    "__version__",
    "compare",
    "load",
    "loads",
    "rescale",
    "survey",
    "sweep",
    "weighted",
    "write_caffemodel",
]

__version__ = "0.1.0"

_HOMES = {
    "analysis._support.alternatives": ("Alternative",),
    "analysis._support.blob_stats": ("BlobStats",),
    "analysis._support.kernels": ("KernelShare",),
    "analysis._support.liveness": ("RunMemory",),
    "analysis._support.modelsize": ("ModelSize",),
    "analysis._support.plain": ("Plain",),
    "analysis._support.resolutions": ("Resolution",),
    "analysis._support.tiling": ("ChainTiling", "LayerTiling", "Strips"),
    "analysis._support.verdict": (
        "MemoryNeed",
        "MemoryPart",
        "MemoryVerdict",
        "OverBlob",
        "OverLayer",
    ),
    "analysis.arena": ("ArenaBuffer", "ArenaMethod"),
    "analysis.backward": ("LayerBackward",),
    "analysis.blocks": ("Block",),
    "analysis.compare": (
        "LayerChange",
        "LayerFacts",
        "NetFacts",
    ),
    "analysis.conventions": (
        "CONVENTIONS",
        "Convention",
        "weighted",
    ),
    "analysis.explain": (
        "LayerReasons",
        "Term",
    ),
    "analysis.memory": (
        "CaffeMemory",
        "LayerMemory",
    ),
    "analysis.reconcile": ("TypeCosts",),
    "analysis.rescale": ("ChannelChange",),
    "analysis.rows": (
        "BlobRow",
        "LayerRow",
        "Totals",
    ),
    "analysis.survey": ("SurveyRow",),
    "analysis.sweep": ("Search", "Variant"),
    "analysis.training": ("LayerTraining", "TrainingBatch", "TrainingFits"),
    "api": (
        "Analysis",
        "ConventionName",
        "FoldedNet",
        "Net",
        "FilePath",
        "Rescaled",
        "Size",
        "UpgradedNet",
        "Weights",
        "Width",
        "compare",
        "load",
        "loads",
        "rescale",
        "survey",
        "sweep",
    ),
    "core.errors": (
        "Advice",
        "Errors",
        "InputError",
        "LimitError",
        "MissingFileError",
        "MissingShapeError",
        "NetcountError",
        "Place",
        "PredictionsError",
        "UnknownTypeError",
        "Warned",
    ),
    "core.opcount": (
        "NOTHING",
        "OpCount",
    ),
    "core.shape": ("Shape",),
    "engines.machine": ("Machine",),
    "engines.timing": (
        "Measured",
        "TimedLayer",
        "TimedNet",
    ),
    "execute.executor": ("Step",),
    "execute.verify": (
        "BlobCheck",
        "LayerCheck",
    ),
    "export.agreement": ("EngineCheck",),
    "export.written": ("ExportedNet",),
    "graph.graph": (
        "Blob",
        "Node",
        "Owner",
    ),
    "graph.options": (
        "Assumable",
        "ByHand",
        "LoadArguments",
    ),
    "graph.solver_kind": ("SolverKind",),
    "kernels.run": ("Run",),
    "layers.bases": (
        "ElementWise",
        "Moving",
        "NoBlobs",
        "SameShape",
        "ShapesOnly",
        "Source",
    ),
    "layers.filler": ("Filler",),
    "layers.layer": (
        "Arity",
        "Factors",
        "Layer",
        "ParamBlob",
        "Product",
        "Wanted",
        "Window",
        "WorkingMemory",
    ),
    "analysis._support.smells": ("LintFinding",),
    "layers.registry": (
        "CATALOGUE",
        "Catalogue",
    ),
    "prototxt.message": ("Message",),
    "prototxt.select": ("Phase",),
    "results.of_a_net": (
        "Arena",
        "Backward",
        "Blocks",
        "Explanation",
        "Fit",
        "Lint",
        "Memory",
        "Reconciliation",
        "Training",
        "Verification",
    ),
    "results.of_nets": (
        "Comparison",
        "Survey",
        "Sweep",
        "Timing",
    ),
    "results.picture": ("Page", "Picture"),
    "results.result": ("Result",),
    "targets.estimate": ("Estimate", "LayerTime"),
    "targets.fit": (
        "Compared",
        "Edit",
        "Finding",
        "Held",
        "Smaller",
        "Target",
        "Unjudged",
        "WhatFits",
    ),
    "targets.profile": ("Profile",),
    "running": (
        "Executor",
        "write_caffemodel",
    ),
}
"""Where the public names stand, by module."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            value = globals()[name] = getattr(import_module(f"netcount.{module}"), name)
            return value
    raise AttributeError(f"module 'netcount' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
