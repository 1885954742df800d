"""Schemas compiled to validators, and the first thing that breaks one, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import jsonschema_rs
import msgspec

from .expressions import Schema
from .formats import STRICT
from .once import Once
from .quoting import shortened, shown

Validator = jsonschema_rs.Draft202012Validator
_Patterns: TypeAlias = jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One value that breaks a schema. `path` is like `lines[0].amount`, empty for the whole.

    `expected` continues a sentence that starts with who expects: "at most 50".
    """

    path: str
    steps: tuple[str | int, ...]
    keyword: str
    value: object
    expected: str


def compile_predicate(schema: Schema) -> Validator:
    """The validator of a permission: patterns in linear time or not at all, formats asserted, no network.

    Raises:
        ValueError: the schema is not valid, refers outside itself, or has a pattern with look-around.
    """
    return _compiled(schema, _LINEAR, STRICT)


#: The same, for schemas of a program: all runs use one.
kept_predicate: Final = Once(compile_predicate, most=1024)


def compile_shape(schema: Schema) -> Validator:
    """The validator of arguments that a service published. Look-around is run with a bound on its steps.

    Raises:
        ValueError: the schema is not valid, or refers outside itself.
    """
    try:
        return _compiled(schema, _LINEAR, STRICT)
    except jsonschema_rs.ValidationError:
        return _compiled(schema, _BOUNDED, STRICT)


def compile_answer(schema: Schema) -> Validator:
    """The validator of answers that a service published: as `compile_shape`, with the formats as they are.

    Raises:
        ValueError: the schema is not valid, or refers outside itself.
    """
    try:
        return _compiled(schema, _LINEAR, {})
    except jsonschema_rs.ValidationError:
        return _compiled(schema, _BOUNDED, {})


def _compiled(schema: Schema, patterns: _Patterns, formats: Mapping[str, Callable[[str], bool]]) -> Validator:
    return Validator(
        schema, validate_formats=True, offline=True, pattern_options=patterns, formats=dict(formats) or None
    )


def first_violation(validator: Validator, value: object) -> Violation | None:
    """What breaks the schema first, or `None` when nothing does."""
    for error in validator.iter_errors(value):
        return _violation(error)
    return None


def found_in_words(broken: Violation) -> str:
    """`lines[0].amount` is 51: what was found where a schema is broken."""
    where = f"`{broken.path}`" if broken.path else "the whole"
    return f"{where} is {shown(broken.value)}" if broken.keyword != "required" else f"{where} is missing"


def path_text(steps: tuple[str | int, ...]) -> str:
    """`("lines", 0, "amount")` as `lines[0].amount`, made safe to show."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return shortened(text)


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    keyword = str(error.kind.name)
    steps = tuple(error.instance_path)
    details = error.kind.as_dict()
    value: object = error.instance
    expected = f"a value that satisfies `{keyword}`"
    match keyword:
        case "required":
            steps, value, expected = (*steps, str(details["property"])), None, "a value, and there is none"
        case "additionalProperties" | "unevaluatedProperties":
            name = str(details["unexpected"][0])
            value = value.get(name) if isinstance(value, dict) else None
            steps, expected = (*steps, name), "no such argument"
        case "falseSchema":
            expected = "nothing here"
        case "enum":
            expected = f"one of {shown(details['options'])}"
        case "const":
            expected = f"only {shown(details['expected_value'])}"
        case "type":
            expected = f"{_types(error)}"
        case "format":
            expected = f"a valid `{details['format']}`"
        case "pattern":
            expected = f"text that matches `{shortened(str(details['pattern']))}`"
        case _ if keyword in _LIMITS:
            expected = _LIMITS[keyword].format(shown(details.get("limit", details.get("multiple_of"))))
    return Violation(path=path_text(steps), steps=steps, keyword=keyword, value=value, expected=expected)


def _types(error: jsonschema_rs.ValidationError) -> str:
    types = error.kind.value
    names = [types] if isinstance(types, str) else list(types)
    return "the type " + " or ".join(f"`{name}`" for name in names)


_LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=1 << 20)
_BOUNDED: Final = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000)
_LIMITS: Final = {
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "multipleOf": "a multiple of {}",
    "maxLength": "at most {} characters",
    "minLength": "at least {} characters",
    "maxItems": "at most {} items",
    "minItems": "at least {} items",
    "maxProperties": "at most {} fields",
    "minProperties": "at least {} fields",
    "uniqueItems": "no item twice",
}
