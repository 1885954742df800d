"""Secrets in a server that speaks Vault's HTTP API: key-value engines of version 1 and 2.

Source: https://developer.hashicorp.com/vault/api-docs/secret/kv, versions 1 and 2, and `/vault/api-docs`.
Requests go through the transport of tools, under the same checks. No text of an answer gets into a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from .environments import Vault, VaultField
from .quoting import shortened, shown
from .refusals import Refusal, RefusedError
from .sources import MAX_SECRET, Reading, checked
from .strictjson import StrictJsonError, parse
from .urls import UrlError, parse_base
from .wire import HttpRequest, Transport

#: Milliseconds for one request to Vault, and bytes of its answer.
TIMEOUT_MS: Final = 5_000
MAX_ANSWER: Final = 2_097_152

_STATUSES: Final = {
    400: "refuses the request: look at `namespace` and `mount`",
    403: "does not let the token read it: the token has expired, or no policy of it allows this path",
    429: "is asked too often",
    501: "is not initialized",
    503: "is sealed, or down for maintenance",
}


async def read_fields(
    vault: Vault, token: str, wanted: Mapping[str, VaultField], transport: Transport
) -> dict[str, Reading | Refusal]:
    """The values of the secrets in `wanted`, by name, or why there is none (AR508).

    Each path is read once, all of them at the same time.
    """
    paths: dict[tuple[str, str, int], dict[str, VaultField]] = {}
    for name, field in wanted.items():
        paths.setdefault((field.mount, field.path, field.kv_version), {})[name] = field
    found = await asyncio.gather(*(_read(vault, token, group, transport) for group in paths.values()))
    return {name: outcome for group in found for name, outcome in group.items()}


async def _read(
    vault: Vault, token: str, wanted: Mapping[str, VaultField], transport: Transport
) -> dict[str, Reading | Refusal]:
    """The values of fields that stand at one path."""
    place = next(iter(wanted.values()))
    try:
        request = _request(vault, token, place)
        async with transport.send(request) as answer:
            status = answer.status
            body = b"".join([piece async for piece in answer.chunks()])
        said = _said(status, body)
    except RefusedError as error:
        return {name: _unread(name, place, error.refusal.message) for name in wanted}
    return {name: _value(vault, name, field, said) for name, field in wanted.items()}


def _request(vault: Vault, token: str, place: VaultField) -> HttpRequest:
    try:
        base = parse_base(vault.address)
    except UrlError as error:
        raise _problem(f"its address {shown(vault.address)} {error}") from error
    if not (token.isascii() and token.isprintable()):
        raise _problem("its token has characters that a header can't carry")
    between = ("data",) if place.kv_version == 2 else ()
    segments = ("v1", *place.mount.split("/"), *between, *place.path.split("/"))
    if any(segment in ("", ".", "..") for segment in segments):
        raise _problem("the path is not plain segments")
    headers = {"accept": "application/json", "x-vault-request": "true", "x-vault-token": token}
    if vault.namespace:
        headers["x-vault-namespace"] = vault.namespace
    target = base.target + "".join(f"/{quote(segment, safe='')}" for segment in segments)
    return HttpRequest(
        method="GET",
        url=f"{base.scheme}://{base.authority}{target}",
        headers=headers,
        body=None,
        origin=base.origin,
        timeout_ms=TIMEOUT_MS,
        max_response_bytes=MAX_ANSWER,
        private=True,
    )


def _said(status: int, body: bytes) -> dict[str, object]:
    """The answer's `data` and `lease_duration`."""
    said: object = None
    try:
        said = parse(body.decode())
    except (UnicodeDecodeError, StrictJsonError):
        said = None
    if status == 404:
        data = said.get("data") if isinstance(said, dict) else None
        is_deleted = isinstance(data, dict) and isinstance(data.get("metadata"), dict)
        raise _problem(
            "its newest version is deleted"
            if is_deleted
            else "there is nothing there; if there is, look at `mount` and `kv_version`"
        )
    if status != 200:
        raise _problem(f"it {_STATUSES.get(status, 'fails')} (status {status})")
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise _problem("it did not answer as Vault does")
    return said


def _value(vault: Vault, name: str, field: VaultField, said: Mapping[str, object]) -> Reading | Refusal:
    data = said.get("data")
    if field.kv_version == 2 and isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, dict):
        reason = "it did not answer as a key-value engine of version 2 does; set `kv_version`"
        return _unread(name, field, reason)
    value = data.get(field.field)
    if not isinstance(value, str):
        what = "is no text" if field.field in data else "is not there"
        return _unread(name, field, f"the field {shown(field.field)} {what}")
    if len(value) > MAX_SECRET:
        reason = f"the field {shown(field.field)} is longer than {MAX_SECRET} characters"
        return _unread(name, field, reason)
    try:
        value = checked(name, value, f"the field {shown(field.field)} in Vault")
    except RefusedError as error:
        return error.refusal
    lease = said.get("lease_duration")
    seconds = vault.ttl_ms / 1000
    if isinstance(lease, int) and not isinstance(lease, bool) and lease > 0:
        seconds = min(seconds, lease)
    return Reading(value, seconds)


def _problem(reason: str) -> RefusedError:
    return RefusedError(Refusal(code="AR508", message=reason))


def _unread(name: str, place: VaultField, reason: str) -> Refusal:
    where = f"`{shortened(place.mount)}/{shortened(place.path)}`"
    message = f"secret `{name}` can't be read from Vault at {where}: {reason}"
    return Refusal(code="AR508", message=message, value=name)
