"""Attestations of a bundle: who signs with which key, and what is said of it."""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agentc_runtime.strictjson import StrictJsonError
from agentc_runtime.strictjson import parse as parse_json
from agentc_runtime.trust.dsse import IN_TOTO, seal
from agentc_runtime.trust.keys import KeyProblemError, Signer, key_id, public_of, signer, verifier
from agentc_runtime.trust.reports import another_bundle
from agentc_runtime.trust.statement import EVIDENCE, evidence, provenance, statement
from agentc_runtime.verify import MAX_ATTESTATION_BYTES, Bundle, attestation_path

#: The variable with the password of an encrypted private key.
PASSWORD = "AGENTC_KEY_PASSWORD"  # noqa: S105  the name of a variable
MAX_KEY_BYTES = 64 * 1024
#: How long a command may take to sign, in seconds.
COMMAND_SECONDS = 60


class SigningError(Exception):
    """Nothing was signed. The message is one line and holds nothing of a key."""


def load_signer(source: str, public_key: Path | None) -> Signer:
    """The signer of `--key`: a file, `env:NAME`, or `command:…` with its public key in a file.

    Raises:
        SigningError: it can't be had, or is no key.
    """
    try:
        if source.startswith("command:"):
            return _command(source.removeprefix("command:"), public_key)
        password = os.environ.get(PASSWORD)
        return signer(_pem(source), password.encode() if password else None)
    except KeyProblemError as error:
        hint = f"; the variable {PASSWORD} may hold one" if "password" in str(error) else ""
        raise SigningError(f"--key {source.partition(':')[0]}: {error}{hint}") from error


def attest(
    bundle: Bundle, signer: Signer, builder: str, reports: Sequence[tuple[str, object]] = ()
) -> dict[str, bytes]:
    """What `agentc sign` adds: provenance and a bill of materials, or one attestation for each report.

    Raises:
        SigningError: the key's command does not sign, or a library is not installed.
    """
    try:
        from .sbom import bill_of_materials
    except ModuleNotFoundError as error:
        told = "a bill of materials needs the library `cyclonedx-python-lib`: pip install 'agentc[trust]'"
        raise SigningError(told) from error

    now = datetime.now(UTC)
    said: list[tuple[str, dict[str, object]]]
    if reports:
        said = [(kind, evidence(report, now)) for kind, report in reports]
    else:
        said = [
            ("provenance", provenance(bundle.manifest, builder, now)),
            ("sbom", bill_of_materials(bundle)),
        ]
    sealed = [
        (kind, seal(statement(bundle, kind, predicate), IN_TOTO, signer.keyid, signer.sign))
        for kind, predicate in said
    ]
    return {attestation_path(kind, data): data for kind, data in sealed}


def read_reports(named: Iterable[str], digest: str) -> tuple[tuple[str, object], ...]:
    """The reports of `--evidence KIND=FILE` about the bundle with that digest, each with its kind.

    Raises:
        SigningError: an unknown kind, a file that is no strict JSON, or a report about another bundle.
    """
    reports: list[tuple[str, object]] = []
    for text in named:
        kind, separator, file = text.partition("=")
        if not separator or kind not in EVIDENCE:
            known = ", ".join(EVIDENCE)
            raise SigningError(f"--evidence {text}: write KIND=FILE, with a KIND of {known}")
        try:
            report = parse_json(_read(Path(file), MAX_ATTESTATION_BYTES // 2).decode())
        except (StrictJsonError, UnicodeDecodeError) as error:
            raise SigningError(f"--evidence {text}: not strict JSON: {error}") from error
        other = another_bundle(report, digest)
        if other is not None:
            raise SigningError(
                f"--evidence {text}: the report is about another bundle, {other}, not sha256:{digest[:12]}…: "
                "`agentc eval --bundle` runs this one"
            )
        reports.append((kind, report))
    return tuple(reports)


def _pem(source: str) -> bytes:
    if not source.startswith("env:"):
        return _read(Path(source), MAX_KEY_BYTES)
    name = source.removeprefix("env:")
    value = os.environ.get(name)
    if not value:
        raise SigningError(f"--key {source}: the variable `{name}` is not set")
    return value.encode()


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise SigningError(f"can't read `{path}`: {error.strerror}") from error
    if len(data) > limit:
        raise SigningError(f"`{path}` is larger than {limit} bytes")
    return data


def _command(line: str, public_key: Path | None) -> Signer:
    """A signer in another program, such as the client of a key management service.

    It gets the bytes on standard input and writes the signature in base64. What it gives is checked here.
    """
    if public_key is None:
        raise SigningError("--key command: needs --public-key, the file with the public key in PEM")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SigningError(f"--key command: can't be split into words: {error}") from error
    if not words:
        raise SigningError("--key command: names no command")
    public = public_of(_read(public_key, MAX_KEY_BYTES))
    known = verifier(public)

    def sign(data: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  the command that the user names, without a shell
                words, input=data, capture_output=True, check=False, timeout=COMMAND_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise SigningError(f"`{words[0]}` took longer than {COMMAND_SECONDS} s to sign") from error
        except OSError as error:
            raise SigningError(f"can't run `{words[0]}`: {error.strerror}") from error
        if done.returncode != 0:
            raise SigningError(f"`{words[0]}` ended with exit code {done.returncode} and no signature")
        try:
            signature = base64.b64decode(b"".join(done.stdout.split()), validate=True)
        except binascii.Error as error:
            raise SigningError(f"what `{words[0]}` wrote is not base64") from error
        if not known.verify(data, signature):
            raise SigningError(f"what `{words[0]}` wrote is no signature by the key in `{public_key}`")
        return signature

    return Signer(public, key_id(public), sign)
