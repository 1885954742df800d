"""What an operation answers when it succeeds. Other answers are errors, whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentc_runtime.bundle import ResponseCase
from agentc_runtime.expressions import Schema
from agentc_runtime.media import content_of
from agentc_runtime.violations import compile_shape

from ..schematypes import types_of
from .problem import Pointer, Problem, ProblemError, follow, parse_reference
from .schema import Converter
from .sharing import Shared, is_steady
from .weight import too_heavy

#: Bytes, as an answer gives them.
_BYTES: Schema = {
    "type": "object",
    "properties": {
        "content_type": {"type": "string"},
        "size": {"type": "integer"},
        "base64": {"type": "string"},
    },
    "required": ["content_type", "size", "base64"],
    "additionalProperties": False,
}
SUCCESS = re.compile(r"2(?:\d\d|XX)|default", re.IGNORECASE)


class Responses:
    """The cases of one operation, and what was read leniently."""

    def __init__(self, root: object, version: str, kept: Shared | None = None) -> None:
        self._root = root
        self._kept = kept
        self._version = version
        self.notes: list[Problem] = []
        self.problems: list[Problem] = []

    def cases(self, responses: object, pointer: Pointer) -> tuple[ResponseCase, ...]:
        """The successful cases in the document's order; of an answer that is offered as JSON only that."""
        if not isinstance(responses, dict):
            return ()
        found: list[ResponseCase] = []
        for status, response in responses.items():
            if SUCCESS.fullmatch(status):
                try:
                    found.extend(self._cases(status, response, (*pointer, status)))
                except ProblemError as error:
                    self.problems.append(error.problem)
        return tuple(found)

    def _cases(self, status: str, response: object, pointer: Pointer) -> Iterator[ResponseCase]:
        node, at = follow(self._root, response, pointer)
        content = node.get("content") if isinstance(node, dict) else None
        status = status if status == "default" else status.upper()
        if not isinstance(content, dict) or not content:
            yield ResponseCase(status=status)
            return
        json_only = any(content_of(kind) == "json" for kind in content)
        for kind, media in content.items():
            if json_only and content_of(kind) != "json":
                continue
            where = (*at, "content", kind)
            entry, where = follow(self._root, media, where)
            yield ResponseCase(status=status, content_type=kind, schema=self._of(kind, entry, where))

    def _of(self, kind: str, entry: object, pointer: Pointer) -> Schema | None:
        """The schema of what `agentc_runtime.response` makes of an answer of that media type."""
        said = entry.get("schema") if isinstance(entry, dict) else None
        if kind.partition(";")[0].strip() in ("*/*", "application/*"):
            # what comes may be anything; a schema of JSON says that it is JSON
            plain = follow(self._root, said, (*pointer, "schema"))[0]
            bytes_ = isinstance(plain, dict) and plain.get("format") == "binary"
            return None if said is None or bytes_ else self._schema(said, (*pointer, "schema"))
        content = content_of(kind)
        if content == "text":
            return {"type": "string"}
        if content == "binary":
            return _BYTES
        if content == "lines":
            item = entry.get("itemSchema", said) if isinstance(entry, dict) else None
            schema = None if item is None else self._schema(item, (*pointer, "schema"))
            return {"type": "array"} if schema is None else _lines(schema)
        return None if said is None else self._schema(said, (*pointer, "schema"))

    def _schema(self, node: object, pointer: Pointer) -> Schema | None:
        """The schema of an answer; `None`, with a note, when it can't be used.

        Raises:
            ProblemError: a `$ref` is broken.
        """
        reference = node.get("$ref") if isinstance(node, dict) and node.keys() == {"$ref"} else None
        target = parse_reference(reference, pointer) if isinstance(reference, str) else ()
        shared = self._kept.answers if self._kept is not None and is_steady(target) else None
        if shared is not None and target in shared:
            return shared[target]
        converter = Converter(self._root, self._version, "response", self._kept)
        try:
            schema = converter.convert(node, pointer)
            definitions = converter.definitions()
        except ProblemError as error:
            if error.problem.code != "AC705":
                raise
            message = f"the answer is not checked: {error.problem.message}"
            self.notes.append(error.problem._replace(message=message))
            return None
        if definitions:
            schema = {**schema, "$defs": definitions}
        reason = too_heavy(schema, self._kept.values if self._kept is not None else None)
        if reason is None:
            try:
                compile_shape(schema)
            except ValueError:
                reason = "is not a JSON Schema"
        if reason is not None:
            self.notes.append(Problem("AC705", f"the answer is not checked: its schema {reason}", pointer))
            return None
        if shared is not None:
            shared[target] = schema
        return schema


def _lines(schema: Schema) -> Schema:
    """The schema of a list of values, one a line: some documents describe the list, others an item."""
    if types_of(schema) == {"array"}:
        return schema
    definitions = schema.get("$defs")
    item = {name: value for name, value in schema.items() if name != "$defs"}
    found: Schema = {"type": "array", "items": item}
    return {**found, "$defs": definitions} if definitions else found
