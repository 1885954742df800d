"""AC413: bound value that does not fit the argument."""

from collections.abc import Iterator

from agentc_runtime.expressions import Const
from agentc_runtime.quoting import shown

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..program import Agent, BoundExpr, Grant, Program, SchemaData
from ..references import DATA
from ..schematypes import assignable, type_at
from ..stepping import expression_type, kinds

RULE = Rule(
    code="AC413",
    name="bound-value",
    title="bound value that does not fit the argument",
    why="A bound argument is put into every call. If the tool can't take it, every call is refused.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: 7 }  # <- AC413
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
      bind: { ticket_id: "7" }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Bound constants that the argument's schema refuses, and references whose type can never fit."""
    reported: set[Span] = set()
    for agent in program.agents.values():
        for grant in agent.grants.values():
            for name, bound in grant.bind.items():
                problem = _problem(agent, grant, name, bound)
                if problem is not None and bound.span not in reported:
                    reported.add(bound.span)
                    yield RULE.at(
                        bound.span,
                        f"argument `{name}` of `{grant.tool.name}` takes {problem}",
                        help="bind a value that fits, or leave the argument to the model inside a `where`",
                        notes=(Note("the tool is declared here", grant.tool.span(key=True)),),
                    )


def _problem(agent: Agent, grant: Grant, name: str, bound: BoundExpr) -> str | None:
    if grant.tool.operation is None or bound.problems:
        return None
    target = type_at(grant.tool.operation.arguments, (name,))
    if target is None:
        return None  # AC405
    if isinstance(bound.expr, Const):
        if any(reference.root not in DATA for reference, _ in bound.references):
            return None  # a reference that can't stand here, which AC209 reports
        expected = _violation(target, bound.expr.value)
        return f"{expected}, and this is `{shown(bound.expr.value)}`" if expected else None
    source = expression_type(bound.expr, agent.environment)
    if source is None or assignable(source, target) is not False:
        return None
    return f"{kinds(target)}, and this is {kinds(source)}"


def _violation(schema: SchemaData, value: object) -> str | None:
    from agentc_runtime.violations import compile_shape, first_violation

    try:
        violation = first_violation(compile_shape(schema), value)
    except ValueError:
        return None  # the document's schema is not valid, which family AC7 reports
    return violation.expected if violation else None
