"""Small OpenAPI 3 documents of one operation each, for other implementations."""

from __future__ import annotations

from collections.abc import Sequence

from ..source import SourceFile
from . import swagger
from .anchors import relinked
from .document import Document, load_document, with_lock
from .lock import Locked
from .model import CompiledOperation, Entry
from .problem import follow
from .slicing import slice_operation

_SWAGGER_ONLY = frozenset({"swagger", "host", "basePath", "schemes", "consumes", "produces"})


def openapi_slices(
    file: SourceFile,
    overlays: Sequence[SourceFile],
    operations: Sequence[CompiledOperation],
    server: str,
    lock: Locked | None = None,
) -> list[dict[str, object]]:
    """For each operation, which was compiled from this file, a document of it alone, at `server`."""
    document = load_document(file.path, file.data, overlays)
    assert isinstance(document, Document)
    document = with_lock(document, file, lock)
    return [_slice(document, operation, server) for operation in operations]


def _slice(document: Document, operation: CompiledOperation, server: str) -> dict[str, object]:
    method = operation.method.lower()
    root = slice_operation(
        document, Entry(operation_id=None, method=operation.method, path=operation.path)
    ).root
    if (anchors := document.anchors_of(root)) is not None:
        root = relinked(root, anchors)
    version = document.openapi
    if document.version == swagger.VERSION:
        root, _, _ = swagger.upgraded(root, operation.path, method)
        version = "3.0.3"
    kept = {key: value for key, value in root.items() if key not in _SWAGGER_ONLY}
    item = root["paths"]
    assert isinstance(item, dict)
    at = {key: value for key, value in item[operation.path].items() if key != "servers"}
    said, _ = follow(root, at[method], ())
    assert isinstance(said, dict)
    at[method] = {key: value for key, value in said.items() if key != "servers"}
    paths = {**item, operation.path: at}
    return {**kept, "openapi": version, "servers": [{"url": server}], "paths": paths}
