"""The questions that can be asked of nets, one descriptor each: who answers, in which forms, and where it is
described.  The command line lists and delivers by it, and a test fails where a question lacks something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Lacks(str):
    """Stands for what a question has not, and says why."""

    __slots__ = ()


class Question(NamedTuple):
    """One question.

    Names are "module:name" below `netcount`; what they mean is imported when it is wanted.

    Attributes:
        about: One line for the list of commands.
        command: The click command that asks it; its name is the question's unless `option` is set.
        method: The same question in Python.
        report: From the answer to the parts of a report for people.
        csv: From the answer to CSV text.
        document: From the answer to the JSON document, or to several where there is one per net.
        schema: The name of the document's schema in netcount/schemas.
        docs: The page and anchor that describe it, below docs.
        option: The parameter of `command` that asks it.
        many: Whether there is a document per net, each on a line of its own.
        indent: Of a document that stands alone.
        result: The class of its answer in Python, which is a `Result`.
    """

    about: str
    command: str
    method: str
    report: str
    csv: str
    document: str
    schema: str
    docs: str
    option: str = ""
    many: bool = False
    indent: int | None = None
    result: str = ""

    def loaded(self, field: str) -> Any:
        """What a field names."""
        from importlib import import_module

        module, _, path = getattr(self, field).partition(":")
        target = import_module(f"netcount.{module}" if module else "netcount")
        for name in path.split("."):
            target = getattr(target, name)
        return target


QUESTIONS: Mapping[str, Question] = {
    "analyze": Question(
        "What every layer of a net costs.",
        "cli.analyze:analyze",
        ":Net.analyze",
        "report.analysis:reports",
        "report.tabular:analysis_csv",
        "report.document:documents",
        "analysis",
        "usage.md#analyze",
        many=True,
        result=":Analysis",
    ),
    "explain": Question(
        "Why a layer or a block costs what it costs.",
        "cli.explain:explain",
        ":Net.explain",
        "report.explanation:explanation",
        "report.explanation:explanation_csv",
        "report.explanation:explanation_document",
        "explain",
        "usage.md#explain",
        result=":Explanation",
    ),
    "blocks": Question(
        "What every block of layers costs.",
        "cli.blocks:blocks",
        ":Net.blocks",
        "report.blocks:blocks_report",
        "report.blocks:blocks_csv",
        "report.blocks:blocks_document",
        "blocks",
        "usage.md#blocks",
        result=":Blocks",
    ),
    "graph": Question(
        "A net as a picture.",
        "cli.graph:graph",
        ":Net.graph",
        Lacks("the answer is a picture"),
        Lacks("the answer is a picture"),
        "report.picture:picture_document",
        "view",
        "usage.md#graph",
        result=":Picture",
    ),
    "serve": Question(
        "Edit nets in a browser, and see what they cost.",
        "cli.serve:serve",
        "serve.server:Server",
        Lacks("the answer is a page"),
        Lacks("the answer is a page"),
        Lacks("the answer is a page"),
        Lacks("the answer is a page"),
        "graph.md#editing-live",
        result=Lacks("the answer is a page"),
    ),
    "reconcile": Question(
        "Where conventions of counting differ.",
        "cli.analyze:analyze",
        ":Net.reconcile",
        "report.reconciliation:reconciliation_report",
        "report.reconciliation:reconciliation_csv",
        "report.reconciliation:reconciliation_document",
        "reconcile",
        "counting.md#two-figures-for-one-net",
        option="reconcile",
        result=":Reconciliation",
    ),
    "backward": Question(
        "What a net costs while it is trained.",
        "cli.analyze:analyze",
        ":Net.backward",
        "report.backward:backward_report",
        "report.backward:backward_csv",
        "report.backward:backward_document",
        "backward",
        "counting.md#forward-and-backward",
        option="train",
        result=":Backward",
    ),
    "memory": Question(
        "What a net needs in memory, and the size of its model.",
        "cli.memory:memory",
        ":Net.memory",
        "report.memory:memory_report",
        "report.memory:memory_csv",
        "report.memory:memory_document",
        "memory",
        "usage.md#memory",
        result=":Memory",
    ),
    "training": Question(
        "What Caffe keeps in memory while it trains a net.",
        "cli.memory:memory",
        ":Net.training",
        "report.training:training_report",
        "report.training:training_csv",
        "report.training:training_document",
        "training",
        "usage.md#training",
        option="train",
        result=":Training",
    ),
    "arena": Question(
        "Where each buffer of a net lies in one block of memory.",
        "cli.memory:memory",
        ":Net.arena",
        "report.arena:arena_report",
        "report.arena:arena_csv",
        "report.arena:arena_document",
        "arena",
        "usage.md#arena",
        option="arena",
        result=":Arena",
    ),
    "fit": Question(
        "Whether a net runs on a chip or tool-chain, and what stops it.",
        "cli.fit:fit",
        ":Net.fit",
        "report.fit:fit_report",
        "report.fit:fit_csv",
        "report.fit:fit_document",
        "fit",
        "targets.md#does-it-fit",
        result=":Fit",
    ),
    "lint": Question(
        "What in a net costs and does nothing, and what to write.",
        "cli.lint:lint",
        ":Net.lint",
        "report.lint:lint_report",
        "report.lint:lint_csv",
        "report.lint:lint_document",
        "lint",
        "lint.md#what-costs-and-does-nothing",
        result=":Lint",
    ),
    "targets": Question(
        "The targets that netcount has profiles of.",
        "cli.fit:fit",
        "targets.shipped:shipped",
        "report.targets:targets_report",
        "report.targets:targets_csv",
        "report.targets:targets_document",
        "targets",
        "targets.md#the-targets",
        option="listing",
        result=Lacks("the profiles are values"),
    ),
    "rescale": Question(
        "Write a net at another width and resolution.",
        "cli.rescale:rescale",
        ":Net.rescale",
        "report.rescaled:rescaled_report",
        "report.rescaled:rescaled_csv",
        "report.rescaled:rescaled_document",
        "rescale",
        "usage.md#rescale",
        result=":Rescaled",
    ),
    "upgrade": Question(
        "A net of any age in Caffe's current form, as a prototxt.",
        "cli.upgrade:upgrade",
        ":Net.upgrade",
        Lacks("the answer is a prototxt"),
        Lacks("the answer is a prototxt"),
        Lacks("the answer is a prototxt"),
        Lacks("the answer is a prototxt"),
        "engines.md#upgrade",
        result=Lacks("the answer is a prototxt"),
    ),
    "fold": Question(
        "A net without BatchNorm and the like, as a prototxt and its weights.",
        "cli.fold:fold",
        ":Net.fold",
        Lacks("the answer is a prototxt"),
        Lacks("the answer is a prototxt"),
        Lacks("the answer is a prototxt"),
        Lacks("the answer is a prototxt"),
        "engines.md#fold",
        result=Lacks("the answer is a prototxt"),
    ),
    "export": Question(
        "A net as a model of ONNX or ncnn, checked in its engine.",
        "cli.export:export",
        ":Net.export",
        Lacks("the answer is a file of the engine"),
        Lacks("the answer is a file of the engine"),
        Lacks("the answer is a file of the engine"),
        Lacks("the answer is a file of the engine"),
        "engines.md#export",
        result=Lacks("the answer is a file of the engine"),
    ),
    "from-caffemodel": Question(
        "What a .caffemodel holds, and its net as a prototxt.",
        "cli.from_caffemodel:from_caffemodel",
        "caffemodel.read:open",
        "report.caffemodel:stored_report",
        "report.caffemodel:stored_csv",
        "report.caffemodel:stored_document",
        "caffemodel",
        "engines.md#from-caffemodel",
        result=Lacks("what a file holds is a value of its reader"),
    ),
    "sweep": Question(
        "Cost of a net at many widths and resolutions, and which fit.",
        "cli.sweep:sweep",
        ":Net.sweep",
        "report.sweep:sweep_report",
        "report.sweep:sweep_csv",
        "report.sweep:sweep_document",
        "sweep",
        "usage.md#sweep",
        result=":Sweep",
    ),
    "check": Question(
        "Check nets against their budgets.",
        "cli.check:check",
        "testing:assert_within",
        "report.check:report",
        "report.check:check_csv",
        "report.check:document",
        "check",
        "ci.md#a-first-gate",
        indent=2,
        result=Lacks("a broken limit is an AssertionError"),
    ),
    "compare": Question(
        "What changed between nets.",
        "cli.compare:compare",
        ":Net.compare",
        "report.comparison:report",
        "report.comparison:comparison_csv",
        "report.comparison:comparison_document",
        "compare",
        "ci.md#against-a-baseline",
        indent=2,
        result=":Comparison",
    ),
    "survey": Question(
        "A table of many nets, one row each.",
        "cli.survey:survey",
        ":survey",
        "report.survey:report",
        "report.survey:survey_csv",
        "report.survey:survey_document",
        "survey",
        "ci.md#many-nets",
        indent=2,
        result=":Survey",
    ),
    "verify": Question(
        "Run nets and compare the results with the figures.",
        "cli.verify:verify",
        ":Net.verify",
        "report.verification:reports",
        "report.verification:verification_csv",
        "report.verification:documents",
        "verification",
        "usage.md#verify",
        many=True,
        result=":Verification",
    ),
    "time": Question(
        "How long nets take in engines, and whether madds told so.",
        "cli.time:time",
        ":Net.time",
        "report.timing:timing_report",
        "report.timing:timing_csv",
        "report.timing:timing_document",
        "time",
        "engines.md#time",
        result=":Timing",
    ),
    "times": Question(
        "What two machines take for the same nets.",
        "cli.compare:compare",
        "engines.between:read_and_compare",
        "report.times:times_report",
        "report.times:times_csv",
        "report.times:times_document",
        "times",
        "engines.md#two-machines",
        option="files",
        result=Lacks("two documents are compared, and no net is asked"),
    ),
    "layers": Question(
        "The layer types netcount knows.",
        "cli.layers:layers",
        ":CATALOGUE",
        "report.catalogue:catalogue_report",
        "report.catalogue:catalogue_csv",
        "report.catalogue:catalogue_document",
        "layers",
        "usage.md#layers",
        result=Lacks("the catalogue is a value"),
    ),
    "samples": Question(
        "The nets that come with netcount: list or copy them.",
        "cli.samples:samples",
        Lacks("Python reads files by their paths"),
        "report.samples:samples_report",
        "report.samples:samples_csv",
        "report.samples:samples_document",
        "samples",
        "usage.md#samples",
        result=Lacks("Python reads files by their paths"),
    ),
}
"""By name, in the order in which the command line lists them."""
