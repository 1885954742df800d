"""A bound on what one value costs to check: combinations of combinations multiply.

`allOf: [{$ref: A}, {$ref: A}]`, thirty levels deep, is small to write and takes a billion checks of one
value. Nothing is expanded to find that out: each definition's cost is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

MAX_WEIGHT = 10_000

_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "if", "then", "else")


def too_heavy(schema: Mapping[str, object], kept: dict[int, tuple[object, ...]] | None = None) -> str | None:
    """Why the schema, with its `$defs`, can't be used; `None` when it can. Continues "the schema …".

    `kept` remembers, by the identity of a definition, which parts of it count; whoever gives it keeps the
    definitions alive.
    """
    definitions = schema.get("$defs")
    known = definitions if isinstance(definitions, dict) else {}
    order = _in_order(known)
    if order is None:
        return "has to satisfy itself: a `$ref` leads back through nothing but combinations"
    weights: dict[str, int] = {}
    for name in order:
        weights[name] = _weight(known[name], weights)
    top = {name: part for name, part in schema.items() if name != "$defs"}
    for node in (*_counting(top, None), *(one for part in known.values() for one in _counting(part, kept))):
        if _weight(node, weights) > MAX_WEIGHT:
            return f"combines others so often that one value takes more than {MAX_WEIGHT:,} checks"
    return None


def _counting(schema: object, kept: dict[int, tuple[object, ...]] | None) -> tuple[object, ...]:
    """The parts of a schema that stand for a value of their own and weigh more than themselves."""
    found = kept.get(id(schema)) if kept is not None else None
    if found is None:
        found = tuple(node for node in _values(schema) if _weight(node, {}) > 1 or "$ref" in _keys(node))
        if kept is not None:
            kept[id(schema)] = found
    return found


def _keys(node: object) -> Iterable[str]:
    return node if isinstance(node, dict) else ()


def _weight(node: object, weights: Mapping[str, int]) -> int:
    """How many schemas one value is checked against; capped, so that the numbers stay small."""
    if not isinstance(node, dict):
        return 1
    total = 1 + sum(weights.get(name, 1) for name in _references(node))
    return min(total + sum(_weight(part, weights) for part in _parts(node)), MAX_WEIGHT + 1)


def _parts(node: Mapping[str, object]) -> Iterator[object]:
    """The schemas in `node` that are about the same value."""
    for name in _LISTS:
        parts = node.get(name)
        if isinstance(parts, list):
            yield from parts
    for name in _SINGLE:
        if name in node:
            yield node[name]
    dependent = node.get("dependentSchemas")
    if isinstance(dependent, dict):
        yield from dependent.values()


def _references(node: Mapping[str, object]) -> Iterator[str]:
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield reference.removeprefix("#/$defs/")


def _same_value(node: object) -> Iterator[str]:
    """The definitions that a value of `node` has to satisfy or is tried against."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            yield from _references(current)
            waiting.extend(_parts(current))


def _in_order(definitions: Mapping[str, object]) -> list[str] | None:
    """The definitions so that each comes after those it is combined from; `None` if there is a circle."""
    order: list[str] = []
    state: dict[str, bool] = {}  # False while it is being visited, True when done
    for start in definitions:
        if start in state:
            continue
        state[start] = False
        stack = [(start, _same_value(definitions[start]))]
        while stack:
            name, needs = stack[-1]
            following = next((need for need in needs if not state.get(need)), None)
            if following is None:
                state[name] = True
                order.append(name)
                stack.pop()
            elif following in state:
                return None
            else:
                state[following] = False
                stack.append((following, _same_value(definitions[following])))
    return order


def _values(schema: object) -> Iterator[object]:
    """Every schema that stands for a value of its own: the whole, properties, items, definitions."""
    waiting: list[object] = [schema]
    while waiting:
        value = waiting.pop()
        yield value
        inside = [value]
        while inside:
            node = inside.pop()
            if not isinstance(node, dict):
                continue
            inside.extend(_parts(node))
            for name in ("properties", "patternProperties", "$defs"):
                children = node.get(name)
                if isinstance(children, dict):
                    waiting.extend(children.values())
            for name in ("items", "contains", "propertyNames", "additionalProperties"):
                if name in node:
                    waiting.append(node[name])
            for name in ("unevaluatedProperties", "unevaluatedItems"):
                if name in node:
                    waiting.append(node[name])
            if isinstance(prefix := node.get("prefixItems"), list):
                waiting.extend(prefix)
