"""The lock beside a document: the digests of its files, where it came from, and what is used of it.

Two YAML documents. The first is read: the digests. The second is for people: the operations that toolsets
use, with all that they reach, so that a change upstream is a readable diff. It is compared with the document,
so that nobody can show a reviewer something else.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..source import SourceFile
from .canonical import canonical_yaml
from .decoding import decode
from .layout import SUFFIXES, Layout, is_url
from .problem import PARTS, Problem, ProblemError

#: The lock stands for itself under this name, which is no key of a part.
LOCK: Final = ""
_END: Final = b"\n---\n"
_HEADER: Final = (
    "# Written by `agentc import openapi`, checked by `agentc validate`.\n"
    "# Below `---` stands what toolsets use of the document, to be reviewed.\n"
)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Header(NamedTuple):
    """What a lock says beside the text: `main` is what the other files call the first, `sha256` its digest,
    `source` where to import it from again, `base` the URL that its references are relative to, `files` the
    digest of each other file by its key, `names` where schemas are that references call by their `$id`."""

    main: str
    sha256: str
    source: str | None = None
    base: str | None = None
    files: Mapping[str, str] = {}
    names: Mapping[str, str] = {}

    @property
    def layout(self) -> Layout:
        """How the files of the document are called."""
        return Layout(self.main, self.base, self.files, self.names)


class Locked(NamedTuple):
    """A lock that was read, of the document at `document`. `read` gives a file of the project by its path, or
    why it can't be read; `operations` are those that the text has to show, `None` if that is not known."""

    file: SourceFile
    document: str
    header: Header
    read: Callable[[str], SourceFile | str]
    operations: frozenset[str] | None = None

    @property
    def identity(self) -> str:
        """Changes with whatever of the lock decides how the document is read."""
        said = [self.header.main, self.header.base, self.header.files, self.header.names]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def path(self, key: str) -> str:
        """Where in the project a file of the document lies."""
        return posixpath.join(posixpath.dirname(self.document), stored_path(key, self.document))

    def source(self, key: str) -> SourceFile | None:
        """The file of that key, or the lock itself."""
        if key == LOCK:
            return self.file
        file = self.read(self.path(key))
        return None if isinstance(file, str) else file

    def load(self, key: str) -> bytes:
        """The bytes of a file.

        Raises:
            ProblemError: AC702 it can't be read; AC703 it is not the one that was locked.
        """
        file = self.read(self.path(key))
        at = (PARTS, LOCK, "files", key)
        if isinstance(file, str):
            message = f"can't read `{self.path(key)}`: {file}"
            help_ = "import the document again with `agentc import openapi`"
            raise ProblemError(Problem("AC702", message, at, help_))
        if file.sha256 != self.header.files[key]:
            raise ProblemError(
                Problem(
                    "AC703",
                    f"`{self.path(key)}` has the digest `{file.sha256}`",
                    at,
                    "read what changed, then import the document again with `agentc import openapi`",
                )
            )
        return file.data

    def stale(self, expected: str) -> Problem | None:
        """AC717, at the first line that differs, if the lock does not show what is `expected`."""
        head, end, text = self.file.data.partition(_END)
        found, wanted = _split(text.decode(errors="replace")), _split(expected)
        if found == wanted:
            return None
        at = next(
            (number for number, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]),
            min(len(found), len(wanted)),
        )
        if at >= len(found):
            message = f"the lock leaves out `{_clipped(wanted[at])}` of `{self.document}`"
        elif at >= len(wanted):
            message = f"the lock shows `{_clipped(found[at])}`, which is not used of `{self.document}`"
        else:
            shown, said = _clipped(found[at]), _clipped(wanted[at])
            message = f"the lock shows `{shown}` where `{self.document}` says `{said}`"
        line = (head + end).count(b"\n") + (at if end else -1) + 1
        last = max(1, min(line, len(self.file.lines)))
        width = len(self.file.lines[last - 1])
        help_ = f"write it anew with `agentc import openapi {self.document}`, and read what changed"
        return Problem("AC717", message, (), help_, (last, 1, max(2, width + 1)))


def lock_path(document: str) -> str:
    """The path of a document's lock: `api/desk.lock.yaml` for `api/desk.yaml`."""
    return posixpath.splitext(document)[0] + ".lock.yaml"


def stored_path(key: str, document: str) -> str:
    """Where a file of a document is kept, from the folder of the main file: one that came by URL in a folder
    of its own, under a name that no other URL gives."""
    if not is_url(key):
        return key
    parts = urlsplit(key)
    name = posixpath.basename(parts.path)
    stem, suffix = posixpath.splitext(name)
    suffix = suffix.lower() if suffix.lower() in SUFFIXES else ".yaml"
    safe = _UNSAFE.sub("_", stem)[:60].lstrip(".") or "file"
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:12]
    host = _UNSAFE.sub("_", parts.netloc)[:100].lstrip(".") or "host"
    folder = posixpath.splitext(posixpath.basename(document))[0] + ".urls"
    return f"{folder}/{host}/{safe}-{digest}{suffix}"


def read_lock(
    file: SourceFile,
    main: SourceFile,
    read: Callable[[str], SourceFile | str],
    operations: frozenset[str] | None = None,
) -> Locked | Problem:
    """The lock in `file` of the document `main`; a problem when it is malformed or not of these bytes.

    The problem's pointer leads into the lock.
    """
    header = read_header(file)
    if isinstance(header, Problem):
        return header
    if header.sha256 != main.sha256:
        return Problem(
            "AC703",
            f"`{main.path}` has the digest `{main.sha256}`",
            ("sha256",),
            f"read what changed, then pin it: `agentc import openapi {main.path}`",
        )
    return Locked(file, main.path, header, read, operations)


def read_header(file: SourceFile) -> Header | Problem:
    """What a lock says beside the text, whatever document it is of."""
    try:
        root, duplicates = decode(file.path, file.data.partition(_END)[0] + b"\n")
    except ProblemError as error:
        return error.problem
    if duplicates:
        return duplicates[0].problem()
    found = root if isinstance(root, dict) else {}
    main, sha256, source, base = (found.get(key) for key in ("main", "sha256", "source", "base"))
    files, names = found.get("files"), found.get("names", {})
    if (
        not isinstance(main, str)
        or not _is_digest(sha256)
        or not isinstance(files, dict)
        or not all(_is_digest(digest) for digest in files.values())
        or not isinstance(names, dict)
        or not all(isinstance(place, str) for place in names.values())
        or not isinstance(source, str | None)
        or not isinstance(base, str | None)
    ):
        return Problem(
            "AC701",
            "the lock has to name the main file and its digest, and map each other file to its digest",
            ("files",),
            "write it anew with `agentc import openapi`",
        )
    return Header(main, str(sha256), source, base, files, names)


def lock_text(header: Header, shown: str) -> str:
    """The text of a lock. `shown` is what is used of the document, as canonical YAML."""
    said = {key: value for key, value in header._asdict().items() if value or key == "files"}
    return _HEADER + canonical_yaml(said) + (f"---\n{shown}" if shown else "")


def _split(text: str) -> list[str]:
    """The lines as an editor shows them: no other character than LF ends one."""
    return text.removesuffix("\n").split("\n") if text else []


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _clipped(line: str) -> str:
    line = line.strip().replace("`", "'")
    return line if len(line) <= 80 else line[:79] + "…"
