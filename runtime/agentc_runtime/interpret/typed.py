"""Which values can't carry a sentence: numbers, booleans, enums, dates, identifiers.

They are no longer untrusted, but `typed`, when another state reads them: that is how an author splits a
state, so that what hostile text said stays behind. A value counts by the schema that it was checked against;
what can't be told may carry text. Its sensitivity stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..bundle import Program
from ..expressions import Schema
from ..labels import NOTHING_READ, Label, join
from ..once import Once
from ..workflow import AgentState, HandoffState, MapState, ModelState, ParallelState, ToolState, VerifyState

#: How many schemas are looked at, references included; what lies beyond is text.
MAX_LOOKS: Final = 1000
MAX_DEPTH: Final = 32
#: Characters of the longest text that counts as an identifier.
MAX_IDENTIFIER: Final = 40
_ONE: Final = r"(?:\[(?:[A-Za-z0-9_]|\\?[-.:]|\\d)+\]|\\d|[A-Za-z0-9_]|\\?[-:]|\\\.)"
_MANY: Final = r"(?:\{(?:\d{1,3},)?(?P<most>\d{1,3})\}|(?P<many>[?*+]))?"
_ATOM: Final = re.compile(_ONE + _MANY)
#: Texts of digits, as dates and times are written: they may hold spaces.
_DIGIT: Final = r"(?:\[(?:0-9|\\d)?[TZ :.]*-?\]|\\d|[0-9TZ: -]|\\\.)"
_DIGITS: Final = re.compile(rf"\^(?:\(\?:)?(?:{_DIGIT}(?:\{{(?:\d{{1,3}},)?\d{{1,3}}\}}|\?)?)+\)?\$")
_PLAIN: Final = "(?:" + re.sub(r"\?P<\w+>", "?:", _ONE + _MANY) + ")+"
_WHOLE: Final = re.compile(rf"\^(?:(?P<plain>{_PLAIN})|\(\?:\^?(?P<group>{_PLAIN})\$?\))\$")
_NO_SENTENCE: Final = frozenset({"date", "date-time", "time", "uuid", "ipv4", "ipv6"})


def label_at(program: Program, path: tuple[str, ...], outputs: Mapping[str, Label]) -> Label:
    """The label of what stands at `path`, when the outputs of states have these labels.

    Untrusted values that can't carry text are `typed`.
    """
    match path:
        case ("input", *_):
            label = program.input.label
        case ("session", *_):
            label = program.session.label
        case ("states", state, *_):
            label = outputs.get(state, NOTHING_READ)
        case _:
            label = join(program.input.label, program.session.label, *outputs.values())
    if label.trust == "untrusted" and not _carries_text(program, path):
        return Label(trust="typed", sensitivity=label.sensitivity)
    return label


def carries_text(program: Program, path: tuple[str, ...]) -> bool:
    """Whether what stands at `path` (from `input`, `session` or `states`) may hold a sentence."""
    match path:
        case ("input", *steps):
            schemas: tuple[Schema | None, ...] = (program.input.schema,)
        case ("session", *steps):
            schemas = (program.session.schema,)
        case ("states", state, "output", *steps) if state in program.states:
            if isinstance(verify := program.states[state], VerifyState) and verify.schema is None:
                return carries_text(program, (*verify.value.path, *steps))
            schemas = _outputs(program, state)
        case ("states", state, "item", *steps) if isinstance(each := program.states.get(state), MapState):
            schemas = (each.item,)
        case _:
            return True
    return not schemas or any(schema is None or _Reader(schema).text_at(steps) for schema in schemas)


_carries_text: Final = Once(carries_text, most=1024)


def schema_carries_text(schema: Schema) -> bool:
    """Whether a value of `schema` may hold a sentence: what the compiler's flow analysis asks as well."""
    return _Reader(schema).text_at([])


def _outputs(program: Program, name: str) -> tuple[Schema | None, ...]:
    match program.states[name]:
        case AgentState(output=output) | ModelState(output=output):
            return (output,)
        case ParallelState(output=output) | MapState(output=output):
            return (output,)
        case VerifyState(schema=schema):
            return (schema,)
        case HandoffState(agent=agent) if agent in program.agents:
            return (program.agents[agent].output,)
        case ToolState(tool=tool):
            cases = program.tools[tool].request.responses
            return tuple(case.schema for case in cases if case.status[0] in "2d")
        case _:
            return ()


def _is_identifier(schema: Mapping[str, object]) -> bool:
    """Whether texts of `schema` are short, and of letters, digits and few signs: `^[A-Z]{2}[0-9]{2,30}$`.

    Texts of digits may hold spaces as well: `^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$`.

    Read off the pattern, which has to be a plain sequence; what is not understood is no identifier.
    """
    pattern, most = schema.get("pattern"), schema.get("maxLength")
    if not isinstance(pattern, str):
        return False
    whole = _WHOLE.fullmatch(pattern)
    if whole is None:
        return _DIGITS.fullmatch(pattern) is not None
    length: float = 0
    for atom in _ATOM.finditer(whole["plain"] or whole["group"]):
        many = atom["many"]
        length += float("inf") if many in ("*", "+") else int(atom["most"] or 1)
    bound = most if isinstance(most, int) and not isinstance(most, bool) else MAX_IDENTIFIER + 1
    return min(length, bound) <= MAX_IDENTIFIER


class _Reader:
    """One look at one schema, bounded in breadth and depth."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = MAX_LOOKS

    def text_at(self, steps: list[str]) -> bool:
        """Whether text may stand at `steps`."""
        schema: object = self._root
        for step in steps:
            schema = self._resolved(schema)
            properties = schema.get("properties") if isinstance(schema, Mapping) else None
            if not isinstance(properties, Mapping) or step not in properties:
                return True
            schema = properties[step]
        return self._text(schema, 0)

    def _text(self, schema: object, depth: int) -> bool:
        self._left -= 1
        target = self._resolved(schema)
        if target is False:
            return False
        if not isinstance(target, Mapping) or depth > MAX_DEPTH or self._left < 0:
            return True
        if "const" in target or "enum" in target:
            return False
        for name in ("anyOf", "oneOf"):
            parts = target.get(name)
            if isinstance(parts, list) and not any(self._text(part, depth + 1) for part in parts):
                return False
        every = target.get("allOf")
        if isinstance(every, list) and not all(self._text(part, depth + 1) for part in every):
            return False
        said = target.get("type")
        kinds = said if isinstance(said, list) else [said]
        return any(self._kind(kind, target, depth) for kind in kinds)

    def _kind(self, kind: object, schema: Mapping[str, object], depth: int) -> bool:
        match kind:
            case "boolean" | "integer" | "number" | "null":
                return False
            case "string":
                return schema.get("format") not in _NO_SENTENCE and not _is_identifier(schema)
            case "array":
                return "prefixItems" in schema or self._text(schema.get("items", True), depth + 1)
            case "object" if (
                schema.get("additionalProperties") is False and "patternProperties" not in schema
            ):
                properties = schema.get("properties", {})
                return not isinstance(properties, Mapping) or any(
                    self._text(part, depth + 1) for part in properties.values()
                )
        return True

    def _resolved(self, schema: object) -> object:
        """The schema behind local references (`#/…`); others, and chains that do not end, are anything."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                return schema
            pointer = schema["$ref"]
            if not isinstance(pointer, str) or not pointer.startswith("#/"):
                return True
            target: object = self._root
            for step in pointer[2:].split("/"):
                key = step.replace("~1", "/").replace("~0", "~")
                if not isinstance(target, Mapping) or key not in target:
                    return True
                target = target[key]
            schema = target
        return True
