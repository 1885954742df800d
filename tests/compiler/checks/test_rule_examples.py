"""Each rule's own examples: `bad` gives its finding on exactly the marked lines, `good` gives none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentc.checks import registry
from agentc.checks.base import BASE, example_files
from agentc.cli.explain import load_rule
from agentc.deciding import DECISIONS
from agentc.diagnostics import Rule, is_about_change
from agentc.driver import Result, check_project

CHECKS_FOLDER = Path(registry.__file__).parent
RULES = list(registry.RULES.values())
#: What `agentc diff` finds has its examples run in `tests/compiler/diff/test_diff_rules.py`.
CHECKED = [rule for rule in RULES if not is_about_change(rule.code)]


def check(folder: Path, files: dict[str, str]) -> Result:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # `\xNN` in an example stands for a byte that is not text.
        path.write_bytes(
            re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode())
        )
    return check_project(folder)


def described(result: Result) -> list[str]:
    return [f"{d.span.file}:{d.span.line} {d.code} {d.message}" for d in result.diagnostics]


def test_base_project_has_no_findings(tmp_path: Path) -> None:
    assert described(check(tmp_path, BASE)) == []


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_bad_example_is_found_where_it_is_marked(rule: Rule, tmp_path: Path) -> None:
    files = example_files(rule.bad)
    result = check(tmp_path, files)
    assert {d.code for d in result.diagnostics} == {rule.code}, described(result)
    marked = {
        (name, number)
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if f"# <- {rule.code}" in line
    }
    if marked:
        assert {(d.span.file, d.span.line) for d in result.diagnostics} == marked, described(result)


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_good_example_has_no_findings(rule: Rule, tmp_path: Path) -> None:
    assert described(check(tmp_path, example_files(rule.good))) == []


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.code)
def test_findings_point_into_their_file_and_say_what_to_do(rule: Rule, tmp_path: Path) -> None:
    result = check(tmp_path, example_files(rule.bad))
    for finding in result.diagnostics:
        source = result.files.get(finding.span.file)
        assert source is not None, finding
        assert 1 <= finding.span.line <= len(source.lines)
        assert finding.span.column <= len(source.lines[finding.span.line - 1]) + 1
        assert (finding.span.end_line, finding.span.end_column) > (finding.span.line, finding.span.column)
        assert not finding.message.endswith(".")
        assert re.match(r"[`a-z]|AC\d|OpenAPI|YAML|JSON|UTF", finding.message), finding.message


def test_every_rule_file_is_registered() -> None:
    modules = {path.stem for path in CHECKS_FOLDER.glob("ac*.py")}
    assert {f"{rule.code.lower()}_{rule.name.replace('-', '_')}" for rule in RULES} == modules


def test_every_check_is_registered() -> None:
    defined = {path.stem for path in CHECKS_FOLDER.glob("ac*.py") if "\ndef check(" in path.read_text()}
    registered = [*registry.CHECKS, *DECISIONS]
    assert {check.__module__.rpartition(".")[2] for check in registered} == defined


def test_there_are_rules_in_every_family() -> None:
    families = {rule.code[:3] for rule in RULES}
    assert families >= {f"AC{number}" for number in range(1, 9)}
    assert len(RULES) >= 40


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_explain_reads_the_rule_as_it_is_imported(rule: Rule) -> None:
    assert load_rule(f"{rule.code.lower()}_{rule.name.replace('-', '_')}") == rule
