"""Keys that sign and verify: ed25519 and ECDSA on P-256, by the library `cryptography`.

It is an extra (`agentc[trust]`) and imported on use: a runtime that checks digests only needs none of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    Private: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
    Public: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey

Kind: TypeAlias = Literal["ed25519", "ecdsa-p256"]


class KeyProblemError(ValueError):
    """A key that can't be used. The message is one line and holds nothing of the key."""


class Signer(NamedTuple):
    """Who signs: the public key, its id, and what makes a signature over bytes."""

    public: str
    keyid: str
    sign: Callable[[bytes], bytes]


class Verifier(NamedTuple):
    """A public key: its id, and whether a signature over bytes is its own."""

    keyid: str
    verify: Callable[[bytes, bytes], bool]


def new_key(kind: Kind) -> bytes:
    """A fresh private key in PEM (PKCS #8), not encrypted.

    Raises:
        KeyProblemError: the library is not installed.
    """
    _need_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    key = (
        ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signer(pem: bytes, password: bytes | None = None) -> Signer:
    """The signer with the private key in `pem`, which `password` opens if it is encrypted.

    Raises:
        KeyProblemError: not a private key, of a kind that is not used here, or the password is not its own.
    """
    _need_library()
    private = _private(pem, password)
    public = public_text(_der(private.public_key()))
    return Signer(public, key_id(public), lambda data: _sign(private, data))


def verifier(public: str) -> Verifier:
    """The verifier for a public key as `public_text` writes it.

    Raises:
        KeyProblemError: not a public key, or of a kind that is not used here.
    """
    _need_library()
    key = _public(public)
    return Verifier(key_id(public), lambda data, signature: _verify(key, data, signature))


def public_of(pem: bytes) -> str:
    """The text of a public key in PEM.

    Raises:
        KeyProblemError: as `verifier`.
    """
    _need_library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblemError("not a public key in PEM") from error
    return public_text(_der(_known(key)))


def public_text(der: bytes) -> str:
    """A public key as trust policies hold it: its SubjectPublicKeyInfo in base64, one line."""
    return base64.b64encode(der).decode()


def key_id(public: str) -> str:
    """The id of a public key: the sha256 of its SubjectPublicKeyInfo, in hex.

    Raises:
        KeyProblemError: the text is not canonical base64.
    """
    try:
        der = base64.b64decode(public, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyProblemError("the public key is not base64") from error
    if public_text(der) != public:
        raise KeyProblemError("the public key is not canonical base64")
    return hashlib.sha256(der).hexdigest()


def _need_library() -> None:
    if find_spec("cryptography") is None:
        raise KeyProblemError("signatures need the library `cryptography`: pip install 'agentc[trust]'")


def _private(pem: bytes, password: bytes | None) -> Private:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password)
    except TypeError as error:
        told = "is encrypted, and there is no password" if password is None else "is not encrypted"
        raise KeyProblemError(f"the private key {told}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblemError("not a private key in PEM that the password opens") from error
    return _known_private(key)


def _public(public: str) -> Public:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key_id(public)
    try:
        key = load_der_public_key(base64.b64decode(public))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblemError("not a public key") from error
    return _known(key)


def _known(key: object) -> Public:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyProblemError("the key is neither ed25519 nor ECDSA on P-256")


def _known_private(key: object) -> Private:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyProblemError("the key is neither ed25519 nor ECDSA on P-256")


def _der(key: Public) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _sign(key: Private, data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _verify(key: Public, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
