"""Parameters of an operation, as arguments that a model can give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from agentc_runtime.bundle import Style
from agentc_runtime.media import content_of
from agentc_runtime.violations import compile_shape

from ..schematypes import types_of
from .keywords import shorten
from .problem import Pointer, Problem, ProblemError, follow, unsupported
from .schema import Converter
from .writable import kinds, narrowed

Location: TypeAlias = Literal["path", "query", "header", "cookie", "body"]

#: Described apart in OpenAPI 3 (section "Parameter Object"): a parameter of this name is ignored.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
#: What every request carries, worked out from its URL and body.
_SET_BY_CLIENT = frozenset({"accept-encoding", "connection", "content-length", "host"})
#: Headers that frame a request or say where it goes: never an argument, whatever the document says.
_OWN_HEADERS = frozenset(
    {
        "cookie",
        "expect",
        "forwarded",
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
_LOCATIONS: Mapping[str, Location] = {
    "path": "path",
    "query": "query",
    "header": "header",
    "cookie": "cookie",
}
#: The styles of each place, the default first (3.1.1, section 4.8.12.2.1).
_STYLES: Mapping[Location, tuple[Style, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}


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
    style: Style = "simple"
    reserved: bool = False
    content_type: str | None = None


class Reader:
    """Reads the parameters of one operation, and collects what is wrong with them."""

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
            if key in found and found[key][0] == parameter:
                self.notes.append(Problem("AC705", f"the {place} parameter `{name}` stands twice", at))
            elif key in found:
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
        if place == "header" and name.lower() in _SET_BY_CLIENT:
            message = f"`{name}` is set by the client and is no argument"
            self.notes.append(Problem("AC705", message, (*pointer, "name")))
            return None
        location = self._location(place, name, pointer)
        if "content" in parameter and "schema" not in parameter:
            argument = self._content(location, name, parameter["content"], (*pointer, "content"))
        else:
            argument = self._styled(location, name, parameter, pointer)
        schema = argument.schema
        if text := shorten(parameter.get("description")):
            schema = {**schema, "description": text}
        required = parameter.get("required", False)
        if not isinstance(required, bool):
            self.notes.append(Problem("AC705", "`required` has to be a boolean", (*pointer, "required")))
        return replace(
            argument, schema=schema, required=required is True or location == "path", pointer=pointer
        )

    def _location(self, place: str, name: str, pointer: Pointer) -> Location:
        """Where the parameter goes, if it is one that can be sent.

        Raises:
            ProblemError: AC705 no such place, or a name that a call must not set there.
        """
        location = _LOCATIONS.get(place)
        if location is None:
            raise unsupported(f"{shorten(place, 40)} parameters are not supported", (*pointer, "in"))
        if location in ("header", "cookie") and not _HEADER_NAME.fullmatch(name):
            raise unsupported(f"the {location} `{name}` can't be an argument", (*pointer, "name"))
        if location == "header" and name.lower() in _OWN_HEADERS:
            raise unsupported(f"the header `{name}` can't be an argument", (*pointer, "name"))
        return location

    def _styled(
        self, location: Location, name: str, parameter: Mapping[str, object], pointer: Pointer
    ) -> Argument:
        """A parameter that is described by `schema`.

        Raises:
            ProblemError: AC705 a style that the place does not have, or values that it can't write.
        """
        styles = _STYLES[location]
        said = parameter.get("style", styles[0])
        style = next((one for one in styles if one == said), None)
        if style is None:
            raise unsupported(
                f"the style `{shorten(said, 40)}` of `{name}` is not one for {location} parameters",
                (*pointer, "style"),
                "OpenAPI has " + ", ".join(f"`{one}`" for one in styles),
            )
        if "schema" not in parameter:
            raise unsupported(f"the parameter `{name}` has no `schema`", pointer)
        # for `deepObject` there is one way, and the default of `explode` is not it
        explode = parameter.get("explode", style in ("form", "deepObject")) is True
        wanted = kinds(style, explode, location)
        how = f"`{style}` with `explode: {str(explode).lower()}`"
        if not wanted:
            raise unsupported(f"OpenAPI does not define {how}, which `{name}` has", (*pointer, "style"))
        schema_at = (*pointer, "schema")
        converted = self._schema(parameter["schema"], schema_at)
        fitting = narrowed(converted, self._converter.definitions(), wanted)
        if fitting is None and not types_of(converted, {**converted, "$defs": self._converter.definitions()}):
            raise unsupported(
                f"no value satisfies the schema of the {location} parameter `{name}`", schema_at
            )
        if fitting is None:
            message = f"the {location} parameter `{name}` has no value that {how} can write"
            raise unsupported(message, schema_at, "nested objects and arrays have no defined form there")
        if fitting.lost:
            names = ", ".join(f"`{one}`" for one in fitting.lost[:5])
            message = f"{names} of `{name}` can't be written as {how} and can't be given"
            self.notes.append(Problem("AC705", message, schema_at))
        schema = fitting.schema
        plain = location == "query" and style == "form"
        if plain and parameter.get("allowEmptyValue") is True:
            schema = self._or_empty(schema)
        return Argument(
            location=location,
            wire=name,
            schema=schema,
            required=False,
            pointer=pointer,
            explode=explode,
            style=style,
            reserved=location == "query" and parameter.get("allowReserved") is True,
        )

    def _or_empty(self, schema: dict[str, object]) -> dict[str, object]:
        """The schema with the empty string, if it does not have it already (`allowEmptyValue`)."""
        try:
            if compile_shape({**schema, "$defs": self._converter.definitions()}).is_valid(""):
                return schema
        except ValueError:
            return schema  # reported for the arguments as a whole
        return {"anyOf": [schema, {"const": ""}]}

    def _content(self, location: Location, name: str, content: object, pointer: Pointer) -> Argument:
        """A parameter whose value is a document of its own, as a rule JSON (section 4.8.12.2.2).

        Raises:
            ProblemError: AC705 not exactly one media type, or one that is neither JSON nor text.
        """
        if not isinstance(content, dict) or len(content) != 1:
            raise unsupported(f"`content` of `{name}` has to have one media type", pointer)
        ((media, entry),) = content.items()
        entry, at = follow(self._root, entry, (*pointer, media))
        schema: object = entry.get("schema", True) if isinstance(entry, dict) else True
        kind = content_of(media)
        if kind not in ("json", "text"):
            raise unsupported(f"`{name}` is `{shorten(media, 60)}`, neither JSON nor text", at)
        converted = self._schema(schema, (*at, "schema"))
        if kind == "text":
            fitting = narrowed(converted, self._converter.definitions(), frozenset({"scalar"}))
            if fitting is None:
                raise unsupported(f"`{name}` is text, and its schema has no scalars", (*at, "schema"))
            converted = fitting.schema
        return Argument(location, name, converted, False, pointer, content_type=media)

    def _schema(self, node: object, pointer: Pointer) -> dict[str, object]:
        """The parameter's schema, with a plain `$ref` at its top replaced by what it refers to."""
        if isinstance(node, dict) and node.keys() == {"$ref"}:
            node, pointer = follow(self._root, node, pointer)
        return self._converter.convert(node, pointer)
