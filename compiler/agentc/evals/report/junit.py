"""The report of an eval as JUnit XML: a test for each case and for each gate."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from ..evaluating import Evaluated
from ..outcome import Outcome

#: Characters that no XML 1.0 document may hold.
_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(evals: Sequence[Evaluated]) -> str:
    """The XML. A case that can't be measured is an error, one that does not pass a failure."""
    root = ET.Element("testsuites")
    for one in evals:
        _suites(root, one.outcome)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suites(root: ET.Element, outcome: Outcome) -> None:
    cases = outcome.cases
    unmeasured = [case for case in cases if case.status in ("stale", "broken")]
    failed = [case for case in cases if case.passed < 1 and case not in unmeasured and case.counts]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=f"eval {outcome.eval}",
        tests=str(len(cases)),
        failures=str(len(failed)),
        errors=str(len(unmeasured)),
        skipped=str(sum(not case.counts for case in cases)),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    for case in cases:
        test = ET.SubElement(
            suite,
            "testcase",
            classname=f"{outcome.eval}.{outcome.agent}",
            name=case.id,
            time=f"{case.seconds:.3f}",
        )
        text = _clean("\n".join(case.reasons))
        if not case.counts:
            ET.SubElement(test, "skipped", message="nobody has accepted this case yet")
        elif case.passed < 1:
            kind = "error" if case in unmeasured else "failure"
            ET.SubElement(
                test, kind, message=_clean(case.reasons[0]) if case.reasons else "failed"
            ).text = text
    gates = ET.SubElement(
        root,
        "testsuite",
        name=f"gates of {outcome.eval}",
        tests=str(len(outcome.gates)),
        failures=str(sum(not gate.passed for gate in outcome.gates)),
    )
    for number, gate in enumerate(outcome.gates, 1):
        test = ET.SubElement(gates, "testcase", classname=f"{outcome.eval}.gates", name=f"gate {number}")
        if not gate.passed:
            ET.SubElement(test, "failure", message=_clean(gate.message))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
