"""`${…}` references: from the author's text to paths. No data is read here; the runtime does that.

A reference is a whole value, never a part of a text: text is what templates are for. `$${` writes `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from agentc_runtime.expressions import Array, Const, Expr, Object, Ref
from agentc_runtime.values import MAX_DEPTH

from .diagnostics import Span, did_you_mean
from .source import Node, Scalar, Sequence

Root: TypeAlias = Literal["input", "session", "states", "env", "secrets"]
ROOTS: Final[tuple[Root, ...]] = ("input", "session", "states", "env", "secrets")
#: The roots whose values exist only when the agent runs.
DATA: Final = frozenset[str]({"input", "session", "states"})

_STEP: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FORMS: Final[Mapping[str, str]] = {
    "input": "${input.name}",
    "session": "${session.name}",
    "states": "${states.state.output.name}",
    "env": "${env.NAME}",
    "secrets": "${secrets.name}",
}


class Reference(NamedTuple):
    """A reference as written: `${input.a.b}` is root `input`, path `("a", "b")`."""

    root: Root
    path: tuple[str, ...]

    @property
    def text(self) -> str:
        """How an author writes it."""
        return "${" + ".".join((self.root, *self.path)) + "}"

    @property
    def full_path(self) -> tuple[str, ...]:
        """The path of the runtime's data: the root and its steps."""
        return (self.root, *self.path)


class ReferenceProblem(NamedTuple):
    """Why a text is not a reference (AC212)."""

    message: str
    help: str | None = None


def has_reference(text: str) -> bool:
    """Whether `text` holds `${` that is not escaped."""
    return "${" in text.replace("$${", "")


def unescape(text: str) -> str:
    """The literal text: `$${` becomes `${`."""
    return text.replace("$${", "${")


def parse_reference(text: str) -> Reference | ReferenceProblem:
    """The reference that the whole of `text` is, or why it is none."""
    if not (text.startswith("${") and text.endswith("}") and "}" not in text[:-1] and "${" not in text[2:]):
        return _embedded(text)
    inner = text[2:-1]
    steps = inner.split(".")
    if not all(map(_STEP.fullmatch, steps)):
        return ReferenceProblem(
            f"`{text}` is not a reference",
            "a reference is a dotted path such as `${input.ticket.id}`: no spaces, calls or indexes",
        )
    for root in ROOTS:
        if root == steps[0]:
            return _checked(Reference(root, tuple(steps[1:])))
    return ReferenceProblem(
        f"`{text}` starts with the unknown name `{steps[0]}`", did_you_mean(steps[0], ROOTS)
    )


def _embedded(text: str) -> ReferenceProblem:
    start = text.find("${")
    end = text.find("}", start)
    if end < 0:
        return ReferenceProblem("a reference is not closed", "write `${…}`, or `$${` for a literal `${`")
    inner = text[start : end + 1]
    return ReferenceProblem(
        f"`{inner}` stands inside other text",
        f"a reference is the whole value, `{inner}`; write `$${{` for a literal `${{`, "
        "or use a template in a prompt",
    )


def _checked(reference: Reference) -> Reference | ReferenceProblem:
    """Each root has its own shape; `input` and `session` may be taken whole."""
    root, path = reference
    if root == "states" and (len(path) < 2 or path[1] not in ("output", "item")):
        state = path[0] if path else "state"
        return ReferenceProblem(
            f"`{reference.text}` is not the output of a state", f"write `${{states.{state}.output}}`"
        )
    if root in ("env", "secrets") and len(path) != 1:
        return ReferenceProblem(f"`{reference.text}` is not one name", f"write `{_FORMS[root]}`")
    return reference


class CompiledExpr(NamedTuple):
    """An expression, the references in it and what is wrong with it, in source order.

    References to `env` and `secrets` are listed and stand in `expr` as null: callers that allow them
    handle them, all others report them.
    """

    expr: Expr
    references: tuple[tuple[Reference, Span], ...]
    problems: tuple[tuple[ReferenceProblem, Span], ...]


def compile_value(node: Node | None) -> Expr:
    """The expression of a YAML value whose problems are reported elsewhere; null when there is none."""
    return Const(value=None) if node is None else compile_expr(node).expr


def compile_expr(node: Node) -> CompiledExpr:
    """The expression that a YAML value stands for: literals, and `${…}` wherever a string can be."""
    references: list[tuple[Reference, Span]] = []
    problems: list[tuple[ReferenceProblem, Span]] = []

    def lower(node: Node, depth: int) -> Expr:
        if depth > MAX_DEPTH:
            problems.append((ReferenceProblem(f"the value nests deeper than {MAX_DEPTH}"), node.span))
            return Const(value=None)
        if isinstance(node, Scalar):
            return scalar(node)
        if isinstance(node, Sequence):
            items = tuple(lower(item, depth + 1) for item in node.items)
            constant = [item.value for item in items if isinstance(item, Const)]
            return Const(value=constant) if len(constant) == len(items) else Array(items=items)
        fields = {key: lower(value, depth + 1) for key, (_, value) in node.entries.items()}
        values = {key: field.value for key, field in fields.items() if isinstance(field, Const)}
        return Const(value=values) if len(values) == len(fields) else Object(fields=fields)

    def scalar(node: Scalar) -> Expr:
        if not isinstance(node.value, str):
            return Const(value=node.value)
        if not has_reference(node.value):
            return Const(value=unescape(node.value))
        parsed = parse_reference(node.value)
        if isinstance(parsed, ReferenceProblem):
            problems.append((parsed, node.span))
            return Const(value=None)
        references.append((parsed, node.span))
        return Ref(path=parsed.full_path) if parsed.root in DATA else Const(value=None)

    return CompiledExpr(lower(node, 0), tuple(references), tuple(problems))
