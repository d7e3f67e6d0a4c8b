"""JUnit's XML, as Jenkins, GitLab and other test tools read it: a suite per net, a case per limit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from netcount.budget.budget import LEVELS, Checked, Finding
from netcount.core.errors import Place
from netcount.report.check import INCOMPLETE_TEXT, details, summary
from netcount.report.formats.problems import Problem
from netcount.report.formats.text import visible


def junit(nets: Sequence[Checked]) -> str:
    """The document.  A net that cannot be counted is an error; a warning passes, with its text.

    Names are data: every character that a log could obey, or that XML cannot hold, is an escape.
    """
    root = Element("testsuites", name="netcount")
    for net in nets:
        _suite(root, net)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    return _text(root)


def _text(root: Element) -> str:
    indent(root)
    text = tostring(root, encoding="us-ascii").decode("ascii")  # right in whatever encoding it is printed
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def junit_problems(file: str, problems: Sequence[Problem], failing: Collection[str]) -> str:
    """One file's problems, a case each; those of a level not in `failing` pass, with their text."""
    root = Element("testsuites", name="netcount")
    suite = SubElement(root, "testsuite", name=visible(file), file=visible(file), errors="0", time="0")
    for one in problems:
        place = Place(one.file, one.line, one.column)
        case = SubElement(
            suite, "testcase", classname=visible(file), name=visible(f"{one.rule} {place}"), time="0"
        )
        if one.level in failing:
            failure = SubElement(case, "failure", message=visible(one.message), type=one.rule)
            failure.text = visible(f"{place}: {one.message}")
        else:
            SubElement(case, "system-out").text = visible(f"{one.level}: {place}: {one.message}")
    if not problems:
        SubElement(suite, "testcase", classname=visible(file), name="lint", time="0")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    for key in ("tests", "failures", "errors"):
        root.set(key, suite.get(key, "0"))
    return _text(root)


def _suite(root: Element, net: Checked) -> None:
    # of the file, the schema of Jenkins lets a suite tell, and not a case
    suite = SubElement(root, "testsuite", name=visible(net.label), file=visible(net.file))
    for finding in net.findings:
        case = _case(suite, net, _title(finding))
        if finding.passed:
            continue
        place = f"{net.file}:{finding.line}: {summary(net, finding)}"
        text = "\n".join(map(visible, [place, *details(net, finding)]))
        if finding.level == LEVELS[0]:
            failure = SubElement(case, "failure", message=visible(summary(net, finding)))
            failure.set("type", finding.limit.rule)
            failure.text = text
        else:
            SubElement(case, "system-out").text = f"warning: {text}"
    if net.counted is not None and not net.findings and not net.incomplete:
        _case(suite, net, "counted")
    if net.incomplete:
        message = visible(f"{net.title}: {INCOMPLETE_TEXT}")
        failure = SubElement(_case(suite, net, "complete"), "failure", message=message)
        failure.set("type", "incomplete")
        failure.text = message
    for number, problem in enumerate(net.problems, 1):
        case = _case(suite, net, "counted" if number == 1 else f"counted ({number})")
        error = SubElement(case, "error", message=visible(str(problem)))
        error.set("type", type(problem).__name__)
        error.text = visible(str(problem))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("time", "0")


def _case(suite: Element, net: Checked, name: str) -> Element:
    return SubElement(
        suite,
        "testcase",
        classname=visible(net.label),
        name=visible(name),
        time="0",
    )


def _title(finding: Finding) -> str:
    kernel = f" {finding.limit.kernel}" if finding.limit.kernel else ""
    layer = f" of layer {finding.layer}" if finding.layer is not None else ""
    return f"{finding.limit.rule}{kernel} {finding.limit.text}{layer}"
