"""Findings to render: ordinary ones, and ones from a hostile file."""

import pytest

from agentc.diagnostics import Diagnostic, Edit, Note, Rule, Span
from agentc.parse import parse_documents
from agentc.report.findings import Report
from agentc.source import SourceFile

PERMISSIONS = """\
apiVersion: agentc/v1
kind: PermissionSet
spec:
  grants:
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
\t# a tab, wide text and a mark: 日本語 e\u0301 end
    - tool: desk.delete_ticket
"""
PAIRS = ", ".join(f"key{number}: value{number}" for number in range(40))
TOOLS = f"tools:\n  refund: {{{PAIRS}}}\n"
HOSTILE = (
    '"::error file=x,line=1::pwned\\n::add-mask::x": 1\n'
    "\x1b[31m\x1b]0;title\x07: \u202eevil\u202c\n"
    "a: ]]><script>&amp;\n"
    "::set-output name=x::y: 1\n"
    "::set-output name=x::y: 2\n"
    "%0A::warning::x: no\n"
    "%0A::warning::x: no\n"
    "a: '##[add-mask]x' no\n"
)


def _span(line: int, column: int, end_line: int, end_column: int, file: str = "permissions.yaml") -> Span:
    return Span(file, line, column, end_line, end_column)


@pytest.fixture
def reports() -> list[Report]:
    """Two projects with a finding of each shape, and one without findings."""
    sources = {
        "permissions.yaml": SourceFile("permissions.yaml", PERMISSIONS.encode()),
        "tools/helpdesk api.yaml": SourceFile("tools/helpdesk api.yaml", TOOLS.encode()),
        "agentc.yaml": SourceFile("agentc.yaml", b"apiVersion: agentc/v1\n"),
    }
    start = TOOLS.splitlines()[1].index("value20") + 1
    first = [
        Diagnostic(
            "AC401",
            "error",
            "`desk.refund` has no limit on `currency`",
            _span(5, 13, 5, 24),
            "add `currency: { enum: [EUR] }`\nor bind it",
            (Note("the amount is limited here", _span(6, 16, 6, 41)), Note("money moves")),
        ),
        Diagnostic("AC402", "warning", "a whole grant", _span(5, 7, 6, 41)),
        Diagnostic("AC403", "warning", "wide", _span(7, 33, 7, 37)),
        Diagnostic("AC404", "error", "at the end of a line", _span(8, 30, 8, 31), "say more"),
        Diagnostic("AC405", "ignore", "never shown", _span(1, 1, 1, 2)),
        Diagnostic(
            "AC201",
            "error",
            "unknown operation",
            _span(2, start, 2, start + 7, "tools/helpdesk api.yaml"),
            "did you mean `value2`?",
            edits=(Edit(_span(2, start, 2, start + 7, "tools/helpdesk api.yaml"), "value2"),),
        ),
        Diagnostic("AC702", "error", "no such file", _span(1, 1, 1, 2, "missing.yaml")),
    ]
    other = {"agentc.yaml": SourceFile("agentc.yaml", b"a: 1\n")}
    return [
        Report("specs/desk", first, sources),
        Report(
            "specs/other",
            [Diagnostic("AC801", "warning", "no owner", _span(1, 1, 1, 2, "agentc.yaml"))],
            other,
        ),
        Report("specs/clean", [], other),
    ]


@pytest.fixture
def hostile() -> list[Report]:
    """What the parser says of a file that wants to speak for the compiler."""
    file = SourceFile("::error x,y:z\n%0A\x1b.yaml", HOSTILE.encode())
    _, found = parse_documents(file)
    key = HOSTILE.splitlines()[0].split('"')[1].replace("\\n", "\n")
    help_ = f"]]> {key}\n::stop-commands::x ##[error]y"
    last = Span(file.path, 8, 1, 8, 2)
    found += (
        Diagnostic(
            "AC111", "error", f"unknown key `{key}`", Span(file.path, 1, 1, 1, 9), help_, (Note(key),)
        ),
        Diagnostic("AC112", "warning", "##[group]x", last, None, (Note("::error::z", last),)),
    )
    return [Report("", found, {file.path: file})]


@pytest.fixture
def rules() -> dict[str, Rule]:
    """The documentation of one code."""
    rule = Rule(
        "AC401", "missing-limit", "a grant without a limit", "Why it matters.", "bad: 1\n", "good: 1\n"
    )
    return {"AC401": rule}
