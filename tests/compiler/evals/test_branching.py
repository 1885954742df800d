"""Cases for each step of a workflow: run, each of them goes the way that it was made for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agentc.driver import check_project
from agentc.evals.branching import branch_cases
from agentc.evals.evaluating import Options, evaluate
from agentc.evals.redteam import synthetic_cases
from agentc.lowered import lower_agent
from agentc_runtime.expressions import Ref
from agentc_runtime.workflow import Choice, ChoiceState, EndState

SPECS = Path(__file__).parents[3] / "specs"
EVAL = """\
apiVersion: agentc/v1
kind: Eval
metadata: { name: steps, version: 1.0.0, owner: test }
spec:
  agent: triage
  model: mock
  files: [evals/steps.jsonl]
  scorers: [{ type: status, required: false }]
"""


def accepted(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {**row, "origin": {"source": "synthetic", "accepted_by": "ana"}}


def test_every_step_of_an_example_is_taken_by_its_case(tmp_path: Path) -> None:
    project = tmp_path / "support"
    shutil.copytree(SPECS / "support", project, ignore=shutil.ignore_patterns(".agentc", "dist"))
    result = check_project(project)
    lowered = lower_agent(result.program, result.program.agents["triage"])
    assert lowered is not None
    rows = [row for row in synthetic_cases(lowered) if row["tags"] == ["branch"]]
    assert {row["origin"]["source"] for row in rows} == {"synthetic"}  # type: ignore[index]
    assert [row["description"] for row in rows] == [
        "goes resolve → decide",
        "goes resolve ⇢ escalate",
        "goes decide → write",
        "goes decide → escalate",
        "goes escalate → escalated",
        "goes escalate ⇢ stuck",
        "goes write → reply",
        "goes reply → done",
        "goes reply ⇢ unanswered",
    ]
    lines = [json.dumps(row) + "\n" for row in accepted(iter(rows))]
    (project / "evals" / "steps.jsonl").write_text("".join(lines))
    (project / "evals" / "steps.yaml").write_text(EVAL)
    result = check_project(project)
    outcome = evaluate(result, result.program.evals["steps"], Options(), folder=None).outcome
    assert outcome.summary.pass_rate.value == 1, outcome.causes
    assert (outcome.coverage.branches.missing, outcome.coverage.states.missing) == ((), ())


def program(states: Mapping[str, Any], start: str) -> Any:
    """As much of a compiled agent as has steps."""
    schema = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    return SimpleNamespace(states=states, start=start, input=SimpleNamespace(schema=schema))


def chooses(on: tuple[str, ...], *whens: tuple[dict[str, Any], str], default: str | None = None) -> Any:
    choices = tuple(Choice(on=Ref(path=on), when=when, next=target) for when, target in whens)
    return ChoiceState(choices=choices, default=default)


@pytest.fixture
def ends() -> dict[str, Any]:
    return {name: EndState(output=None) for name in ("small", "large", "other")}


def test_an_input_is_made_that_a_choice_goes_by_and_those_before_it_do_not(ends: dict[str, Any]) -> None:
    first = chooses(("input", "size"), ({"maximum": 9}, "small"), ({"maximum": 99}, "large"), default="other")
    cases = list(branch_cases(program({"first": first, **ends}, "first"), {"size": 0}))
    sizes = {case["description"]: case["input"]["size"] for case in cases}  # type: ignore[index]
    assert sizes["goes first → small"] <= 9
    assert 10 <= sizes["goes first → large"] <= 99
    assert sizes["goes first → other"] > 99


def test_a_step_that_nothing_leads_to_has_no_case(ends: dict[str, Any]) -> None:
    never = chooses(("input", "size"), ({"type": "string"}, "small"), ({}, "large"), default="other")
    told = [case["description"] for case in branch_cases(program({"a": never, **ends}, "a"), {})]
    assert told == ["goes a → large"]
    by_session = chooses(("session", "customer"), ({"const": 1}, "small"), default="other")
    assert list(branch_cases(program({"a": by_session, **ends}, "a"), {})) == []
