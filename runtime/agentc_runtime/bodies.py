"""Request bodies as bytes: JSON, forms, multipart, text, binary. The same arguments give the same bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from .bundle import Body, Param, Part
from .media import content_of
from .quoting import visible
from .styles import clash, encoded, form_pairs, misplaced, scalar

_PLAIN: Final = Part()
_MEDIA: Final = re.compile(r"[!#$&^_.+a-z0-9-]+/[!#$&^_.+a-z0-9-]+", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_OCTETS: Final = "application/octet-stream"
_JSON: Final = "application/json"


class Written(NamedTuple):
    """A body with the content type under which it is sent."""

    content_type: str
    data: bytes


class _Field(NamedTuple):
    """One part of a multipart body. `content_type` is absent for text, whose type goes without saying."""

    name: str
    data: bytes
    content_type: str | None = None
    filename: str | None = None
    headers: Mapping[str, str] = {}


def write_body(body: Body, arguments: Mapping[str, object]) -> Written | None:
    """The body that `arguments` make; `None` when a whole body is not given.

    Raises:
        RefusedError: AR304 a value can't be written, or would leave its place.
    """
    fields = body.fields or {}
    if body.argument is not None:
        if body.argument not in arguments:
            return None
        value = arguments[body.argument]
    else:
        value = {name: arguments[given] for name, given in fields.items() if given in arguments}
    if body.kind == "json":
        return Written(body.content_type, msgspec.json.encode(value))
    label = body.argument or ""
    if body.kind == "text":
        return Written(body.content_type, scalar(label, value).encode())
    if body.kind == "binary" and isinstance(value, Mapping):
        content_type = value.get("content_type")
        if not isinstance(content_type, str) or not _MEDIA.fullmatch(content_type):
            raise misplaced(label, content_type, "is not one media type")
        if not _within(content_type, body.content_type):
            raise misplaced(label, content_type, "is not a media type that the service takes there")
        return Written(content_type, _decoded(label, value.get("base64")))
    if body.kind == "binary":
        return Written(body.content_type, _decoded(label, value))
    if not isinstance(value, Mapping):
        raise misplaced(label, value, "is no object, and a form is made of named values")
    form = _Form(body, value, fields)
    return form.urlencoded() if body.kind == "form" else form.multipart()


def body_lines(content_type: str, data: bytes) -> list[str]:
    """A body as a person reads it: JSON indented, text as it is, other bytes escaped. Nothing is cut."""
    if content_of(content_type) == "json":
        text = json.dumps(json.loads(data), indent=2, ensure_ascii=False)
    else:
        text = data.decode(errors="backslashreplace").replace("\r\n", "\n")
    return [visible(line) for line in text.split("\n")]


def body_data(data: bytes) -> object:
    """A body as JSON that stands for these very bytes and no others."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


class _Form:
    """The properties of one form: their values, how each is written, and which argument it came from."""

    def __init__(self, body: Body, values: Mapping[str, object], fields: Mapping[str, str]) -> None:
        self._body = body
        self._values = values
        self._fields = fields

    def urlencoded(self) -> Written:
        """`name=value` pairs; a space is `%20`, which every reader of forms decodes."""
        pairs: list[tuple[str, str]] = []
        for name, value in self._values.items():
            part = self._body.parts.get(name, _PLAIN)
            if part.kind == "style":
                pairs += self._styled(name, part, value)
            else:
                pairs += [(name, encoded(text)) for text, _ in self._texts(name, part, value)]
        text = "&".join(f"{encoded(name)}={value}" for name, value in pairs)
        return Written(self._body.content_type, text.encode())

    def multipart(self) -> Written:
        """RFC 7578. The boundary is a digest of the parts, and in none of them."""
        fields = [field for name, value in self._values.items() for field in self._multiparts(name, value)]
        parts = [_head(field) + field.data for field in fields]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        boundary = f"agentc-{digest.hexdigest()[:40]}"
        while any(boundary.encode() in part for part in parts):
            digest.update(b"again")
            boundary = f"agentc-{digest.hexdigest()[:40]}"
        edge = f"--{boundary}".encode()
        data = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"
        return Written(f"{self._body.content_type}; boundary={boundary}", data)

    def _multiparts(self, name: str, value: object) -> Iterator[_Field]:
        part = self._body.parts.get(name, _PLAIN)
        if part.kind == "file":
            for item in value if isinstance(value, list) else [value]:
                yield self._file(name, part, item)
            return
        content_type = part.content_types[0] if part.content_types else None
        if part.kind == "style":
            for key, text in self._styled(name, part, value):
                yield _Field(key, text.encode(), content_type, None, part.headers)
            return
        for text, is_json in self._texts(name, part, value):
            said = content_type or (_JSON if is_json else None)
            yield _Field(name, text.encode(), said, None, part.headers)

    def _texts(self, name: str, part: Part, value: object) -> Iterator[tuple[str, bool]]:
        """The texts that a value becomes, each with whether it is JSON."""
        if part.kind == "json":
            yield _json(value), True
        elif part.kind == "file":
            raise misplaced(self._argument(name), value, "is a file, and the body is not multipart")
        elif isinstance(value, list):
            if not value:
                raise misplaced(self._argument(name), value, "is empty, which sends nothing")
            for item in value:
                nested = isinstance(item, list | Mapping)
                yield (_json(item), True) if nested else (scalar(self._argument(name), item), False)
        elif isinstance(value, Mapping):
            yield _json(value), True
        else:
            yield scalar(self._argument(name), value), False

    def _styled(self, name: str, part: Part, value: object) -> list[tuple[str, str]]:
        param = Param(
            argument=self._argument(name),
            name=name,
            style=part.style,
            explode=part.explode,
            reserved=part.reserved,
        )
        pairs = form_pairs(param, value, encoded if self._body.kind == "form" else str)
        if isinstance(value, Mapping):
            declared = {*self._values, *self._fields, *self._body.parts}
            if (found := clash(param, pairs, declared)) is not None:
                raise misplaced(param.argument, found, "would set another field")
        return pairs

    def _file(self, name: str, part: Part, value: object) -> _Field:
        argument = self._argument(name)
        if not isinstance(value, Mapping):
            return _Field(name, scalar(argument, value).encode(), None, None, part.headers)
        content = scalar(argument, value.get("content"))
        data = _decoded(argument, content) if value.get("encoding") == "base64" else content.encode()
        filename = value.get("filename", _UNNAMED.sub("_", name) or "file")
        said = value.get("content_type")
        content_type = said if said is not None else part.content_types[0] if part.content_types else _OCTETS
        if not isinstance(content_type, str) or not _MEDIA.fullmatch(content_type):
            raise misplaced(argument, content_type, "is not one media type: say `content_type`")
        if part.content_types and not any(_within(content_type, one) for one in part.content_types):
            raise misplaced(argument, content_type, "is not a media type that the service takes there")
        if not isinstance(filename, str) or not _is_file_name(filename):
            raise misplaced(argument, filename, "is not the name of a file")
        return _Field(name, data, content_type, filename, part.headers)

    def _argument(self, name: str) -> str:
        return self._fields.get(name) or self._body.argument or name


def _head(field: _Field) -> bytes:
    if _CONTROL.search(field.name):
        raise misplaced(field.name, field.name, "has control characters, and names a part of the body")
    disposition = f'form-data; name="{_quoted(field.name)}"'
    if field.filename is not None:
        disposition += f'; filename="{_quoted(field.filename)}"'
    lines = [f"Content-Disposition: {disposition}"]
    if field.content_type is not None:
        lines.append(f"Content-Type: {field.content_type}")
    lines += [f"{name}: {value}" for name, value in field.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _quoted(text: str) -> str:
    """As browsers write it (WHATWG, multipart/form-data): `"` is percent-encoded, nothing else."""
    return text.replace('"', "%22")


def _is_file_name(text: str) -> bool:
    """A name, and not a way to somewhere else on the disk of whoever stores it."""
    moves = text.strip() in ("", ".", "..") or any(char in text for char in "/\\")
    return not moves and len(text) <= 255 and not _CONTROL.search(text)


def _within(content_type: str, declared: str) -> bool:
    kind, said = declared.partition(";")[0].strip().lower(), content_type.lower()
    return kind in ("*/*", said) or (kind.endswith("/*") and said.startswith(kind[:-1]))


def _decoded(argument: str, value: object) -> bytes:
    text = scalar(argument, value)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise misplaced(argument, value, "is not base64") from error


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
