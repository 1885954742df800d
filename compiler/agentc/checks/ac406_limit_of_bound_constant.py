"""AC406: limit of an argument that is bound to a constant."""

from collections.abc import Iterator

from agentc_runtime.quoting import shown

from ..diagnostics import Diagnostic, Note, Rule
from ..predicates import close_where, contradiction
from ..program import Program, SchemaData
from .grants import declared_grants

RULE = Rule(
    code="AC406",
    name="limit-of-bound-constant",
    title="limit of an argument that is bound to a constant",
    why=(
        "A bound argument never varies, so its limit holds always or never. If never, every call is "
        "refused; if always, the limit says nothing and hides that the value is fixed."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }  # <- AC406
      bind: { amount: 80 }
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
      bind: { amount: 40 }
      quota: { per_run: 1 }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Limits of arguments whose bound value stands in the spec."""
    for grant in declared_grants(program):
        for name, limit in grant.spec.where.items():
            bound, own = grant.constant(name), grant.argument(name)
            if bound is None or own is None or contradiction(own, dict(limit)):
                continue  # AC405 and AC404
            broken = _violation(name, dict(limit), bound.value)
            if broken is None:
                message = f"argument `{name}` is bound to `{shown(bound.value)}`, so this limit always holds"
            else:
                message = f"argument `{name}` is bound to `{shown(bound.value)}`: the limit asks for {broken}"
            yield RULE.at(
                grant.span("where", name, key=True),
                message,
                help="remove the limit" if broken is None else "correct the value or the limit",
                notes=(Note("bound here", grant.span("bind", name, key=True)),),
            )


def _violation(name: str, limit: SchemaData, value: object) -> str | None:
    from agentc_runtime.violations import compile_predicate, first_violation

    try:
        violation = first_violation(compile_predicate(close_where({name: limit})), {name: value})
    except ValueError:
        return "a value that satisfies it"  # AC302 says what is wrong with the limit itself
    return violation.expected if violation else None
