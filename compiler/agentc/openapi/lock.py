"""The lock beside the main file of a document of several files: the digest of each, and what is used of them.

Two YAML documents. The first is read: the digests. The second is for people: the operations that a toolset
uses, with all that they reach, so that a change upstream is a readable diff.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import yaml

from ..source import SourceFile
from .decoding import decode
from .parts import PARTS
from .problem import Problem, ProblemError

#: The lock stands for itself under this name, which is no path of a part.
LOCK: Final = ""
_END: Final = b"\n---\n"
_HEADER: Final = "# By `agentc import openapi`. The digests are checked; the rest is there to be reviewed.\n"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Locked(NamedTuple):
    """A lock that was read. `main` is what the other files call the first;
    `read` gives a file of the project by its path, or why it can't be read."""

    file: SourceFile
    folder: str
    main: str
    digests: Mapping[str, str]
    read: Callable[[str], SourceFile | str]

    @property
    def identity(self) -> str:
        """Changes with every digest in the lock."""
        return hashlib.sha256(json.dumps([self.main, self.digests], sort_keys=True).encode()).hexdigest()

    def source(self, path: str) -> SourceFile | None:
        """The file at `path` from the main document's folder, or the lock itself."""
        if path == LOCK:
            return self.file
        file = self.read(posixpath.join(self.folder, path))
        return None if isinstance(file, str) else file

    def load(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            ProblemError: AC702 it can't be read; AC703 it is not the one that was locked.
        """
        whole = posixpath.join(self.folder, path)
        file = self.read(whole)
        at = (PARTS, LOCK, "files", path)
        if isinstance(file, str):
            raise ProblemError(
                Problem(
                    "AC702",
                    f"can't read `{whole}`: {file}",
                    at,
                    "import the document again with `agentc import openapi`",
                )
            )
        if file.sha256 != self.digests[path]:
            raise ProblemError(
                Problem(
                    "AC703",
                    f"`{whole}` has the digest `{file.sha256}`",
                    at,
                    "read what changed, then import the document again with `agentc import openapi`",
                )
            )
        return file.data


def lock_path(document: str) -> str:
    """The path of a document's lock: `api/desk.lock.yaml` for `api/desk.yaml`."""
    return posixpath.splitext(document)[0] + ".lock.yaml"


def read_lock(
    file: SourceFile, main: SourceFile, read: Callable[[str], SourceFile | str]
) -> Locked | Problem:
    """The lock in `file` of the document `main`; a problem when it is malformed or not of these bytes.

    The problem's pointer leads into the lock.
    """
    try:
        root, duplicates = decode(file.path, file.data.partition(_END)[0] + b"\n")
    except ProblemError as error:
        return error.problem
    if duplicates:
        return duplicates[0].problem()
    files = root.get("files") if isinstance(root, dict) else None
    digests = locked_digests(file)
    name = root.get("main") if isinstance(root, dict) else None
    if (
        not isinstance(root, dict)
        or not isinstance(name, str)
        or not isinstance(files, dict)
        or len(digests) != len(files)
    ):
        return Problem(
            "AC701",
            "the lock has to name the main file and map the path of each other to its digest",
            ("files",),
        )
    if root.get("sha256") != main.sha256:
        return Problem(
            "AC703",
            f"`{main.path}` has the digest `{main.sha256}`",
            ("sha256",),
            "read what changed, then import the document again with `agentc import openapi`",
        )
    return Locked(file, posixpath.dirname(main.path), name, digests, read)


def locked_digests(file: SourceFile) -> Mapping[str, str]:
    """The digests in a lock, whatever document it is of; none if it can't be read."""
    try:
        root, _ = decode(file.path, file.data.partition(_END)[0] + b"\n")
    except ProblemError:
        return {}
    files = root.get("files") if isinstance(root, dict) else None
    return {
        path: digest
        for path, digest in (files.items() if isinstance(files, dict) else ())
        if isinstance(digest, str) and _DIGEST.fullmatch(digest)
    }


def lock_text(name: str, main: bytes, files: Mapping[str, bytes], used: Mapping[str, object]) -> str:
    """The text of a lock for the bytes of the main file, called `name`, and of the others by path.

    `used` is what is reached of them.
    """
    lines = [
        _HEADER,
        f"main: {json.dumps(name)}\n",
        f'sha256: "{hashlib.sha256(main).hexdigest()}"\n',
        "files:\n",
    ]
    for path in sorted(files):
        name = json.dumps(path)
        lines.append(f'  {name}: "{hashlib.sha256(files[path]).hexdigest()}"\n')
    if used:
        lines.append("---\n" + yaml.dump(used, Dumper=_Plain, allow_unicode=False, width=100))
    return "".join(lines)


class _Plain(yaml.SafeDumper):
    """YAML without anchors: what is written does not depend on what was shared. Lines stay lines."""

    def ignore_aliases(self, data: object) -> bool:
        """Nothing is written as an alias; documents are trees here."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)
