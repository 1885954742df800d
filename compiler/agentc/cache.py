"""The findings of a project, kept by the digest of everything that they depend on.

A second `validate` of an unchanged project reads and hashes its files and imports neither the YAML
parser nor the models. A build never uses this cache: what is signed is always compiled.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .diagnostics import Diagnostic, Edit, Note, Span
from .load import read_file
from .source import SourceFile, SourceSet

if TYPE_CHECKING:
    from .driver import Result

_LIMIT = 64 * 1024 * 1024
#: Entries that are kept; the oldest go first.
MOST_ENTRIES = 256


def cache_folder() -> Path | None:
    """Where caches are kept: `AGENTC_CACHE_DIR`, else the user's cache folder. `None` when it is empty."""
    configured = os.environ.get("AGENTC_CACHE_DIR")
    if configured is not None:
        return Path(configured) if configured else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "agentc"


def _compiler_stamp() -> str:
    """Changes when any file of the compiler or the runtime does, so that a new rule is never skipped."""
    import agentc_runtime

    stamp = hashlib.sha256(sys.version.encode())
    for package in (Path(__file__).parent, Path(agentc_runtime.__file__).parent):
        for folder, subfolders, names in os.walk(package):
            subfolders[:] = sorted(name for name in subfolders if name != "__pycache__")
            for name in sorted(names):
                status = os.stat(os.path.join(folder, name))
                stamp.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return stamp.hexdigest()


def _key(sources: SourceSet) -> str:
    digest = hashlib.sha256(_compiler_stamp().encode())
    for path, file in sorted({**sources.others, **sources.files}.items()):
        digest.update(f"{path}\0{file.sha256}\0".encode())
    return digest.hexdigest()


def recall(
    sources: SourceSet, folder: Path
) -> tuple[tuple[Diagnostic, ...], Mapping[str, SourceFile]] | None:
    """The findings of the last run on exactly these files, or `None`."""
    try:
        stored = json.loads((folder / "findings" / f"{_key(sources)}.json").read_bytes())
        files = dict(sources.files)
        for path, sha256 in stored["files"]:
            file = read_file(sources.root, path, limit=_LIMIT)
            if isinstance(file, str) or file.sha256 != sha256:
                return None
            files[path] = file
        for path in stored["absent"]:
            if not isinstance(read_file(sources.root, path, limit=_LIMIT), str):
                return None
        return tuple(_diagnostic(row, files) for row in stored["findings"]), files
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # A cache entry that is missing or damaged is only a slower run.
        return None


def remember(sources: SourceSet, result: Result, folder: Path) -> None:
    """Keep the findings. A cache that can't be written is not an error."""
    referenced = {path: file for path, file in result.files.items() if path not in sources.files}
    stored = {
        "files": [[path, file.sha256] for path, file in sorted(referenced.items())],
        "absent": sorted(result.program.absent),
        "findings": result.diagnostics,
    }
    target = folder / "findings" / f"{_key(sources)}.json"
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staging = target.with_suffix(f".{os.getpid()}")
        staging.write_text(json.dumps(stored), encoding="utf-8")
        os.replace(staging, target)
        _forget(target.parent)
    except OSError:
        return


def _forget(folder: Path) -> None:
    """Remove the oldest entries beyond the number that is kept."""
    with os.scandir(folder) as listing:
        entries = [(entry.stat().st_mtime_ns, entry.path) for entry in listing]
    for _, path in sorted(entries)[:-MOST_ENTRIES]:
        os.unlink(path)


def _diagnostic(row: object, files: Mapping[str, SourceFile]) -> Diagnostic:
    """What `remember` wrote; anything else is a `TypeError` or a `ValueError`."""
    code, level, message, span, help_, notes, edits = _list(row)
    if level not in ("error", "warning", "ignore"):
        raise ValueError(level)
    return Diagnostic(
        _text(code),
        level,
        _text(message),
        _span(span, files),
        None if help_ is None else _text(help_),
        tuple(
            Note(_text(text), None if at is None else _span(at, files))
            for text, at in map(_list, _list(notes))
        ),
        tuple(Edit(_span(at, files), _text(text)) for at, text in map(_list, _list(edits))),
    )


def _span(value: object, files: Mapping[str, SourceFile]) -> Span:
    file, *numbers = _list(value)
    line, column, end_line, end_column = (number for number in numbers if type(number) is int)
    span = Span(_text(file), line, column, end_line, end_column)
    if not 1 <= line <= end_line <= len(files[span.file].lines) or column < 1 or end_column < 1:
        raise ValueError(span)
    return span


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
