"""Conditions of templates: truth, `is defined`, comparison with literals, `in` a list of literals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from jinja2 import nodes

from agentc_runtime.expressions import And, Condition, Not, Or, Predicate
from agentc_runtime.template import holds
from agentc_runtime.values import ABSENT

from ..diagnostics import did_you_mean
from ..schematypes import type_of_value, types_of
from .problems import name_pattern
from .scope import Data, Findings, Known, Scope, value_of, written

_Op: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge"]
#: Jinja's operator → ours, and ours with the sides exchanged.
_OPS: Final[dict[str, tuple[_Op, _Op]]] = {
    "eq": ("eq", "eq"), "ne": ("ne", "ne"), "lt": ("lt", "gt"),
    "lteq": ("le", "ge"), "gt": ("gt", "lt"), "gteq": ("ge", "le"),
}  # fmt: skip
_TESTS: Final = ("defined", "none", "undefined")

#: A condition, its value when it is known now, or `None` after a finding.
Lowered: TypeAlias = Condition | bool | None


def condition_of(node: nodes.Node, scope: Scope, findings: Findings) -> Lowered:
    """The condition that an expression is."""
    match node:
        case nodes.Not(node=inner):
            return _negated(condition_of(inner, scope, findings))
        case nodes.And() | nodes.Or():
            parts = [condition_of(part, scope, findings) for part in _flat(node, type(node))]
            return _joined(parts, conjunction=isinstance(node, nodes.And))
        case nodes.Test():
            return _test(node, scope, findings)
        case nodes.Compare(expr=left, ops=operands):
            compared: list[Lowered] = []
            for operand in operands:
                compared.append(_compared(left, operand, scope, findings))
                left = operand.expr
            return _joined(compared, conjunction=True)
        case nodes.Filter(name=name, node=inner):
            path = ".".join(written(inner)) if inner is not None else ""
            hint = f"an empty list or text is false: write `{path}`" if path and name == "length" else None
            message = f"the filter `{name}` can't be used in a condition"
            findings.add(scope.unit, node.lineno, rf"(?<=\|)\s*{name}(?!\w)", "AC305", message, hint)
            return None
    value = value_of(node, scope, findings)
    if isinstance(value, Known):
        return value.value is not ABSENT and bool(value.value)
    return Predicate(path=value.path, op="truthy") if value is not None else None


def depth_of(condition: Condition) -> int:
    """How deep a condition nests; one that stands alone is 1."""
    match condition:
        case Not(condition=inner):
            return 1 + depth_of(inner)
        case And(conditions=parts) | Or(conditions=parts):
            return 1 + max(map(depth_of, parts))
        case Predicate():
            return 1


def _flat(node: nodes.Node, kind: type[nodes.Node]) -> list[nodes.Node]:
    """The parts of `a and b and c`, which Jinja reads as pairs of pairs."""
    parts: list[nodes.Node] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, kind) and isinstance(current, nodes.BinExpr):
            waiting += [current.right, current.left]
        else:
            parts.append(current)
    return parts


def _negated(condition: Lowered) -> Lowered:
    if condition is None or isinstance(condition, bool):
        return None if condition is None else not condition
    return condition.condition if isinstance(condition, Not) else Not(condition=condition)


def _joined(parts: Sequence[Lowered], *, conjunction: bool) -> Lowered:
    if any(part is None for part in parts):
        return None
    if any(part is not conjunction for part in parts if isinstance(part, bool)):
        return not conjunction
    left = tuple(part for part in parts if part is not None and not isinstance(part, bool))
    if len(left) < 2:
        return left[0] if left else conjunction
    return And(conditions=left) if conjunction else Or(conditions=left)


def _test(node: nodes.Test, scope: Scope, findings: Findings) -> Lowered:
    if node.name not in _TESTS:
        message = f"the test `is {node.name}` is not supported"
        findings.add(
            scope.unit,
            node.lineno,
            name_pattern(node.name),
            "AC305",
            message,
            did_you_mean(node.name, _TESTS),
        )
        return None
    value = value_of(node.node, scope, findings)
    if value is None:
        return None
    if isinstance(value, Known):
        known = value.value is None if node.name == "none" else value.value is not ABSENT
        return not known if node.name == "undefined" else known
    if node.name == "none":
        return Predicate(path=value.path, op="eq", value=None)
    defined = Predicate(path=value.path, op="defined")
    return Not(condition=defined) if node.name == "undefined" else defined


def _compared(left: nodes.Node, operand: nodes.Operand, scope: Scope, findings: Findings) -> Lowered:
    if operand.op in ("in", "notin"):
        found = _member(left, operand, scope, findings)
        return _negated(found) if operand.op == "notin" else found
    first, second = value_of(left, scope, findings), value_of(operand.expr, scope, findings)
    if first is None or second is None:
        return None
    op, flipped = _OPS[operand.op]
    if isinstance(first, Known):
        first, second, op = second, first, flipped
    if isinstance(second, Data):
        message = "two values that are read can't be compared"
        pattern = name_pattern(written(operand.expr)[0])
        findings.add(scope.unit, operand.expr.lineno, pattern, "AC305", message, "compare with a literal")
        return None
    if second.value is ABSENT:
        return op == "ne"
    if isinstance(first, Known):
        data = {} if first.value is ABSENT else {"value": first.value}
        return holds(Predicate(path=("value",), op=op, value=second.value), data)
    if _comparable(first, op, second.value, left, scope, findings):
        return Predicate(path=first.path, op=op, value=second.value)
    return None


def _comparable(
    data: Data, op: _Op, literal: object, node: nodes.Node, scope: Scope, findings: Findings
) -> bool:
    """Whether the comparison can go one way or the other: of two different types it never can."""
    types, kind = types_of(data.schema), type_of_value(literal)
    ordered = op not in ("eq", "ne")
    if literal is None and not ordered:
        return True
    if types & ({"number", "integer"} if kind in ("number", "integer") else {kind}) and not (
        ordered and kind not in ("number", "integer", "string")
    ):
        return True
    shown = " or ".join(f"`{name}`" for name in sorted(types - {"integer"} or types))
    message = f"`{'.'.join(data.path)}` is {shown} and is compared with a value of type `{kind}`"
    pattern = name_pattern(written(node)[0]) if written(node) else r"[<>=!]="
    findings.add(scope.unit, node.lineno, pattern, "AC310", message)
    return False


def _member(left: nodes.Node, operand: nodes.Operand, scope: Scope, findings: Findings) -> Lowered:
    listed = operand.expr
    if not isinstance(listed, nodes.List | nodes.Tuple):
        message = "`in` needs a list of literals"
        findings.add(
            scope.unit, operand.expr.lineno, name_pattern("in"), "AC305", message, "write `in ['a', 'b']`"
        )
        return None
    value = value_of(left, scope, findings)
    items = [value_of(item, scope, findings) for item in listed.items]
    if value is None or any(item is None for item in items):
        return None
    literals = [item.value for item in items if isinstance(item, Known)]
    if len(literals) < len(items):
        message = "`in` needs a list of literals"
        findings.add(scope.unit, operand.expr.lineno, name_pattern("in"), "AC305", message)
        return None
    choices = [literal for literal in literals if literal is not ABSENT]
    if isinstance(value, Known):
        return value.value is not ABSENT and value.value in choices
    return Predicate(path=value.path, op="in", value=choices)
