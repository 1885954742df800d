"""API keys: shown once when they are made, kept as digests, withdrawn by deleting a line.

A key is `agentc_ID_SECRET` with 256 random bits, so that one SHA-256 keeps it: there is nothing to guess that
a slow hash would protect (NIST SP 800-63B, section 5.1.1, speaks of secrets that people choose).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from .caller import Caller, Role, UnknownCallerError

_KEY: Final = re.compile(r"agentc_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_UNKNOWN: Final = "the API key is not one of this service"
#: A file with more is not one of ours.
_MAX_BYTES: Final = 16 * 1024 * 1024


class KeyFileError(Exception):
    """The file of keys can't be used: one line that says why and where."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of a key. `sha256` is the digest of the whole key, in hex; times are RFC 3339 in UTC."""

    id: str
    sha256: str
    tenant: str
    subject: str
    roles: tuple[Role, ...]
    groups: tuple[str, ...] = ()
    created: str
    expires: str | None = None


def make_key(
    *,
    tenant: str,
    subject: str,
    roles: tuple[Role, ...],
    groups: tuple[str, ...] = (),
    now: datetime,
    expires: datetime | None = None,
) -> tuple[str, ApiKey]:
    """A fresh key, and what is kept of it."""
    identifier = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    key = f"agentc_{identifier}_{secrets.token_urlsafe(32)}"
    return key, ApiKey(
        id=identifier,
        sha256=_digest(key),
        tenant=tenant,
        subject=subject,
        roles=roles,
        groups=groups,
        created=_text(now),
        expires=None if expires is None else _text(expires),
    )


def read_keys(path: Path) -> Mapping[str, ApiKey]:
    """The keys of a file by their id: one JSON object a line.

    Raises:
        KeyFileError: it can't be read, or a line is no key, or two have one id.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"can't read the API keys in `{path}`: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise KeyFileError(f"`{path}` has {len(data)} bytes; a file of API keys has {_MAX_BYTES} at most")
    keys: dict[str, ApiKey] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            key = msgspec.json.decode(line, type=ApiKey)
            if key.expires is not None:
                datetime.fromisoformat(key.expires)
        except (msgspec.DecodeError, ValueError) as error:
            raise KeyFileError(f"`{path}:{number}` is not an API key: {error}") from error
        if key.id in keys:
            raise KeyFileError(f"`{path}:{number}` has the id `{key.id}` of a line above")
        keys[key.id] = key
    return keys


def write_keys(path: Path, keys: Mapping[str, ApiKey]) -> None:
    """Put `keys` in the place of the file, readable by its owner alone; whole or not at all.

    Raises:
        KeyFileError: it can't be written.
    """
    lines = "".join(json.dumps(msgspec.to_builtins(key), ensure_ascii=False) + "\n" for key in keys.values())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise KeyFileError(f"can't write the API keys in `{path}`: {error.strerror}") from error


class ApiKeys:
    """The keys of one file, read again when it changes: a deleted line takes effect with the next request.

    A file that has become unreadable lets nobody in.
    """

    def __init__(self, path: Path) -> None:
        """Read `path`.

        Raises:
            KeyFileError: see `read_keys`.
        """
        self._path = path
        self._stamp = self._now_there()
        self._keys = read_keys(path)

    def caller(self, key: str, now: datetime) -> Caller:
        """Whose key it is.

        Raises:
            UnknownCallerError: nobody's, or its time is up.
            KeyFileError: the file has changed and can't be read.
        """
        shape = _KEY.fullmatch(key)
        if shape is None:
            raise UnknownCallerError(_UNKNOWN)
        kept = self._current().get(shape[1])
        if kept is None or not hmac.compare_digest(kept.sha256, _digest(key)):
            raise UnknownCallerError(_UNKNOWN)
        return _caller(kept, now)

    def owner(self, identifier: str, now: datetime) -> Caller:
        """Who has the key with this id, for a session that was begun with it.

        Raises:
            UnknownCallerError: it was withdrawn, or its time is up.
            KeyFileError: the file has changed and can't be read.
        """
        kept = self._current().get(identifier)
        if kept is None:
            raise UnknownCallerError("the API key was withdrawn")
        return _caller(kept, now)

    def _current(self) -> Mapping[str, ApiKey]:
        stamp = self._now_there()
        if stamp != self._stamp:
            self._keys = read_keys(self._path)
            self._stamp = stamp
        return self._keys

    def _now_there(self) -> tuple[int, int, int]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise KeyFileError(f"can't read the API keys in `{self._path}`: {error.strerror}") from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


def key_id(key: str) -> str | None:
    """The id of a key of this form, which is no secret."""
    shape = _KEY.fullmatch(key)
    return None if shape is None else shape[1]


def _caller(kept: ApiKey, now: datetime) -> Caller:
    if kept.expires is not None and now >= datetime.fromisoformat(kept.expires):
        raise UnknownCallerError(f"the API key `{kept.id}` expired on {kept.expires}")
    return Caller(kept.tenant, kept.subject, frozenset(kept.roles), frozenset(kept.groups), "api_key")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
