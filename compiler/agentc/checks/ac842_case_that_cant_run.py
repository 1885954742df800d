"""AC842: case that can't be run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span
from ..evals.case import Case, at_case, cases_of
from ..program import Agent, Program, SchemaData
from ..resources import Resource
from .ac812_permission_test_of_nothing import unfit

if TYPE_CHECKING:
    from ..syntax.eval import EvalSpec

RULE = Rule(
    code="AC842",
    name="case-that-cant-run",
    title="case that can't be run",
    why=(
        "A case has a name of its own and an input and a session that its agent takes, and what answers its "
        "model is said in it when nothing else does. Otherwise each of its runs fails before it begins."
    ),
    bad="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  scorers: [{ type: status }]
  cases:
    - id: greets
      input: { ticket_id: 7 }  # <- AC842
      turns: [{ text: Hello. }]
""",
    good="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  scorers: [{ type: status }]
  cases:
    - id: greets
      input: { ticket_id: T-7 }
      turns: [{ text: Hello. }]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Cases with a name that is taken, an input that no run has, or nothing that answers the model."""
    for one in program.evals.values():
        agent = program.agents.get(one.spec.agent)
        cases, problems = cases_of(program, one)
        seen: dict[str, Case] = {}
        for case in cases:
            if seen.setdefault(case.id, case) is not case:
                yield RULE.at(
                    at_case(one, case, "id"),
                    f"another case is called `{case.id}` already",
                    help="give each case a name of its own",
                )
            if agent is not None:
                yield from _case(program, one, agent, case)
        if not cases and not problems:
            yield RULE.at(one.name_span(), f"eval `{one.name}` has no case", help="write `cases` or `files`")


def _case(program: Program, one: Resource[EvalSpec], agent: Agent, case: Case) -> Iterator[Diagnostic]:
    said: tuple[tuple[str, Mapping[str, object], SchemaData | None], ...] = (
        ("input", case.input, dict(agent.spec.input.schema_)),
        ("session", case.session, dict(agent.spec.session.schema_) if agent.spec.session else None),
    )
    for name, value, schema in said:
        span = _place(one, case, name)
        if schema is None:
            if value:
                yield RULE.at(
                    span, f"agent `{agent.resource.name}` has no {name}", help=f"leave `{name}` out"
                )
        elif (problem := unfit(schema, value)) is not None:
            yield RULE.at(
                span,
                f"no run of `{agent.resource.name}` has the {name} of `{case.id}`: {problem}",
                help=f"write what the agent's `{name}` takes",
            )
    if one.spec.model == "mock" and not case.spec.turns and _asks_model(agent):
        yield RULE.at(
            at_case(one, case, "id"),
            f"nothing answers the model of `{case.id}`: `model` is `mock`, and the case has no `turns`",
            help="write `turns`, or record the case",
        )


def _asks_model(agent: Agent) -> bool:
    return any(state.spec.type in ("agent", "model") for state in agent.states.values())


def _place(one: Resource[EvalSpec], case: Case, name: str) -> Span:
    if case.index is not None and one.at("cases", case.index, name) is None:
        return one.span("cases", case.index, "id")
    return at_case(one, case, name, key=True)
