"""Where the files of an imported document are written: never over one that is not the document's."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from .collecting import is_spec
from .layout import SUFFIXES
from .lock import Header, lock_path, stored_path
from .problem import ImportProblem


def placed(
    path: Path, data: bytes, files: Mapping[str, bytes], lock: str, before: Header | None
) -> dict[Path, bytes]:
    """What is written: the main file and its lock come last.

    Raises:
        ImportProblem: a file would take the place of one that is not of the document, or be read as a spec.
    """
    known = {stored_path(key, path.name) for key in before.files} if before is not None else set()
    base = os.path.realpath(path.parent)
    found: dict[Path, bytes] = {}
    for key, content in files.items():
        stored = stored_path(key, path.name)
        file = path.parent / stored
        if os.path.realpath(file) != os.path.join(base, stored):
            raise ImportProblem(f"`{file}` lies behind a symbolic link", "take the link away")
        foreign = file.exists() and stored not in known and not _is(file, hashlib.sha256(content).hexdigest())
        if file == path or foreign:
            raise ImportProblem(
                f"`{file}` is there already and no part of the document",
                "move it, or let the toolset name a document in a folder of its own",
            )
        found[file] = content
    beside = Path(lock_path(str(path)))
    for sibling in (path.with_suffix(suffix) for suffix in SUFFIXES):
        if (
            before is not None
            and sibling != path
            and _is(sibling, before.sha256)
            and not _is(path, before.sha256)
        ):
            raise ImportProblem(
                f"`{beside}` is the lock of `{sibling.name}`",
                "let the toolset name a file that is called otherwise",
            )
    # of the two only YAML is looked at for specs
    if (path.suffix.lower() != ".json" and is_spec(data)) or is_spec(lock.encode()):
        raise ImportProblem("the document says that it is a spec of agentc", "import a document that is none")
    return {**found, path: data, beside: lock.encode()}


def _is(file: Path, sha256: str) -> bool:
    """Whether a file is there with this digest."""
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256


def obsolete(path: Path, before: Header | None, now: Header) -> Iterator[Path]:
    """The files that an earlier import wrote, as it wrote them, and that the document no longer has."""
    kept = {stored_path(key, path.name) for key in now.files}
    for key, digest in before.files.items() if before is not None else ():
        stored = stored_path(key, path.name)
        file = path.parent / stored
        inside = os.path.realpath(file) == os.path.join(os.path.realpath(path.parent), stored)
        if stored in kept or not inside or file == path:
            continue
        if _is(file, digest):
            yield file


def write(path: Path, data: bytes) -> None:
    """Write in one step: a reader sees the old file or the new one.

    Raises:
        ImportProblem: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, staging = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(staging, 0o644)
            os.replace(staging, path)
        except OSError:
            Path(staging).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ImportProblem(f"can't write `{path}`: {error.strerror}") from error
