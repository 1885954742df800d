"""What differs between two schemas, place by place, in words and as values.

The schemas are those that `schema.Converter` makes: self-contained, with `$defs`. Each pair of definitions is
looked at once, so that cycles end and a change in a shared one is told where it is met first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from agentc_runtime.expressions import Schema

MAX_CHANGES: Final = 500
_MAX_DEPTH: Final = 60
_PREFIX: Final = "#/$defs/"
#: Keywords with one value, said as it was and as it is.
_PLAIN: Final = (
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems"),
    *("minProperties", "maxProperties", "default"),
)
#: Keywords whose value is a schema, by how a path goes on below them.
_INNER: Final = {
    "items": "[]",
    "additionalProperties": ".*",
    "unevaluatedProperties": ".*",
    **{name: f"({name})" for name in ("contains", "propertyNames", "unevaluatedItems")},
    **{name: f"({name})" for name in ("not", "if", "then", "else")},
}
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("patternProperties", "dependentSchemas")


Path: TypeAlias = tuple[str, ...]


class SchemaChange(NamedTuple):
    """One difference. `path` leads to the place, `what` is a sentence without its subject; `before` and
    `after` are values of JSON, `None` for nothing. What is `told_only` changes no value that is admitted."""

    path: Path
    what: str
    before: object = None
    after: object = None
    told_only: bool = False


def written_path(path: Path) -> str:
    """A path as it is shown: `address.lines[].street`."""
    return "".join(
        step if number == 0 or step.startswith(("[", "(", ".")) else f".{step}"
        for number, step in enumerate(path)
    )


def schema_changes(old: Schema | None, new: Schema | None) -> list[SchemaChange]:
    """What differs, in the order of the old schema and then of the new; `MAX_CHANGES` at most."""
    found = []
    for change in _Walk(old or {}, new or {}).compare(old or {}, new or {}, (), 0):
        found.append(change)
        if len(found) == MAX_CHANGES:
            break
    return found


class _Walk:
    """Two schemas side by side."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str]] = set()
        self._affected = _affected(_map(old.get("$defs")), _map(new.get("$defs")))

    def compare(self, old: object, new: object, path: Path, depth: int) -> Iterator[SchemaChange]:
        """The differences of the schemas at one place."""
        if depth > _MAX_DEPTH:
            return
        names = (_reference(old), _reference(new))
        if any(names):
            same = old == new and names[0].removeprefix(_PREFIX) not in self._affected
            if same or names in self._seen:
                return
            self._seen.add(names)
        one, two = _resolved(old, self._old), _resolved(new, self._new)
        if isinstance(one, bool) or isinstance(two, bool):
            if one != two:
                yield SchemaChange(path, f"admits {_admits(two)}, was {_admits(one)}", one, two)
            return
        yield from _own(one, two, path)
        yield from self._properties(one, two, path, depth)
        for name, step in _INNER.items():
            if name in one or name in two:
                yield from self._inner(name, one.get(name), two.get(name), (*path, step), depth)
        for name in _LISTS:
            yield from self._list(name, one.get(name), two.get(name), path, depth)
        for name in _MAPS:
            before, after = _map(one.get(name)), _map(two.get(name))
            for key in dict.fromkeys((*before, *after)):
                yield from self._inner(name, before.get(key), after.get(key), (*path, f"({key})"), depth)

    def _properties(self, one: Schema, two: Schema, path: Path, depth: int) -> Iterator[SchemaChange]:
        before, after = _map(one.get("properties")), _map(two.get("properties"))
        needed, needs = _names(one.get("required")), _names(two.get("required"))
        for name, schema in before.items():
            at = (*path, name)
            if not path:
                self._seen.clear()  # what is told of one argument is told of the next as well
            if name not in after:
                yield SchemaChange(at, "is gone", _shown(schema, self._old))
                continue
            if (name in needed) != (name in needs):
                what = "is required now" if name in needs else "is optional now"
                yield SchemaChange(at, what, name in needed, name in needs)
            yield from self.compare(schema, after[name], at, depth + 1)
        for name, schema in after.items():
            if name not in before:
                what = "is new and required" if name in needs else "is new and optional"
                yield SchemaChange((*path, name), what, None, _shown(schema, self._new))

    def _inner(
        self, name: str, before: object, after: object, path: Path, depth: int
    ) -> Iterator[SchemaChange]:
        if before is None or after is None:
            closed = name in ("additionalProperties", "unevaluatedProperties") and False in (before, after)
            if closed:
                what = "admits no other keys now" if after is False else "admits other keys now"
                yield SchemaChange(path[:-1], what, before, after)
            else:
                what = f"`{name}` is {'gone' if after is None else 'new'}"
                yield SchemaChange(path, what, _shown(before, self._old), _shown(after, self._new))
        else:
            yield from self.compare(before, after, path, depth + 1)

    def _list(
        self, name: str, before: object, after: object, path: Path, depth: int
    ) -> Iterator[SchemaChange]:
        one, two = (value if isinstance(value, list) else [] for value in (before, after))
        if len(one) != len(two):
            yield SchemaChange(path, f"`{name}` has {len(two)} parts, was {len(one)}", len(one), len(two))
        for number, pair in enumerate(zip(one, two, strict=False), 1):
            yield from self.compare(*pair, (*path, f"({name} {number})"), depth + 1)


def _affected(old: Mapping[str, object], new: Mapping[str, object]) -> set[str]:
    """The definitions that differ, or reach one that does."""
    affected = {name for name in (*old, *new) if old.get(name) != new.get(name)}
    users: dict[str, set[str]] = {}
    for name, schema in old.items() if affected else ():
        for used in _reached(schema):
            users.setdefault(used, set()).add(name)
    waiting = list(affected)
    while waiting:
        found = users.get(waiting.pop(), set()) - affected
        affected |= found
        waiting += found
    return affected


def _reached(schema: object) -> Iterator[str]:
    """The definitions that a schema refers to by itself."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if name := _reference(node):
                yield name.removeprefix(_PREFIX)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _own(one: Schema, two: Schema, path: Path) -> Iterator[SchemaChange]:
    """What differs at a place itself."""
    before, after = _types(one), _types(two)
    if before != after:
        yield SchemaChange(path, f"is {_either(after)}, was {_either(before)}", before, after)
    values, now = _values(one), _values(two)
    if values is None and now is not None:
        yield SchemaChange(path, f"admits {_listed(now)} alone", None, now)
    elif values is not None and now is None:
        yield SchemaChange(path, "admits any value now", values, None)
    elif values is not None and now is not None:
        gone = [value for value in values if _key(value) not in {_key(one) for one in now}]
        new = [value for value in now if _key(value) not in {_key(one) for one in values}]
        if gone:
            yield SchemaChange(path, f"admits {_listed(gone)} no longer", gone, None)
        if new:
            yield SchemaChange(path, f"admits {_listed(new)} as well", None, new)
    for name in _PLAIN:
        was, has = one.get(name), two.get(name)
        if (name in one, _key(was)) != (name in two, _key(has)):
            if name not in two:
                what = f"`{name}` {_value(was)} is gone"
            elif name not in one:
                what = f"`{name}` {_value(has)} is new"
            else:
                what = f"`{name}` is {_value(has)}, was {_value(was)}"
            yield SchemaChange(path, what, was, has, name == "default")
    if one.get("description") != two.get("description"):
        was, has = one.get("description"), two.get("description")
        yield SchemaChange(path, described(was, has), was, has, True)
    if bool(one.get("deprecated")) != bool(two.get("deprecated")):
        what = "is deprecated" if two.get("deprecated") else "is no longer deprecated"
        yield SchemaChange(path, what, bool(one.get("deprecated")), bool(two.get("deprecated")), True)


def described(before: object, after: object) -> str:
    """That a description has changed, in words."""
    if not after:
        return f"is no longer described as {_value(before)}"
    return f"is described as {_value(after)}" + (f", was {_value(before)}" if before else "")


def _reference(schema: object) -> str:
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    return reference if isinstance(reference, str) else ""


def _resolved(schema: object, root: Schema) -> Schema | bool:
    """The schema, with what its reference leads to put in; an empty one for what is none."""
    if isinstance(schema, bool):
        return schema
    found: Schema = dict(schema) if isinstance(schema, dict) else {}
    definitions = _map(root.get("$defs"))
    for _ in range(_MAX_DEPTH):
        reference = found.pop("$ref", None)
        if not isinstance(reference, str):
            return found
        target = definitions.get(reference.removeprefix(_PREFIX))
        if isinstance(target, bool):
            return target
        found = {**(target if isinstance(target, dict) else {}), **found}
    return found


def _shown(schema: object, root: Schema) -> object:
    """A schema as it is told: without what it only refers to."""
    resolved = _resolved(schema, root) if schema is not None else None
    return (
        {key: value for key, value in resolved.items() if key != "$defs"}
        if isinstance(resolved, dict)
        else resolved
    )


def _types(schema: Schema) -> list[str]:
    named = schema.get("type")
    return sorted(str(one) for one in named) if isinstance(named, list) else [str(named)] if named else []


def _values(schema: Schema) -> list[object] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> frozenset[str]:
    return frozenset(str(name) for name in value) if isinstance(value, list) else frozenset()


def _key(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _listed(values: list[object]) -> str:
    shown = ", ".join(_value(value) for value in values[:6])
    return f"{shown} and {len(values) - 6} more" if len(values) > 6 else shown


def _either(types: list[str]) -> str:
    return " or ".join(types) if types else "anything"


def _admits(schema: Schema | bool) -> str:
    return "nothing" if schema is False else "anything" if schema in (True, {}) else "what its schema says"
