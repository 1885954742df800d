"""The slice of a Swagger 2.0 document in the shape of OpenAPI 3, and the way back to what was written.

Schemas stay where they stand, so `#/definitions/…` keeps its meaning and nothing of a large document is
copied; they differ from those of OpenAPI 3.0 in the name `x-nullable` alone, which the converter knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from .problem import Pointer, Problem, ProblemError, follow, unsupported

VERSION: Final = "2.0"
_Object: TypeAlias = dict[str, object]
_Place: TypeAlias = tuple[_Object, Pointer]
#: What a parameter that is not a body says of its value, beside `type` and `items`.
_VALUE: Final = (
    "type",
    "format",
    "items",
    "default",
    "enum",
    "x-nullable",
    "pattern",
    "multipleOf",
    "uniqueItems",
    *(f"{end}{of}" for end in ("min", "max") for of in ("imum", "Length", "Items")),
    *("exclusiveMinimum", "exclusiveMaximum"),
)
_MULTI: Final[tuple[str, bool]] = ("form", True)
#: The style and `explode` of a `collectionFormat`. There is none for tabs: that one is named, and refused.
_STYLES: Final = {
    "csv": ("form", False),
    "multi": _MULTI,
    "ssv": ("spaceDelimited", False),
    "pipes": ("pipeDelimited", False),
}
_IN_FORMS: Final = ("form", "spaceDelimited", "pipeDelimited")
_FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
_FLOWS: Final = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}
_JSON: Final = re.compile(r"[/+]json(?:\s*;|$)", re.IGNORECASE)


class Origins:
    """Where the parts of a rewritten document stood: the nearest part that moved decides."""

    def __init__(self) -> None:
        self._moved: dict[Pointer, Pointer] = {}

    def move(self, origin: Pointer, *steps: str | Pointer) -> None:
        """What stood at `origin` is now at `steps`."""
        flat = [part for step in steps for part in ((step,) if isinstance(step, str) else step)]
        self._moved[tuple(flat)] = origin

    def original(self, pointer: Pointer) -> Pointer:
        """The pointer into the document as it was written."""
        for end in range(len(pointer), 0, -1):
            origin = self._moved.get(pointer[:end])
            if origin is not None:
                return (*origin, *pointer[end:])
        return pointer


def servers(root: Mapping[str, object], schemes: object = None) -> list[_Object]:
    """`host`, `basePath` and `schemes` as servers: https alone where it is offered or nothing is said."""
    host, base = root.get("host"), root.get("basePath")
    if not isinstance(host, str) or not host:
        return []
    listed = schemes if isinstance(schemes, list) else root.get("schemes")
    offered = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    path = "/" + base.strip("/") if isinstance(base, str) and base.strip("/") else ""
    usable = next((one for one in ("https", "http") if one in offered or not offered), None)
    return [{"url": f"{usable}://{host}{path}"}] if usable else []


def security_schemes(root: Mapping[str, object]) -> _Object:
    """The `securityDefinitions` as OpenAPI 3 writes them."""
    definitions = root.get("securityDefinitions")
    found: _Object = {}
    for name, scheme in definitions.items() if isinstance(definitions, dict) else ():
        found[name] = scheme
        if not isinstance(scheme, dict):
            continue
        if scheme.get("type") == "basic":
            found[name] = {"type": "http", "scheme": "basic"}
        elif scheme.get("type") == "oauth2":
            flow = _FLOWS.get(str(scheme.get("flow")), "implicit")
            kept = ("authorizationUrl", "tokenUrl", "scopes")
            found[name] = {
                "type": "oauth2",
                "flows": {flow: {key: scheme[key] for key in kept if key in scheme}},
            }
    return found


def upgraded(root: _Object, path: str, method: str) -> tuple[_Object, Origins, tuple[Problem, ...]]:
    """The slice of one operation with that operation in OpenAPI 3's shape, and what was left out of it.

    `root` is not changed. The pointers of what was left out are those of `root`.

    Raises:
        ProblemError: AC704, AC708 a `$ref`; AC705 a part has the wrong type or no counterpart.
    """
    upgrade = _Upgrade(root, ("paths", path, method))
    paths = root["paths"]
    assert isinstance(paths, dict)
    item = paths[path]
    assert isinstance(item, dict)
    operation, at = follow(root, item[method], upgrade.at)
    if not isinstance(operation, dict):
        raise unsupported("an operation has to be an object", at)
    origins = upgrade.origins
    origins.move(at, upgrade.at)
    origins.move(("host",), "servers")
    origins.move(("securityDefinitions",), "components", "securitySchemes")
    kept = {key: value for key, value in item.items() if key not in ("parameters", method)}
    paths = {**paths, path: {**kept, method: upgrade.operation(operation, at, item.get("parameters"))}}
    found = {
        **root,
        "paths": paths,
        "servers": servers(root, operation.get("schemes")),
        "components": {"securitySchemes": security_schemes(root)},
    }
    return found, origins, tuple(upgrade.notes)


class _Upgrade:
    """Rewrites the operation that is going to stand at `at`."""

    def __init__(self, root: _Object, at: Pointer) -> None:
        self.root = root
        self.at = at
        self.origins = Origins()
        self.notes: list[Problem] = []

    def operation(self, operation: _Object, origin: Pointer, shared: object) -> _Object:
        """The operation at `origin`; `shared` are the parameters of its path item."""
        moved = ("parameters", "responses", "consumes", "produces", "schemes")
        found = {key: value for key, value in operation.items() if key not in moved}
        item_origin = self.at[:2]
        lists = (
            (shared, (*item_origin, "parameters")),
            (operation.get("parameters"), (*origin, "parameters")),
        )
        plain, body, form = self._sorted(lists)
        found["parameters"] = [
            self._parameter(node, where, index) for index, (node, where) in enumerate(plain)
        ]
        consumes = self._media(operation, "consumes")
        if body is not None:
            found["requestBody"] = self._body(*body, consumes)
        elif form:
            found["requestBody"] = self._form(form, consumes)
        responses = operation.get("responses")
        if isinstance(responses, dict):
            produces = self._media(operation, "produces")
            found["responses"] = {
                status: self._response(status, node, (*origin, "responses", status), produces)
                for status, node in responses.items()
            }
        return found

    def _media(self, operation: _Object, name: str) -> list[str]:
        listed = operation.get(name, self.root.get(name))
        return [one.strip() for one in listed if isinstance(one, str)] if isinstance(listed, list) else []

    def _sorted(
        self, lists: tuple[tuple[object, Pointer], ...]
    ) -> tuple[list[_Place], _Place | None, list[_Place]]:
        """Plain parameters, the body and the fields of a form; the operation's replace those of its path.

        A parameter that stands twice or is none stays plain, and is refused as such.
        """
        found: dict[tuple[str, ...], _Place] = {}
        for parameters, at in lists:
            found |= self._listed(parameters, at)
        plain = [place for key, place in found.items() if key[0] not in ("body", "formData")]
        bodies = [place for key, place in found.items() if key[0] == "body"]
        form = [place for key, place in found.items() if key[0] == "formData"]
        if bodies and form:
            raise unsupported("the operation has a body and a form", (*form[0][1], "in"))
        return plain, bodies[-1] if bodies else None, form

    def _listed(self, parameters: object, at: Pointer) -> dict[tuple[str, ...], _Place]:
        if parameters is None:
            return {}
        if not isinstance(parameters, list):
            raise unsupported("`parameters` has to be a list", at)
        found: dict[tuple[str, ...], _Place] = {}
        for index, item in enumerate(parameters):
            node, where = follow(self.root, item, (*at, str(index)))
            if not isinstance(node, dict):
                raise unsupported("a parameter needs `name` and `in`", where)
            place, name = str(node.get("in")), str(node.get("name"))
            key = (place,) if place == "body" else (place, name.lower() if place == "header" else name)
            if key in found:
                raise unsupported(f"the {place[:40]} parameter `{name[:80]}` stands twice", where)
            found[key] = (node, where)
        return found

    def _parameter(self, node: _Object, origin: Pointer, index: int) -> _Object:
        at = (*self.at, "parameters", str(index))
        self.origins.move(origin, at)
        self.origins.move(origin, at, "schema")
        keys = ("name", "in", "description", "required", "allowEmptyValue")
        found = {key: node[key] for key in keys if key in node}
        found["schema"] = self._value(node)
        if node.get("type") == "array":
            form = node.get("collectionFormat", "csv")
            style, explode = _style(form)
            if node.get("in") != "query":
                style, explode = "simple" if form == "csv" else style, False
            found |= {"style": style, "explode": explode}
            self.origins.move((*origin, "collectionFormat"), at, "style")
        return found

    def _value(self, node: Mapping[str, object]) -> _Object:
        return {key: node[key] for key in _VALUE if key in node}

    def _body(self, node: _Object, origin: Pointer, consumes: list[str]) -> _Object:
        at = (*self.at, "requestBody")
        self.origins.move(origin, at)
        media = {kind: {"schema": node.get("schema", {})} for kind in consumes or ["application/json"]}
        self.origins.move(origin, at, "content")
        for kind in media:
            self.origins.move(origin, at, "content", kind)
        return {"content": media, "required": node.get("required", False)}

    def _form(self, fields: list[_Place], consumes: list[str]) -> _Object:
        at = (*self.at, "requestBody")
        files = any(node.get("type") == "file" for node, _ in fields)
        known = _FORMS[:1] if files else _FORMS
        kinds = [kind for kind in consumes if kind.lower() in known] or [known[-1]]
        if len(kinds) > 1 and any(_is_joined(node) for node, _ in fields):
            kinds = [kind for kind in kinds if kind.lower() == _FORMS[1]] or kinds
        properties: _Object = {}
        encoding: _Object = {}
        for node, origin in fields:
            name = str(node["name"]) if isinstance(node.get("name"), str) else ""
            if not name:
                raise unsupported("a parameter needs `name` and `in`", origin)
            schema = self._value(node)
            if node.get("type") == "file":
                schema = {"type": "string", "format": "binary"}
            elif _is_joined(node):  # otherwise each item is a field of its own, as it is in OpenAPI 3
                style, explode = _style(node.get("collectionFormat", "csv"))
                if style not in _IN_FORMS or kinds[0].lower() != _FORMS[1]:
                    self._leave_out(name, node, origin, kinds[0])
                    continue
                encoding[name] = {"style": style, "explode": explode}
            properties[name] = {**schema, **{key: node[key] for key in ("description",) if key in node}}
            for kind in kinds:
                self.origins.move(origin, at, "content", kind, "schema", "properties", name)
        self.origins.move(fields[0][1][:-1], at)
        required = [str(node["name"]) for node, _ in fields if node.get("required") is True]
        schema = {"type": "object", "properties": properties, "required": required}
        media = {"schema": schema, "encoding": encoding}
        return {"content": dict.fromkeys(kinds, media), "required": bool(required)}

    def _leave_out(self, name: str, node: _Object, origin: Pointer, kind: str) -> None:
        """Note that a field is not offered.

        Raises:
            ProblemError: AC705 it is required.
        """
        form = str(node.get("collectionFormat", "csv"))
        message = f"the `collectionFormat` `{form[:40]}` of `{name[:80]}` is not supported in `{kind}`"
        where = (*origin, "collectionFormat") if "collectionFormat" in node else origin
        error = unsupported(message, where)
        if node.get("required") is True:
            raise error
        self.notes.append(
            error.problem._replace(message=f"the optional field `{name[:80]}` is left out: {message}")
        )

    def _response(self, status: str, node: object, origin: Pointer, produces: list[str]) -> object:
        at = (*self.at, "responses", status)
        try:
            response, where = follow(self.root, node, origin)
        except ProblemError:
            self.origins.move(origin, at)
            return node  # of use to no caller unless the status is a success, and then it is refused
        self.origins.move(where, at)
        if not isinstance(response, dict) or "schema" not in response:
            return {}
        schema = response["schema"]
        kinds = _answers(schema, produces)
        if isinstance(schema, dict) and schema.get("type") == "file":
            schema = {"type": "string", "format": "binary"}
        media = {kind: {"schema": schema} for kind in kinds}
        for kind in media:
            self.origins.move(where, at, "content", kind)
        return {"content": media}


def _answers(schema: object, produces: list[str]) -> list[str]:
    """The media types of an answer. A file is no JSON."""
    if isinstance(schema, dict) and schema.get("type") == "file":
        return [kind for kind in produces if not _JSON.search(kind)] or ["application/octet-stream"]
    return produces or ["application/json"]


def _is_joined(node: Mapping[str, object]) -> bool:
    """Whether the items of a parameter are one text, with something between them."""
    return node.get("type") == "array" and node.get("collectionFormat", "csv") != "multi"


def _style(form: object) -> tuple[str, bool]:
    """The style of a `collectionFormat`; one without a counterpart keeps its name."""
    return _STYLES.get(form, (form, False)) if isinstance(form, str) else ("", False)
