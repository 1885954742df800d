"""The runtime program to bundle bytes: canonical JSON, digests, nothing that depends on time or place."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from agentc_runtime import __version__
from agentc_runtime import bundle as ir
from agentc_runtime.archive import pack, unpack
from agentc_runtime.canonical import canonical
from agentc_runtime.whole import write_whole

from .source import SourceFile


class EmitError(Exception):
    """The bundle can't be written where it was asked for. The message is one line."""


def emit(
    program: ir.Program,
    source_map: ir.SourceMap,
    sources: Iterable[SourceFile],
    evidence: Mapping[str, bytes],
) -> dict[str, bytes]:
    """The files of the bundle, by path. The same input gives the same bytes on any machine.

    `evidence` are files about the program, by their path in the bundle.
    """
    files = {
        **evidence,
        ir.PROGRAM: canonical(msgspec.to_builtins(program)),
        ir.SOURCE_MAP: canonical(msgspec.to_builtins(source_map)),
    }
    manifest = ir.Manifest(
        format=ir.FORMAT,
        agent=program.agent,
        compiler=f"agentc {__version__}",
        files=tuple(
            ir.File(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            for path, data in sorted(files.items())
        ),
        sources=tuple(
            ir.Source(path=source.path, sha256=source.sha256)
            for source in sorted(sources, key=lambda source: source.path)
        ),
    )
    return {ir.MANIFEST: canonical(msgspec.to_builtins(manifest)), **files}


def write_archive(files: Mapping[str, bytes], target: Path) -> None:
    """Write the bundle as one file, in one step.

    Raises:
        EmitError: `target` can't be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, pack(files))
    except OSError as error:
        raise EmitError(f"can't write `{target}`: {error.strerror}") from error


def add_files(bundle: Path, files: Mapping[str, bytes]) -> None:
    """Add attestations to the bundle in the folder or archive `bundle`, each file in one step.

    Raises:
        EmitError: it can't be written.
    """
    try:
        if not bundle.is_dir():
            write_whole(bundle, pack({**unpack(bundle.read_bytes()), **files}))
            return
        for path, data in files.items():
            (bundle / path).parent.mkdir(exist_ok=True)
            write_whole(bundle / path, data)
    except OSError as error:
        raise EmitError(f"can't write to `{bundle}`: {error.strerror}") from error


def write_bundle(files: Mapping[str, bytes], target: Path) -> None:
    """Write the bundle's folder in one step: a reader sees the old one or the new one, never a mixture.

    Raises:
        EmitError: `target` is something else than a bundle, or it can't be written.
    """
    if target.exists() and not (target / ir.MANIFEST).is_file():
        raise EmitError(f"`{target}` exists and is not a bundle: choose another folder with --out")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise EmitError(f"can't write `{target}`: {error.strerror}") from error
    try:
        for path, data in files.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).parent.mkdir(exist_ok=True)
            (staging / path).write_bytes(data)
        staging.chmod(0o755)
        if target.exists():
            retired = staging.with_name(staging.name + ".old")
            os.replace(target, retired)
            os.replace(staging, target)
            shutil.rmtree(retired)
        else:
            os.replace(staging, target)
    except OSError as error:
        raise EmitError(f"can't write `{target}`: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
