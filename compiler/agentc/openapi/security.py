"""What an operation asks for before it answers: alternatives of credentials that are sent together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from .model import Credential
from .problem import Pointer, Problem, ProblemError, follow

#: The schemes that a toolset may name when its document describes none: it can't say then what is open.
UNDESCRIBED_SCHEMES: dict[str, Literal["bearer", "basic"]] = {"bearer": "bearer", "basic": "basic"}

#: HTTP authentication schemes that answer a challenge, sign the request or take turns: no value that stays
#: the same is their credential (the IANA registry of authentication schemes, and widely used others).
_CHALLENGED = frozenset(
    {
        *("digest", "negotiate", "ntlm", "kerberos", "hoba", "mutual", "oauth", "dpop", "gnap", "hawk"),
        *("scram-sha-1", "scram-sha-256", "privatetoken", "concealed", "vapid", "signature"),
        *("aws4-hmac-sha256", "hmac"),
    }
)
_SCHEME_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")

_HEADER_BLOCKED = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "connection",
        "transfer-encoding",
        "cookie",
    }
)


class Security(NamedTuple):
    """What an operation asks for: `alternatives` of credentials that are sent together. None at all: it is
    open to everybody. `asked` has the place where the document says so, `problems` tell of alternatives that
    are left out."""

    alternatives: tuple[tuple[Credential, ...], ...] = ()
    asked: Problem | None = None
    problems: tuple[Problem, ...] = ()


def alternatives(root: Mapping[str, object], operation: Mapping[str, object], pointer: Pointer) -> Security:
    """The alternatives that can be satisfied, and why the others can't.

    Source: OpenAPI 3.1.1, section 4.8.30, Security Requirement Object.

    Raises:
        ProblemError: AC706 credentials are needed and none of the alternatives can be satisfied.
    """
    where: Pointer = (*pointer, "security") if "security" in operation else ("security",)
    wanted = operation.get("security", root.get("security"))
    if wanted is None or wanted == []:
        return Security()
    if not isinstance(wanted, list):
        raise ProblemError(Problem("AC706", "`security` has to be a list", where))
    found: list[tuple[Credential, ...]] = []
    problems: list[Problem] = []
    for index, requirement in enumerate(wanted):
        at = (*where, str(index))
        if not isinstance(requirement, dict):
            problems.append(Problem("AC706", "a security requirement has to be an object", at))
            continue
        try:
            credentials = tuple(
                _credential(root, name, scopes, (*at, name)) for name, scopes in requirement.items()
            )
            _check_places(credentials, at)
            found.append(credentials)
        except ProblemError as error:
            problems.append(error.problem)
    if not found:
        raise ProblemError(problems[0])
    return Security(tuple(found), Problem("AC706", "asked for here", where), tuple(problems))


def _check_places(credentials: Sequence[Credential], pointer: Pointer) -> None:
    """Refuse credentials of which one would take the place of another."""
    places: dict[tuple[str, str], str] = {}
    for one in credentials:
        if one.kind == "certificate":
            continue
        header = one.kind in ("bearer", "basic", "header")
        wire = one.wire if one.kind in ("header", "query", "cookie") else "Authorization"
        place = ("header", wire.lower()) if header else (one.kind, wire)
        other = places.setdefault(place, one.scheme)
        if other != one.scheme:
            message = f"`{other[:80]}` and `{one.scheme[:80]}` both fill the {place[0]} `{wire[:80]}`"
            raise ProblemError(Problem("AC706", message, pointer, "name one of them in each alternative"))


def scheme_words(root: Mapping[str, object]) -> dict[str, str]:
    """Each security scheme of the document with what it is, in words."""
    components = root.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else None
    words: dict[str, str] = {}
    for name in schemes if isinstance(schemes, dict) else ():
        try:
            credential = _credential(root, name, [], ("components", "securitySchemes", name))
        except ProblemError as error:
            words[name] = error.problem.message
            continue
        words[name] = credential.kind + (f" `{credential.wire}`" if credential.wire else "")
    return words


def _token_url(scheme: Mapping[str, object]) -> str:
    """The absolute `tokenUrl` of the client credentials flow, or nothing."""
    flows = scheme.get("flows")
    flow = flows.get("clientCredentials") if isinstance(flows, dict) else None
    url = flow.get("tokenUrl") if isinstance(flow, dict) else None
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""


def _credential(root: Mapping[str, object], name: str, scopes: object, pointer: Pointer) -> Credential:
    components = root.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else None
    if not isinstance(schemes, dict) or name not in schemes:
        raise ProblemError(
            Problem("AC706", f"the security scheme `{name[:80]}` is not in the document", pointer)
        )
    at: Pointer = ("components", "securitySchemes", name)
    scheme, at = follow(root, schemes[name], at)
    kind = scheme.get("type") if isinstance(scheme, dict) else None
    if not isinstance(scheme, dict) or not isinstance(kind, str):
        raise ProblemError(Problem("AC706", f"the security scheme `{name[:80]}` has no `type`", at))
    needed = tuple(one for one in scopes if isinstance(one, str)) if isinstance(scopes, list) else ()
    if kind in ("oauth2", "openIdConnect"):
        discovery = scheme.get("openIdConnectUrl" if kind == "openIdConnect" else "oauth2MetadataUrl")
        return Credential(
            scheme=name,
            kind="bearer",
            scopes=needed,
            token_url=_token_url(scheme),
            discovery_url=discovery if isinstance(discovery, str) else "",
        )
    if kind == "http":
        how = scheme.get("scheme")
        how = how.lower() if isinstance(how, str) else ""
        if how == "bearer":
            return Credential(scheme=name, kind="bearer", scopes=needed)
        if how == "basic":
            return Credential(scheme=name, kind="basic")
        if _SCHEME_NAME.fullmatch(how) and how not in _CHALLENGED:
            # RFC 9110, section 11.4: the secret is the header's value, the name of the scheme included
            return Credential(scheme=name, kind="header", wire="Authorization")
        kind = f"http {how[:40]}"
    elif kind == "mutualTLS":
        return Credential(scheme=name, kind="certificate")
    elif kind == "apiKey":
        place, wire = scheme.get("in"), scheme.get("name")
        if isinstance(wire, str) and wire:
            if place == "header" and wire.lower() not in _HEADER_BLOCKED:
                return Credential(scheme=name, kind="header", wire=wire)
            if place == "query":
                return Credential(scheme=name, kind="query", wire=wire)
            if place == "cookie":
                return Credential(scheme=name, kind="cookie", wire=wire)
        kind = "apiKey without a usable `in` and `name`"
    raise ProblemError(
        Problem(
            "AC706",
            f"the security scheme `{name[:80]}` ({kind[:60]}) is not supported",
            at,
            "supported are http schemes without a challenge, apiKey, oauth2, openIdConnect and mutualTLS",
        )
    )
