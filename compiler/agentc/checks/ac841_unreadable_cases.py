"""AC841: cases that can't be read."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..evals.case import Case, cases_of
from ..program import Program
from ..resources import node_at
from ..schema_places import problems_at
from ..source import node_of

RULE = Rule(
    code="AC841",
    name="unreadable-cases",
    title="cases that can't be read",
    why=(
        "The rows of a file of cases have the keys of a case in an eval. A row that is passed over, or a column "
        "that nobody reads, is a test that is not there."
    ),
    bad="""\
# file: cases.jsonl
{"id": "greets", "input": {"ticket_id": "T-1"}, "turns": [{"text": "Hello."}]}
{"id": "leaves", "inputs": {"ticket_id": "T-2"}, "turns": [{"text": "Bye."}]}
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  defaults: { input: { ticket_id: T-1 } }
  scorers: [{ type: status }]
  files: [cases.jsonl]
""",
    good="""\
# file: cases.jsonl
{"id": "greets", "input": {"ticket_id": "T-1"}, "turns": [{"text": "Hello."}]}
{"id": "leaves", "input": {"ticket_id": "T-2"}, "turns": [{"text": "Bye."}]}
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  scorers: [{ type: status }]
  files: [cases.jsonl]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Files of cases that are not there, and rows that are no cases."""
    for one in program.evals.values():
        for problem in cases_of(program, one)[1]:
            yield RULE.at(problem.span, problem.message, help=problem.help)
        for case in cases_of(program, one)[0]:
            if case.index is None:
                yield from _schemas(case)


def _schemas(case: Case) -> Iterator[Diagnostic]:
    """What is wrong with the schemas in a row: in a spec AC301 to AC303 say it."""
    from ..evals.schemas import places_of_case

    places = list(places_of_case(case.spec))
    if not places:
        return
    root = node_of(case.spec.model_dump(mode="json", by_alias=True, exclude_unset=True), case.span)
    for place in places:
        node = node_at(root, place.path)
        assert node is not None
        for problem in problems_at(node, place):
            where = ".".join(str(step) for step in place.path)
            yield RULE.at(case.span, f"`{where}` of `{case.id}`: {problem.message}", help=problem.help)
