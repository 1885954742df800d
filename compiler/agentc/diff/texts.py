"""Prompts of a bundle as text again: templates were compiled, and a reviewer reads words."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agentc_runtime import bundle as ir
from agentc_runtime.expressions import (
    And,
    Condition,
    Const,
    Filter,
    For,
    If,
    Not,
    Or,
    Predicate,
    Slot,
    Template,
    Text,
)
from agentc_runtime.template import literals
from agentc_runtime.workflow import AgentState, ModelState, ToolState

from ..grant_words import expression_in_words

_OPS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "in": "in"}


def template_in_words(template: Template) -> str:
    """The template in Jinja's syntax. Two templates have one text only if they are the same."""
    return "".join(_node(node) for node in template)


def _node(node: Text | Slot | If | For) -> str:
    match node:
        case Text(text=text):
            return text
        case Slot(path=path, filters=filters):
            return "{{ " + ".".join(path) + "".join(map(_filter, filters)) + " }}"
        case If(condition=condition, then=then, otherwise=otherwise):
            tail = "{% else %}" + template_in_words(otherwise) if otherwise else ""
            return f"{{% if {_condition(condition)} %}}{template_in_words(then)}{tail}{{% endif %}}"
        case For(name=name, path=path, limit=limit, body=body):
            head = f"{{% for {name} in {'.'.join(path)}[:{limit}] %}}"
            return f"{head}{template_in_words(body)}{{% endfor %}}"


def _filter(step: Filter) -> str:
    arguments = ", ".join(json.dumps(one, ensure_ascii=False) for one in step.arguments)
    return f" | {step.name}" + (f"({arguments})" if arguments else "")


def _condition(condition: Condition) -> str:
    match condition:
        case Predicate(path=path, op=op, value=value):
            name = ".".join(path)
            if op == "truthy":
                return name
            if op == "defined":
                return f"{name} is defined"
            return f"{name} {_OPS[op]} {json.dumps(value, ensure_ascii=False)}"
        case Not(condition=inner):
            return f"not ({_condition(inner)})"
        case And(conditions=parts):
            return " and ".join(f"({_condition(part)})" for part in parts)
        case Or(conditions=parts):
            return " or ".join(f"({_condition(part)})" for part in parts)


def spec_literals(program: ir.Program) -> frozenset[str]:
    """All text that a `from: [spec]` finds a value in."""
    return frozenset(_literals(program))


def _literals(program: ir.Program) -> Iterator[str]:
    for state in program.states.values():
        if isinstance(state, AgentState | ModelState):
            yield from literals(state.instructions)
            yield from literals(state.prompt)
        elif isinstance(state, ToolState):
            for expr in state.arguments.values():
                if isinstance(expr, Const):
                    yield expression_in_words(expr)
