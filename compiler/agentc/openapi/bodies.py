"""The body of an operation, as arguments that a model can give, and how they become bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from agentc_runtime.bundle import Part
from agentc_runtime.media import content_of

from ..schematypes import types_of
from .forms import FormReader
from .keywords import shorten
from .parameters import Argument
from .problem import Pointer, Problem, ProblemError, follow, unsupported
from .schema import Converter
from .writable import narrowed

BodyKind: TypeAlias = Literal["json", "form", "multipart", "text", "binary"]

_FORM: Final = "application/x-www-form-urlencoded"
#: OpenAPI describes all of these by named properties.
_MULTIPART: Final = frozenset({"multipart/form-data", "multipart/mixed", "multipart/related"})
_OCTETS: Final = "application/octet-stream"
#: What may be anything is sent as JSON, or as bytes if its schema is that of a file.
_WILDCARDS: Final = ("*/*", "application/*")
_NO_BODY: Final = frozenset({"GET", "HEAD", "TRACE"})
#: Which of several media types is taken: the first of these that can be built.
_ORDER: Final = ("json", "any", "form", "multipart", "text", "binary")
_BASE64: Final = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
#: A body with one of these can't be taken apart into arguments.
_WHOLE: Final = frozenset(
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
_RANGE: Final = re.compile(r"([A-Za-z0-9!#$&^_.+-]+)/\*")


@dataclass(frozen=True)
class RequestBody:
    """How the body's arguments are put together. `content_type` is what is sent."""

    content_type: str
    arguments: tuple[Argument, ...]
    kind: BodyKind = "json"
    parts: dict[str, Part] = field(default_factory=dict)


class BodyReader:
    """Reads the body of one operation; `notes` tell what was left out."""

    def __init__(self, root: object, version: str, converter: Converter) -> None:
        self._root = root
        self._version = version
        self._converter = converter
        self.notes: list[Problem] = []

    def body(self, method: str, request_body: object, pointer: Pointer) -> RequestBody | None:
        """The body, if the operation takes one: of several media types the first that can be built.

        JSON comes first, then forms, multipart, text and bytes, each in the document's order. Text that the
        schema describes as something else comes last: only a text can be given for it.

        Raises:
            ProblemError: none of them can be sent. Without it, a call would still do something: not what
                the operation is for.
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
        required = body.get("required") is True
        refused: ProblemError | None = None
        order = sorted(media, key=lambda one: _ORDER.index(_class(one)))
        texts = [kind for kind in order if _class(kind) == "text"]
        for kind, unchecked in [*((one, False) for one in order), *((one, True) for one in texts)]:
            noted = len(self.notes)
            try:
                entry, at = follow(self._root, media[kind], (*pointer, "content", kind))
                return self._read(kind, entry, at, required=required, unchecked=unchecked)
            except ProblemError as error:
                if error.problem.code != "AC705":
                    raise
                refused = refused or error
                del self.notes[noted:]
        raise refused or unsupported("the body has no media type", (*pointer, "content"))

    def _read(
        self, media: str, entry: object, at: Pointer, *, required: bool, unchecked: bool
    ) -> RequestBody:
        entry = entry if isinstance(entry, dict) else {}
        schema, where = entry.get("schema"), (*at, "schema")
        group = _class(media)
        if group == "any":
            is_file = _is_bytes(follow(self._root, schema, where)[0]) if schema is not None else False
            media, group = (_OCTETS, "binary") if is_file else ("application/json", "json")
        if group == "json":
            arguments = self._arguments({} if schema is None else schema, where, required=required)
            return RequestBody(media, tuple(arguments))
        if group in ("form", "multipart"):
            return self._form(media, group == "multipart", entry, at, required=required)
        return self._single(media, schema, at, required=required, unchecked=unchecked)

    def _form(
        self, media: str, multipart: bool, entry: Mapping[str, object], at: Pointer, *, required: bool
    ) -> RequestBody:
        if "schema" not in entry:
            raise unsupported(f"the fields of the `{media}` body are not described", at)
        reader = FormReader(self._root, self._version, self._converter, multipart=multipart)
        where = (*at, "schema")
        reader.look(entry["schema"], where, entry.get("encoding"), (*at, "encoding"))
        given = list(self._arguments(entry["schema"], where, required=required))
        if len(given) == 1 and given[0].whole:
            arguments = [reader.whole(given[0])]
        else:
            arguments = [fitting for one in given if (fitting := reader.fitting(one)) is not None]
        self.notes += reader.notes
        kind: BodyKind = "multipart" if multipart else "form"
        media = media.partition(";")[0].strip() if multipart else media
        return RequestBody(media, tuple(arguments), kind, reader.parts)

    def _single(
        self, media: str, schema: object, at: Pointer, *, required: bool, unchecked: bool
    ) -> RequestBody:
        """A body that is one text, or bytes that are given in base64."""
        shown = shorten(media, 80)
        where = (*at, "schema")
        ranged = _RANGE.fullmatch(media.partition(";")[0].strip())
        if ranged and ranged[1].lower() != "text":
            return self._ranged(ranged[0], where, required=required)
        media = "text/plain" if ranged else media
        converted = self._converter.convert({} if schema is None else schema, where)
        if content_of(media) != "binary":
            fitting = narrowed(converted, self._converter.definitions(), frozenset({"scalar"}))
            given = fitting.schema if fitting is not None else {"type": "string"}
            if fitting is None and not unchecked:
                raise unsupported(f"the body is `{shown}` and not a string", at)
            if fitting is None:
                message = f"the body is given as the text of `{shown}`: what its schema says is not checked"
                self.notes.append(Problem("AC705", message, at))
            if fitting is None or ranged:
                given = {**given, "description": given.get("description", f"the text of the `{shown}` body")}
            argument = Argument("body", "", {**given}, required, where, whole=True)
            return RequestBody(media, (argument,), "text")
        node = follow(self._root, {} if schema is None else schema, where)[0]
        types = types_of(converted, {**converted, "$defs": self._converter.definitions()})
        if "string" not in types:
            raise unsupported(f"the body is `{shown}`, and its schema is not that of bytes", at)
        told = shorten(node.get("description")) if isinstance(node, dict) else None
        text = f"{told} (in base64)" if told else f"the bytes of the `{shown}` body, in base64"
        bytes_: dict[str, object] = {"type": "string", "pattern": _BASE64, "description": text}
        return RequestBody(media, (Argument("body", "", bytes_, required, where, whole=True),), "binary")

    def _ranged(self, media: str, where: Pointer, *, required: bool) -> RequestBody:
        """Bytes of a type that the call chooses out of a range, such as `image/*`."""
        kind = media.partition("/")[0].lower()
        schema: dict[str, object] = {
            "type": "object",
            "properties": {
                "content_type": {"type": "string", "pattern": rf"^{re.escape(kind)}/[A-Za-z0-9!#$&^_.+-]+$"},
                "base64": {"type": "string", "pattern": _BASE64, "description": "the bytes of the body"},
            },
            "required": ["content_type", "base64"],
            "additionalProperties": False,
        }
        return RequestBody(media, (Argument("body", "", schema, required, where, whole=True),), "binary")

    def _arguments(self, schema: object, pointer: Pointer, *, required: bool) -> Iterator[Argument]:
        """The properties of an object each as an argument, when nothing is said of it as a whole."""
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


def _class(media: str) -> str:
    """The group of a media type in the order of preference."""
    name = media.partition(";")[0].strip().lower()
    if name in _WILDCARDS:
        return "any"
    if name == _FORM:
        return "form"
    if name in _MULTIPART:
        return "multipart"
    content = content_of(name)
    return "json" if content == "json" else "binary" if content == "binary" else "text"


def _is_bytes(node: object) -> bool:
    return isinstance(node, dict) and node.get("type") == "string" and node.get("format") == "binary"


def _is_flat(node: Mapping[str, object]) -> bool:
    """An object with named properties and no others, nothing that is said of it as a whole."""
    return (
        isinstance(properties := node.get("properties"), dict)
        and not isinstance(properties.get("$ref"), str)
        and node.get("type", "object") == "object"
        and node.get("nullable") is not True
        and node.get("additionalProperties", False) is False
        and not node.keys() & _WHOLE
    )
