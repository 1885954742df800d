"""JSON Schemas read as types: what stands at a path, and whether one kind of value fits another.

Schemas may come from OpenAPI, so every keyword is met with care: what is not understood is "any value".
Both questions are about shapes. Limits such as `maximum` are enforced at run time and not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentc_runtime.expressions import Schema

#: The JSON types. `number` is every number, `integer` the whole ones.
TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
#: How many references and combinations are followed. Deeper is "any value": recursion never ends otherwise.
_FUEL: Final = 24
_SHAPE: Final = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "title", "description"}
    | {"default", "examples", "example", "$defs", "readOnly", "writeOnly", "deprecated"}
)


@dataclass(slots=True)
class _Walk:
    """One question about one document: where references start, and how much more may be looked at."""

    root: Schema
    left: int = 20_000

    def over(self, fuel: int) -> bool:
        self.left -= 1
        return fuel <= 0 or self.left <= 0


def type_at(schema: Schema, path: Sequence[str]) -> Schema | None:
    """The schema of the value at `path`, `{}` for any value, `None` when no object of `schema` has it.

    A key is unknown when an object says which keys it has and that there are no others, or when the value
    can't be an object. The result carries the `$defs` it needs.
    """
    found: object = schema
    for step in path:
        found = _step(found, step, _Walk(schema), _FUEL)
        if found is None:
            return None
        if isinstance(found, dict) and "$defs" in found:
            schema = found  # a schema put into another one brings the definitions that it refers to
    return _with_definitions(found, schema)


def items_of(schema: Schema) -> Schema:
    """The schema of an array's items; `{}` when it says nothing about them."""
    return _with_definitions(_items(schema, _Walk(schema), _FUEL), schema)


def properties_of(schema: Schema) -> frozenset[str]:
    """The keys that `schema` names, its references and combinations included."""
    return _properties(schema, _Walk(schema), _FUEL)


def types_of(schema: object, root: Schema | None = None) -> frozenset[str]:
    """The JSON types that a value of `schema` may have; `integer` always comes with `number`."""
    if root is None:
        root = schema if isinstance(schema, dict) else {}
    return _types(schema, _Walk(root), _FUEL)


def assignable(source: Schema, target: Schema) -> bool | None:
    """Whether every value of `source` has the shape of `target`; `None` when that can't be told.

    `False` is certain: no value, or no complete value, of `source` fits.
    """
    return _assignable(source, target, _Walk(source), _Walk(target), 8)


def resolve(schema: object, root: Schema) -> object:
    """What a local `$ref` points to, `True` when it leads nowhere; any other schema as it is."""
    for _ in range(_FUEL):
        if not isinstance(schema, dict) or not isinstance(reference := schema.get("$ref"), str):
            return schema
        target: object = root
        for part in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        if target is None or not reference.startswith("#"):
            return True
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        if rest.keys() & {"type", "properties", "items", "allOf", "anyOf", "oneOf", "enum", "const"}:
            return {**rest, "allOf": [target, *_list(rest.get("allOf"))]}
        schema = target
    return True


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _with_definitions(found: object, root: Schema) -> Schema:
    if not isinstance(found, dict):
        return {}
    if not found:
        return {}
    kept = {key: value for key, value in root.items() if key in ("$defs", "definitions", "components")}
    return {**kept, **found}


def _alternatives(schema: Mapping[str, object]) -> list[list[object]]:
    return [options for name in ("anyOf", "oneOf") if (options := _list(schema.get(name)))]


def _step(schema: object, key: str, walk: _Walk, fuel: int) -> object:
    schema = resolve(schema, walk.root)
    if schema is False:
        return None
    if not isinstance(schema, dict) or walk.over(fuel):
        return {}
    if "object" not in _types(schema, walk, fuel):
        return None
    found: list[object] = [_own_step(schema, key)]
    found += [_step(part, key, walk, fuel - 1) for part in _list(schema.get("allOf"))]
    for options in _alternatives(schema):
        known = [one for part in options if (one := _step(part, key, walk, fuel - 1)) is not None]
        found.append({"anyOf": known} if len(known) > 1 else known[0] if known else None)
    if any(part is None or part is False for part in found):
        return None
    telling = [part for part in found if isinstance(part, dict) and part]
    if not telling and schema.get("unevaluatedProperties") is False:
        return {} if key in _properties(schema, walk, fuel) else None
    if len(telling) > 1:
        return {"allOf": telling}
    return telling[0] if telling else {}


def _own_step(schema: Mapping[str, object], key: str) -> object:
    properties = schema.get("properties")
    if isinstance(properties, dict) and key in properties:
        return None if properties[key] is False else properties[key]
    if "patternProperties" in schema:
        return {}
    return None if schema.get("additionalProperties") is False else schema.get("additionalProperties", {})


def _items(schema: object, walk: _Walk, fuel: int) -> object:
    schema = resolve(schema, walk.root)
    if not isinstance(schema, dict) or walk.over(fuel) or "prefixItems" in schema:
        return {}
    found = [schema.get("items", {}), *(_items(part, walk, fuel - 1) for part in _list(schema.get("allOf")))]
    for options in _alternatives(schema):
        arrays = [part for part in options if "array" in _types(part, walk, fuel)]
        found.append({"anyOf": [_items(part, walk, fuel - 1) for part in arrays]} if arrays else {})
    telling = [part for part in found if isinstance(part, dict) and part]
    return {"allOf": telling} if len(telling) > 1 else telling[0] if telling else {}


def _properties(schema: object, walk: _Walk, fuel: int) -> frozenset[str]:
    schema = resolve(schema, walk.root)
    if not isinstance(schema, dict) or walk.over(fuel):
        return frozenset()
    own = schema.get("properties")
    names = frozenset(own) if isinstance(own, dict) else frozenset[str]()
    parts = [*_list(schema.get("allOf")), *(part for options in _alternatives(schema) for part in options)]
    return names.union(*(_properties(part, walk, fuel - 1) for part in parts))


def type_of_value(value: object) -> str:
    """The JSON type of a value, `integer` for every whole number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list | tuple) else "object"


def _types(schema: object, walk: _Walk, fuel: int) -> frozenset[str]:
    schema = resolve(schema, walk.root)
    if schema is False:
        return frozenset()
    if not isinstance(schema, dict) or walk.over(fuel):
        return TYPES
    said = schema.get("type")
    found = frozenset(said if isinstance(said, list) else [said]) & TYPES if said is not None else TYPES
    if "number" in found:
        found |= {"integer"}
    if schema.get("nullable") is True and said is not None:  # OpenAPI 3.0
        found |= {"null"}
    if "const" in schema:
        found &= {type_of_value(schema["const"])}
    if isinstance(values := schema.get("enum"), list):
        found &= {type_of_value(value) for value in values}
    for part in _list(schema.get("allOf")):
        found &= _types(part, walk, fuel - 1)
    for options in _alternatives(schema):
        found &= frozenset[str]().union(*(_types(part, walk, fuel - 1) for part in options))
    return found


def _assignable(
    source: object, target: object, source_walk: _Walk, target_walk: _Walk, fuel: int
) -> bool | None:
    source, target = resolve(source, source_walk.root), resolve(target, target_walk.root)
    if target is True or target == {}:
        return True
    if not isinstance(source, dict) or not isinstance(target, dict) or source_walk.over(fuel):
        return None
    given, wanted = _types(source, source_walk, _FUEL), _types(target, target_walk, _FUEL)
    if not given & wanted:
        return False
    verdicts: list[bool | None] = [True if given <= wanted and target.keys() <= _SHAPE else None]
    if given == {"array"} and wanted >= given:
        fits = _assignable(
            _items(source, source_walk, _FUEL),
            _items(target, target_walk, _FUEL),
            source_walk,
            target_walk,
            fuel - 1,
        )
        verdicts.append(None if fits is False else fits)  # an empty array fits whatever its items are
    if given == {"object"} and wanted >= given:
        verdicts += _objects(source, target, source_walk, target_walk, fuel)
    return _all(verdicts)


def _objects(
    source: Schema, target: Schema, source_walk: _Walk, target_walk: _Walk, fuel: int
) -> list[bool | None]:
    verdicts: list[bool | None] = []
    sure = {name for name in _list(source.get("required")) if isinstance(name, str)}
    needed = {name for name in _list(target.get("required")) if isinstance(name, str)}
    named = _properties(source, source_walk, _FUEL) | _properties(target, target_walk, _FUEL)
    for name in sorted(sure | needed | named):
        have = _step(source, name, source_walk, _FUEL)
        allowed = _step(target, name, target_walk, _FUEL)
        if have is None:
            verdicts.append(name not in needed)
        elif allowed is None:
            verdicts.append(False if name in sure else None)
        else:
            fits = _assignable(have, allowed, source_walk, target_walk, fuel - 1)
            certain = name in sure
            verdicts.append(fits if certain else None if name in needed or fits is False else fits)
    if target.get("additionalProperties", True) is not True:
        verdicts.append(True if source.get("additionalProperties") is False else None)
    return verdicts


def _all(verdicts: Sequence[bool | None]) -> bool | None:
    if False in verdicts:
        return False
    return None if None in verdicts else True
