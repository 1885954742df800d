"""What each format looks like, and what all of them keep."""

import json
import re
from xml.etree import ElementTree

import pytest

from agentc.diagnostics import Diagnostic, Span
from agentc.report import render
from agentc.report.findings import Report, count
from agentc.source import SourceFile


@pytest.mark.parametrize("name", ["text", "json", "github", "junit"])
def test_snapshot(reports, name, snapshot):
    assert render(name, reports) == snapshot


def test_snapshot_sarif(reports, rules, snapshot):
    text = re.sub(
        r'"version": "(?!2\.1\.0)[^"]*"', '"version": "X"', render("sarif", reports, rules=lambda: rules)
    )
    assert text == snapshot


@pytest.mark.parametrize("name", ["text", "json", "github", "junit", "sarif"])
def test_snapshot_hostile(hostile, name, snapshot):
    text = re.sub(r'"version": "(?!2\.1\.0)[^"]*"', '"version": "X"', render(name, hostile))
    assert text == snapshot


def test_color_changes_nothing_but_color(reports):
    colored = render("text", reports, color=True)
    assert "\x1b[1;31m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render("text", reports)


def test_no_findings():
    file = SourceFile("a.yaml", b"a: 1\n")
    reports = [Report("", [], {"a.yaml": file}), Report("x", [], {"a.yaml": file})]
    assert render("text", reports) == "no findings in 2 files\n"
    assert render("text", [reports[0]]) == "no findings in 1 file\n"
    assert render("github", reports) == ""
    assert json.loads(render("json", reports)) == []
    assert json.loads(render("sarif", reports))["runs"][0]["results"] == []
    assert ElementTree.fromstring(render("junit", reports)).get("tests") == "2"


def test_counts(reports):
    assert count(reports) == (4, 3, 4, 5)


def test_every_format_tells_of_every_finding(reports):
    expected = sorted(f.code for report in reports for f in report.diagnostics if f.level != "ignore")
    assert sorted(f["code"] for f in json.loads(render("json", reports))) == expected
    sarif = json.loads(render("sarif", reports))["runs"][0]
    assert sorted(result["ruleId"] for result in sarif["results"]) == expected
    assert sorted(re.findall(r"title=(AC[0-9]+)", render("github", reports))) == expected
    names = [case.get("name") for case in ElementTree.fromstring(render("junit", reports)).iter("testcase")]
    assert sorted(name.split()[0] for name in names if name.startswith("AC")) == expected
    assert sorted(re.findall(r"^\w+\[(AC[0-9]+)\]", render("text", reports), re.MULTILINE)) == expected


def test_github_shows_errors_first(reports):
    levels = [line[2:5] for line in render("github", reports).splitlines()]
    assert levels == sorted(levels)


def test_junit_counts_what_it_lists(reports):
    root = ElementTree.fromstring(render("junit", reports))
    assert int(root.get("tests")) == len(list(root.iter("testcase")))
    assert int(root.get("failures")) == len(list(root.iter("failure"))) == 4
    for suite in root:
        assert int(suite.get("tests")) == len(list(suite.iter("testcase")))


def test_sarif_rules_are_imported_for_sarif_only(reports):
    def never() -> dict[str, object]:
        raise AssertionError("imported")

    for name in ("text", "json", "github", "junit"):
        render(name, reports, rules=never)


def test_sarif_fingerprints_stay_when_lines_move():
    def fingerprints(text: str, line: int) -> list[str]:
        file = SourceFile("a.yaml", text.encode())
        found = [Diagnostic("AC401", "error", "m", Span("a.yaml", line, 1, line, 2)) for _ in range(2)]
        results = json.loads(render("sarif", [Report("", found, {"a.yaml": file})]))["runs"][0]["results"]
        return [result["partialFingerprints"]["agentc/v1"] for result in results]

    before = fingerprints("a: 1\n", 1)
    assert len(set(before)) == 2
    assert fingerprints("# more\n\n  a: 1\n", 3) == before
    assert fingerprints("a: 2\n", 1) != before


def _marked(line: str, start: int, end: int) -> str:
    """What stands above the carets."""
    file = SourceFile("a.yaml", line.encode())
    found = [Diagnostic("AC401", "error", "m", Span("a.yaml", 1, start, 1, end))]
    lines = render("text", [Report("", found, {"a.yaml": file})]).splitlines()
    carets = lines[4]
    return lines[3][carets.index("^") : carets.rindex("^") + 1]


@pytest.mark.parametrize(
    ("line", "start", "end", "above"),
    [
        ("a: no", 4, 6, "no"),
        ("\ta: no", 5, 7, "no"),
        ("é: no", 4, 6, "no"),
        ("a: x\u200by no", 8, 10, "no"),
        ("x" * 1000 + "TARGET" + "y" * 1000, 1001, 1007, "TARGET"),
        ("x" * 3_000_000 + "TARGET" + "y" * 1000, 3_000_001, 3_000_007, "TARGET"),
        ("TARGET" + "y" * 3_000_000, 1, 7, "TARGET"),
        ("y" * 500 + "TARGET", 501, 507, "TARGET"),
        ("a: \x1b[31mno", 9, 11, "no"),
    ],
)
def test_the_carets_stand_below_the_span(line, start, end, above):
    assert _marked(line, start, end) == above


@pytest.mark.parametrize(
    ("line", "start", "carets"),
    [("日本: 語", 5, "  |       ^^"), ("e\u0301: x", 5, "  |    ^"), ("a\t: x", 5, "  |       ^")],
)
def test_carets_count_columns_of_the_screen(line, start, carets):
    """Wide characters take two, marks that combine none, tabs go to the next stop."""
    file = SourceFile("a.yaml", line.encode())
    found = [Diagnostic("AC401", "error", "m", Span("a.yaml", 1, start, 1, start + 1))]
    assert render("text", [Report("", found, {"a.yaml": file})]).splitlines()[4] == carets


def test_lines_are_never_longer_than_a_screen():
    for line in ("x" * 5000, "日" * 5000, "\x1b" * 5000, "\t" * 5000):
        file = SourceFile("a.yaml", line.encode())
        for start in (1, 100, 2500, 5000):
            found = [Diagnostic("AC401", "error", "m", Span("a.yaml", 1, start, 1, 5001))]
            lines = render("text", [Report("", found, {"a.yaml": file})]).splitlines()
            assert all(len(shown) < 140 for shown in lines)
            assert "^" in lines[4]


def test_places_outside_the_file_are_named_without_a_line():
    file = SourceFile("a.yaml", b"a: 1\n")
    for span in (Span("a.yaml", 99, 1, 99, 2), Span("b.yaml", 1, 1, 1, 2)):
        text = render("text", [Report(".", [Diagnostic("AC401", "error", "m", span)], {"a.yaml": file})])
        assert text.splitlines()[1].strip() == f"--> {span.file}:{span.line}:1"
