"""`agentc import openapi`: the one place where a document may come from the network."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from ..source import SourceFile
from .collecting import Fetch, collect, from_folder
from .document import entries, load_document, with_parts
from .layout import Layout, is_url
from .lock import Header, lock_path, lock_text, read_header, stored_path
from .placing import obsolete, placed, write
from .position import problem_span
from .problem import ImportProblem, Problem
from .shown import shown_text

if TYPE_CHECKING:
    from .fetching import Fetched, Fetcher, Watch

MAX_BYTES: Final = 64 * 1024 * 1024
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Source(NamedTuple):
    """A document as it was found. `said` is the path or URL that was given, `layout` how its files are
    called, and `fetch` gives the others. `lock` is the one beside it when it is the project's own copy."""

    said: str
    data: bytes
    layout: Layout
    fetch: Fetch
    lock: Header | None = None


class Import(NamedTuple):
    """What an import writes, by path, and what the document says of itself.

    `path` is the main file, and `files` counts the others. `refused` says which references lead to no file
    that is copied, the first of `unfollowed` ones. `obsolete` are files of the document that it had before.
    """

    path: Path
    contents: Mapping[Path, bytes]
    sha256: str
    title: str
    version: str
    operations: int
    files: int = 0
    refused: tuple[str, ...] = ()
    unfollowed: int = 0
    obsolete: tuple[Path, ...] = ()


@contextmanager
def opened(
    source: str, pinned: Path | None = None, *, named: bool = True, watch: Watch | None = None
) -> Iterator[Source]:
    """The document at a path or an `http(s)` URL; connections are kept until the end.

    Args:
        source: what a person gave, or a lock remembers.
        pinned: the project's own copy. If that is the source, its lock says what its other files are.
        named: whether a person gave the source; else it has to be on the public internet.
        watch: is told of each download.

    Raises:
        ImportProblem: it can't be read, or is larger than `MAX_BYTES`.
    """
    with ExitStack() as stack:
        fetchers: list[Fetcher] = []

        def network(url: str, limit: int) -> Fetched:
            from .fetching import Fetcher

            if not fetchers:
                fetchers.append(stack.enter_context(Fetcher(source if named and remote else None, watch)))
            return fetchers[0].get(url, limit)

        remote = is_url(source)
        if remote:
            found = network(source, MAX_BYTES)
            base = urlsplit(found.url)._replace(query="", fragment="").geturl()
            layout = Layout(PurePosixPath(urlsplit(base).path).name or "openapi", base)
            yield Source(source, found.data, layout, _fetch(network, None, base))
            return
        path = Path(source)
        data = _read(path)
        same = pinned is not None and pinned.exists() and os.path.samefile(path, pinned)
        header = own_lock(path) if same else None
        layout = Layout(path.name) if header is None else Layout(header.main, header.base)
        yield Source(source, data, layout, _fetch(network, path, layout.base, header), header)


def plan_import(
    source: Source,
    target: Path,
    name: str | None,
    operations: Callable[[Path], frozenset[str]],
    remember: str | None = None,
) -> Import:
    """Check a document, and say what is written to have it in the folder `target`.

    Args:
        source: the document.
        target: the project's folder for documents.
        name: the file's name in `target`; by default its own. Then one of several files gets a folder there.
        operations: those that toolsets use of the document at a path; the lock shows what they say.
        remember: where the lock says that it came from; by default what the lock says now.

    Raises:
        ImportProblem: it is no OpenAPI document, or its files would take the place of others.
    """
    file = SourceFile(source.said, source.data)
    file_name = _file_name(name or re.split(r"[?#]", source.said)[0], source.data)
    document = load_document(file_name, source.data)
    if isinstance(document, Problem):
        span = problem_span(file, document)
        raise ImportProblem(f"{source.said}:{span.line}:{span.column}: {document.message}", document.help)
    parts = collect(file, source.layout, document, source.fetch)
    layout = Layout(source.layout.main, source.layout.base, parts.files, parts.names)
    whole = with_parts(document, layout, parts.files.__getitem__)
    path = (target / Path(file_name).stem if parts.files and name is None else target) / file_name
    before = own_lock(path)
    header = Header(
        main=layout.main,
        sha256=file.sha256,
        source=remember or (source.lock.source if source.lock is not None else None),
        base=layout.base if parts.files or f"{layout.base}#".encode() in source.data else None,
        files={key: hashlib.sha256(data).hexdigest() for key, data in parts.files.items()},
        names=parts.names,
    )
    lock = lock_text(header, shown_text(whole, operations(path)))
    return Import(
        path=path,
        contents=placed(path, source.data, parts.files, lock, before),
        sha256=header.sha256,
        title=document.text("info", "title"),
        version=document.text("info", "version"),
        operations=len(entries(whole)[0]),
        files=len(parts.files),
        refused=parts.refused,
        unfollowed=parts.unfollowed,
        obsolete=tuple(obsolete(path, before, header)),
    )


def write_import(planned: Import) -> None:
    """Write the files, the main one and its lock last, and remove those that the document no longer has.

    Raises:
        ImportProblem: one can't be written.
    """
    for file, content in planned.contents.items():
        write(file, content)
    for file in planned.obsolete:
        try:
            file.unlink()
        except OSError as error:
            raise ImportProblem(f"can't remove `{file}`: {error.strerror}") from error


# --- reading -------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            problem = (
                "is a folder" if path.is_dir() else "is not there" if not path.exists() else "is no file"
            )
            raise ImportProblem(f"`{path}` {problem}", "give the path or URL of an OpenAPI document")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImportProblem(f"can't read `{path}`: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ImportProblem(f"`{path}` is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def _fetch(
    network: Callable[[str, int], Fetched], main: Path | None, base: str | None, lock: Header | None = None
) -> Fetch:
    """The other files: of a document on disk those in its folder, and what has a URL from the network; of the
    project's own copy what its lock names is there already."""
    folder = from_folder(main.absolute().parent) if main is not None else None

    def fetch(key: str, limit: int) -> bytes | str:
        if main is not None and folder is not None:
            if not is_url(key):
                return folder(key, limit)
            if lock is not None and key in lock.files:
                return folder(stored_path(key, main.name), limit)
        try:
            return network(key if is_url(key) else urljoin(base or "", quote(key)), limit).data
        except ImportProblem as error:
            return error.message

    return fetch


def own_lock(path: Path) -> Header | None:
    """What the lock beside a document says, if there is one that can be read."""
    beside = Path(lock_path(str(path)))
    if not beside.is_file():
        return None
    try:
        header = read_header(SourceFile(str(beside), beside.read_bytes()))
    except OSError:
        return None
    return header if isinstance(header, Header) else None


def _file_name(label: str, data: bytes) -> str:
    """A file name for a document: nothing of a label leads into another folder or hides the file."""
    name = _UNSAFE.sub("_", Path(label).name).lstrip(".") or "openapi"
    if not name.lower().endswith((".json", ".yaml", ".yml")):
        name += ".json" if data.lstrip()[:1] == b"{" else ".yaml"
    return name
