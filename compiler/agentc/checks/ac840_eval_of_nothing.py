"""AC840: eval of something that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span, did_you_mean
from ..evals.case import Case, at_case, cases_of
from ..program import Program
from ..resources import Resource

if TYPE_CHECKING:
    from ..evals.names import Named
    from ..syntax.eval import EvalSpec

RULE = Rule(
    code="AC840",
    name="eval-of-nothing",
    title="eval of something that does not exist",
    why=(
        "An eval names an agent and its tools, states and models. A name that leads nowhere measures nothing: a "
        "scorer that watches for calls of a misspelled tool is content with every run."
    ),
    bad="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  defaults: { input: { ticket_id: T-1 } }
  scorers:
    - { type: tools, not_called: [desk.refunds] }  # <- AC840
  cases:
    - id: asks-nothing
      turns: [{ text: Hello. }]
""",
    good="""\
# file: evals.yaml
apiVersion: agentc/v1
kind: Eval
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  model: mock
  defaults: { input: { ticket_id: T-1 } }
  scorers:
    - { type: tools, not_called: [desk.refund] }
  cases:
    - id: asks-nothing
      turns: [{ text: Hello. }]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Names in evals that are no names of this project."""
    if not program.evals:
        return
    from ..evals.names import named_in_eval

    for one in program.evals.values():
        agent = program.agents.get(one.spec.agent)
        if agent is None:
            if not program.broken.hides("Agent", one.spec.agent):
                yield RULE.at(
                    one.span("agent"),
                    f"there is no agent `{one.spec.agent}`",
                    help=did_you_mean(one.spec.agent, program.agents),
                )
            continue
        environments = program.project.spec.environments if program.project else {}
        wanted = one.spec.environment
        if wanted is not None and program.project is not None and wanted not in environments:
            yield RULE.at(
                one.span("environment"),
                f"there is no environment `{wanted}`",
                help=did_you_mean(wanted, environments),
            )
        for name in named_in_eval(one.spec):
            yield from _unknown(program, one, name, one.span(*name.path, key=name.key))
        for case in cases_of(program, one)[0]:
            yield from _in_case(program, one, case)


def _in_case(program: Program, one: Resource[EvalSpec], case: Case) -> Iterator[Diagnostic]:
    from ..evals.names import named_in_case

    for name in named_in_case(case.spec):
        yield from _unknown(program, one, name, at_case(one, case, *name.path, key=name.key))


def _unknown(program: Program, one: Resource[EvalSpec], name: Named, span: Span) -> Iterator[Diagnostic]:
    from agentc_runtime.models.embeddings import EMBEDDING

    known: Iterable[str]
    if name.kind == "tool":
        agent = program.agents[one.spec.agent]
        known = agent.grants
        if name.name in known or program.broken.hides("Toolset", name.name.partition(".")[0]):
            return
        if name.name in program.tools:
            if name.forbidden:
                return
            said = f"agent `{one.spec.agent}` is not granted `{name.name}`"
            yield RULE.at(span, said, help=did_you_mean(name.name, known))
            return
        known = program.tools if name.forbidden else known
    elif name.kind == "state":
        known = program.agents[one.spec.agent].states
    else:
        if program.project is None:
            return
        known = program.project.spec.models
        model = program.project.spec.models.get(name.name)
        if name.embeds and model is not None and model.provider not in EMBEDDING:
            wanted = " or ".join(f"`{one}`" for one in sorted(EMBEDDING))
            yield RULE.at(
                span,
                f"`{name.name}` makes no embeddings: its provider is `{model.provider}`",
                help=f"name a model for embeddings whose provider is {wanted}",
            )
            return
    if name.name not in known:
        owner = f"agent `{one.spec.agent}` has" if name.kind == "state" else "there is"
        yield RULE.at(span, f"{owner} no {name.kind} `{name.name}`", help=did_you_mean(name.name, known))
