"""DSSE envelopes: bytes of a type, and who signed them (github.com/secure-systems-lab/dsse, version 1.0).

Only one spelling of an envelope is read, canonical JSON with canonical base64, so that nothing of it can be
changed without changing what it says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import msgspec

from ..canonical import canonical, parse

#: The type of an in-toto statement in an envelope.
IN_TOTO = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 16 * 1024 * 1024
MAX_SIGNATURES = 16


class EnvelopeError(ValueError):
    """Bytes that are no envelope, or one that nobody who may has signed. The message is one line."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature, and the id of the key that made it."""

    keyid: str
    sig: bytes


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What was signed, of which type, by which keys. Nothing of it is true before `signers` said so."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def signed_bytes(self) -> bytes:
        """The bytes that a signature is over."""
        return pre_authentication(self.payload_type, self.payload)


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    payloadType: str  # noqa: N815  the names of the format
    signatures: tuple[_Signature, ...]


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """PAE of DSSE: type and payload with their lengths, so that neither can pass for the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, payload_type: str, keyid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The bytes of an envelope with one signature, which `sign` makes over `pre_authentication`."""
    signature = sign(pre_authentication(payload_type, payload))
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode()}],
        }
    )


def read_envelope(data: bytes) -> Envelope:
    """The envelope that `data` is.

    Raises:
        EnvelopeError: anything else than an envelope in canonical JSON with 1 to `MAX_SIGNATURES` signatures,
            each by another key.
    """
    if len(data) > MAX_ENVELOPE_BYTES:
        raise EnvelopeError(f"larger than {MAX_ENVELOPE_BYTES} bytes")
    try:
        raw = msgspec.convert(parse(data), _Envelope)
    except ValueError as error:
        raise EnvelopeError(f"not a DSSE envelope: {ascii(str(error))[1:-1]}") from error
    if not 1 <= len(raw.signatures) <= MAX_SIGNATURES:
        raise EnvelopeError(f"has {len(raw.signatures)} signatures, not 1 to {MAX_SIGNATURES}")
    if len({one.keyid for one in raw.signatures}) != len(raw.signatures):
        raise EnvelopeError("is signed by a key twice")
    return Envelope(
        payload=_decoded(raw.payload),
        payload_type=raw.payloadType,
        signatures=tuple(Signature(keyid=one.keyid, sig=_decoded(one.sig)) for one in raw.signatures),
    )


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnvelopeError("holds text that is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise EnvelopeError("holds base64 that is not canonical")
    return data
