"""AC604: output of a state that may not have run."""

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..graph import Edge, Graph, path_without, show_path, workflow_graph
from ..guards import unguarded
from ..program import Agent, Program, State
from ..syntax.workflow import ChoiceStateSpec, EndStateSpec

RULE = Rule(
    code="AC604",
    name="output-not-there",
    title="output of a state that may not have run",
    why=(
        "What a state leaves behind exists after it has succeeded. On a path around it the reference "
        "is empty, and an empty value is not what the next step was written for."
    ),
    bad="""\
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
    start: check
    states:
      check: { type: choice, choices: [{ value: "${input.ticket_id}", when: { const: "" }, next: done }], default: work }
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }

      done: { type: end, output: "${states.work.output}" }  # <- AC604
""",
    good="""\
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
    start: check
    states:
      check: { type: choice, choices: [{ value: "${input.ticket_id}", when: { const: "" }, next: nothing }], default: work }
      work: { type: agent, tools: [desk.get_ticket, desk.refund], next: done }

      done: { type: end, output: "${states.work.output}" }
      nothing: { type: end, output: no ticket was named }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """References and slots that read the output of a state before it must have run."""
    for agent in program.agents.values():
        graph = workflow_graph(agent)
        reported: set[tuple[Span, str]] = set()
        for name, state in agent.states.items():
            for read, span in _reads(state):
                if (span, read) in reported or not _has_output(agent, read):
                    continue
                path = path_without(graph, name, read)
                if path is not None:
                    reported.add((span, read))
                    yield _finding(agent, graph, name, read, span, path)


def _finding(
    agent: Agent, graph: Graph, name: str, read: str, span: Span, path: tuple[Edge, ...]
) -> Diagnostic:
    where = "has not run yet" if name != read else "runs for the first time"
    return RULE.at(
        span,
        f"state `{name}` reads the output of `{read}`, which is not there on every path to it",
        help="read it in a state that only follows its success, or lead the other path elsewhere",
        notes=(
            Note(f"on this path `{read}` {where}: {show_path(graph, path)}"),
            Note(f"state `{read}`", agent.span(*agent.states[read].path, key=True)),
        ),
    )


def _has_output(agent: Agent, name: str) -> bool:
    """Whether the state exists and can have an output: others report what does not."""
    return name in agent.states and not isinstance(agent.states[name].spec, ChoiceStateSpec | EndStateSpec)


def _reads(state: State) -> Iterator[tuple[str, Span]]:
    for bound in state.exprs.values():
        for reference, span in bound.references:
            if reference.root == "states" and reference.path and reference.path[1:2] != ("item",):
                yield reference.path[0], span
    for text in state.texts.values():
        for name in sorted(unguarded(text.template)):
            yield name, text.span
