"""Which outputs of states a template reads without asking first whether they are there."""

from __future__ import annotations

from agentc_runtime.expressions import And, Condition, For, If, Not, Or, Predicate, Slot, Template


def unguarded(template: Template) -> frozenset[str]:
    """The states whose outputs are written out or looped over outside of an `if` that makes sure of them.

    A slot that begins with the `default` filter makes sure of itself. Conditions may read what is absent.
    """
    return frozenset(_unguarded(template, frozenset()))


def _unguarded(template: Template, sure: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for node in template:
        match node:
            case Slot():
                if not (node.filters and node.filters[0].name == "default"):
                    found |= _states(node.path)
            case For():
                found |= _states(node.path) | _unguarded(node.body, sure)
            case If():
                found |= _unguarded(node.then, sure | _implied(node.condition, holds=True))
                found |= _unguarded(node.otherwise, sure | _implied(node.condition, holds=False))
            case _:
                pass
    return found - sure


def _states(path: tuple[str, ...]) -> frozenset[str]:
    return frozenset(path[1:2]) if path[0] == "states" and path[2:3] != ("item",) else frozenset()


def _implied(condition: Condition, *, holds: bool) -> frozenset[str]:
    """The states whose outputs are there when the condition holds, or when it does not."""
    match condition:
        case Predicate():
            # Only `ne` is true of a value that is absent.
            return _states(condition.path) if holds == (condition.op != "ne") else frozenset()
        case Not():
            return _implied(condition.condition, holds=not holds)
        case And() | Or():
            parts = [_implied(part, holds=holds) for part in condition.conditions]
            every = isinstance(condition, And) == holds
            return frozenset[str]().union(*parts) if every else frozenset.intersection(*parts)
