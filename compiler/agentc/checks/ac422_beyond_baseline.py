"""AC422: access that the baseline does not record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span
from ..program import Program
from .asserted import asserted_of, assertion_note

if TYPE_CHECKING:
    from ..lowered import Lowered

RULE = Rule(
    code="AC422",
    name="beyond-baseline",
    title="access that the baseline does not record",
    why=(
        "`baseline` of an AssertionSet names a file with what the agents could do when it was recorded. "
        "Whatever lets them do more is found, wherever it was changed: in a grant, a toolset, an API document "
        "or the project. Less is always fine."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: growth, version: 1.0.0, owner: security }
spec: { baseline: baseline.json }
# file: baseline.json
{ "format": "agentc.baseline/1", "agents": {} }
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }  # <- AC422
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: growth, version: 1.0.0, owner: security }
spec: { agents: [triage], never: { operations: [{ effect: delete }] } }
""",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """What agents may do beyond their baseline: one finding for each thing that was gained."""
    from ..baseline import BaselineError, growth, read

    for asserted, about in asserted_of(program, agents):
        path = asserted.spec.baseline
        file = program.files.get(path) if path is not None else None
        if file is None:
            continue  # AC423 says that it is not there
        try:
            baseline = read(file.data)
        except BaselineError:
            continue  # as well
        found: set[tuple[str, Span]] = set()
        for lowered in about:
            for grown in growth(program, lowered, baseline):
                if (grown.what, grown.span) not in found:
                    found.add((grown.what, grown.span))
                    yield RULE.at(
                        grown.span,
                        f"{grown.what}, and the baseline does not record that",
                        help="take it back; or record it in a change that is reviewed: `agentc baseline` writes "
                        f"`{path}`",
                        notes=(assertion_note(asserted, ("baseline",), None),),
                    )
