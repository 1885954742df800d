"""What a connection trusts and what it shows of itself: TLS contexts from the bundle and from secrets.

OpenSSL reads a private key from a file only. It is given one in memory, or, where the system has none, one
that nobody else may read and that is gone when the context is made.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import certifi

from .environments import ClientCertificate
from .refusals import Refusal, RefusedError
from .secrets import Secrets

_IN_MEMORY: Final = hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir()


@dataclass(frozen=True, slots=True)
class Trust:
    """What a pool of connections stands on. Two pools with equal trust may serve the same requests.

    `authorities` are those that vouch for the server, the public ones if there are none of its own. The
    other values are the client's, as PEM.
    """

    authorities: str | None = None
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    key_password: str = field(default="", repr=False)


def trust_of(
    authorities: str | None, certificate: ClientCertificate | None, secrets: Secrets | None
) -> Trust:
    """The values behind a client certificate, as they are now.

    Raises:
        RefusedError: AR506, AR508 a secret has no value; AR509 there are no secrets to ask.
    """
    if certificate is None:
        return Trust(authorities)
    if secrets is None:
        raise _unusable(certificate, "this transport was given no secrets")
    values = (
        "" if name is None else secrets.get(name)
        for name in (certificate.certificate, certificate.key, certificate.key_password)
    )
    return Trust(authorities, *values)


def context_of(trust: Trust, certificate: ClientCertificate | None) -> ssl.SSLContext:
    """A context for connections on `trust`.

    Raises:
        RefusedError: AR509 certificate and key are no PEM, do not belong together, or the key does not open;
            AR406 the authorities are no certificates.
    """
    authorities = trust.authorities
    try:
        if authorities is None:
            context = ssl.create_default_context(cafile=certifi.where())
        else:
            if not authorities.isascii() or not authorities:
                raise ValueError  # nothing at all would stand for the authorities of the machine
            context = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError) as error:
        message = "the server's own certificate authorities are no certificates in PEM"
        raise RefusedError(Refusal(code="AR406", message=message)) from error
    if certificate is None:
        return context
    # a server may ask for the certificate only once it has seen the path
    context.post_handshake_auth = True
    try:
        with ExitStack() as stack:
            chain = stack.enter_context(_file(trust.certificate))
            key = stack.enter_context(_file(trust.key)) if trust.key else None
            # without an answer of ours OpenSSL would ask at the terminal
            context.load_cert_chain(chain, key, password=lambda: trust.key_password)
    except (ssl.SSLError, ValueError) as error:
        raise _unusable(certificate, _reason(trust, error)) from None
    return context


@contextmanager
def _file(text: str) -> Iterator[str]:
    """The path of a file with `text` in it, for as long as the block lasts."""
    if _IN_MEMORY:
        handle = os.memfd_create("agentc", os.MFD_CLOEXEC)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            yield f"/proc/self/fd/{handle}"
        return
    with tempfile.TemporaryDirectory(prefix="agentc-") as folder:  # of mode 0700
        path = Path(folder) / "pem"
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")
        yield str(path)


def _reason(trust: Trust, error: ssl.SSLError | ValueError) -> str:
    reason = getattr(error, "reason", None) or ""
    if reason == "KEY_VALUES_MISMATCH":
        return "the private key is not that of the certificate"
    if "ENCRYPTED" in (trust.key or trust.certificate):
        return f"the private key does not open with {'its' if trust.key_password else 'no'} password"
    return "they are no certificate and private key in PEM"


def _unusable(certificate: ClientCertificate, reason: str) -> RefusedError:
    names = " and ".join(f"`{name}`" for name in certificate.secrets())
    message = f"the client certificate of {names} can't be used: {reason}"
    return RefusedError(Refusal(code="AR509", message=message, value=certificate.certificate))
