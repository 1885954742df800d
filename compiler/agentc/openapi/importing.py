"""`agentc import openapi`: the one place where a document may come from the network."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from ..source import SourceFile
from .document import entries, load_document
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
    """A document that was imported: its file, the digest to pin, and what it says of itself."""

    path: Path
    sha256: str
    title: str
    version: str
    operations: int


def import_document(source: str, target: Path, name: str | None = None) -> Imported:
    """Read an OpenAPI document from a path or an `http(s)` URL, check it, write it into the folder `target`.

    Args:
        source: a path, or a URL; up to `MAX_REDIRECTS` redirects are followed, none from https to http.
        target: the project's folder for documents; made if it is not there.
        name: the file's name in `target`; by default the last part of `source`.

    Raises:
        ImportProblem: it can't be read or written, is larger than `MAX_BYTES`, or is no OpenAPI document.
    """
    remote = source.lower().startswith(("http://", "https://"))
    data = _download(source) if remote else _read(Path(source))
    wanted = name or (re.split(r"[?#]", source)[0] if remote else source)
    file_name = _NAME.sub("_", Path(wanted).name).lstrip(".") or "openapi"
    if not file_name.lower().endswith((".json", ".yaml", ".yml")):
        file_name += ".json" if data.lstrip()[:1] == b"{" else ".yaml"
    document = load_document(file_name, data)
    if isinstance(document, Problem):
        span = problem_span(SourceFile(source, data), document)
        raise ImportProblem(f"{source}:{span.line}:{span.column}: {document.message}", document.help)
    path = target / file_name
    _write(path, data)
    found, _ = entries(document)
    return Imported(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        title=document.text("info", "title"),
        version=document.text("info", "version"),
        operations=len(found),
    )


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


def _too_large(source: str) -> ImportProblem:
    return ImportProblem(f"`{source}` is larger than {MAX_BYTES // 1024 // 1024} MiB")


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
