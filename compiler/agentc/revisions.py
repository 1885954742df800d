"""Projects as they are in a git revision: read from the repository's objects, with nothing checked out.

It calls `git` and reads by `git cat-file --batch`. Files are what was committed: no filter, no hook and no
replacement is applied, and nothing is fetched.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from .checks.ac108_too_large import MAX_BYTES
from .load import PROJECT_FILE, Candidate, is_spec_name
from .source import SourceFile

#: Seconds that git may take to answer.
_SECONDS: Final = 60.0
#: Links that are followed to one file.
_MAX_LINKS: Final = 8
_MAX_LINK_BYTES: Final = 4096
_LINK, _SUBMODULE = "120000", "160000"
_QUIET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class RevisionError(Exception):
    """A revision that can't be read. The message is one line."""


@dataclass(frozen=True)
class Repository:
    """A git repository. `prefix` is the folder in it from which it was found, empty at its top."""

    top: Path
    prefix: str


@dataclass(frozen=True)
class _Blob:
    mode: str
    oid: str
    size: int


def repository_of(folder: Path) -> Repository | None:
    """The repository that a folder is in; `None` if there is none, or no git.

    Raises:
        RevisionError: there is one, and git does not read it.
    """
    done = _git(folder, "rev-parse", "--show-toplevel", "--show-prefix")
    if done is None:
        return None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").split("\n")[0].removeprefix("fatal: ")
        if "not a git repository" in said:
            return None
        raise RevisionError(f"git does not read the repository: {said}")
    top, prefix = done.stdout.decode(errors="surrogateescape").split("\n")[:2]
    return Repository(Path(top), prefix.rstrip("/"))


def commit_of(repository: Repository, name: str) -> str | None:
    """The full id of the commit that `name` stands for; `None` if it stands for none."""
    if not name or "\0" in name:
        return None
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    done = _git(repository.top, *words)
    if done is None or done.returncode != 0:
        return None
    return done.stdout.decode().strip()


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(  # noqa: S603  the words are ours, and a name stands behind --end-of-options
            _command(folder, words), env={**os.environ, **_QUIET}, stdin=subprocess.DEVNULL,
            capture_output=True, check=False, timeout=_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None


def _command(folder: Path, words: Sequence[str]) -> list[str]:
    return ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *words]


class Tree:
    """The files of one commit below one folder. A context manager: `git cat-file` runs as long as it is open.

    Raises:
        RevisionError: git can't list them.
    """

    def __init__(self, repository: Repository, commit: str, folder: str) -> None:
        self.commit = commit
        self._folder = folder
        self._blobs = dict(_listed(repository, commit, folder))
        self._process = subprocess.Popen(  # noqa: S603  as above
            _command(repository.top, ("cat-file", "--batch")),
            env={**os.environ, **_QUIET}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Tree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.kill()
        self._process.wait()

    def roots(self) -> list[str]:
        """The folders that are projects, from the top of the repository, sorted; as `load.find_projects`."""
        own = posixpath.join(self._folder, PROJECT_FILE)
        if own in self._blobs:
            return [self._folder]
        return sorted(
            posixpath.dirname(path)
            for path in self._blobs
            if posixpath.basename(path) == PROJECT_FILE and is_spec_name(self._below(self._folder, path))
        )

    def candidates(self, root: str) -> Iterator[Candidate]:
        """What may be a spec of the project in `root`, in the order in which `load` looks at files."""
        nested = tuple(
            posixpath.dirname(path) + "/"
            for path in self._blobs
            if posixpath.basename(path) == PROJECT_FILE and posixpath.dirname(path) != root
        )
        inside = root + "/" if root else ""
        nested = tuple(folder for folder in nested if folder.startswith(inside))
        own = posixpath.join(root, PROJECT_FILE)
        paths = [
            path
            for path in self._blobs
            if path.startswith(inside)
            and not path.startswith(nested)
            and is_spec_name(self._below(root, path))
        ]
        for path in sorted(paths, key=lambda path: (self._blobs[path].mode == _LINK, path != own, path)):
            real = self._resolved(path, root)
            data: bytes | str = real
            same, size = real, 0
            if real in self._blobs:
                size = self._blobs[real].size
                data = self._read(real, MAX_BYTES + 1, whole=False)
            yield Candidate(self._below(root, path), same, data, size)

    def read(self, root: str, path: str, limit: int) -> SourceFile | str:
        """The file that a spec of the project in `root` names, or why it can't be read; `load.read_file`."""
        if not path or "\0" in path:
            return "that is no path"
        if posixpath.isabs(path):
            return "an absolute path is not the same on another machine"
        real = self._resolved(posixpath.normpath(posixpath.join(root, path)), root)
        if real not in self._blobs:
            return real
        if self._blobs[real].size > limit:
            return f"it has more than {limit:,} bytes"
        data = self._read(real, limit, whole=True)
        return data if isinstance(data, str) else SourceFile(path, data)

    @staticmethod
    def _below(root: str, path: str) -> str:
        return posixpath.relpath(path, root) if root else path

    def _resolved(self, path: str, root: str) -> str:
        """The path of the blob that a path leads to, or why there is none: a key of `_blobs` or no key."""
        for _ in range(_MAX_LINKS):
            if root and path != root and not path.startswith(root + "/"):
                return "it leads out of the project"
            if path.startswith("../") or path == "..":
                return "it leads out of the project"
            blob = self._blobs.get(path)
            if blob is None:
                within = any(known.startswith(path + "/") for known in self._blobs)
                return "it is a folder" if within else "there is no such file"
            if blob.mode != _LINK:
                return path
            target = self._content(blob) if blob.size <= _MAX_LINK_BYTES else b""
            link = target.decode("utf-8", "surrogateescape")
            if not link or link.startswith("/"):
                return "it leads out of the project"
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
        return "it is a link that leads to itself"

    def _read(self, path: str, limit: int, *, whole: bool) -> bytes:
        data = self._content(self._blobs[path])
        return data if whole else data[:limit]

    def _content(self, blob: _Blob) -> bytes:
        """The bytes of a blob.

        Raises:
            RevisionError: git does not have it.
        """
        process = self._process
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        try:
            process.stdin.write(f"{blob.oid}\n".encode())
            process.stdin.flush()
        except OSError as error:
            raise RevisionError("git has ended while its objects were read") from error
        header = process.stdout.readline(200).split()
        if len(header) != 3 or header[1] != b"blob":
            raise RevisionError(f"git does not have the object {blob.oid}: fetch the whole revision")
        data = process.stdout.read(int(header[2]) + 1)
        if len(data) != int(header[2]) + 1:
            raise RevisionError("git has ended while its objects were read")
        return data[:-1]


def _listed(repository: Repository, commit: str, folder: str) -> Iterator[tuple[str, _Blob]]:
    below = [f"{folder}/"] if folder else []
    done = _git(repository.top, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--", *below)
    if done is None or done.returncode != 0:
        raise RevisionError(f"git can't list the files of {commit[:12]}")
    for row in done.stdout.split(b"\0"):
        if not row:
            continue
        head, _, path = row.partition(b"\t")
        mode, _, oid, size = head.split()
        if mode.decode() == _SUBMODULE:
            continue
        name = path.decode("utf-8", "backslashreplace")
        yield name, _Blob(mode.decode(), oid.decode(), int(size) if size.isdigit() else 0)
