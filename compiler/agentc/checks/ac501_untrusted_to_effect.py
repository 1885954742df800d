"""AC501: untrusted content can cause an effect, and the policy allows it."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule
from ..flow import is_unasked, leaks, policy_span, sources, tool_span, untrusted
from ..program import Program
from ..syntax.workflow import AgentStateSpec

RULE = Rule(
    code="AC501",
    name="untrusted-to-effect",
    title="untrusted content can cause an effect, and the policy allows it",
    why=(
        "Whoever can write what a model reads can tell it what to do. Where the policy is `allow`, "
        "nobody is asked and nothing is refused: text in a ticket can become a payment."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC501
      where: { amount: { maximum: 50 } }
  flows:
    untrusted_to_effect: { policy: allow, reason: only small amounts }
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
  flows:
    untrusted_to_effect: approve
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """For each state the effects that untrusted content can cause unasked, by the way it gets there."""
    for agent in program.agents.values():
        read = sources(agent)
        for name, state in agent.states.items():
            strangers = untrusted(state, read[name])
            unasked = [grant for grant in state.grants.values() if is_unasked(grant)]
            if not strangers or not unasked:
                continue
            if isinstance(state.spec, AgentStateSpec) and leaks(state, read[name]):
                continue  # AC502, the worse one of the same cause
            effects = ", ".join(f"`{grant.tool.name}`" for grant in unasked)
            yield RULE.at(
                tool_span(agent, state, unasked[0]),
                f"in state `{name}` untrusted content of {strangers[0]} can cause {effects}, and nobody is asked",
                help="set `untrusted_to_effect: approve`, or read in a state of its own and let only numbers, "
                "enums or identifiers cross",
                notes=(
                    Note("the policy allows it here", policy_span(unasked[0])),
                    *(Note(f"{source} is untrusted", source.span) for source in strangers[:3]),
                ),
            )
