"""OpenAPI's schemas as self-contained JSON Schema 2020-12: what the model is shown and the runtime checks.

Objects in requests are closed when they name their properties and do not say otherwise: whatever nobody
described can't be sent. Where a schema is put together from others, the parts stay open and the whole is
closed with `unevaluatedProperties`. Responses are left open, without formats: services are lax.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from .discriminator import tagged
from .keywords import FORMATS, SIMPLE, bounds, pattern_works, shorten, types
from .problem import Pointer, Problem, ProblemError, find, follow, parse_reference, unsupported
from .sharing import Kept, Shared, is_steady

Side: TypeAlias = Literal["request", "response"]
#: `closed`: an object of a request. `open`: a part of one, closed by the whole. `free`: an alternative that
#: may be any object. `exact`: as written, for responses and below `not` and `if`.
Mode: TypeAlias = Literal["closed", "open", "free", "exact"]

MAX_DEPTH = 40
MAX_NODES = 20_000
#: From here on a property that may be left out is, if it needs a definition that nothing needed before.
CROWDED = 15_000
_PARTS = ("allOf", "anyOf", "oneOf")
_JOINING = frozenset({*_PARTS, "then", "else", "dependentSchemas"})
_DYNAMIC = ("$dynamicRef", "$recursiveRef")
#: Beside a `$ref` in 3.1 these add nothing that has to be checked.
_ANNOTATIONS = frozenset({"description", "summary", "title", "default", "example", "examples", "deprecated"})
_HIDING = frozenset({"readOnly", "writeOnly"})


_CROWDED = "the schema needs more definitions than there is room for"


class _Crowded(ProblemError):
    """A schema needs another definition, and there are many already."""


class Converter:
    """Converts the schemas of one side of one operation; `definitions` holds what they refer to."""

    def __init__(self, root: object, version: str, side: Side, kept: Shared | None = None) -> None:
        self._root = root
        self._siblings = version not in ("2.0", "3.0")
        self._nullable_word = "x-nullable" if version == "2.0" else "nullable"
        self._side: Side = side
        self._names: dict[tuple[Pointer, Mode], str] = {}
        self._taken: dict[str, int] = {}
        self._waiting: deque[tuple[str, object, Pointer, Mode]] = deque()
        self._done: dict[str, object] = {}
        #: Schemas that are known to name properties, or not to, with all that they are put together from.
        self._named: dict[Pointer, bool] = {}
        self._nodes = 0
        self._kept = kept
        self._needs: list[tuple[Pointer, str]] = []
        self._pending = 0
        self._crowded = False
        self.notes: list[Problem] = []
        #: Schemas that stand for what the document has at these places: files in a multipart body.
        self.instead: dict[Pointer, dict[str, object]] = {}

    def convert(self, node: object, pointer: Pointer) -> dict[str, object]:
        """The schema at `pointer`. Its `$ref`s point into `definitions`.

        Raises:
            ProblemError: AC704, AC708 a `$ref`; AC705 not a schema, too deep, too large.
        """
        return _as_object(self._schema(node, pointer, "closed" if self._side == "request" else "exact", 0))

    def definitions(self) -> dict[str, object]:
        """Every schema that was referred to by `$ref` so far, by its name in `$defs`.

        Raises:
            ProblemError: as `convert`.
        """
        while self._waiting:
            # what is nearer to the arguments comes first: what is left out for its size lies deepest
            name, node, pointer, mode = self._waiting.popleft()
            self._pending -= _size(node) if self._side == "request" else 0
            found = self._again(name, pointer)
            if found is None:
                self._needs, before = [], self._nodes
                found = self._schema(node, pointer, mode, 0)
                if self._kept is not None and is_steady(pointer):
                    needs = tuple(dict.fromkeys(self._needs))
                    self._kept.definitions[pointer] = Kept(name, found, needs, self._nodes - before)
            self._done[name] = found
        return dict(sorted(self._done.items()))

    def _again(self, name: str, pointer: Pointer) -> dict[str, object] | bool | None:
        """A definition as it was converted for another operation, if every name in it is the same here."""
        kept = self._kept.definitions.get(pointer) if self._kept is not None else None
        if kept is None or kept.name != name or self._nodes + kept.nodes > MAX_NODES:
            return None
        for target, wanted in kept.needs:
            if self._name(target, "exact") != wanted:
                return None
        self._nodes += kept.nodes
        return kept.schema

    def hidden(self, node: object, pointer: Pointer) -> bool:
        """Whether a property stays out: `readOnly` in a request, `writeOnly` in a response."""
        flag = "readOnly" if self._side == "request" else "writeOnly"
        if isinstance(node, dict) and self._siblings and node.get(flag) is True:
            return True
        target, _ = follow(self._root, node, pointer)
        return isinstance(target, dict) and target.get(flag) is True

    def _note(self, message: str, pointer: Pointer) -> None:
        if self._side == "request":
            self.notes.append(Problem("AC705", message, pointer))

    def _schema(self, node: object, pointer: Pointer, mode: Mode, depth: int) -> dict[str, object] | bool:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise unsupported(f"the schemas of the {self._side} have more than {MAX_NODES:,} parts", pointer)
        if depth > MAX_DEPTH:
            raise unsupported(f"the schema is nested deeper than {MAX_DEPTH} levels", pointer)
        if (stand_in := self.instead.get(pointer)) is not None:
            return dict(stand_in)
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise unsupported("a schema has to be an object", pointer)
        for name in _DYNAMIC:
            if name in node:
                message = f"`{name}` may mean more than one schema, or none that is in the document"
                raise unsupported(message, (*pointer, name))
        if isinstance(node.get("$ref"), str):
            return self._reference(node, pointer, mode, depth)
        return self._keywords(node, pointer, mode, depth)

    def _reference(
        self, node: dict[str, object], pointer: Pointer, mode: Mode, depth: int
    ) -> dict[str, object]:
        beside = node.keys() - {"$ref"} - _HIDING
        if not self._siblings or beside <= _ANNOTATIONS:
            found: dict[str, object] = {"$ref": self._define(str(node["$ref"]), pointer, mode)}
            if self._siblings and mode != "exact" and (text := shorten(node.get("description"))):
                found["description"] = text
            return self._nullable(found, node) if self._side == "response" else found
        whole = {key: value for key, value in node.items() if key != "$ref"}
        part: Mode = "exact" if mode == "exact" else "open"
        found = self._keywords(whole, pointer, part, depth)
        found["$ref"] = self._define(str(node["$ref"]), pointer, part)
        if mode == "closed" and not node.keys() & {"additionalProperties", "unevaluatedProperties"}:
            found |= {"unevaluatedProperties": False} if self._declares(node, pointer) else {}
        return found

    def _define(self, reference: str, pointer: Pointer, mode: Mode) -> str:
        """The local reference to the definition that stands for a `$ref`."""
        target = parse_reference(reference, pointer)
        if (target, mode) not in self._names:
            # a chain that leads nowhere or in a circle is refused here, so each definition ends
            follow(self._root, {"$ref": reference}, pointer)
            if self._side == "request" and self._nodes + self._pending > CROWDED:
                raise _Crowded(unsupported(_CROWDED, pointer).problem)
        name = self._name(target, mode)
        self._needs.append((target, name))
        return f"#/$defs/{name}"

    def _name(self, target: Pointer, mode: Mode) -> str:
        """The name of the definition for what stands at `target`, which waits for its turn if it is new."""
        if (target, mode) not in self._names:
            base = re.sub(r"[^A-Za-z0-9_.-]+", "_", target[-1] if target else "root")[:60] or "schema"
            base += {"closed": "", "exact": "", "open": ".open", "free": ".free"}[mode]
            name = base
            while name in self._taken:  # what was counted up may be the name of another one
                self._taken[base] += 1
                name = f"{base}_{self._taken[base]}"
            self._taken.setdefault(name, 1)
            self._names[target, mode] = name
            node = find(self._root, target)
            self._pending += _size(node) if self._side == "request" else 0
            self._waiting.append((name, node, target, mode))
        return self._names[target, mode]

    def _keywords(
        self, node: dict[str, object], pointer: Pointer, mode: Mode, depth: int
    ) -> dict[str, object]:
        found: dict[str, object] = {}
        if "type" in node:
            named = types(node["type"])
            if named is None:
                self._note("`type` is not one of JSON's types and is left out", (*pointer, "type"))
            else:
                found["type"] = named[0] if len(named) == 1 else named
        exclusive = bounds(node)
        for name, check in SIMPLE.items():
            if name not in node or name in exclusive:
                continue
            value = check(node[name])
            if value is None:
                self._note(f"the value of `{name}` is malformed and left out", (*pointer, name))
            else:
                found[name] = value
        found |= {name: value for name, value in exclusive.items() if value is not None}
        if "const" in node:
            found["const"] = node["const"]
        self._texts(node, found, pointer, mode)
        self._children(node, found, pointer, mode, depth)
        self._combine(node, found, pointer, mode, depth)
        if mode == "closed":
            self._close(node, found, pointer)
        elif mode == "free" and _is_free_object(node):
            found["additionalProperties"] = True
        return self._nullable(found, node)

    def _texts(
        self, node: Mapping[str, object], found: dict[str, object], pointer: Pointer, mode: Mode
    ) -> None:
        if "pattern" in node:
            pattern = node["pattern"]
            if isinstance(pattern, str) and pattern_works(pattern):
                found["pattern"] = pattern
            else:
                self._note(
                    "the pattern can't be checked in bounded time and is left out", (*pointer, "pattern")
                )
        if self._side == "response":
            return
        form = node.get("format")
        if isinstance(form, str) and form in FORMATS:
            found["format"] = form
        if mode == "exact":
            return
        if text := shorten(node.get("description")):
            found["description"] = text
        if "default" in node:
            found["default"] = node["default"]
        if node.get("deprecated") is True:
            found["deprecated"] = True

    def _children(
        self, node: Mapping[str, object], found: dict[str, object], pointer: Pointer, mode: Mode, depth: int
    ) -> None:
        """The keywords whose schemas are about other values: properties and items."""
        inner: Mode = "exact" if mode == "exact" else "closed"

        def child(name: str) -> None:
            if name in node:
                found[name] = self._schema(node[name], (*pointer, name), inner, depth + 1)

        self._properties(node, found, pointer, mode, depth)
        if isinstance(by_pattern := node.get("patternProperties"), dict):
            kept = {pattern: value for pattern, value in by_pattern.items() if pattern_works(pattern)}
            if len(kept) < len(by_pattern):
                self._note(
                    "a pattern of `patternProperties` can't be checked", (*pointer, "patternProperties")
                )
            found["patternProperties"] = {
                key: self._schema(value, (*pointer, "patternProperties", key), inner, depth + 1)
                for key, value in kept.items()
            }
        for name in ("additionalProperties", "unevaluatedProperties", "unevaluatedItems"):
            child(name)
        for name in ("items", "contains", "propertyNames"):
            child(name)
        if isinstance(prefix := node.get("prefixItems"), list) and prefix:
            found["prefixItems"] = [
                self._schema(item, (*pointer, "prefixItems", str(index)), inner, depth + 1)
                for index, item in enumerate(prefix)
            ]

    def _properties(
        self, node: Mapping[str, object], found: dict[str, object], pointer: Pointer, mode: Mode, depth: int
    ) -> None:
        properties = node.get("properties")
        if properties is None:
            return
        if not isinstance(properties, dict):
            raise unsupported("`properties` has to be an object", (*pointer, "properties"))
        if isinstance(properties.get("$ref"), str):
            message = "`$ref` stands where the names of properties do: no value can have what it refers to"
            help_ = "refer to a whole schema, or name the property and give it the `$ref`"
            raise unsupported(message, (*pointer, "properties", "$ref"), help_)
        inner: Mode = "exact" if mode == "exact" else "closed"
        # below `not` a property that is taken away would allow more
        hiding = self._side == "response" or mode != "exact"
        shown: dict[str, object] = {}
        for name, value in properties.items():
            at = (*pointer, "properties", name)
            if hiding and self.hidden(value, at):
                continue
            try:
                shown[name] = self._schema(value, at, inner, depth + 1)
            except _Crowded as error:
                if not hiding or name in _strings(found.get("required")):
                    raise
                if not self._crowded:
                    message = (
                        f"the schemas are very large: optional `{name}`, and others as deep, are left out"
                    )
                    self._note(message, error.problem.pointer)
                self._crowded = True
                # where other names are allowed, leaving it out would let anything stand there
                if node.get("additionalProperties", mode != "closed") is not False:
                    shown[name] = False
        found["properties"] = shown
        if isinstance(required := found.get("required"), list) and len(shown) < len(properties):
            found["required"] = [name for name in required if name in shown or name not in properties]

    def _combine(
        self, node: Mapping[str, object], found: dict[str, object], pointer: Pointer, mode: Mode, depth: int
    ) -> None:
        """The keywords whose schemas are about this very value."""
        part: Mode = "exact" if mode == "exact" else "open"
        alone = not node.keys() & {"properties", "allOf"}
        choice: Mode = "free" if mode in ("closed", "free") and alone else part
        for name in _PARTS:
            parts = node.get(name)
            if parts is None or parts == []:
                continue
            if not isinstance(parts, list):
                raise unsupported(f"`{name}` has to be a list", (*pointer, name))
            inner = part if name == "allOf" else choice
            converted = [
                self._schema(one, (*pointer, name, str(index)), inner, depth + 1)
                for index, one in enumerate(parts)
            ]
            if name != "allOf" and mode != "exact":
                converted = tagged(self._root, node, parts, converted)
            found[name] = converted
        conditions: tuple[tuple[str, Mode], ...] = (
            ("not", "exact"),
            ("if", "exact"),
            ("then", part),
            ("else", part),
        )
        for name, inner in conditions:
            if name in node:
                found[name] = self._schema(node[name], (*pointer, name), inner, depth + 1)
        if isinstance(dependent := node.get("dependentSchemas"), dict):
            found["dependentSchemas"] = {
                key: self._schema(value, (*pointer, "dependentSchemas", key), part, depth + 1)
                for key, value in dependent.items()
            }

    def _close(self, node: Mapping[str, object], found: dict[str, object], pointer: Pointer) -> None:
        if found.keys() & {"additionalProperties", "unevaluatedProperties"}:
            return
        if not found.keys() & _JOINING:
            if isinstance(properties := found.get("properties"), dict):
                # a required property that nobody described may be anything; closed without it, nothing fits
                for name in _strings(found.get("required")):
                    properties.setdefault(name, {})
                found["additionalProperties"] = False
        elif self._declares(node, pointer):
            found["unevaluatedProperties"] = False

    def _declares(self, node: object, pointer: Pointer) -> bool:
        """Whether the schema, with everything that it is put together from, names properties.

        Each schema is looked at once, however often it is part of others.
        """
        below: dict[Pointer, Pointer | None] = {pointer: None}
        waiting = [(node, pointer)]
        while waiting:
            part, at = waiting.pop()
            if not isinstance(part, dict) or self._named.get(at) is False:
                continue
            if self._named.get(at) or isinstance(part.get("properties"), dict):
                found: Pointer | None = at
                while found is not None:
                    self._named[found] = True
                    found = below[found]
                return True
            for inner, where in self._joined(part, at):
                if where not in below:
                    below[where] = at
                    waiting.append((inner, where))
        self._named |= dict.fromkeys(below, False)
        return False

    def _joined(self, node: Mapping[str, object], pointer: Pointer) -> Iterator[tuple[object, Pointer]]:
        """The schemas that are about the same value as `node`."""
        if isinstance(node.get("$ref"), str):
            yield follow(self._root, node, pointer)
            if not self._siblings:
                return
        for name in ("then", "else"):
            if name in node:
                yield node[name], (*pointer, name)
        for name in _PARTS:
            parts = node.get(name)
            for index, part in enumerate(parts if isinstance(parts, list) else ()):
                yield part, (*pointer, name, str(index))
        dependent = node.get("dependentSchemas")
        for key, part in dependent.items() if isinstance(dependent, dict) else ():
            yield part, (*pointer, "dependentSchemas", key)

    def _nullable(self, found: dict[str, object], node: Mapping[str, object]) -> dict[str, object]:
        """OpenAPI 3.0.3: `nullable` adds null to `type`, and only to `type`. Shared are read as intended."""
        lax = self._side == "response"
        if node.get(self._nullable_word) is not True or not (lax or not self._siblings):
            return found
        named = types(found.get("type"))
        if named is not None:
            found["type"] = named if "null" in named else [*named, "null"]
        if not lax:
            return found
        if isinstance(values := found.get("enum"), list) and None not in values:
            found["enum"] = [*values, None]
        if found.keys() & {*_PARTS, "$ref", "const"}:
            return {"anyOf": [found, {"type": "null"}]}
        return found


def _size(node: object) -> int:
    """About how many parts a schema has, without what it refers to."""
    count, waiting = 0, [node]
    while waiting and count < MAX_NODES:
        part = waiting.pop()
        count += isinstance(part, dict)
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [one for one in inner if isinstance(one, dict | list)]
    return count


def _is_free_object(node: Mapping[str, object]) -> bool:
    """An object of which nothing is said but that it is one."""
    named = types(node.get("type"))
    said = node.keys() & (_JOINING | {"properties", "patternProperties", "additionalProperties"})
    return named is not None and "object" in named and not said


def _strings(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _as_object(schema: dict[str, object] | bool) -> dict[str, object]:
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema
