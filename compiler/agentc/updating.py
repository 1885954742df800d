"""A document that comes into a project, or a newer one: which files that writes, and which specs it pins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from .diagnostics import Diagnostic
from .load import load_project
from .openapi.importing import Import, opened, own_lock, plan_import
from .openapi.layout import is_url
from .openapi.origin import recalled, remembered
from .openapi.problem import ImportProblem
from .pin import document_path, operations_of, pinned, users_of
from .source import SourceFile, SourceSet

if TYPE_CHECKING:
    from .openapi.fetching import Watch

#: Where documents go that no toolset names.
FOLDER = "openapi"


class Update(NamedTuple):
    """What an import changes in the project of `sources`; nothing is written yet.

    `found` are the findings of loading it, `path` is the document's in the project, `toolsets` are those that
    use it, `specs` their files with its digest, and `source` where it comes from. `contents` are the files of
    the document by their path, and `obsolete` those that it no longer has.
    """

    sources: SourceSet
    found: tuple[Diagnostic, ...]
    path: str
    planned: Import
    toolsets: tuple[str, ...]
    specs: Mapping[str, SourceFile]
    source: str
    contents: Mapping[str, bytes]
    obsolete: frozenset[str]


def plan_update(project: Path, source: str | None, toolset: str | None, watch: Watch | None = None) -> Update:
    """Read a document from `source`, or from where its lock says that it came from.

    Args:
        project: the project's root.
        source: a path or URL.
        toolset: the toolset that is to use it; it takes the place of the document that this names.
        watch: is told of each download.

    Raises:
        ImportProblem: the document can't be read, is none, or its files would take the place of others.
        PinError: there is no such toolset, or it can't be pinned.
    """
    sources, found_loading = load_project(project)
    path = document_path(sources, toolset) if toolset is not None else None
    if path is None and source is not None:
        path = _own_copy(sources, source)
    copy = project / path if path is not None else None
    origin = source if source is not None else _recalled(project, path)

    def users(at: Path) -> tuple[str, ...]:
        found = users_of(sources, at.relative_to(project).as_posix())
        return tuple(dict.fromkeys((*((toolset,) if toolset is not None else ()), *found)))

    with opened(origin, copy, named=source is not None, watch=watch) as found:
        in_place = copy is not None and _is_same(origin, copy)
        planned = plan_import(
            found,
            project / (PurePosixPath(path).parent if path is not None else FOLDER),
            PurePosixPath(path).name if path is not None else None,
            lambda at: operations_of(sources, users(at)),
            None if in_place else remembered(origin, project),
        )

    def inside(file: Path) -> str:
        return file.relative_to(project).as_posix()

    toolsets = users(planned.path)
    written = inside(planned.path)
    return Update(
        sources=sources,
        found=found_loading,
        path=written,
        planned=planned,
        toolsets=toolsets,
        specs=pinned(sources, toolsets, written, planned.sha256),
        source=origin,
        contents={inside(file): data for file, data in planned.contents.items()},
        obsolete=frozenset(inside(file) for file in planned.obsolete),
    )


def _own_copy(sources: SourceSet, source: str) -> str | None:
    """The path in the project of a document that a toolset uses, if that is the source."""
    real = Path(os.path.realpath(source))
    if is_url(source) or not real.is_relative_to(sources.root):
        return None
    path = real.relative_to(sources.root).as_posix()
    return path if users_of(sources, path) else None


def _recalled(project: Path, path: str | None) -> str:
    header = own_lock(project / path) if path is not None else None
    if header is None or header.source is None:
        raise ImportProblem(
            f"nothing says where `{path}` came from" if path is not None else "say which document",
            "give its path or URL, and the next import remembers it, if it may",
        )
    return recalled(header.source, project)


def _is_same(source: str, copy: Path) -> bool:
    return not is_url(source) and copy.exists() and os.path.samefile(source, copy)
