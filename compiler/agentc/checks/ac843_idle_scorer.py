"""AC843: scorer that measures nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span
from ..evals.case import Case, at_case, cases_of
from ..program import Agent, Program
from ..resources import Resource
from ..schematypes import type_at

if TYPE_CHECKING:
    from ..syntax.eval import EvalSpec
    from ..syntax.scorers import ScorerSpec

RULE = Rule(
    code="AC843",
    name="idle-scorer",
    title="scorer that measures nothing",
    why=(
        "A scorer that has nothing to compare with, looks at a value that the agent never gives, or asks for "
        "nothing, is content with every run or with none. Either looks like a measurement."
    ),
    bad="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: greetings, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  defaults: { input: { ticket_id: T-1 } }
  scorers:
    - { type: exact }  # <- AC843
  cases:
    - id: greets
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
  defaults: { input: { ticket_id: T-1 } }
  scorers:
    - { type: exact }
  cases:
    - id: greets
      turns: [{ text: Hello. }]
      expected: Hello.
""",
)

_COMPARING = frozenset({"exact", "number", "similarity", "embedding", "pairwise"})
_ASKING = frozenset({"tools", "states", "refusals", "approvals", "effects", "contains"})
_FIXED = frozenset({"type", "name", "required", "of", "ignore_case"})


def check(program: Program) -> Iterator[Diagnostic]:
    """Scorers without anything to look at or to compare with, and evals without scorers."""
    for one in program.evals.values():
        agent = program.agents.get(one.spec.agent)
        cases, problems = cases_of(program, one)
        for index, scorer in enumerate(one.spec.scorers):
            span = one.span("scorers", index, "type")
            yield from _scorer(agent, scorer, span)
            if _compares(scorer):
                lacking = [case.id for case in cases if case.spec.expected is None]
                if lacking and not problems:
                    names = ", ".join(f"`{name}`" for name in lacking[:3])
                    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
                    yield RULE.at(
                        span,
                        f"`{scorer.type}` has nothing to compare {names}{more} with",
                        help="give each case `expected`, or the scorer a `value`",
                    )
        for case in cases:
            yield from _of_case(one, agent, case)
            if not one.spec.scorers and not case.spec.assert_:
                yield RULE.at(
                    at_case(one, case, "id"),
                    f"nothing is measured of `{case.id}`",
                    help="write `scorers`, or `assert` in the case",
                )


def _of_case(one: Resource[EvalSpec], agent: Agent | None, case: Case) -> Iterator[Diagnostic]:
    for index, scorer in enumerate(case.spec.assert_):
        span = at_case(one, case, "assert", index, "type")
        yield from _scorer(agent, scorer, span)
        if _compares(scorer) and case.spec.expected is None:
            yield RULE.at(
                span,
                f"`{scorer.type}` has nothing to compare `{case.id}` with",
                help="give the case `expected`, or the scorer a `value`",
            )


def _compares(scorer: ScorerSpec) -> bool:
    return scorer.type in _COMPARING and "value" not in scorer.model_fields_set


def _scorer(agent: Agent | None, scorer: ScorerSpec, span: Span) -> Iterator[Diagnostic]:
    if scorer.type in _ASKING and not scorer.model_fields_set - _FIXED:
        yield RULE.at(span, f"`{scorer.type}` asks for nothing", help="say what has to be there, or must not")
    of = getattr(scorer, "of", None)
    if of is None or agent is None:
        return
    steps = of[2:-1].split(".")
    if steps[0] == "states":
        state = agent.states.get(steps[1])
        schema, rest = (None if state is None else state.output), steps[3:]
    else:
        schema, rest = agent.output, steps[1:]
    if rest and (schema is not None or steps[0] == "output"):
        text = schema is None
        if text or type_at(schema or {}, [step for step in rest if not step.isdigit()]) is None:
            said = "that is text" if text else "its schema has no such value"
            yield RULE.at(span, f"`{of}` is never there: {said}", help="look at what the agent gives")
