"""Write into a toolset what was imported for it, leaving everything else of the file as it is."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from .diagnostics import Edit, did_you_mean
from .editing import EditError, Text, after, before
from .parse import parse_documents
from .resources import node_at
from .source import Document, Map, Scalar, SourceFile, SourceSet, span_at

_FILE: Final = ("spec", "openapi", "file")


class PinError(EditError):
    """The toolset can't be pinned. The message is one line and says why."""


def find_toolset(sources: SourceSet, name: str) -> Document:
    """The spec of a toolset.

    Raises:
        PinError: the project has no such toolset.
    """
    found: dict[str, Document] = {}
    for one, document in _toolsets(sources):
        found.setdefault(one, document)
    if name not in found:
        raise PinError(f"no toolset `{name}` in this project; {did_you_mean(name, found) or 'it has none'}")
    return found[name]


def document_path(sources: SourceSet, name: str) -> str | None:
    """The path that the toolset's `openapi.file` names, or `None` when it names none yet.

    Raises:
        PinError: the project has no such toolset, or it names a file that is not in the project.
    """
    document = find_toolset(sources, name)
    node = node_at(document.root, _FILE)
    if not isinstance(node, Scalar):
        if node_at(document.root, ("spec", "openapi")) is not None:
            raise _not_a_map(document, name)
        return None
    path = str(node.value)
    target = (sources.root / path).resolve()
    if not target.is_relative_to(sources.root.resolve()) or target.is_dir():
        at = f"{document.file.path}:{node.span.line}"
        raise PinError(
            f"{at}: `{path}` is not a file inside the project; name one, such as `openapi/api.json`"
        )
    return path


def users_of(sources: SourceSet, path: str) -> tuple[str, ...]:
    """The toolsets that name the document at `path`."""
    found = []
    for name, document in _toolsets(sources):
        node = node_at(document.root, _FILE)
        if isinstance(node, Scalar) and posixpath.normpath(str(node.value)) == posixpath.normpath(path):
            found.append(name)
    return tuple(found)


def operations_of(sources: SourceSet, names: Iterable[str]) -> frozenset[str]:
    """The operations that the toolsets of these names name.

    Raises:
        PinError: the project has no such toolset.
    """
    found: set[str] = set()
    for name in names:
        tools = node_at(find_toolset(sources, name).root, ("spec", "tools"))
        values = [value for _, value in tools.entries.values()] if isinstance(tools, Map) else []
        operations = (node_at(value, ("operation",)) for value in values)
        found.update(str(one.value) for one in operations if isinstance(one, Scalar))
    return frozenset(found)


def pinned(sources: SourceSet, names: Iterable[str], file: str, sha256: str) -> dict[str, SourceFile]:
    """The spec files in which `openapi.file` and `openapi.sha256` of the toolsets are set, as they are then.

    Raises:
        PinError: the project has no such toolset, its `openapi` is not a map, or its file is not UTF-8.
    """
    changed: dict[str, SourceFile] = {}
    for name in names:
        document = find_toolset(replace(sources, files={**sources.files, **changed}), name)
        data = _pinned(document, name, file, sha256)
        changed[document.file.path] = SourceFile(document.file.path, data)
    return changed


def _pinned(document: Document, name: str, file: str, sha256: str) -> bytes:
    """The bytes of a spec file with the document's path and digest in it; all else stays as it is."""
    if re.fullmatch(r"[0-9]+(e[0-9]+)?", sha256):
        sha256 = f'"{sha256}"'  # plain, it would be a number
    openapi = node_at(document.root, ("spec", "openapi"))
    spec = node_at(document.root, ("spec",))
    source = document.file
    if isinstance(openapi, Map) and "file" in openapi.entries:
        value = openapi.entries["file"][1]
        known = isinstance(value, Scalar) and posixpath.normpath(str(value.value)) == posixpath.normpath(file)
        edits = [] if known else [Edit(value.span, _word(file))]
        if "sha256" in openapi.entries:
            edits.append(Edit(openapi.entries["sha256"][1].span, sha256))
        else:
            edits.append(Edit(after(value.span), _second_key(source, openapi, sha256)))
        return Text(source).edited(edits)
    if openapi is None and isinstance(spec, Map) and spec.entries:
        key = next(iter(spec.entries.values()))[0].span
        insert = f"openapi: {{ file: {_word(file)}, sha256: {sha256} }}\n{' ' * (key.column - 1)}"
        return Text(source).edited([Edit(before(key), insert)])
    raise _not_a_map(document, name)


def pinned_values(
    sources: SourceSet, name: str, path: Sequence[str | int], values: Mapping[str, str]
) -> dict[str, SourceFile]:
    """The spec file in which `values` are set in the map at `path` of the toolset's `spec`, as it is then.

    Raises:
        PinError: the project has no such toolset, or there is no map.
    """
    document = find_toolset(sources, name)
    node = node_at(document.root, ("spec", *path))
    if not isinstance(node, Map):
        raise PinError(f"toolset `{name}` has no map `{'.'.join(map(str, path))}` to write into")
    edits = [
        Edit(node.entries[key][1].span, _word(value)) for key, value in values.items() if key in node.entries
    ]
    lacking = [f"{key}: {_word(value)}" for key, value in values.items() if key not in node.entries]
    if lacking and not node.entries:
        edits.append(Edit(node.span, f"{{ {', '.join(lacking)} }}"))
    elif lacking:
        first = next(iter(node.entries.values()))[0].span
        between = ", " if Text(document.file).is_flow(node) else f"\n{' ' * (first.column - 1)}"
        edits.append(Edit(before(first), "".join(f"{line}{between}" for line in lacking)))
    return {document.file.path: SourceFile(document.file.path, Text(document.file).edited(edits))}


def _not_a_map(document: Document, name: str) -> PinError:
    line = span_at(document.root, ("spec", "openapi"), key=True).line
    return PinError(f"{document.file.path}:{line}: `openapi` of toolset `{name}` should be a map with `file`")


#: A path, a URL, or a word of the language, that no reader of YAML takes for something else.
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9_./-]*\.[a-z]+|https?://[A-Za-z0-9_./~%:-]*[A-Za-z0-9_/]|client_[a-z_]+"
)


def _word(value: str) -> str:
    """A YAML value: quoted where it could be read as something else."""
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def _toolsets(sources: SourceSet) -> Iterator[tuple[str, Document]]:
    for file in sources.files.values():
        for document in parse_documents(file)[0]:
            kind, name = (node_at(document.root, path) for path in (("kind",), ("metadata", "name")))
            if isinstance(kind, Scalar) and kind.value == "Toolset" and isinstance(name, Scalar):
                yield str(name.value), document


def _second_key(source: SourceFile, openapi: Map, sha256: str) -> str:
    """How a second key is written into a map: on the same line in `{ }`, else on a line of its own."""
    if Text(source).is_flow(openapi):
        return f", sha256: {sha256}"
    key = openapi.entries["file"][0].span
    return f"\n{' ' * (key.column - 1)}sha256: {sha256}"
