"""AC420: data that can reach a tool which it never may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..flow import tool_span
from ..program import Program
from ..syntax.assertions import FlowAssertionSpec
from .asserted import asserted_of, assertion_note, named

if TYPE_CHECKING:
    from ..forbidden import Flow
    from ..lowered import Lowered

RULE = Rule(
    code="AC420",
    name="forbidden-flow",
    title="data that can reach a tool which it never may",
    why=(
        "An AssertionSet says which data is never in a state where certain tools can be called, or never "
        "where they can be called without a question. Inside one model loop anything read may reach anything "
        "written, so the state counts, with all ways that lead data into it."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: privacy, version: 1.0.0, owner: security }
spec:
  never:
    flows:
      - { trust: untrusted, effects: [send], reason: What strangers write pays nothing. }
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: work
    states:
      work:
        type: agent
        tools:
          - desk.get_ticket
          - desk.refund  # <- AC420
        next: done
      done: { type: end, output: "${states.work.output}" }
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: privacy, version: 1.0.0, owner: security }
spec:
  never:
    flows:
      - { trust: untrusted, effects: [send], unasked: true }
""",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """States in which data of `never.flows` can reach a tool: one finding a state, tool and assertion."""
    from ..forbidden import Flows

    flows: dict[str, Flows] = {}
    for asserted, about in asserted_of(program, agents):
        for index, flow in enumerate(asserted.spec.never.flows):
            found: dict[tuple[Span, str], tuple[Flow, list[Lowered]]] = {}
            for lowered in about:
                if lowered.name not in flows:
                    flows[lowered.name] = Flows(lowered)
                for one in flows[lowered.name].forbidden(flow):
                    span = tool_span(lowered.agent, lowered.agent.states[one.state], one.grant)
                    found.setdefault((span, one.state), (one, []))[1].append(lowered)
            for (span, _), (one, having) in found.items():
                tool = one.grant.tool.name
                how = "" if one.call is None else " with nobody asked"
                call = "" if one.call is None else f": {one.call}"
                yield RULE.at(
                    span,
                    f"in state `{one.state}` of {named(having)} {_data(flow)} of {one.sources[0]} can reach "
                    f"`{tool}`{how}, which is never allowed{call}",
                    help=_help(flow),
                    notes=(
                        *(Note(f"{source} is read here", source.span) for source in one.sources[:3]),
                        assertion_note(asserted, ("never", "flows", index), flow.reason),
                    ),
                )


def _data(flow: FlowAssertionSpec) -> str:
    words: list[str] = [flow.trust] if flow.trust is not None else []
    words += [f"{flow.sensitivity} (or more)"] if flow.sensitivity is not None else []
    return f"{' and '.join(words)} content"


def _help(flow: FlowAssertionSpec) -> str:
    apart = "read in a state of its own"
    if flow.sensitivity is None:
        apart += " and let only numbers, enums or identifiers cross"
    return f"{apart}, or let a person agree to each call by `approval`" if flow.unasked else apart
