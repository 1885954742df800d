"""What a lock shows of a document: the operations that toolsets use, as far as anything depends on it.

What a call may say is shown in full, with all that it reaches: it becomes what the model reads. Of answers
only the successful ones are used, and none of their descriptions; one that reaches much is shown by its
digest, because a provider's answer may reach every schema that there is. Examples, tags and extensions are
left out. The text is the published document's: overlays are files of the project, reviewed as such.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from .anchors import DATA, NAMED
from .canonical import MAX_DEPTH, canonical_yaml
from .document import Document, entries
from .model import Entry
from .problem import PARTS, ProblemError, find, follow
from .responses import SUCCESS
from .slicing import KEPT, slice_item

#: Lines of one answer, with all that it reaches, that are shown.
MAX_ANSWER_LINES: Final = 150
#: Characters of the whole text.
MAX_TEXT: Final = 1024 * 1024
_OPERATION: Final = frozenset(
    {
        *("operationId", "summary", "description", "deprecated", "parameters", "requestBody", "security"),
        *("servers", "consumes", "produces", "schemes"),
    }
)
_UNUSED: Final = frozenset(
    {"example", "examples", "externalDocs", "tags", "title", "xml", "links", "callbacks"}
)
_UNUSED_IN_ANSWERS: Final = _UNUSED | {"description", "headers"}
#: Extensions that change what a schema admits.
_USED_EXTENSIONS: Final = frozenset({"x-nullable"})
_Object = dict[str, object]


def shown_text(document: Document, operations: frozenset[str]) -> str:
    """The canonical text of what the named operations say; empty if the document has none of them."""
    requests: _Object = {}
    answers: list[_Object] = []
    for entry in entries(document)[0]:
        if entry.operation_id in operations or f"{entry.method} {entry.path}" in operations:
            try:
                request, found = _operation(document, entry)
            except ProblemError:
                continue  # `validate` says what is wrong with the operation
            _merge(requests, request)
            answers += found
    for answer in answers:  # after all requests: what both reach keeps its descriptions
        _merge(requests, answer)
    text = canonical_yaml(requests) if requests else ""
    if len(text) > MAX_TEXT:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f'# What is used is too large to be shown.\nsha256: "{digest}"\n'
    return text


def _operation(document: Document, entry: Entry) -> tuple[_Object, list[_Object]]:
    """What a call says, and each answer.

    Raises:
        ProblemError: a `$ref` on the way to the operation leads nowhere.
    """
    root, method = document.root, entry.method.lower()
    item, at = follow(root, find(root, ("paths", entry.path)), ("paths", entry.path))
    assert isinstance(item, dict)
    operation, _ = follow(root, item[method], (*at, method))
    if not isinstance(operation, dict):
        return {}, []
    kept = {key: value for key, value in item.items() if key in ("parameters", "servers")}
    said = {key: value for key, value in operation.items() if key in _OPERATION}
    whole = slice_item(document, entry.path, {**kept, method: said}, operation)
    request = _pruned(whole.root, _UNUSED)
    info = root.get("info")
    request["info"] = {
        key: info[key] for key in ("title", "version") if isinstance(info, dict) and key in info
    }
    return request, list(_answers(document, entry, operation.get("responses")))


def _answers(document: Document, entry: Entry, responses: object) -> Iterator[_Object]:
    method = entry.method.lower()
    for status, node in responses.items() if isinstance(responses, dict) else ():
        if not SUCCESS.fullmatch(status):
            continue
        try:
            response, _ = follow(document.root, node, ())
        except ProblemError:
            response = node
        item: _Object = {method: {"responses": {status: response}}}
        sliced = slice_item(document, entry.path, item, {"security": []}).root
        pruned = _pruned({key: value for key, value in sliced.items() if key not in KEPT}, _UNUSED_IN_ANSWERS)
        text = canonical_yaml(pruned)
        if text.count("\n") <= MAX_ANSWER_LINES:
            yield pruned
        else:
            digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
            yield {"paths": {entry.path: {method: {"responses": {status: digest}}}}}


def _pruned(root: _Object, unused: frozenset[str]) -> _Object:
    """A copy of a slice without what is not used."""
    found: _Object = {}
    for key, value in root.items():
        if key == PARTS and isinstance(value, dict):
            found[key] = {path: _without(part, unused, 1, named=True) for path, part in value.items()}
        else:
            found[key] = _without(value, unused, 1, named=key in NAMED)
    return found


def _without(node: object, unused: frozenset[str], depth: int, *, named: bool = False) -> object:
    """A copy without what is not used. Below `named` the keys are names that somebody chose."""
    if depth > MAX_DEPTH:
        return node
    if isinstance(node, list):
        return [_without(one, unused, depth + 1) for one in node]
    if not isinstance(node, dict):
        return node
    found: _Object = {}
    for key, value in node.items():
        if not named and (key in unused or (key.startswith("x-") and key not in _USED_EXTENSIONS)):
            continue
        is_data = not named and key in DATA
        found[key] = (
            value if is_data else _without(value, unused, depth + 1, named=not named and key in NAMED)
        )
    return found


def _merge(into: _Object, other: _Object) -> None:
    """Add what `other` has: of two values that are no objects the first stays."""
    waiting = [(into, other)]
    while waiting:
        one, two = waiting.pop()
        for key, value in two.items():
            known = one.setdefault(key, value)
            if known is not value and isinstance(known, dict) and isinstance(value, dict):
                waiting.append((known, value))
