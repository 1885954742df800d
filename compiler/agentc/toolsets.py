"""Toolsets and what they name: the document with its lock and its overlays, each file read once."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path

from .checks import (
    ac701_invalid_openapi,
    ac702_missing_document,
    ac703_digest_mismatch,
    ac704_unresolved_ref,
    ac705_unsupported_openapi,
    ac706_security_scheme,
    ac707_no_server,
    ac708_remote_ref,
    ac715_invalid_overlay,
    ac716_idle_overlay_action,
    ac717_stale_lock,
)
from .diagnostics import Diagnostic, Rule
from .openapi import CompiledOperation, DocumentResult, Problem, compile_operations, problem_span
from .openapi.lock import Locked, lock_path, read_lock
from .openapi.parts import source_of
from .pages import without_page_arguments
from .program import Tool, Toolset
from .resources import Resource
from .source import SourceFile
from .syntax.toolset import ToolsetSpec, ToolSpec

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
MAX_OVERLAY_BYTES = 1024 * 1024

#: The rule of each kind of problem that an API document can have.
_DOCUMENT_RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        ac701_invalid_openapi.RULE,
        ac702_missing_document.RULE,
        ac703_digest_mismatch.RULE,
        ac704_unresolved_ref.RULE,
        ac705_unsupported_openapi.RULE,
        ac706_security_scheme.RULE,
        ac707_no_server.RULE,
        ac708_remote_ref.RULE,
        ac715_invalid_overlay.RULE,
        ac716_idle_overlay_action.RULE,
        ac717_stale_lock.RULE,
    )
}

#: Reads a file of the project by its path and size limit; why not, when it can't.
Reader = Callable[[str, int], "SourceFile | str"]


class Files:
    """The files that specs refer to, each read once, and the paths that could not be read."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self.files: dict[str, SourceFile] = {}
        self.absent: set[str] = set()

    def get(self, path: str, limit: int) -> SourceFile | str:
        """The file, or why it can't be read."""
        if path in self.files:
            return self.files[path]
        file = self._read(path, limit)
        if isinstance(file, str):
            self.absent.add(path)
        else:
            self.files[path] = file
        return file


def resolve_toolsets(
    resources: Mapping[str, Resource[ToolsetSpec]], files: Files, cache: Path | None, *, complete: bool
) -> tuple[dict[str, Toolset], list[Diagnostic]]:
    """The toolsets by name, and the findings about their documents.

    `complete` says that every toolset of the project could be read: only then it is known what a lock shows.
    """
    used: dict[str, set[str]] = {}
    for resource in resources.values():
        operations = used.setdefault(posixpath.normpath(resource.spec.openapi.file), set())
        operations.update(tool.operation for tool in resource.spec.tools.values())
    found: list[Diagnostic] = []
    toolsets = {}
    for name, resource in resources.items():
        shown = frozenset(used[posixpath.normpath(resource.spec.openapi.file)]) if complete else None
        toolsets[name] = _toolset(resource, files, cache, shown, found)
    return toolsets, found


def _toolset(
    resource: Resource[ToolsetSpec],
    files: Files,
    cache: Path | None,
    shown: frozenset[str] | None,
    found: list[Diagnostic],
) -> Toolset:
    spec = resource.spec.openapi
    overlays: dict[str, SourceFile] = {}
    for index, name in enumerate(spec.overlays):
        overlay = files.get(name, MAX_OVERLAY_BYTES)
        if isinstance(overlay, str):
            span = resource.span("openapi", "overlays", index)
            found.append(ac715_invalid_overlay.unreadable(span, name, overlay))
        else:
            overlays[name] = overlay
    corrections = tuple(overlays.values())
    file = files.get(spec.file, MAX_DOCUMENT_BYTES)
    if isinstance(file, str):
        found.append(ac702_missing_document.report(resource.span("openapi", "file"), spec.file, file))
        return Toolset(resource, None, None, _tools(resource, None), corrections)
    lock = _lock(file, files, shown)
    if isinstance(lock, Diagnostic):
        # a document that is not the one that the toolset pins is reported there, and once
        if lock.code != "AC703" or spec.sha256 in (None, file.sha256):
            found.append(lock)
        return Toolset(resource, file, None, _tools(resource, None), corrections)
    wanted = [tool.operation for tool in resource.spec.tools.values()]
    document = compile_operations(file, wanted, cache, corrections, lock)
    problems = [*document.problems, *document.overlay_problems]
    problems += [one for several in document.operation_problems.values() for one in several]
    for problem in problems:
        if problem.file in overlays:
            where = (overlays[problem.file], problem)
        else:
            where = (file, problem) if lock is None else source_of(problem, file, lock.source)
        found.append(_problem_finding(*where))
    if lock is not None and document.lock_problem is not None:
        found.append(_problem_finding(lock.file, document.lock_problem))
    return Toolset(resource, file, document, _tools(resource, document), corrections, lock)


def _lock(file: SourceFile, files: Files, shown: frozenset[str] | None) -> Locked | Diagnostic | None:
    """The lock beside a document, if it has one."""
    read = files.get(lock_path(file.path), MAX_DOCUMENT_BYTES)
    if isinstance(read, str):
        return None
    lock = read_lock(read, file, lambda path: files.get(path, MAX_DOCUMENT_BYTES), shown)
    return _problem_finding(read, lock) if isinstance(lock, Problem) else lock


def _tools(resource: Resource[ToolsetSpec], document: DocumentResult | None) -> dict[str, Tool]:
    return {
        name: Tool(
            name=f"{resource.name}.{name}",
            local_name=name,
            toolset=resource,
            spec=spec,
            operation=_operation(document, spec),
        )
        for name, spec in resource.spec.tools.items()
    }


def _operation(document: DocumentResult | None, spec: ToolSpec) -> CompiledOperation | None:
    operation = document.operations.get(spec.operation) if document else None
    if operation is None or spec.pagination is None:
        return operation
    return without_page_arguments(operation, spec.pagination)


def _problem_finding(file: SourceFile, problem: Problem) -> Diagnostic:
    rule = _DOCUMENT_RULES[problem.code]
    return rule.at(problem_span(file, problem), problem.message, help=problem.help)
