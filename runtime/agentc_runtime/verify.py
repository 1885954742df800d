"""From bytes to a bundle that may run: every file is there, unchanged, strictly typed and consistent.

What is not understood is refused. Only `read_bundle` reads the disk, and it knows a file's size before it
reads a byte of it. Who built and reviewed it, its attestations say: `agentc_runtime.trust.judge` reads them.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TypeVar

import msgspec

from .archive import MAX_ARCHIVE_BYTES, unpack
from .bundle import FORMAT, MANIFEST, PROGRAM, SOURCE_MAP, File, Manifest, Program, SourceMap
from .canonical import parse
from .integrity import problems

#: Bounds, in bytes and entries. A bundle is text for one agent; what is larger is not a bundle.
MAX_BYTES = 256 * 1024 * 1024
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_ENTRIES = 10_000
MAX_ATTESTATIONS = 64
MAX_ATTESTATION_BYTES = 16 * 1024 * 1024

#: The folder of what others say of the bundle. The manifest does not list it: it comes after the build.
ATTESTATIONS = "attestations"
#: What kind of attestation it is, and the beginning of the sha256 of its bytes.
_ATTESTATION = re.compile(rf"{ATTESTATIONS}/([a-z]{{1,32}})-([0-9a-f]{{16}})\.json")
#: An allowlist: relative, `/` between segments, no segment that begins with a dot, ASCII only.
_NAME = re.compile(r"(?=.{1,255}\Z)[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REBUILD = "build the bundle again"

_T = TypeVar("_T")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class BundleError(Exception):
    """A bundle that does not load. `message` is one line with what to do; `path` is the file it is about."""

    def __init__(self, message: str, path: str) -> None:
        # Both may quote an untrusted bundle: no line break, no escape and no flood comes through.
        self.message = _printable(message[:1000])
        self.path = _printable(path)
        super().__init__(f"{self.path}: {self.message}")


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was verified. `digest` is its identity: the sha256 of the manifest's bytes, in hex.

    `attestations` are envelopes by their path. They are whole, and nobody has yet looked at who signed them.
    `environment_file` is what has narrowed it, if anything has: its program is then less than its files say.
    `files` are the bytes that it was made of, by their path in the bundle.
    """

    manifest: Manifest
    digest: str
    program: Program
    source_map: SourceMap
    attestations: dict[str, bytes] = {}
    files: Mapping[str, bytes] = {}
    environment_file: str | None = None


def attestation_path(kind: str, data: bytes) -> str:
    """Where an attestation of that kind stands in a bundle: its name says what it holds."""
    return f"{ATTESTATIONS}/{kind}-{hashlib.sha256(data).hexdigest()[:16]}.json"


def load_bundle(files: Mapping[str, bytes]) -> Bundle:
    """The bundle made of these files, by their path in the bundle.

    Raises:
        BundleError: a file is missing, extra or changed, or what it says can't be run.
    """
    root = PurePath()
    manifest = _manifest(files.get(MANIFEST), root)
    _same_files(manifest, files.keys() - {MANIFEST}, root)
    return _assemble(manifest, files, root)


def load_archive(data: bytes) -> Bundle:
    """The bundle in an archive that `archive.pack` wrote.

    Raises:
        BundleError: it is no such archive, or as for `load_bundle`.
    """
    try:
        files = unpack(data)
    except ValueError as error:
        raise BundleError(f"{error}: {_REBUILD}", "archive") from error
    return load_bundle(files)


def read_bundle(path: Path) -> Bundle:
    """The bundle in the directory or archive `path`. Links and special files in it are refused, not followed.

    Raises:
        BundleError: neither of them, can't be read, or as for `load_bundle`.
    """
    if _is_archive(path):
        return load_bundle(read_files(path))
    manifest, files = _folder(path)
    return _assemble(manifest, files, path)


def read_files(path: Path) -> dict[str, bytes]:
    """The files of the bundle in the directory or archive `path`; `load_bundle` says whether they are whole.

    Raises:
        BundleError: neither of them, or can't be read.
    """
    if not _is_archive(path):
        return _folder(path)[1]
    data = _read(path.parent, path.name, MAX_ARCHIVE_BYTES)
    try:
        return unpack(data)
    except ValueError as error:
        raise BundleError(f"{error}: {_REBUILD}", str(path)) from error


def _is_archive(path: Path) -> bool:
    return path.name.endswith(".tar") and not path.is_dir()


def _folder(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    names = _list(path)
    raw = _read(path, MANIFEST, MAX_MANIFEST_BYTES) if MANIFEST in names else None
    manifest = _manifest(raw, path)
    _same_files(manifest, names - {MANIFEST}, path)
    files = {file.path: _read(path, file.path, file.size) for file in manifest.files}
    said = [name for name in names if name.startswith(f"{ATTESTATIONS}/")]
    files |= {name: _read(path, name, MAX_ATTESTATION_BYTES) for name in said}
    return manifest, {MANIFEST: raw or b"", **files}


def _manifest(raw: bytes | None, root: PurePath) -> Manifest:
    """The manifest, once its table of files can be relied on."""
    where = str(root / MANIFEST)
    if raw is None:
        raise BundleError(
            "missing, so this is not a bundle: name the folder that `agentc build` wrote", where
        )
    if len(raw) > MAX_MANIFEST_BYTES:
        raise BundleError(f"larger than {MAX_MANIFEST_BYTES} bytes: {_REBUILD}", where)
    value = _parse(raw, where)
    said = value.get("format") if isinstance(value, dict) else None
    # Before the types: a newer format has other fields, and its name says more than the first of them.
    if said != FORMAT:
        raise BundleError(
            f"format is {said!a}, and this runtime reads `{FORMAT}`: use the agentc version that built it",
            where,
        )
    manifest = _convert(value, Manifest, where)
    names = [file.path for file in manifest.files]
    for file in manifest.files:
        taken = file.path == MANIFEST or file.path.partition("/")[0] == ATTESTATIONS
        if taken or not _NAME.fullmatch(file.path):
            raise BundleError(f"lists {file.path!a}, which is no safe file name: {_REBUILD}", where)
        if file.size < 0 or not _SHA256.fullmatch(file.sha256):
            raise BundleError(f"size or sha256 of `{file.path}` is malformed: {_REBUILD}", where)
    if names != sorted(set(names)):
        raise BundleError(f"files are not listed once each, in order: {_REBUILD}", where)
    for name in (PROGRAM, SOURCE_MAP):
        if name not in names:
            raise BundleError(f"does not list `{name}`: {_REBUILD}", where)
    if len(names) > MAX_ENTRIES or sum(file.size for file in manifest.files) > MAX_BYTES:
        raise BundleError(f"lists more than {MAX_ENTRIES} files or {MAX_BYTES} bytes: {_REBUILD}", where)
    return manifest


def _same_files(manifest: Manifest, names: Set[str], root: PurePath) -> None:
    listed = {file.path for file in manifest.files}
    attested = {name for name in names if _ATTESTATION.fullmatch(name)}
    found = set(names) - attested
    if len(attested) > MAX_ATTESTATIONS:
        raise BundleError(f"more than {MAX_ATTESTATIONS} attestations: remove some", str(root / ATTESTATIONS))
    for name in sorted(listed - found):
        raise BundleError(f"missing, and the manifest lists it: {_REBUILD}", str(root / name))
    for name in sorted(found - listed):
        raise BundleError(f"not in the manifest: remove it, or {_REBUILD}", str(root / name))


@contextmanager
def _uncollected() -> Iterator[None]:
    """A program is many values and no cycle: the collector would only walk them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def _assemble(manifest: Manifest, files: Mapping[str, bytes], root: PurePath) -> Bundle:
    for file in manifest.files:
        _unchanged(file, files[file.path], root)
    attestations = {name: files[name] for name in sorted(files) if name.startswith(f"{ATTESTATIONS}/")}
    for name, data in attestations.items():
        kind = name.partition("/")[2].partition("-")[0]
        if len(data) > MAX_ATTESTATION_BYTES or attestation_path(kind, data) != name:
            raise BundleError(
                "changed since it was signed: sign again, or restore the file", str(root / name)
            )
    for file in manifest.files:
        if file.path.endswith(".json") and file.path not in (PROGRAM, SOURCE_MAP):
            _parse(files[file.path], str(root / file.path))
    where = str(root / PROGRAM)
    program = _convert(_parse(files[PROGRAM], where), Program, where)
    if program.agent != manifest.agent:
        raise BundleError(f"agent is not the one that the manifest names: {_REBUILD}", where)
    for problem in problems(program):
        raise BundleError(f"{problem}: correct the specs and {_REBUILD}", where)
    where = str(root / SOURCE_MAP)
    return Bundle(
        manifest=manifest,
        digest=hashlib.sha256(files[MANIFEST]).hexdigest(),
        program=program,
        source_map=_convert(_parse(files[SOURCE_MAP], where), SourceMap, where),
        attestations=attestations,
        files=dict(files),
    )


def _unchanged(file: File, data: bytes, root: PurePath) -> None:
    actual = hashlib.sha256(data).hexdigest()
    if len(data) != file.size or actual != file.sha256:
        message = (
            f"changed since the build, {len(data)} bytes with sha256 {actual[:12]} where the manifest says "
            f"{file.size} with {file.sha256[:12]}: {_REBUILD}, or restore the file"
        )
        raise BundleError(message, str(root / file.path))


def _parse(raw: bytes, where: str) -> object:
    try:
        return parse(raw)
    except ValueError as error:
        raise BundleError(f"{error}: {_REBUILD}", where) from error


def _convert(value: object, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        # msgspec quotes names out of the file, which are no more to be trusted than the rest of it.
        said = ascii(str(error))[1:-1]
        raise BundleError(
            f"{said[:1].lower()}{said[1:]}: {_REBUILD} with this version of agentc", where
        ) from error


# --- the disk ------------------------------------------------------------------------------------------


def _list(path: Path) -> set[str]:
    """The paths of all files below `path`, with `/`, after refusing everything that is not a plain file."""
    names: set[str] = set()
    pending = [""]
    entries = 0
    while pending:
        folder = pending.pop()
        children = _reading(path / folder, _children)
        if not children:
            todo = "remove it" if folder else "name the one that `agentc build` wrote"
            raise BundleError(f"empty folder: {todo}", str(path / folder))
        entries += len(children)
        if entries > MAX_ENTRIES:
            raise BundleError(f"more than {MAX_ENTRIES} entries, so this is not a bundle", str(path))
        for child, kind in children:
            name = f"{folder}/{child}" if folder else child
            if kind == "file":
                names.add(name)
            elif kind == "folder" and name not in (MANIFEST, PROGRAM, SOURCE_MAP):
                pending.append(name)
            else:
                message = f"a {kind}, and a bundle holds plain files only: {_REBUILD}"
                raise BundleError(message, str(path / name))
    return names


def _children(folder: Path) -> list[tuple[str, str]]:
    """The names in `folder` and what they are, no more than are needed to see that they are too many."""
    with os.scandir(folder) as entries:
        return [(entry.name, _kind(entry)) for entry in itertools.islice(entries, MAX_ENTRIES + 1)]


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "special file"


def _read(path: Path, name: str, limit: int) -> bytes:
    """The bytes of a plain file of at most `limit` bytes. Its size is checked before anything is read."""
    target = path / name
    # Since the listing the name may have become a link or a pipe: neither is followed or waited for.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = _reading(target, lambda target: os.open(target, flags))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"not a plain file: {_REBUILD}", str(target))
        if status.st_size > limit:
            raise BundleError(f"{status.st_size} bytes where {limit} are expected: {_REBUILD}", str(target))
        with open(descriptor, "rb", closefd=False) as handle:
            # One more than allowed, so that a file which grows meanwhile is noticed by its size.
            return _reading(target, lambda _: handle.read(limit + 1))
    finally:
        os.close(descriptor)


def _reading(target: Path, action: Callable[[Path], _T]) -> _T:
    try:
        return action(target)
    except NotADirectoryError as error:
        message = "a file, and a bundle is a folder: name the folder that `agentc build` wrote"
        raise BundleError(message, str(target)) from error
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        message = f"can't be read, {reason}: check the path and its permissions"
        raise BundleError(message, str(target)) from error
    except ValueError as error:
        raise BundleError(f"can't be read, {error}: check the path", str(target)) from error
