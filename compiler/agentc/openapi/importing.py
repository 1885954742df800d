"""`agentc import openapi`: the one place where a document may come from the network."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote, urljoin

from ..source import SourceFile
from .collecting import Collected, CollectError, Fetch, collect, from_folder, is_spec, used_slice
from .document import Document, entries, load_document, with_parts
from .lock import lock_path, lock_text, locked_digests
from .position import problem_span
from .problem import Problem

MAX_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 30.0
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class ImportProblem(Exception):
    """The document can't be imported. `help` says what to do, when something can be done."""

    def __init__(self, message: str, help_: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


class Imported(NamedTuple):
    """A document that was imported: its file, the digest to pin, and what it says of itself.

    `files` counts those beside the main one; `refused` says which references lead to no file that is
    copied, the first of `unfollowed` ones.
    """

    path: Path
    sha256: str
    title: str
    version: str
    operations: int
    files: int = 0
    refused: tuple[str, ...] = ()
    unfollowed: int = 0


def import_document(
    source: str, target: Path, name: str | None = None, *, wanted: frozenset[str] = frozenset()
) -> Imported:
    """Read an OpenAPI document from a path or an `http(s)` URL, check it, write it into the folder `target`.

    Args:
        source: a path, or a URL; up to `MAX_REDIRECTS` redirects are followed, none from https to http.
        target: the project's folder for documents; made if it is not there.
        name: the file's name in `target`; by default the last part of `source`. Then a document of several
            files gets a folder of its own in `target`.
        wanted: the operations of which the lock of such a document says in full what they are.

    Raises:
        ImportProblem: it can't be read or written, is larger than `MAX_BYTES`, or is no OpenAPI document.
    """
    remote = source.lower().startswith(("http://", "https://"))
    data = _download(source) if remote else _read(Path(source))
    label = name or (re.split(r"[?#]", source)[0] if remote else source)
    file_name = _NAME.sub("_", Path(label).name).lstrip(".") or "openapi"
    if not file_name.lower().endswith((".json", ".yaml", ".yml")):
        file_name += ".json" if data.lstrip()[:1] == b"{" else ".yaml"
    document = load_document(file_name, data)
    if isinstance(document, Problem):
        span = problem_span(SourceFile(source, data), document)
        raise ImportProblem(f"{source}:{span.line}:{span.column}: {document.message}", document.help)
    found, _ = entries(document)
    own = PurePosixPath(re.split(r"[?#]", source)[0]).name if remote else Path(source).name
    fetch = _from_url(source) if remote else from_folder(Path(source).absolute().parent)
    parts = _parts(SourceFile(source, data), own, document, fetch)
    if parts.files and name is None:
        target = target / Path(file_name).stem
    path = target / file_name
    files = {path: data}
    if parts.files:
        whole = with_parts(_loaded(own, data), own, parts.files.keys(), parts.files.__getitem__)
        found, _ = entries(whole)
        used = used_slice(_loaded(own, data), own, parts.files, wanted)
        files |= _placed(target, path, own, data, parts.files, lock_text(own, data, parts.files, used))
    for file, content in files.items():
        _write(file, content)
    return Imported(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        title=document.text("info", "title"),
        version=document.text("info", "version"),
        operations=len(found),
        files=len(parts.files),
        refused=parts.refused,
        unfollowed=parts.unfollowed,
    )


def _parts(file: SourceFile, name: str, document: Document, fetch: Fetch) -> Collected:
    """The other files of a document. Swagger 2.0 is kept to one file."""
    if document.version == "2.0":
        return Collected({})
    try:
        return collect(file, name, document, fetch)
    except CollectError as error:
        raise ImportProblem(str(error)) from error


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
        raise _too_large(str(path))
    return data


def _download(url: str) -> bytes:
    import httpx

    def refuse_downgrade(request: httpx.Request) -> None:
        if url.lower().startswith("https:") and request.url.scheme != "https":
            raise ImportProblem(f"`{url}` redirects to plain http", "give the document's own https URL")

    client = httpx.Client(
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        timeout=TIMEOUT_SECONDS,
        event_hooks={"request": [refuse_downgrade]},
    )
    data = bytearray()
    try:
        with client, client.stream("GET", url, headers={"accept": "*/*"}) as response:
            if response.status_code != 200:
                raise ImportProblem(f"`{url}` answered with status {response.status_code}")
            for chunk in response.iter_bytes(1 << 16):
                data += chunk
                if len(data) > MAX_BYTES:
                    raise _too_large(url)
    except httpx.TooManyRedirects as error:
        raise ImportProblem(f"`{url}` redirects more than {MAX_REDIRECTS} times") from error
    except httpx.TimeoutException as error:
        raise ImportProblem(f"`{url}` did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ImportProblem(f"can't read `{url}`: {error or type(error).__name__}") from error
    return bytes(data)


def _from_url(source: str) -> Fetch:
    """Files below the folder of a URL, from the same origin; no redirect is followed."""

    def fetch(path: str, limit: int) -> bytes | str:
        import httpx

        url = urljoin(source, quote(path))
        data = bytearray()
        try:
            with httpx.stream("GET", url, timeout=TIMEOUT_SECONDS, headers={"accept": "*/*"}) as response:
                if response.status_code != 200:
                    return f"`{url}` answered with status {response.status_code}"
                for chunk in response.iter_bytes(1 << 16):
                    data += chunk
                    if len(data) > limit:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"can't read `{url}`: {error or type(error).__name__}"
        return bytes(data)

    return fetch


def _too_large(source: str) -> ImportProblem:
    return ImportProblem(f"`{source}` is larger than {MAX_BYTES // 1024 // 1024} MiB")


def _loaded(name: str, data: bytes) -> Document:
    """The document again, as it was before its references were followed."""
    document = load_document(name, data)
    assert isinstance(document, Document)
    return document


def _placed(
    target: Path, path: Path, name: str, data: bytes, files: Mapping[str, bytes], lock: str
) -> dict[Path, bytes]:
    """Where in `target` the files of a document are written.

    Raises:
        ImportProblem: one would take the place of a file that is not of the document, or be read as a spec.
    """
    beside = Path(lock_path(str(path)))
    known: Mapping[str, str] = {}
    if beside.is_file():
        known = locked_digests(SourceFile(str(beside), beside.read_bytes()))
    placed = {target / one: content for one, content in files.items()}
    base = os.path.realpath(target)
    for one, content in files.items():
        file = target / one
        if os.path.realpath(file) != os.path.join(base, one):
            raise ImportProblem(f"`{file}` lies behind a symbolic link", "take the link away")
        if file == path or (file.exists() and one not in known and file.read_bytes() != content):
            raise ImportProblem(
                f"`{file}` is there already and no part of the document",
                "move it, or let the toolset name a document in a folder of its own",
            )
    text = lock.encode()
    if is_spec(data) or is_spec(text):
        raise ImportProblem(f"`{name}` says that it is a spec of agentc", "import a document that is none")
    return {**placed, beside: text}


def _write(path: Path, data: bytes) -> None:
    """Write in one step: a reader sees the old document or the new one."""
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
