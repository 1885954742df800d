"""Where a bundle may reach and what it shows there: endpoints, credentials, and the environments of a run.

A part of the bundle contract, like `bundle.py`. Values of secrets are nowhere in it, only their names and
where they are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .expressions import Record


class Endpoint(Record, frozen=True, kw_only=True):
    """A server's base URL: written out (`url`), or named by an environment variable of the project."""

    url: str | None = None
    variable: str | None = None


class TokenSource(Record, frozen=True, kw_only=True):
    """Where the access tokens of an OAuth2 client come from (RFC 6749, section 4.4).

    `scopes` are what the granted operations need, and all that is asked for. A token may have `extra_scopes`
    besides, and nothing else. `method` says how the client shows who it is, `client_id` the secret that holds
    its id; without it, one secret holds both.
    """

    endpoint: Endpoint
    scopes: tuple[str, ...] = ()
    extra_scopes: tuple[str, ...] = ()
    method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    client_id: str | None = None


class Auth(Record, frozen=True, kw_only=True):
    """One credential put on a request. `name` is the header, query parameter or cookie of an apiKey.

    With `token` the secret is that of an OAuth2 client, and what is sent is a token fetched with it: the
    secret is `client_id:client_secret`, or the client secret alone if `token.client_id` names another one.
    """

    kind: Literal["bearer", "basic", "header", "query", "cookie"]
    secret: str
    name: str = ""
    token: TokenSource | None = None

    def secrets(self) -> Iterator[str]:
        """The names of the secrets that it is made of."""
        yield self.secret
        if self.token is not None and self.token.client_id is not None:
            yield self.token.client_id


class ClientCertificate(Record, frozen=True, kw_only=True):
    """What a client shows of itself in TLS (RFC 8446, section 4.4.2), as names of secrets that hold PEM text.

    Without `key` the certificate's secret holds both. `key_password` opens an encrypted key.
    """

    certificate: str
    key: str | None = None
    key_password: str | None = None

    def secrets(self) -> Iterator[str]:
        """The names of the secrets that it is made of."""
        yield from (name for name in (self.certificate, self.key, self.key_password) if name is not None)


class VaultField(Record, frozen=True, kw_only=True):
    """A field of a secret in a key-value engine of Vault, of version 1 or 2, that is mounted at `mount`."""

    path: str
    field: str
    mount: str = "secret"
    kv_version: Literal[1, 2] = 2


class Secret(Record, frozen=True, kw_only=True):
    """Where a secret's value is found when the bundle runs: a variable of the process, a file, or Vault."""

    env: str | None = None
    file: str | None = None
    vault: VaultField | None = None


class Vault(Record, frozen=True, kw_only=True):
    """The Vault of an environment. `token` is the secret that is shown to it, `ttl_ms` how long values are
    used before they are read again."""

    address: str
    token: str
    namespace: str = ""
    ttl_ms: int = 300_000


class Environment(Record, frozen=True, kw_only=True):
    """One place to run: the values of the server variables and the sources of the secrets.

    Every host that the bundle may ever reach stands here or in an `Endpoint.url`. `private_hosts` are the
    `host:port` pairs that may resolve to private or loopback addresses. `certificate_authorities` are those
    that vouch for a `host:port` in place of the public ones, as PEM text.
    """

    variables: dict[str, str] = {}
    secrets: dict[str, Secret] = {}
    private_hosts: tuple[str, ...] = ()
    vault: Vault | None = None
    certificate_authorities: dict[str, str] = {}
