"""Parameters and JSON bodies of an operation, as arguments that a model can give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..schematypes import items_of, types_of
from .keywords import shorten
from .problem import Pointer, Problem, ProblemError, follow, unsupported
from .schema import Converter

Location: TypeAlias = Literal["path", "query", "header", "body"]

_SCALARS = frozenset({"string", "number", "integer", "boolean"})
#: Described apart in OpenAPI 3 (section "Parameter Object"): a parameter of this name is ignored.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
#: Headers that frame a request or say where it goes: never an argument, whatever the document says.
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
    }
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STYLES = {"path": "simple", "query": "form", "header": "simple"}
_JSON_TYPE = re.compile(r"application/(?:json|[a-z0-9.!#$&^_-]+\+json)", re.IGNORECASE)
_NO_BODY = frozenset({"GET", "HEAD", "TRACE"})
#: A body with one of these can't be taken apart into arguments.
_WHOLE = frozenset(
    {
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "$ref",
        "$dynamicRef",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedProperties",
        "const",
        "enum",
    }
)


@dataclass(frozen=True)
class Argument:
    """One thing that a call may set: where it goes under which name, and what it has to look like."""

    location: Location
    wire: str
    schema: dict[str, object]
    required: bool
    pointer: Pointer
    explode: bool = False
    whole: bool = False


@dataclass(frozen=True)
class JsonBody:
    """How the body's arguments are put together. `content_type` is what is sent."""

    content_type: str
    arguments: tuple[Argument, ...]


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON."""
    return _JSON_TYPE.fullmatch(content_type.partition(";")[0].strip()) is not None


class Reader:
    """Reads the request side of one operation, and collects what is wrong with it."""

    def __init__(self, root: object, converter: Converter, credentials: frozenset[tuple[str, str]]) -> None:
        self._root = root
        self._converter = converter
        self._credentials = credentials
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        #: Names of parameters that a problem stands for.
        self.refused: set[str] = set()

    def parameters(
        self, lists: tuple[tuple[object, Pointer], ...], variables: frozenset[str]
    ) -> list[Argument]:
        """The arguments of the parameter lists; a later list's parameter replaces an earlier one's.

        `variables` are those of the path, in braces.
        """
        found: dict[tuple[str, str], tuple[dict[str, object], Pointer]] = {}
        for parameters, pointer in lists:
            found |= self._listed(parameters, pointer)
        arguments: list[Argument] = []
        for (place, _), (parameter, pointer) in found.items():
            name = str(parameter["name"])
            if place == "path" and f"{{{name}}}" not in variables:
                self.notes.append(Problem("AC705", f"the path has no `{{{name}}}`", (*pointer, "name")))
                continue
            try:
                argument = self._argument(place, name, parameter, pointer)
            except ProblemError as error:
                required = parameter.get("required") is True or place == "path"
                if required or error.problem.code != "AC705":
                    self.problems.append(error.problem)
                    self.refused.add(name)
                else:
                    message = f"the optional parameter `{name}` is left out: {error.problem.message}"
                    self.notes.append(error.problem._replace(message=message))
                continue
            if argument is not None:
                arguments.append(argument)
        return arguments

    def _listed(
        self, parameters: object, pointer: Pointer
    ) -> dict[tuple[str, str], tuple[dict[str, object], Pointer]]:
        found: dict[tuple[str, str], tuple[dict[str, object], Pointer]] = {}
        if parameters is None:
            return found
        if not isinstance(parameters, list):
            self.problems.append(unsupported("`parameters` has to be a list", pointer).problem)
            return found
        for index, item in enumerate(parameters):
            try:
                parameter, at = follow(self._root, item, (*pointer, str(index)))
            except ProblemError as error:
                self.problems.append(error.problem)
                continue
            name = parameter.get("name") if isinstance(parameter, dict) else None
            place = parameter.get("in") if isinstance(parameter, dict) else None
            if not isinstance(parameter, dict) or not isinstance(name, str) or not isinstance(place, str):
                self.problems.append(unsupported("a parameter needs `name` and `in`", at).problem)
                continue
            key = (place, name.lower() if place == "header" else name)
            if key in found:
                self.problems.append(unsupported(f"the {place} parameter `{name}` stands twice", at).problem)
            found[key] = (parameter, at)
        return found

    def _argument(
        self, place: str, name: str, parameter: dict[str, object], pointer: Pointer
    ) -> Argument | None:
        if place == "header" and name.lower() in _IGNORED_HEADERS:
            return None
        if (place, name.lower()) in self._credentials:
            self.notes.append(
                Problem("AC705", f"`{name}` is a credential and not an argument", (*pointer, "name"))
            )
            return None
        location = self._location(place, name, parameter, pointer)
        schema_at = (*pointer, "schema")
        schema = narrow(self._schema(parameter["schema"], schema_at), self._converter)
        if schema is None:
            raise unsupported(f"the {place} parameter `{name}` is an object", schema_at)
        if text := shorten(parameter.get("description")):
            schema["description"] = text
        explode = parameter.get("explode", location == "query")
        required = parameter.get("required", False)
        if not isinstance(required, bool):
            self.notes.append(Problem("AC705", "`required` has to be a boolean", (*pointer, "required")))
        return Argument(
            location=location,
            wire=name,
            schema=schema,
            required=required is True or location == "path",
            pointer=pointer,
            explode=explode is True,
        )

    def _location(self, place: str, name: str, parameter: Mapping[str, object], pointer: Pointer) -> Location:
        """Where the parameter goes, if it is one that can be sent.

        Raises:
            ProblemError: AC705 a place, style or encoding that is not supported.
        """
        if place not in ("path", "query", "header"):
            raise unsupported(f"{shorten(place, 40)} parameters are not supported", (*pointer, "in"))
        location: Location = "path" if place == "path" else "query" if place == "query" else "header"
        style = parameter.get("style", _STYLES[location])
        if style != _STYLES[location]:
            raise unsupported(f"the style `{style}` of `{name}` is not supported", (*pointer, "style"))
        if "content" in parameter:
            raise unsupported(f"`{name}` is described by `content`", (*pointer, "content"))
        if "schema" not in parameter:
            raise unsupported(f"the parameter `{name}` has no `schema`", pointer)
        unusable = not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS
        if location == "header" and unusable:
            raise unsupported(f"the header `{name}` can't be an argument", (*pointer, "name"))
        return location

    def _schema(self, node: object, pointer: Pointer) -> dict[str, object]:
        """The parameter's schema, with a plain `$ref` at its top replaced by what it refers to."""
        if isinstance(node, dict) and node.keys() == {"$ref"}:
            node, pointer = follow(self._root, node, pointer)
        return self._converter.convert(node, pointer)

    def body(self, method: str, request_body: object, pointer: Pointer) -> JsonBody | None:
        """The JSON body, if the operation takes one.

        Raises:
            ProblemError: the body is needed and can't be sent.
        """
        if request_body is None:
            return None
        body, pointer = follow(self._root, request_body, pointer)
        if not isinstance(body, dict):
            raise unsupported("`requestBody` has to be an object", pointer)
        if method in _NO_BODY:
            self.notes.append(Problem("AC705", f"the body of a `{method}` request is ignored", pointer))
            return None
        content = body.get("content")
        media = content if isinstance(content, dict) else {}
        content_type = next((kind for kind in media if is_json(kind)), None)
        wildcard = next((kind for kind in media if kind in ("*/*", "application/*")), None)
        chosen = content_type or wildcard
        required = body.get("required") is True
        if chosen is None:
            listed = ", ".join(f"`{shorten(kind, 80)}`" for kind in list(media)[:4]) or "none"
            # without it, a call would still do something: not what the operation is for
            raise unsupported(
                f"the body is not JSON but {listed}", (*pointer, "content"), "only JSON bodies are supported"
            )
        at = (*pointer, "content", chosen)
        entry, at = follow(self._root, media[chosen], at)
        schema = entry.get("schema", {}) if isinstance(entry, dict) else {}
        arguments = tuple(self._body_arguments(schema, (*at, "schema"), required=required))
        return JsonBody(content_type or "application/json", arguments)

    def _body_arguments(self, schema: object, pointer: Pointer, *, required: bool) -> Iterator[Argument]:
        node, at = follow(self._root, schema, pointer)
        plain = schema is node or (isinstance(schema, dict) and schema.keys() == {"$ref"})
        needed = node.get("required") if isinstance(node, dict) else None
        names = {name for name in needed if isinstance(name, str)} if isinstance(needed, list) else set()
        if not isinstance(node, dict) or not plain or not _is_flat(node):
            yield Argument(
                "body", "", self._converter.convert(schema, pointer), required, pointer, whole=True
            )
            return
        properties = node["properties"]
        assert isinstance(properties, dict)
        shown = {
            name: value
            for name, value in properties.items()
            if not self._converter.hidden(value, (*at, "properties", name))
        }
        missing = {name: True for name in sorted(names) if name not in properties}
        if not required and (names & shown.keys() or missing):
            # an optional body with fields that it needs is given as a whole or not at all
            yield Argument("body", "", self._converter.convert(schema, pointer), False, pointer, whole=True)
            return
        for name, value in {**shown, **missing}.items():
            where = (*at, "properties", name)
            converted = self._converter.convert(value, where)
            yield Argument("body", name, converted, name in names, where)


def _is_flat(node: Mapping[str, object]) -> bool:
    """An object with named properties and no others, nothing that is said of it as a whole."""
    return (
        isinstance(node.get("properties"), dict)
        and node.get("type", "object") == "object"
        and node.get("nullable") is not True
        and node.get("additionalProperties", False) is False
        and not node.keys() & _WHOLE
    )


def narrow(schema: dict[str, object], converter: Converter) -> dict[str, object] | None:
    """`schema` without objects and null, which can't be written into a URL or a header.

    Arrays hold scalars only. `None` if nothing is left.
    """
    root = {**schema, "$defs": converter.definitions()}
    types = types_of(schema, root)
    allowed = set(types & _SCALARS)
    narrowed = dict(schema)
    if "array" in types:
        items = types_of(items_of(root), root)
        if items & _SCALARS:
            allowed.add("array")
            if not items <= _SCALARS and isinstance(given := schema.get("items", {}), dict):
                narrowed["items"] = {**given, "type": _listed_types(items & _SCALARS)}
            elif not items <= _SCALARS:
                return None
    if not allowed:
        return None
    if allowed != types:
        narrowed["type"] = _listed_types(allowed)
    return narrowed


def _listed_types(types: set[str] | frozenset[str]) -> object:
    named = sorted(types - {"integer"}) if "number" in types else sorted(types)
    return named[0] if len(named) == 1 else named
