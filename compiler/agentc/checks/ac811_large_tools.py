"""AC811: tools of a state take much of its model's context."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule
from ..names import model_name
from ..predicates import merge_limits
from ..program import Agent, Grant, Program, State
from ..stepping import state_models
from ..syntax.workflow import AgentStateSpec
from ..tool_size import bound_for, definition_tokens

RULE = Rule(
    code="AC811",
    name="large-tools",
    title="tools of a state take much of its model's context",
    why=(
        "A model reads the definitions of all its tools on every turn. Large ones cost money, leave less room "
        "for the work, and make it choose worse. The bound is a quarter of the model's `context_tokens`, or "
        "20,000 tokens without it; a token is taken as four bytes."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
      context_tokens: 200
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
      private_hosts: ["127.0.0.1:8080"]
  approvers:
    leads: [ana@example.com]
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]  # <- AC811
  limits: { cost_usd: 0.5 }
""",
    good="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
      context_tokens: 200000
  environments:
    local:
      variables: { DESK_URL: "http://127.0.0.1:8080" }
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
      private_hosts: ["127.0.0.1:8080"]
  approvers:
    leads: [ana@example.com]
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """States whose tools are over the bound of one of their models; the smallest one speaks."""
    for agent in program.agents.values():
        for state in agent.states.values():
            if isinstance(state.spec, AgentStateSpec) and state.grants:
                yield from _state(program, agent, state)


def _state(program: Program, agent: Agent, state: State) -> Iterator[Diagnostic]:
    known = program.project.spec.models if program.project else {}
    bounds = [(bound_for(known[a].context_tokens), a) for a in state_models(agent, state) if a in known]
    if not bounds:
        return
    sizes = {name: _tokens(grant) for name, grant in state.grants.items()}
    total, (bound, alias) = sum(sizes.values()), min(bounds)
    if total <= bound:
        return
    largest = max(sorted(sizes), key=lambda name: sizes[name])
    where = agent.span(*state.path, "tools", key=True) if state.path else agent.span("permissions", key=True)
    yield RULE.at(
        where,
        f"the tools of state `{state.name}` are about {total:,} tokens, and {bound:,} are for model `{alias}`",
        help=f"split the state, or make `{largest}` smaller ({sizes[largest]:,} tokens): bind what the model "
        "need not choose, and write a shorter `description`",
    )


def _tokens(grant: Grant) -> int:
    """The size of the tool without the grant's limits: they may not be valid, and add little."""
    operation = grant.tool.operation
    if operation is None:
        return 0
    description = grant.tool.spec.description or operation.description
    parameters = merge_limits(operation.arguments, set(grant.spec.bind), None)
    return definition_tokens(model_name(grant.tool.name), description, parameters)
