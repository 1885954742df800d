"""One operation's slice to a `CompiledOperation`. Pure: the same slice gives the same value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from urllib.parse import quote, unquote

from agentc_runtime.bundle import Body, Param, PathPart
from agentc_runtime.violations import compile_shape

from .argument_names import argument_names
from .bodies import BodyReader, RequestBody
from .document import Document
from .keywords import shorten
from .model import CompiledOperation, Credential, Entry
from .parameters import Argument, Reader
from .problem import Pointer, Problem, ProblemError, find, follow, unsupported
from .responses import Responses
from .schema import Converter
from .security import Security, alternatives
from .servers import own_servers
from .sharing import Shared
from .weight import too_heavy

DESCRIPTION_LIMIT = 1024
_VARIABLE = re.compile(r"(\{[^{}]*\})")
#: RFC 3986, section 3.3, and what is already percent-encoded.
_SEGMENT_SAFE = "!$&'()*+,;=:@-._~"
_ENCODED = re.compile(r"(%[0-9A-Fa-f]{2})")


def compile_operation(
    document: Document, entry: Entry, kept: Shared | None = None
) -> tuple[CompiledOperation | None, tuple[Problem, ...]]:
    """The operation of a document or of its slice, and what is wrong with it; with problems, no operation.

    `kept` is what the answers of other operations of the document were made of.
    """
    try:
        return _compile(document, entry, kept)
    except ProblemError as error:
        return None, (error.problem,)


def _compile(
    document: Document, entry: Entry, kept: Shared | None
) -> tuple[CompiledOperation | None, tuple[Problem, ...]]:
    root = document.root
    item, item_at = follow(root, find(root, ("paths", entry.path)), ("paths", entry.path))
    assert isinstance(item, dict)
    at = (*item_at, entry.method.lower())
    operation = item[entry.method.lower()]
    if "$ref" in operation:
        operation, at = follow(root, operation, at)
    if not isinstance(operation, dict):
        raise unsupported("an operation has to be an object", at)
    problems: list[Problem] = []
    notes: list[Problem] = []
    security = Security()
    try:
        security = alternatives(root, operation, at)
        notes += security.problems
    except ProblemError as error:
        problems.append(error.problem)

    converter = Converter(root, document.version, "request")
    reader = Reader(root, converter, _credentials(security.alternatives))
    lists = (
        (item.get("parameters"), (*item_at, "parameters")),
        (operation.get("parameters"), (*at, "parameters")),
    )
    # a fragment tells operations of one path apart; no client sends it
    path, _, query = entry.path.partition("#")[0].partition("?")
    arguments = reader.parameters(lists, frozenset(_VARIABLE.findall(path)))
    declared = {argument.wire for argument in arguments if argument.location == "query"}
    arguments += _constants(query, declared, at)
    bodies = BodyReader(root, document.version, converter)
    body: RequestBody | None = None
    try:
        body = bodies.body(entry.method, operation.get("requestBody"), (*at, "requestBody"))
    except ProblemError as error:
        reader.problems.append(error.problem)
    problems += reader.problems
    arguments += body.arguments if body is not None else ()

    names = argument_names(arguments)
    named = list(zip(names, arguments, strict=True))
    responses = Responses(root, document.version, kept)
    cases = responses.cases(operation.get("responses"), (*at, "responses"))
    problems += responses.problems
    segments, malformed = _segments(path, named, reader.refused, at)
    problems += malformed
    if problems:
        return None, tuple(dict.fromkeys(problems))

    schema = _arguments_schema(named, converter, at)
    if path != entry.path:
        message = f"`{shorten(entry.path, 80)}` is a path with more behind it, which OpenAPI does not allow"
        notes.append(Problem("AC705", message, at))
    notes += [*reader.notes, *bodies.notes, *converter.notes, *responses.notes]
    servers, own = own_servers(root, (item, item_at), (operation, at))
    return (
        CompiledOperation(
            operation_id=entry.name,
            method=entry.method,
            path=entry.path,
            description=_description(operation),
            arguments=schema,
            pointers={name: argument.pointer for name, argument in named},
            segments=segments,
            query=_params(named, "query"),
            headers=_params(named, "header"),
            cookies=_params(named, "cookie"),
            body=_body(body, named),
            responses=cases,
            security=security.alternatives,
            asked=security.asked,
            servers=servers.usable,
            unusable_servers=servers.problems,
            own_servers=own,
            notes=tuple(dict.fromkeys(notes)),
            deprecated=operation.get("deprecated") is True,
        ),
        (),
    )


def _credentials(security: Sequence[Sequence[Credential]]) -> frozenset[tuple[str, str]]:
    """Place and lower-case name of whatever a credential fills: no argument may."""
    return frozenset(
        (one.kind, one.wire.lower()) for alternative in security for one in alternative if one.wire
    )


def _description(operation: Mapping[str, object]) -> str:
    """Summary, then description unless it says the same, for the model; empty when there is neither."""
    summary = shorten(operation.get("summary"), DESCRIPTION_LIMIT) or ""
    text = shorten(operation.get("description"), DESCRIPTION_LIMIT) or ""
    if summary and text and not text.startswith(summary):
        text = f"{summary}\n\n{text}"
    return shorten(text or summary, DESCRIPTION_LIMIT) or ""


def _arguments_schema(
    named: Sequence[tuple[str, Argument]], converter: Converter, pointer: Pointer
) -> dict[str, object]:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {name: argument.schema for name, argument in named},
        "required": [name for name, argument in named if argument.required],
        "additionalProperties": False,
    }
    definitions = _reached(schema, converter.definitions())
    if definitions:
        schema["$defs"] = definitions
    reason = too_heavy(schema)
    if reason is not None:
        raise unsupported(f"the schema of the arguments {reason}", pointer)
    try:
        compile_shape(schema)
    except ValueError as error:
        first = str(error).partition("\n")[0][:200]
        raise unsupported(f"the arguments can't be written as JSON Schema: {first}", pointer) from error
    return schema


def _reached(schema: Mapping[str, object], definitions: Mapping[str, object]) -> dict[str, object]:
    """The definitions that the schema uses: a parameter that was left out leaves its own behind."""
    used: set[str] = set()
    waiting: list[object] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            reference = node.get("$ref")
            name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
            if name in definitions and name not in used:
                used.add(name)
                waiting.append(definitions[name])
    return {name: value for name, value in definitions.items() if name in used}


def _constants(query: str, declared: Set[str], pointer: Pointer) -> Iterator[Argument]:
    """The constants of a query that is written behind a path, without parameters that are `declared`.

    Raises:
        ProblemError: AC705 a part of it has no name, or no one value.
    """
    for piece in query.split("&") if query else ():
        name, _, value = (unquote(part.replace("+", " ")) for part in piece.partition("="))
        if name in declared:
            continue
        if not name or "{" in piece:
            raise unsupported(f"the query `{query[:80]}` behind the path is malformed", pointer)
        schema: dict[str, object] = {"type": "string", "const": value}
        yield Argument("query", name, schema, True, pointer, explode=True, style="form")


def _segments(
    path: str, named: Sequence[tuple[str, Argument]], refused: Set[str], pointer: Pointer
) -> tuple[tuple[tuple[PathPart, ...], ...], list[Problem]]:
    """The path's segments. A variable in `refused` has its problem already."""
    problems: list[Problem] = []
    by_wire = {argument.wire: (name, argument) for name, argument in named if argument.location == "path"}
    segments: list[tuple[PathPart, ...]] = []
    for segment in path.split("/")[1:]:
        parts: list[PathPart] = []
        for piece in _VARIABLE.split(segment):
            if piece.startswith("{") and piece.endswith("}"):
                if piece[1:-1] in by_wire:
                    name, argument = by_wire[piece[1:-1]]
                    parts.append(PathPart(param=_param(name, argument)))
                elif piece[1:-1] not in refused:
                    message = f"the path has `{piece[:80]}`, and no usable path parameter of that name"
                    problems.append(unsupported(message, pointer).problem)
            elif any(char in piece for char in "{}?#\\") or not piece.isprintable():
                problems.append(
                    unsupported(f"the path segment `{segment[:80]}` is malformed", pointer).problem
                )
            elif piece:
                parts.append(PathPart(literal=_encoded(piece)))
        if unquote("".join(part.literal or "-" for part in parts)) in (".", ".."):
            problems.append(unsupported("the path has a `.` or `..` segment", pointer).problem)
        segments.append(tuple(parts))
    return tuple(segments), problems


def _encoded(text: str) -> str:
    pieces = _ENCODED.split(text)
    return "".join(
        piece if index % 2 else quote(piece, safe=_SEGMENT_SAFE) for index, piece in enumerate(pieces)
    )


def _param(name: str, argument: Argument) -> Param:
    return Param(
        argument=name,
        name=argument.wire,
        style=argument.style,
        explode=argument.explode,
        required=argument.required,
        reserved=argument.reserved,
        content_type=argument.content_type,
    )


def _params(named: Sequence[tuple[str, Argument]], location: str) -> tuple[Param, ...]:
    return tuple(_param(name, argument) for name, argument in named if argument.location == location)


def _body(body: RequestBody | None, named: Sequence[tuple[str, Argument]]) -> Body | None:
    if body is None:
        return None
    fields = {argument.wire: name for name, argument in named if argument.location == "body"}
    whole = len(body.arguments) == 1 and body.arguments[0].whole
    return Body(
        content_type=body.content_type,
        argument=fields[""] if whole else None,
        fields=None if whole else fields,
        kind=body.kind,
        parts=body.parts,
    )
