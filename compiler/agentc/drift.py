"""What a newer document would change in a project: for the tools that use it, and at `validate`.

The project is checked twice, as it is and as an import would leave it, in memory: what is told is what would
happen. Tools are compared by what is compiled for them, so that the same API in another version of OpenAPI,
in other files or in another order is no drift.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from .diagnostics import Diagnostic
from .driver import Result, check_loaded
from .load import read_file
from .openapi import DocumentResult, Entry
from .openapi.problem import ImportProblem
from .program import Toolset
from .source import SourceFile
from .tool_drift import ToolDrift, entry_of, tool_drift
from .toolsets import Reader
from .updating import Update


class Version(NamedTuple):
    """What a document says of itself, and its digest."""

    title: str
    version: str
    sha256: str


class Drift(NamedTuple):
    """The difference between the pinned document and a newer one.

    `same` counts the tools that nothing touches. `findings` are those that `validate` would have after the
    update and has not now; `files` are the sources that they point into. `added` and `removed` count the
    operations that no tool uses.
    """

    path: str
    source: str
    before: Version
    after: Version
    tools: tuple[ToolDrift, ...]
    same: int
    findings: tuple[Diagnostic, ...]
    files: Mapping[str, SourceFile]
    added: int
    removed: int

    @property
    def any(self) -> bool:
        """Whether a tool, or a finding, is touched."""
        return bool(self.tools or self.findings)


def find_drift(update: Update) -> Drift:
    """What the update would change.

    Raises:
        ImportProblem: there is no pinned document to compare with.
    """
    before = check_loaded(update.sources, update.found)
    toolsets = [_pinned(before, update.path, name) for name in update.toolsets]
    specs = replace(update.sources, files={**update.sources.files, **update.specs})
    after = check_loaded(specs, update.found, read=_reader(update))
    tools: list[ToolDrift] = []
    same = 0
    used: set[Entry] = set()
    for toolset, document in toolsets:
        newer = _document(after, toolset.resource.name, update.path)
        for tool in toolset.tools.values():
            drift = tool_drift(tool, document, newer, before.program)
            same += drift is None
            tools += [drift] if drift is not None else []
            used.update(one for one in (entry_of(document, tool), entry_of(newer, tool)) if one is not None)
    first, document = toolsets[0]
    assert first.file is not None
    newer = _document(after, first.resource.name, update.path)
    planned = update.planned
    taken = {(one.method, one.path) for one in used}
    old = {(one.method, one.path) for one in document.entries} - taken
    new = {(one.method, one.path) for one in newer.entries} - taken
    return Drift(
        path=update.path,
        source=update.source,
        before=Version(document.title, document.version, first.file.sha256),
        after=Version(planned.title, planned.version, planned.sha256),
        tools=tuple(tools),
        same=same,
        findings=tuple(_new_findings(before, after, update)),
        files=after.files,
        added=len(new - old),
        removed=len(old - new),
    )


# --- the two states of the project -----------------------------------------------------------------------


def _pinned(before: Result, path: str, name: str) -> tuple[Toolset, DocumentResult]:
    """A toolset with the document that it pins.

    Raises:
        ImportProblem: it is not there, or not the one that is pinned.
    """
    toolset = before.program.toolsets.get(name)
    if toolset is None:
        raise ImportProblem(f"toolset `{name}` can't be read", "`agentc validate` says why")
    if toolset.file is None:
        raise ImportProblem(f"`{path}` is not there to compare with", "import it first, without `--check`")
    if toolset.resource.spec.openapi.sha256 not in (None, toolset.file.sha256):
        raise ImportProblem(
            f"`{path}` is not the document that toolset `{name}` pins",
            f"read what changed, then pin it: `agentc import openapi {path}`",
        )
    if toolset.document is None or toolset.document.problems:
        raise ImportProblem(f"`{path}` can't be compared", "`agentc validate` says why")
    return toolset, toolset.document


def _document(result: Result, name: str, path: str) -> DocumentResult:
    toolset = result.program.toolsets.get(name)
    if toolset is None or toolset.document is None:
        raise ImportProblem(f"what would become of `{path}` can't be compared", "`agentc validate` says why")
    return toolset.document


def _reader(update: Update) -> Reader:
    """Reads the project's files as the update would leave them."""

    def read(path: str, limit: int) -> SourceFile | str:
        key = posixpath.normpath(path)
        if key in update.obsolete:
            return "there is no such file"
        data = update.contents.get(key)
        if data is None:
            return read_file(update.sources.root, path, limit=limit)
        return SourceFile(path, data) if len(data) <= limit else f"it has more than {limit:,} bytes"

    return read


def _new_findings(before: Result, after: Result, update: Update) -> Iterator[Diagnostic]:
    """The findings that were not there before. In the document itself lines move, and say nothing."""

    def key(finding: Diagnostic) -> tuple[object, ...]:
        moving = posixpath.normpath(finding.span.file) in update.contents
        return (finding.code, finding.message, finding.span.file, None if moving else finding.span.line)

    known = Counter(key(finding) for finding in before.diagnostics)
    for finding in after.diagnostics:
        known[key(finding)] -= 1
        if known[key(finding)] < 0:
            yield finding
