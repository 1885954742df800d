"""A spec must not speak for the compiler: terminal escapes, workflow commands, XML."""

import json
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from agentc.diagnostics import Diagnostic, Edit, Note, Span
from agentc.report import render
from agentc.report.findings import Report
from agentc.source import SourceFile

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def test_text_holds_no_control_characters(hostile):
    assert not CONTROL.search(render("text", hostile))


def test_no_line_is_a_command_to_a_runner(hostile):
    """GitHub's runner obeys a line that begins with `::` after spaces, and `##[` anywhere in a line."""
    for name in ("text", "json", "sarif", "junit"):
        text = render(name, hostile)
        assert "##[" not in text
        assert not re.search(r"^\s*::", text, re.MULTILINE)


def test_github_gives_one_command_a_finding(hostile):
    lines = render("github", hostile).splitlines()
    assert len(lines) == len(hostile[0].diagnostics)
    for line in lines:
        head, _, data = line.removeprefix("::").partition("::")
        assert re.fullmatch(r"(error|warning) file=[^,:\r\n]*(,\w+=[^,:\r\n]*)*", head)
        assert not CONTROL.search(data)


def test_junit_is_one_document(hostile):
    root = ElementTree.fromstring(render("junit", hostile))
    assert {element.tag for element in root.iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "system-out",
    }


ANY = st.text(max_size=30) | st.sampled_from(
    ["::error::x", "]]>", "\x1b[2J", "a\n::error::b", "%0A", "##[x]", "\ud800", "\u202e"]
)


@given(ANY, ANY, ANY, ANY, st.integers(1, 40), st.integers(1, 40))
def test_any_words_in_any_format(path, message, help_, source, column, end):
    span = Span(path, 1, min(column, end), 1, max(column, end))
    finding = Diagnostic(
        "AC401", "error", message, span, help_, (Note(message, span), Note(help_)), (Edit(span, help_),)
    )
    file = SourceFile(path, source.encode(errors="replace"))
    reports = [Report(path, [finding], {path: file})]
    text = render("text", reports)
    assert not CONTROL.search(text)
    assert len(re.findall(r"^error\[", text, re.MULTILINE)) == 1
    assert not re.search(r"^\s*::|##\[", text, re.MULTILINE)
    assert render("github", reports).count("\n") == 1
    ElementTree.fromstring(render("junit", reports).encode())
    assert json.loads(render("json", reports))[0]["message"] == message
    assert json.loads(render("sarif", reports))["runs"][0]["results"][0]["ruleId"] == "AC401"
    for name in ("json", "sarif"):
        assert render(name, reports).isascii()
