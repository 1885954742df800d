"""The one reader of the disk.

It reads nothing outside a project's root, nothing that is not a regular file, and no more than a bound: links
are resolved first, and a file is opened so that a pipe or a device can't hold the compiler.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .characters import is_utf16
from .checks import ac108_too_large, ac110_unreadable_file
from .checks.ac108_too_large import MAX_BYTES, MAX_PROJECT_BYTES
from .diagnostics import Diagnostic, Span
from .source import SourceFile, SourceSet

PROJECT_FILE = "agentc.yaml"
#: Bytes of a YAML file that is no spec, up to which it may have been meant to be one.
MAX_OTHER_BYTES = 256 * 1024
#: Bytes of one referenced file.
MAX_REFERENCED_BYTES = 64 * 1024 * 1024

_HELP = "every `.yaml` and `.yml` below `agentc.yaml` is looked at: make it a regular file, or take it away"
_SPEC = re.compile(rb"apiVersion[\"']?\s*:\s*[\"']?agentc/")
_PASSED_OVER = frozenset({"node_modules", "__pycache__"})
#: A pipe is not waited for, a terminal is not taken over, a link swapped in meanwhile is not followed.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW


def find_projects(path: Path) -> list[Path]:
    """The roots of the projects that `path` stands for, resolved and sorted; empty if there are none.

    A folder with an `agentc.yaml` is a project. `path` is one, or holds some, or lies inside one; the search
    upwards ends at the root of the repository. Links to folders are not followed, nor are hidden folders.
    """
    start = Path(os.path.realpath(path))
    folder = start if start.is_dir() else start.parent
    if _is_project(folder):
        return [folder]
    if start.is_dir():
        below = sorted(Path(entry) for entry, entries in _walk(folder) if _has_project(entries))
        if below:
            return below
    for parent in (folder, *folder.parents):
        if _is_project(parent):
            return [parent]
        if (parent / ".git").exists():
            break
    return []


def load_project(root: Path) -> tuple[SourceSet, tuple[Diagnostic, ...]]:
    """The spec files below `root` by path, and what could not be read (AC108, AC110).

    Spec files are `agentc.yaml` and every other `.yaml` or `.yml` whose first 4 MiB name an `apiVersion` of
    agentc; of the rest those that are small enough to have been one are kept. Folders below that are projects
    themselves belong to themselves.
    """
    base = Path(os.path.realpath(root))
    return sources_of(base, _candidates(base))


class Candidate(NamedTuple):
    """A file that may be a spec. `same` tells files apart whatever their names; `data` is the first 4 MiB and
    a byte of it, or why it can't be read."""

    path: str
    same: object
    data: bytes | str
    size: int


def sources_of(root: Path, candidates: Iterable[Candidate]) -> tuple[SourceSet, tuple[Diagnostic, ...]]:
    """As `load_project`, for files wherever they come from, in the order in which they are looked at."""
    files: dict[str, SourceFile] = {}
    others: dict[str, SourceFile] = {}
    found: list[Diagnostic] = []
    seen: set[object] = set()
    total = 0
    for path, same, data, size in candidates:
        span = Span(_printable(path), 1, 1, 1, 2)
        if same in seen and not isinstance(data, str):
            continue
        seen.add(same)
        if isinstance(data, str):
            found.append(ac110_unreadable_file.report(span, span.file, data, _HELP))
            continue
        text = data[:MAX_BYTES].replace(b"\0", b"") if is_utf16(data) else data[:MAX_BYTES]
        if path != PROJECT_FILE and _SPEC.search(text) is None:
            if len(data) <= MAX_OTHER_BYTES:
                others[span.file] = SourceFile(span.file, data)
            continue
        if len(data) > MAX_BYTES:
            found.append(ac108_too_large.report_bytes(span, size))
            continue
        total += len(data)
        if total > MAX_PROJECT_BYTES:
            found.append(ac108_too_large.report_project(span))
            break
        files[span.file] = SourceFile(span.file, data)
    if PROJECT_FILE not in files and not any(finding.span.file == PROJECT_FILE for finding in found):
        span = Span(PROJECT_FILE, 1, 1, 1, 2)
        found.append(
            ac110_unreadable_file.report(
                span, PROJECT_FILE, "there is no such file", "`agentc init` writes a project to begin with"
            )
        )
    return SourceSet(root, dict(sorted(files.items())), dict(sorted(others.items()))), tuple(found)


def _candidates(base: Path) -> Iterator[Candidate]:
    for entry in _spec_entries(base):
        path = os.path.relpath(entry, base)
        real = _resolve(base, path) if os.path.islink(entry) else Path(entry)
        data = _read(real, MAX_BYTES + 1) if isinstance(real, Path) else real
        size = os.stat(entry).st_size if len(data) > MAX_BYTES and isinstance(data, bytes) else len(data)
        yield Candidate(path, real, data, size)


def is_spec_name(path: str) -> bool:
    """Whether a file below a project's root may be a spec, by its path: hidden files and folders are none."""
    *folders, name = path.split("/")
    if any(folder.startswith(".") or folder in _PASSED_OVER for folder in folders):
        return False
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def read_file(root: Path, path: str, *, limit: int = MAX_REFERENCED_BYTES) -> SourceFile | str:
    """The file that a spec names by its path below `root`, or the reason in words why it can't be read.

    `limit` is in bytes.
    """
    real = _resolve(Path(os.path.realpath(root)), path)
    data = _read(real, limit + 1) if isinstance(real, Path) else real
    if isinstance(data, str):
        return data
    if len(data) > limit:
        return f"it has more than {limit:,} bytes"
    return SourceFile(path, data)


def _is_project(folder: Path) -> bool:
    return os.path.lexists(folder / PROJECT_FILE)


def _walk(root: Path) -> Iterator[tuple[str, list[os.DirEntry[str]] | None]]:
    """Each folder below `root` with its entries, `None` if it can't be listed. The root comes first."""
    waiting = [str(root)]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            yield folder, None
            continue
        yield folder, entries
        waiting.extend(
            entry.path
            for entry in reversed(entries)
            if not entry.name.startswith(".")
            and entry.name not in _PASSED_OVER
            and entry.is_dir(follow_symlinks=False)
        )


def _has_project(entries: list[os.DirEntry[str]] | None) -> bool:
    return any(entry.name == PROJECT_FILE for entry in entries or ())


def _spec_entries(root: Path) -> list[str]:
    """What may be a spec: the project file, the others by path, links after what they may point to.

    Folders that can't be listed are among them: to read one says why.
    """
    plain: list[str] = []
    links: list[str] = []
    nested: tuple[str, ...] = ()
    for folder, entries in _walk(root):
        if folder.startswith(nested):
            continue
        if _has_project(entries) and folder != str(root):
            nested = (*nested, folder + os.sep)
            continue
        if entries is None:
            plain.append(folder if folder != str(root) else os.path.join(root, PROJECT_FILE))
            continue
        for entry in entries:
            if not entry.name.endswith((".yaml", ".yml")) or entry.name.startswith("."):
                continue
            if entry.is_symlink():
                links.append(entry.path)
            elif entry.name == PROJECT_FILE or not entry.is_dir(follow_symlinks=False):
                plain.append(entry.path)
    project = os.path.join(root, PROJECT_FILE)
    return sorted(plain, key=lambda path: (path != project, path)) + sorted(links)


def _resolve(root: Path, path: str) -> Path | str:
    """The real path of a file below `root` (itself real), or why there is none."""
    if not path or "\0" in path:
        return "that is no path"
    if os.path.isabs(path):
        return "an absolute path is not the same on another machine"
    try:
        real = Path(os.path.realpath(root / path, strict=True))
    except OSError as error:
        return _reason(error)
    return real if real.is_relative_to(root) else "it leads out of the project"


def _read(real: Path, limit: int) -> bytes | str:
    """At most `limit` bytes of a regular file, or why it can't be read."""
    try:
        handle = os.open(real, _FLAGS)
    except OSError as error:
        return _reason(error)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISREG(mode):
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read(limit)
        return "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file"
    except OSError as error:
        return _reason(error)
    finally:
        os.close(handle)


_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EACCES: "permission denied",
    errno.ELOOP: "it is a link that leads to itself",
    errno.ENXIO: "it is not a regular file",
    errno.ENAMETOOLONG: "the name is too long",
}


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or (error.strerror or "it can't be opened").lower()


def _printable(path: str) -> str:
    """The path as text; bytes of the file system that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
