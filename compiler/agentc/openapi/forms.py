"""Forms: how each property of a urlencoded or multipart body is written (OpenAPI 3.1.1, section 4.8.15)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from agentc_runtime.bundle import Part, Style
from agentc_runtime.media import content_of

from ..schematypes import types_of
from .keywords import shorten
from .parameters import Argument
from .problem import Pointer, Problem, ProblemError, follow, unsupported
from .schema import Converter
from .writable import kinds, narrowed, without_null

#: A file as a model gives it. The encoding is never guessed: text may look like base64.
_FILE: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "content": {"type": "string", "description": "the file's content"},
        "encoding": {"type": "string", "enum": ["text", "base64"], "description": "how `content` is written"},
        "filename": {"type": "string", "minLength": 1, "maxLength": 255},
        "content_type": {"type": "string", "description": "the file's media type"},
    },
    "required": ["content", "encoding"],
    "additionalProperties": False,
}
_STYLES: Final[tuple[Style, ...]] = ("form", "spaceDelimited", "pipeDelimited", "deepObject")
_PARTS: Final = ("allOf", "anyOf", "oneOf")
#: What a schema may say without saying what the value is.
_SAID: Final = frozenset(
    {"title", "description", "example", "examples", "deprecated", "writeOnly", "default"}
)
_OWN_HEADERS: Final = frozenset({"content-type", "content-disposition", "content-transfer-encoding"})
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
#: How many schemas are looked at for properties.
_LOOKS: Final = 2000


class FormReader:
    """Reads one form. `parts` are the properties that are not written plainly."""

    def __init__(self, root: object, version: str, converter: Converter, *, multipart: bool) -> None:
        self._root = root
        self._lax = version in ("2.0", "3.0")
        self._converter = converter
        self._multipart = multipart
        self._unfit: dict[str, Problem] = {}
        self.parts: dict[str, Part] = {}
        self.notes: list[Problem] = []

    def look(self, schema: object, pointer: Pointer, encoding: object, encoding_at: Pointer) -> None:
        """Find out how each property is written, before the schema is converted: files get another one."""
        encodings = encoding if isinstance(encoding, dict) else {}
        for name, node, at in self._properties(schema, pointer):
            try:
                said, said_at = follow(self._root, encodings.get(name, {}), (*encoding_at, name))
                part = self._part(name, node, at, said if isinstance(said, dict) else {}, said_at)
            except ProblemError as error:
                if error.problem.code != "AC705":
                    raise
                self._unfit[name] = error.problem
                continue
            if part != Part():
                self.parts[name] = part

    def fitting(self, argument: Argument) -> Argument | None:
        """The property as it can be given; `None`, with a note, for an optional one that can't be written.

        Raises:
            ProblemError: AC705 it is required.
        """
        problem = self._unfit.get(argument.wire)
        schema: dict[str, object] | None = None
        if problem is None:
            schema = self._fitted(argument)
            problem = Problem(
                "AC705", f"`{argument.wire}` has no value that a form can hold", argument.pointer
            )
        if schema is not None:
            return replace(argument, schema=schema)
        if argument.required:
            raise ProblemError(problem)
        message = f"the optional field `{argument.wire}` is left out: {problem.message}"
        self.notes.append(problem._replace(message=message))
        return None

    def whole(self, argument: Argument) -> Argument:
        """A form that is given as one object.

        Raises:
            ProblemError: AC705 it is no object, or has a property that can't be written.
        """
        for problem in self._unfit.values():
            raise ProblemError(problem)
        types = types_of(argument.schema, {**argument.schema, "$defs": self._converter.definitions()})
        if "object" not in types:
            raise unsupported("the schema of a form has to be that of an object", argument.pointer)
        schema = argument.schema if types == {"object"} else {**argument.schema, "type": "object"}
        return replace(argument, schema=schema)

    def _fitted(self, argument: Argument) -> dict[str, object] | None:
        part = self.parts.get(argument.wire, Part())
        definitions = self._converter.definitions()
        if part.kind == "json":
            return argument.schema
        if part.kind == "style":
            fitting = narrowed(argument.schema, definitions, kinds(part.style, part.explode, "query"))
            if fitting is not None and fitting.lost:
                names = ", ".join(f"`{one}`" for one in fitting.lost[:5])
                message = f"{names} of `{argument.wire}` can't be written as `{part.style}`"
                self.notes.append(Problem("AC705", message, argument.pointer))
            return None if fitting is None else fitting.schema
        return without_null(argument.schema, definitions)

    def _properties(self, schema: object, pointer: Pointer) -> Iterator[tuple[str, object, Pointer]]:
        """The properties that the schema names, with all that it is put together from."""
        seen: set[Pointer] = set()
        waiting = [(schema, pointer)]
        while waiting and len(seen) < _LOOKS:
            node, at = waiting.pop()
            beside = node.get("properties") if isinstance(node, dict) and "$ref" in node else None
            if isinstance(beside, dict) and not self._lax:
                yield from ((name, one, (*at, "properties", name)) for name, one in beside.items())
            node, at = follow(self._root, node, at)
            if at in seen or not isinstance(node, dict):
                continue
            seen.add(at)
            if isinstance(properties := node.get("properties"), dict):
                yield from ((name, one, (*at, "properties", name)) for name, one in properties.items())
            for keyword in _PARTS:
                if isinstance(parts := node.get(keyword), list):
                    waiting += [(one, (*at, keyword, str(index))) for index, one in enumerate(parts)]

    def _part(
        self, name: str, node: object, at: Pointer, said: Mapping[str, object], said_at: Pointer
    ) -> Part:
        headers = self._headers(said.get("headers"), (*said_at, "headers"))
        given = said.get("contentType")
        types = (
            tuple(one for part in given.split(",") if (one := part.strip())) if isinstance(given, str) else ()
        )
        if self._multipart and self._is_file(node, at, bool(types) and content_of(types[0]) == "binary"):
            declared = types or self._declared(node, at)
            plain = tuple(one.partition(";")[0].strip().lower() for one in declared)
            # a type to be chosen from others is no type to take by default, but a range is none at all
            return Part(kind="file", content_types=plain, headers=headers)
        styled = said.keys() & {"style", "explode", "allowReserved"}
        if styled and not (self._multipart and self._lax):
            return self._styled(name, said, said_at, types, headers)
        if not types:
            return Part(headers=headers)
        first = next((one for one in types if "*" not in one), None)
        content = None if first is None else content_of(first)
        if content not in ("json", "text"):
            message = f"`{name}` is sent as `{shorten(', '.join(types), 60)}`, and it is no file"
            raise unsupported(message, (*said_at, "contentType"))
        kept = (first,) if first is not None and self._multipart else ()
        return Part(kind="json" if content == "json" else "plain", content_types=kept, headers=headers)

    def _styled(
        self,
        name: str,
        said: Mapping[str, object],
        said_at: Pointer,
        types: tuple[str, ...],
        headers: dict[str, str],
    ) -> Part:
        style = next((one for one in _STYLES if one == said.get("style", "form")), None)
        explode = said.get("explode", style in ("form", "deepObject")) is True
        if style is None or not kinds(style, explode, "query"):
            how = f"`{shorten(said.get('style'), 40)}` with `explode: {str(explode).lower()}`"
            raise unsupported(f"OpenAPI does not define {how}, which `{name}` has", said_at)
        return Part(
            kind="style",
            style=style,
            explode=explode,
            reserved=said.get("allowReserved") is True,
            content_types=types[:1] if self._multipart else (),
            headers=headers,
        )

    def _is_file(self, node: object, at: Pointer, said_so: bool) -> bool:
        """Whether the property is a file, or several; if so, its schema becomes that of one."""
        target, at = follow(self._root, node, at)
        if not isinstance(target, dict):
            return said_so
        for keyword in ("anyOf", "oneOf"):
            if isinstance(parts := target.get(keyword), list) and parts:
                files = [
                    self._is_file(one, (*at, keyword, str(index)), said_so) for index, one in enumerate(parts)
                ]
                return any(files)
        if target.get("type") == "array":
            return "items" in target and self._is_file(target["items"], (*at, "items"), said_so)
        if not self._is_one_file(target, said_so):
            return False
        text = shorten(target.get("description"))
        self._converter.instead[at] = {**_FILE, "description": text} if text else _FILE
        return True

    def _is_one_file(self, node: Mapping[str, object], said_so: bool) -> bool:
        if node.keys() <= _SAID | {"contentMediaType"} and not self._lax:
            return True  # 3.1: nothing is said of the value, so it is bytes
        if node.get("type") not in ("string", None) or "contentEncoding" in node:
            return False
        if node.get("format") == "binary" or said_so:
            return True
        media = node.get("contentMediaType")
        return isinstance(media, str) and content_of(media) == "binary"

    def _declared(self, node: object, at: Pointer) -> tuple[str, ...]:
        target, _ = follow(self._root, node, at)
        media = target.get("contentMediaType") if isinstance(target, dict) else None
        return (media,) if isinstance(media, str) and "/" in media else ()

    def _headers(self, headers: object, at: Pointer) -> dict[str, str]:
        """The headers of a part that have one value only: the others would need arguments of their own."""
        found: dict[str, str] = {}
        if not self._multipart or not isinstance(headers, dict):
            return found
        for name, value in headers.items():
            if name.lower() in _OWN_HEADERS:
                continue
            header, where = follow(self._root, value, (*at, name))
            schema = header.get("schema") if isinstance(header, dict) else None
            schema, _ = follow(self._root, schema, (*where, "schema"))
            text = _only_value(schema)
            if text is not None and _HEADER.fullmatch(name) and _HEADER_VALUE.fullmatch(text):
                found[name] = text
                continue
            problem = unsupported(f"the header `{name}` of a part has no fixed value", where)
            if isinstance(header, dict) and header.get("required") is True:
                raise problem
            self.notes.append(problem.problem)
        return found


def _only_value(schema: object) -> str | None:
    if not isinstance(schema, dict):
        return None
    values = schema.get("enum")
    value = values[0] if isinstance(values, list) and len(values) == 1 else schema.get("const")
    return value if isinstance(value, str) else None
