"""What a name in a template stands for, and expressions that are a value: a literal or a typed path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final, TypeAlias

from jinja2 import nodes

from agentc_runtime.expressions import Schema
from agentc_runtime.filters import FILTERS
from agentc_runtime.template import LOOP
from agentc_runtime.values import Absent

from ..diagnostics import did_you_mean
from ..schematypes import properties_of, type_at
from .problems import TemplateProblem, find, path_pattern

#: Problems of one template that are reported: who has this many has one.
MAX_PROBLEMS: Final = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A value that stands in the template; `ABSENT` for none."""

    value: str | int | float | bool | Absent | None


@dataclass(frozen=True, slots=True)
class Data:
    """A value that is read at run time, at `path`, of a type."""

    path: tuple[str, ...]
    schema: Schema


Value: TypeAlias = Known | Data


@dataclass(frozen=True, slots=True)
class Unit:
    """One text: the template, or a file that it includes. `macros` are those at its top level."""

    file: str | None
    lines: list[str]
    body: list[nodes.Node]
    macros: Mapping[str, nodes.Macro]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where lowering is: the text, the names that it sees, and what is open around it.

    `taken` are the names that the runtime has bound here, seen or not: a macro doesn't see its caller's
    loop, but must not hide it from the arguments that were passed in.
    """

    unit: Unit
    names: Mapping[str, Value]
    taken: frozenset[str]
    open: tuple[str, ...] = ()


class Findings:
    """The problems so far. The same one at the same place, met again by way of a macro, counts once."""

    def __init__(self) -> None:
        self._found: dict[TemplateProblem, None] = {}

    def add(
        self, unit: Unit, line: int, pattern: str, code: str, message: str, hint: str | None = None
    ) -> None:
        """A problem where `pattern` is found on a line of the unit."""
        if len(self._found) >= MAX_PROBLEMS:
            return
        place = find(unit.lines, line, pattern)
        self._found[TemplateProblem(code, message, *place, hint, unit.file)] = None

    def problems(self) -> tuple[TemplateProblem, ...]:
        """All of them, in the order in which they were found."""
        return tuple(self._found)


def written(node: nodes.Node) -> tuple[str, ...]:
    """The steps of a path as far as they are plain; empty for what is no path at all."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        return (*steps, node.attr) if (steps := written(node.node)) else ()
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
    ):
        return (*steps, node.arg.value) if (steps := written(node.node)) else ()
    return ()


def value_of(node: nodes.Node, scope: Scope, findings: Findings) -> Value | None:
    """The value that an expression is; `None` after a finding, when it is not one."""
    if isinstance(node, nodes.Const):
        return _literal(node.value, node, scope, findings)
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const):
        number = node.node.value
        if isinstance(number, int | float) and not isinstance(number, bool):
            return _literal(-number, node, scope, findings)
    if path := written(node):
        return _path(path, node, scope, findings)
    what, pattern, hint = _describe(node)
    findings.add(scope.unit, node.lineno, pattern, "AC305", what, hint)
    return None


def _literal(value: object, node: nodes.Node, scope: Scope, findings: Findings) -> Value | None:
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return Known(value)
    findings.add(scope.unit, node.lineno, r"[0-9][0-9.eE+_]*", "AC305", "the number is too large")
    return None


def _path(path: tuple[str, ...], node: nodes.Node, scope: Scope, findings: Findings) -> Value | None:
    def refuse(code: str, message: str, hint: str | None, upto: int) -> None:
        findings.add(scope.unit, node.lineno, path_pattern(path[:upto]), code, message, hint)

    for index, step in enumerate(path, 1):
        if step.startswith("__"):
            refuse("AC305", f"`{step}` is not data", "a template reads data only, by its own names", index)
            return None
    value = scope.names.get(path[0])
    if value is None:
        refuse("AC306", f"`{path[0]}` is not declared", did_you_mean(path[0], scope.names), 1)
        return None
    for index, step in enumerate(path[1:], 2):
        following = type_at(value.schema, (step,)) if isinstance(value, Data) else None
        if following is None or not isinstance(value, Data):
            known = properties_of(value.schema) if isinstance(value, Data) else ()
            refuse(
                "AC306", f"`{'.'.join(path[: index - 1])}` has no `{step}`", did_you_mean(step, known), index
            )
            return None
        value = Data((*value.path, step), following)
    if isinstance(value, Data):
        if value.path[0] == "states" and len(value.path) < 3:
            state = value.path[1] if len(value.path) > 1 else "state"
            message = f"`{'.'.join(path)}` is not the output of a state"
            refuse("AC305", message, f"write `states.{state}.output`", len(path))
            return None
        if value.path[-1].endswith(LOOP):
            refuse("AC310", "`loop` is not a value", did_you_mean("", properties_of(value.schema)), len(path))
            return None
    return value


_OPERATORS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//",
    nodes.Mod: "%", nodes.Pow: "**", nodes.Neg: "-", nodes.Pos: "+", nodes.Concat: "~",
}  # fmt: skip
_WHERE_IT_IS: Final = "a condition stands in `{% if %}`, or as `a if condition else b`"


def _describe(node: nodes.Node) -> tuple[str, str, str | None]:
    """What is refused: message, pattern of its place, help."""
    if type(node) in _OPERATORS:
        sign = _OPERATORS[type(node)]
        instead = (
            "write the values side by side" if sign == "~" else "compute it before, in a state or a tool"
        )
        return f"`{sign}` is not supported", rf"(?<![{{%]){_escaped(sign)}(?![%}}])", instead
    match node:
        case nodes.Call(node=called):
            path = written(called)
            hint: str | None = None
            if len(path) > 1 and path[-1] in FILTERS:
                hint = f"write `{'.'.join(path[:-1])} | {path[-1]}`"
            elif len(path) > 1 and path[-1] in ("items", "keys", "values"):
                hint = "a loop goes over a list; an object is written as JSON"
            return "calls are not supported", path_pattern(path) + r"\s*\(" if path else r"\(", hint
        case nodes.Getitem(arg=nodes.Const()) | nodes.Getitem(arg=nodes.Slice()):
            return "lists have no index", r"\[", "use a `for` loop, or the filter `first` or `last`"
        case nodes.Getitem():
            return "a key is a literal", r"\[", "write its name"
        case nodes.Filter(name=name):
            return (
                f"the filter `{name}` can't be used here",
                rf"(?<=\|)\s*{name}(?!\w)",
                "filters stand in `{{ }}` only",
            )
        case nodes.Test() | nodes.Compare() | nodes.Not() | nodes.And() | nodes.Or():
            return "a condition is not a value", r"\S{1,60}\s{0,9}(?=[%}]\})", _WHERE_IT_IS
        case nodes.CondExpr():
            return "a choice of values can't be used here", r"\bif\b", "use `{% if %}`"
        case nodes.List() | nodes.Tuple() | nodes.Dict():
            return "lists and objects are not written in templates", r"[\[({](?![{%#])", None
        case _:
            return "this expression is not supported", r"(?<=\{\{)-?\s*\S+", None


def _escaped(sign: str) -> str:
    return "".join(f"\\{character}" for character in sign)
