"""Filters of templates: the names, and arguments that are literals of the right type and size."""

from __future__ import annotations

import inspect
from typing import Final, get_args

from jinja2 import nodes

from agentc_runtime.expressions import Filter
from agentc_runtime.filters import FILTERS

from ..diagnostics import did_you_mean
from ..schematypes import types_of
from .scope import Data, Findings, Known, Scope, Value, value_of

#: Filters that need something to count or to go through.
_OF_MANY: Final = frozenset({"first", "join", "last", "length"})
_LARGEST: Final = 100_000
_WIDEST: Final = 100


def filters_of(
    chain: list[nodes.Filter], value: Value, scope: Scope, findings: Findings
) -> tuple[Filter, ...] | None:
    """The filters of a slot, first applied first; `None` after a finding."""
    lowered = [_filter(node, scope, findings) for node in chain]
    found = tuple(one for one in lowered if one is not None)
    if len(found) < len(lowered):
        return None
    if found and found[0].name in _OF_MANY and isinstance(value, Data):
        types = types_of(value.schema)
        if not types & {"array", "object", "string"}:
            shown = " or ".join(f"`{name}`" for name in sorted(types - {"integer"} or types))
            message = (
                f"`{found[0].name}` needs a list, object or text, and `{'.'.join(value.path)}` is {shown}"
            )
            _refuse(chain[0], scope, findings, message, code="AC310")
            return None
    return found


def _refuse(
    node: nodes.Filter,
    scope: Scope,
    findings: Findings,
    message: str,
    hint: str | None = None,
    code: str = "AC305",
) -> None:
    findings.add(
        scope.unit, node.lineno, rf"(?<=\|)\s*{node.name}(?!\w)|(?<=filter ){node.name}", code, message, hint
    )


def _filter(node: nodes.Filter, scope: Scope, findings: Findings) -> Filter | None:
    name = node.name
    if name not in FILTERS:
        _refuse(node, scope, findings, f"there is no filter `{name}`", did_you_mean(name, FILTERS))
        return None
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        _refuse(node, scope, findings, f"arguments of `{name}` are literals")
        return None
    parameters = list(inspect.signature(FILTERS[name], eval_str=True).parameters.values())[1:]
    given: dict[str, str | int | bool] = {}
    pairs: list[tuple[str | None, nodes.Expr]] = [
        (parameters[index].name if index < len(parameters) else None, argument)
        for index, argument in enumerate(node.args)
    ]
    # Jinja says `Pair` here and puts `Keyword` in, whose key is text
    pairs.extend((str(keyword.key), keyword.value) for keyword in node.kwargs)
    types = {parameter.name: parameter.annotation for parameter in parameters}
    for key, argument in pairs:
        if key is None or key not in types or key in given:
            wrong = f"has no argument `{key}`" if key else f"takes at most {len(parameters)} arguments"
            _refuse(node, scope, findings, f"`{name}` {wrong}", did_you_mean(key, types) if key else None)
            return None
        value = value_of(argument, scope, findings)
        if value is None:
            return None
        allowed = get_args(types[key]) or (types[key],)
        if not isinstance(value, Known) or type(value.value) not in allowed or not _sized(key, value.value):
            _refuse(node, scope, findings, f"argument `{key}` of `{name}` can't be that", _wanted(allowed))
            return None
        if isinstance(value.value, str | int):
            given[key] = value.value
    return _positional(node, parameters, given, scope, findings)


def _sized(key: str, value: object) -> bool:
    """Numbers that make no text of a size that nobody meant."""
    if isinstance(value, bool) or not isinstance(value, int):
        return True
    return -1 <= value <= (_WIDEST if key in ("width", "indent") else _LARGEST)


def _wanted(allowed: tuple[type, ...]) -> str:
    words = {str: "a text", int: "a whole number", bool: "true or false"}
    return "it is " + " or ".join(words[one] for one in allowed if one in words)


def _positional(
    node: nodes.Filter,
    parameters: list[inspect.Parameter],
    given: dict[str, str | int | bool],
    scope: Scope,
    findings: Findings,
) -> Filter | None:
    """The arguments in order: up to the last one given, with the defaults between."""
    arguments: list[str | int | bool] = []
    last = max((index for index, one in enumerate(parameters) if one.name in given), default=-1)
    for index, parameter in enumerate(parameters):
        if parameter.name in given:
            arguments.append(given[parameter.name])
        elif parameter.default is inspect.Parameter.empty:
            _refuse(node, scope, findings, f"`{node.name}` needs the argument `{parameter.name}`")
            return None
        elif index < last:
            arguments.append(parameter.default)
    if node.name == "truncate" and int(given.get("length", 255)) < len(str(given.get("end", "..."))):
        _refuse(node, scope, findings, "`truncate` leaves no room for its end")
        return None
    return Filter(name=node.name, arguments=tuple(arguments))
