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
#: Where documents stand in a project unless it says otherwise.
FOLDER = "openapi"
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class ImportProblem(Exception):
    """The document can't be imported. `help` says what to do, when something can be done."""

    def __init__(self, message: str, help_: str | None = None) -> None:
        super().__init__(message if help_ is None else f"{message}; {help_}")
        self.message = message
        self.help = help_


class Imported(NamedTuple):
    """A document that was imported: its path in the project, the digest to pin, what it says of itself."""

    path: str
    sha256: str
    title: str
    version: str
    operations: int


def import_document(source: str, project: Path, target: str | None = None) -> Imported:
    """Read an OpenAPI document from a path or an `http(s)` URL, check it, write it into the project.

    Args:
        source: a path, or a URL; up to `MAX_REDIRECTS` redirects are followed, none from https to http.
        project: the project's root.
        target: where to write, relative to the root; by default `openapi/` and the last part of `source`.

    Raises:
        ImportProblem: it can't be read or written, is larger than `MAX_BYTES`, is not OpenAPI 3.0 or 3.1, or
            `target` is outside the project.
    """
    remote = source.lower().startswith(("http://", "https://"))
    if target is not None:
        _inside(project, target)
    data = _download(source) if remote else _read(Path(source))
    if target is None:
        target = f"{FOLDER}/{_file_name(re.split(r'[?#]', source)[0] if remote else source, data)}"
    document = load_document(target, data)
    if isinstance(document, Problem):
        span = problem_span(SourceFile(source, data), document)
        raise ImportProblem(f"{source}:{span.line}:{span.column}: {document.message}", document.help)
    _inside(project, target)
    _write(project / target, data)
    found, _ = entries(document)
    return Imported(
        path=target,
        sha256=hashlib.sha256(data).hexdigest(),
        title=document.text("info", "title"),
        version=document.text("info", "version"),
        operations=len(found),
    )


def _file_name(source: str, data: bytes) -> str:
    name = _NAME.sub("_", Path(source).name).lstrip(".") or "openapi"
    if name.lower().endswith((".json", ".yaml", ".yml")):
        return name
    return name + (".json" if data.lstrip()[:1] == b"{" else ".yaml")


def _inside(project: Path, target: str) -> None:
    """Refuse a target outside the project, by its text or by a symbolic link on the way."""
    if not (project / target).resolve().is_relative_to(project.resolve()) or (project / target).is_dir():
        raise ImportProblem(f"`{target}` is not a file inside the project `{project}`")


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
