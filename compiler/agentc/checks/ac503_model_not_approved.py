"""AC503: model is shown data that it is not approved for."""

from collections.abc import Iterator

from agentc_runtime.labels import ORDER, allows

from ..diagnostics import Diagnostic, Note, Rule
from ..flow import sources
from ..program import Program
from ..stepping import state_models

RULE = Rule(
    code="AC503",
    name="model-not-approved",
    title="model is shown data that it is not approved for",
    why=(
        "`max_sensitivity` says what may be sent to a provider. A run that would send more is stopped "
        "when the data is there, which is late to find out."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    sensitivity: restricted  # <- AC503
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    sensitivity: confidential
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """For each state what is too sensitive for one of its models, with the first such data."""
    if program.project is None:
        return
    models = program.project.spec.models
    for agent in program.agents.values():
        read = sources(agent)
        for name, state in agent.states.items():
            aliases = [alias for alias in state_models(agent, state) if alias in models]
            over = [
                (source, [a for a in aliases if not allows(models[a].max_sensitivity, source.origin.label)])
                for source in read[name]
            ]
            over = [(source, refused) for source, refused in over if refused]
            if not over:
                continue
            source, refused = max(over, key=lambda one: ORDER.index(one[0].origin.label.sensitivity))
            sensitivity, limit = source.origin.label.sensitivity, models[refused[0]].max_sensitivity
            yield RULE.at(
                source.span if source.origin.toolset or source.route else source.origin.declared,
                f"state `{name}` shows {sensitivity} data of {source} to model `{refused[0]}`, which is "
                f"approved for {limit} data",
                help="use a model that is approved for the data, or don't read it in this state",
                notes=(
                    *(
                        Note(
                            f"`max_sensitivity` of model `{alias}` is `{models[alias].max_sensitivity}`",
                            program.project.span("models", alias, "max_sensitivity", key=True),
                        )
                        for alias in refused
                    ),
                    Note(f"{source.origin.name}: {sensitivity}", source.origin.declared),
                ),
            )
