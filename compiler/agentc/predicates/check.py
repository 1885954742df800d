"""Whether a schema that an author wrote is one of the language, and says something that can be true.

A keyword that a validator ignores is a limit that isn't there. So the list is closed, every value must be
one that its keyword takes, and a keyword must speak about the type that stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import isfinite
from typing import Final, NamedTuple, TypeAlias, TypeGuard, get_args

from agentc_runtime.bundle import Origin

from ..diagnostics import did_you_mean
from ..regex import check_pattern
from ..schematypes import TYPES, type_of_value
from ..source import Map, Node, Scalar, Sequence, to_data
from .lowering import SPEAKS_OF

MAX_DEPTH: Final = 32
#: The keyword of an argument's limit that says where its value comes from. It is no keyword of a schema.
FROM: Final = "from"
ORIGINS: Final = get_args(Origin)
FORMATS: Final = ("date", "date-time", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")

Path: TypeAlias = tuple[str | int, ...]


class SchemaProblem(NamedTuple):
    """One finding: AC301 unknown keyword, AC302 invalid value, AC303 pattern outside the subset.

    `path` leads from the schema's node to the place; `key` says that the key there is meant, not its value.
    """

    code: str
    message: str
    path: Path
    help: str | None = None
    key: bool = False


def _number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _names(value: object) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(name, str) for name in value)
        and len(set(value)) == len(value)
    )


def _types(value: object) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and _names(listed) and set(listed) <= TYPES


_Test: TypeAlias = tuple[Callable[[object], bool], str]
_IS_NUMBER: Final[_Test] = (_number, "a number")
_IS_COUNT: Final[_Test] = (_count, "a whole number that is not negative")
_IS_TEXT: Final[_Test] = (lambda value: isinstance(value, str), "a string")
_IS_ANY: Final[_Test] = (lambda value: True, "a value")

#: Keywords whose value is no schema: what it must be.
_VALUES: Final[Mapping[str, _Test]] = {
    "type": (_types, f"one of {', '.join(f'`{name}`' for name in sorted(TYPES))}, or a list of them"),
    "const": _IS_ANY,
    "enum": (lambda value: isinstance(value, list) and bool(value), "a list with at least one value"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _IS_NUMBER),
    "multipleOf": (lambda value: _number(value) and value > 0, "a number over 0"),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _IS_COUNT),
    **dict.fromkeys(("minProperties", "maxProperties"), _IS_COUNT),
    **dict.fromkeys(("pattern", "format", "title", "description", "$ref"), _IS_TEXT),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "required": (_names, "a list of different property names"),
    "default": _IS_ANY,
    "examples": (lambda value: isinstance(value, list), "a list"),
}
_SCHEMA: Final = ("items", "additionalProperties", "not")
_SCHEMA_LISTS: Final = ("prefixItems", "allOf", "anyOf", "oneOf")
_SCHEMA_MAPS: Final = ("properties", "$defs")
KEYWORDS: Final = frozenset({*_VALUES, *_SCHEMA, *_SCHEMA_LISTS, *_SCHEMA_MAPS})

_INSTEAD: Final[Mapping[str, str]] = {
    "nullable": "write `type: [string, 'null']`",
    "patternProperties": "name the properties, or use `additionalProperties` with a schema",
    "if": "write the cases with `anyOf`",
    "then": "write the cases with `anyOf`",
    "else": "write the cases with `anyOf`",
    "contains": "use `items`",
    "definitions": "write `$defs`",
    "from": "it stands at the top of an argument's limit, in `where` or `unless`",
    "$schema": "leave it out: it is always JSON Schema 2020-12",
    "unevaluatedProperties": "leave it out: an object is closed unless `additionalProperties` says more",
}
_BOUNDS: Final = (
    ("minimum", "maximum", False),
    ("exclusiveMinimum", "maximum", True),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
    ("minProperties", "maxProperties", False),
)


def check_schema(node: Node, *, references: bool = True, origins: bool = False) -> list[SchemaProblem]:
    """What is wrong with the schema at `node`, in source order.

    `references` admits `$defs` and `$ref` to them, as in an agent's data. Limits are without: a limit is
    read where it stands. `origins` admits `from` at the top, as in a limit of an argument.
    """
    if origins and isinstance(node, Map) and FROM in node.entries:
        entries = {key: entry for key, entry in node.entries.items() if key != FROM}
        rest = check_schema(replace(node, entries=entries), references=references)
        return [*_origins(to_data(node.entries[FROM][1])), *rest]
    definitions = node.entries.get("$defs") if isinstance(node, Map) else None
    defined = definitions[1].entries if definitions and isinstance(definitions[1], Map) else {}
    known = frozenset(defined) if references else None
    problems = list(_check(node, (), known))
    if not problems and known is not None:
        problems += _endless(to_data(node))
    return problems


def _origins(value: object) -> Iterator[SchemaProblem]:
    listed = value if isinstance(value, list) else [value]
    for index, origin in enumerate(listed):
        if origin not in ORIGINS:
            hint = did_you_mean(str(origin), ORIGINS) or f"known: {', '.join(f'`{one}`' for one in ORIGINS)}"
            path = (FROM, index) if isinstance(value, list) else (FROM,)
            yield SchemaProblem("AC302", f"`{origin}` is no origin of a value", path, hint)
    if isinstance(value, str) and value in ORIGINS:
        yield SchemaProblem("AC302", f"`{FROM}` is a list", (FROM,), f"write `[{value}]`")
    if not listed or len(set(map(str, listed))) < len(listed):
        yield SchemaProblem("AC302", f"`{FROM}` is a list of different origins, at least one", (FROM,))


def _check(node: Node, path: Path, known: frozenset[str] | None) -> Iterator[SchemaProblem]:
    if len(path) > 2 * MAX_DEPTH:
        yield SchemaProblem("AC302", f"the schema nests deeper than {MAX_DEPTH}", path)
        return
    if not isinstance(node, Map):
        if not (isinstance(node, Scalar) and isinstance(node.value, bool)):
            text = node.text if isinstance(node, Scalar) else ""
            hint = f"write `{{ const: {text} }}` for this one value" if text else None
            yield SchemaProblem("AC302", "a schema is a mapping of keywords", path, hint)
        return
    sound = True
    for key, (_, value) in node.entries.items():
        for problem in _keyword(key, value, (*path, key), known):
            sound = False
            yield problem
    if sound:
        schema = {key: to_data(value) for key, (_, value) in node.entries.items()}
        yield from _together(schema, path)


def _keyword(key: str, value: Node, path: Path, known: frozenset[str] | None) -> Iterator[SchemaProblem]:
    if key not in KEYWORDS or (known is None and key in ("$ref", "$defs")):
        hint = _INSTEAD.get(key) or did_you_mean(key, KEYWORDS)
        if key in ("$ref", "$defs"):
            hint = "a limit is read where it stands: write the schema out"
        yield SchemaProblem(
            "AC301", f"`{key}` is not a keyword of the JSON Schema subset", path, hint, key=True
        )
    elif key == "$defs" and len(path) > 1:
        yield SchemaProblem(
            "AC302", "`$defs` stands at the top of a schema only", path, "move it up", key=True
        )
    elif key in _SCHEMA:
        yield from _check(value, path, known)
    elif key in _SCHEMA_MAPS:
        if not isinstance(value, Map):
            yield SchemaProblem("AC302", f"`{key}` is a mapping from names to schemas", path)
            return
        for name, (_, part) in value.entries.items():
            yield from _check(part, (*path, name), known)
    elif key in _SCHEMA_LISTS:
        if not isinstance(value, Sequence) or not value.items:
            yield SchemaProblem("AC302", f"`{key}` is a list with at least one schema", path)
            return
        for index, part in enumerate(value.items):
            yield from _check(part, (*path, index), known)
    else:
        yield from _value(key, to_data(value), path, known or frozenset())


def _value(key: str, value: object, path: Path, known: frozenset[str]) -> Iterator[SchemaProblem]:
    test, wanted = _VALUES[key]
    if not test(value):
        hint = None
        if key == "type" and isinstance(value, str):
            hint = did_you_mean(value, TYPES)
        elif isinstance(value, str) and test is _number:
            hint = "write the number without quotes"
        yield SchemaProblem("AC302", f"`{key}` is {wanted}", path, hint)
    elif key == "pattern" and isinstance(value, str) and (wrong := check_pattern(value)):
        where = f" (character {wrong.offset + 1} of the pattern)"
        yield SchemaProblem("AC303", wrong.message + where, path, wrong.help)
    elif key == "format" and isinstance(value, str) and value not in FORMATS:
        yield SchemaProblem(
            "AC301", f"`{value}` is not a format of the subset", path, did_you_mean(value, FORMATS)
        )
    elif key == "$ref" and isinstance(value, str):
        name = value.removeprefix("#/$defs/")
        if value != "#" and (name == value or name not in known):
            hint = did_you_mean(name.rpartition("/")[2], known) or "define it under `$defs`"
            yield SchemaProblem("AC302", f"`{value}` leads to no schema under `$defs`", path, hint)


def _together(schema: Mapping[str, object], path: Path) -> Iterator[SchemaProblem]:
    """Keywords, each sound, that can't be meant together."""
    said = schema.get("type")
    types = set(said) if isinstance(said, list) else {said} if said is not None else None
    if types is not None:
        for key in schema:
            about = SPEAKS_OF.get(key)
            fits = types & ({"number", "integer"} if about == "number" else {about})
            if about is not None and not fits:
                shown = " or ".join(f"`{name}`" for name in sorted(map(str, types)))
                yield SchemaProblem(
                    "AC302",
                    f"`{key}` says nothing about {shown}",
                    (*path, key),
                    f"it is about `{about}`",
                    key=True,
                )
        yield from _values_of(schema, types | ({"integer"} if "number" in types else set()), path)
    for low, high, exclusive in _BOUNDS:
        least, most = schema.get(low), schema.get(high)
        if _number(least) and _number(most) and (least > most or (exclusive and least == most)):
            message = f"nothing is between `{low}: {least}` and `{high}: {most}`"
            yield SchemaProblem("AC302", message, (*path, high))
    named, required = schema.get("properties"), schema.get("required")
    closed = not schema.keys() & {"allOf", "anyOf", "oneOf", "$ref"}
    if closed and isinstance(named, dict) and isinstance(required, list):
        if schema.get("additionalProperties", False) is not False:
            return
        for index, name in enumerate(required):
            if name not in named:
                message = f"`{name}` is required and is not one of the properties"
                hint = did_you_mean(name, named)
                yield SchemaProblem("AC302", message, (*path, "required", index), hint)


def _values_of(schema: Mapping[str, object], types: set[object], path: Path) -> Iterator[SchemaProblem]:
    listed = schema.get("enum")
    found: list[tuple[object, Path]] = [(schema["const"], ("const",))] if "const" in schema else []
    found += [
        (value, ("enum", index)) for index, value in enumerate(listed if isinstance(listed, list) else ())
    ]
    for value, place in found:
        if (kind := type_of_value(value)) not in types:
            yield SchemaProblem(
                "AC302", f"the value is of type `{kind}`, which `type` excludes", (*path, *place)
            )


def _endless(root: object) -> Iterator[SchemaProblem]:
    """References that come back to themselves without a step into the value: no validator ends there."""
    defined = root.get("$defs") if isinstance(root, dict) else None
    schemas = {"#": root}
    schemas.update(
        {f"#/$defs/{name}": part for name, part in defined.items()} if isinstance(defined, dict) else {}
    )
    following = {name: set(_in_place(schema)) for name, schema in schemas.items()}
    for name in schemas:
        seen: set[str] = set()
        waiting = set(following[name])
        while waiting:
            current = waiting.pop()
            seen.add(current)
            waiting |= following.get(current, set()) - seen
        if name in seen:
            path: Path = () if name == "#" else ("$defs", name.removeprefix("#/$defs/"))
            yield SchemaProblem(
                "AC302", "the schema is defined by itself", path, "refer to it from a property or item"
            )


def _in_place(schema: object) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    if isinstance(reference := schema.get("$ref"), str):
        yield reference
    parts = [schema.get("not")]
    for key in ("allOf", "anyOf", "oneOf"):
        listed = schema.get(key)
        parts += listed if isinstance(listed, list) else []
    for part in parts:
        yield from _in_place(part)
